/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* cpu-mode: a CPU model that is fast and, with host-model or a baseline, migrates. */
#include "rules.h"

/* Models that nobody chooses: QEMU's and libvirt's own defaults. */
static bool is_generic(const char *model)
{
	static const char *const generic[] = { "qemu64", "qemu32", "kvm64", "kvm32" };

	for (size_t i = 0; i < VW_N_ELEMENTS(generic); i++)
		if (!strcmp(model, generic[i]))
			return true;
	return false;
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

static void set_mode(struct vw_ctx *c, xmlNode *cpu, const char *mode, const char *model)
{
	static const char *const stale[] = { "match", "check", "migratable" };
	xmlNode *m = vw_xml_child(cpu, "model");

	for (size_t i = 0; i < VW_N_ELEMENTS(stale); i++)
		vw_try(c, vw_xml_set_attr(c->doc, cpu, stale[i], NULL));
	vw_try(c, vw_xml_set_attr(c->doc, cpu, "mode", mode));
	if (m)
		vw_xml_remove(c->doc, m);
	if (!model)
		return;
	vw_try(c, vw_xml_set_attr(c->doc, cpu, "match", "exact"));
	vw_try(c, vw_xml_add(c->doc, cpu, NULL, "model", &m));
	if (m) {
		vw_try(c, vw_xml_set_attr(c->doc, m, "fallback", "forbid"));
		vw_try(c, vw_xml_set_content(c->doc, m, model));
	}
}

void vw_rule_cpu_mode(struct vw_ctx *c, const xmlNode *data)
{
	const xmlNode *old = vw_xml_child(c->domain, "cpu");
	const char *now = cpu_now(c, old);
	const char *baseline = c->policy->cpu_baseline;
	char mode[32];
	xmlNode *cpu;

	if (!now || (*now && !is_generic(now)))
		return;
	if (*baseline && vw_caps_has(c->caps, "cpu.model", baseline) == VW_NO) {
		vw_note(c, "domain", now, baseline, VW_EV_UNKNOWN,
			"the baseline CPU of warden.conf can't run on this host: correct [cpu] baseline");
		return;
	}
	if (!*baseline && !vw_choose(c, data, "prefer", "cpu.mode", mode, sizeof(mode)))
		return;
	if (!vw_decide(c, "domain", now, *baseline ? baseline : mode,
		       *baseline ? "the pool's baseline CPU migrates to every host"
				 : "the generic CPU hides most of what the host's CPU can do"))
		return;
	cpu = vw_need_child(c, c->domain, "cpu");
	if (cpu)
		set_mode(c, cpu, *baseline ? "custom" : mode, *baseline ? baseline : NULL);
}
