/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cpu-mode: a CPU model that is fast and, with host-model or a baseline, migrates. */
#include "lib/engine/rules.h"

#include <errno.h>

/* Models that nobody chooses: QEMU's and libvirt's own defaults. */
static bool is_generic(const char *model)
{
	static const char *const generic[] = { "qemu64", "qemu32", "kvm64", "kvm32" };

	for (size_t i = 0; i < VW_N_ELEMENTS(generic); i++)
		if (!strcmp(model, generic[i]))
			return true;
	return false;
}

/* What depends on the host that the guest was started on. */
static bool is_mode(const char *now)
{
	return !strcmp(now, "host-model") || !strcmp(now, "host-passthrough") ||
	       !strcmp(now, "maximum");
}

/* Is it what is wanted: that model, and no features? (With features the rule leaves a CPU alone.) */
static bool is_it(const char *now, const char *wanted)
{
	const size_t n = strcspn(wanted, " \t");

	return strlen(now) == n && !strncmp(now, wanted, n) &&
	       !wanted[n + strspn(wanted + n, " \t")];
}

/* What the XML says now: "" = nothing, "host-model", a model's name … NULL = leave it alone. */
static const char *cpu_now(struct vw_ctx *c, const xmlNode *cpu)
{
	const char *mode = vw_xml_attr(cpu, "mode");
	const xmlNode *model = vw_xml_child(cpu, "model");
	const char *name = vw_xml_content(c->doc, model);

	if (!cpu)
		return "";
	if (vw_xml_child(cpu, "feature"))
		return NULL;
	if (mode && strcmp(mode, "custom") != 0)
		return mode;
	if (!model)
		return vw_xml_attr(cpu, "match") ? NULL : "";
	return name;
}

static void set_mode(struct vw_ctx *c, xmlNode *cpu, const char *mode)
{
	static const char *const stale[] = { "match", "check", "migratable" };
	xmlNode *m = vw_xml_child(cpu, "model");
	xmlNode *vendor = vw_xml_child(cpu, "vendor");

	for (size_t i = 0; i < VW_N_ELEMENTS(stale); i++)
		vw_try(c, vw_xml_set_attr(c->doc, cpu, stale[i], NULL));
	vw_try(c, vw_xml_set_attr(c->doc, cpu, "mode", mode));
	if (m)
		vw_xml_remove(c->doc, m);
	/* libvirt refuses a vendor without a model ("CPU vendor specified without CPU model"), and
	 * it went with the old one */
	if (vendor)
		vw_xml_remove(c->doc, vendor);
}

/* "Nehalem +aes -mpx": the model of that name, with and without these features. words is cut up. */
static void set_model(struct vw_ctx *c, char *words)
{
	xmlNode *cpu = vw_need_child(c, c->domain, "cpu");
	char *save = NULL, *model = strtok_r(words, " \t", &save);
	xmlNode *m = NULL;

	if (!cpu)
		return;
	set_mode(c, cpu, "custom");
	vw_try(c, vw_xml_set_attr(c->doc, cpu, "match", "exact"));
	m = vw_add_element(c, cpu, "model", "fallback", "forbid", NULL);
	if (m)
		vw_try(c, vw_xml_set_content(c->doc, m, model));
	for (const char *f; (f = strtok_r(NULL, " \t", &save));)
		vw_add_element(c, cpu, "feature", "policy", *f == '-' ? "disable" : "require",
			       "name", f + 1, NULL);
}

/* The pool's CPU in place of what moves only to hosts that have all that this one has. */
static void give_baseline(struct vw_ctx *c, const char *now)
{
	VW_AUTOFREE char *words = strdup(c->policy->cpu_baseline);
	VW_AUTOFREE char *model = strdup(c->policy->cpu_baseline);

	if (!words || !model) {
		c->error = -ENOMEM;
		return;
	}
	model[strcspn(model, " \t")] = 0;
	if (!strcmp(now, "host-passthrough") || !strcmp(now, "maximum")) {
		vw_note(c, "domain", now, model, VW_EV_UNKNOWN,
			"chosen by hand, but nobody checks where it can go: the pool's baseline CPU "
			"migrates to every host");
		return;
	}
	if (vw_caps_has(c->caps, "cpu.model", model) == VW_NO) {
		vw_note(c, "domain", now, model, VW_EV_UNKNOWN,
			"the baseline CPU of warden.conf can't run on this host: correct [cpu] baseline");
		return;
	}
	if (vw_decide(c, "domain", now, model, "the pool's baseline CPU migrates to every host"))
		set_model(c, words);
}

/* Without KVM nothing of the host's CPU is used, and its model costs: the guest works around
 * flaws (Meltdown …) that an emulated CPU has not, at each system call. */
static void give_emulated(struct vw_ctx *c, const char *now, const char *wanted)
{
	VW_AUTOFREE char *words = strdup(wanted);
	char model[32];

	if (!words) {
		c->error = -ENOMEM;
		return;
	}
	snprintf(model, sizeof(model), "%.*s", (int)strcspn(wanted, " \t"), wanted);
	if (vw_caps_has(c->caps, "cpu.model", model) != VW_NO &&
	    vw_decide(
		    c, "domain", now, wanted,
		    "an emulated CPU is fast if it is plain, but current systems need these features"))
		set_model(c, words);
}

static void cpu_mode(struct vw_ctx *c, const xmlNode *data)
{
	xmlNode *cpu = vw_xml_child(c->domain, "cpu");
	const char *now = cpu_now(c, cpu), *emulated = vw_xml_attr(data, "emulated");
	bool generic = now && (!*now || is_generic(now));
	char mode[32];

	if (!now)
		return;
	if (*c->policy->cpu_baseline) {
		if ((generic || is_mode(now)) && !is_it(now, c->policy->cpu_baseline))
			give_baseline(c, now);
		return;
	}
	if (generic && emulated && !c->kvm) {
		if (!is_it(now, emulated))
			give_emulated(c, now, emulated);
		return;
	}
	if (!generic || !vw_choose(c, data, "prefer", "cpu.mode", mode, sizeof(mode)) ||
	    !vw_decide(c, "domain", now, mode,
		       "the generic CPU hides most of what the host's CPU can do"))
		return;
	cpu = vw_need_child(c, c->domain, "cpu");
	if (cpu)
		set_mode(c, cpu, mode);
}

const struct vw_rule vw_rule_cpu_mode = {
	.id = "cpu-mode",
	.cls = VW_CLASS_VISIBLE,
	.run = cpu_mode,
	.needs_template = true,
};
