/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CPU: does the destination give what the guest's CPU has?
 *
 * A live custom CPU (host-model becomes one at start) carries check='full': the
 * destination starts QEMU and compares. host-passthrough and maximum are never
 * checked: there the difference of both hosts' host-model sets tells what a
 * guest loses. */
#include "lib/migrate/check.h"

#include <errno.h>

/* 250 ppm: what QEMU and libvirt bear (cpu_x86.c, virCPUx86 TSC tolerance). */
#define TSC_PART 4000

struct cpu {
	const xmlNode *node;
	const char *mode; /* "host-model" without a domain */
	struct vw_featset set;
	bool known; /* set is what the guest's CPU has */
	bool checked;
};

static void set_of_words(struct vw_judge *j, const struct vw_words *w, struct vw_featset *s)
{
	for (size_t i = 0; i < w->n; i++) {
		int number = vw_features_intern(j->m->table, w->v[i]);

		if (number >= 0)
			vw_featset_add(s, (unsigned)number);
		else
			j->failed |= number == -ENOMEM;
	}
}

/* What <feature> elements ask for, over the base. */
static void apply_features(struct vw_judge *j, struct cpu *c)
{
	const xmlNode *f = c->node ? vw_xml_child(c->node, "feature") : NULL;

	for (; f; f = vw_xml_next(f, "feature")) {
		const char *policy = vw_xml_attr(f, "policy"), *name = vw_xml_attr(f, "name");
		int number = name ? vw_features_intern(j->m->table, name) : -1;

		if (number < 0)
			continue;
		if (!policy || !strcmp(policy, "require") || !strcmp(policy, "force"))
			vw_featset_add(&c->set, (unsigned)number);
		else
			c->set.bits[number / 64] &= ~(UINT64_C(1) << number % 64);
	}
}

/* A guest that runs has the CPU that the host gave it where it was started. */
static const struct vw_host_virt *started_on(const struct vw_judge *j)
{
	bool back = j->m->flags & VW_MOVE_BACK && !(j->m->flags & VW_MOVE_FRESH);

	return back ? j->to : j->from;
}

static bool is_whole_host(const char *mode)
{
	return !strcmp(mode, "host-passthrough") || !strcmp(mode, "maximum");
}

static void look(struct vw_judge *j, struct cpu *c)
{
	const struct vw_host_virt *home = started_on(j);
	bool fresh = j->m->flags & VW_MOVE_FRESH;

	c->node = j->root ? vw_xml_child(j->root, "cpu") : NULL;
	c->mode = c->node ? vw_xml_attr(c->node, "mode") : NULL;
	if (!c->mode)
		c->mode = j->root ? "custom" : "host-model";
	c->checked = !is_whole_host(c->mode) &&
		     !(c->node && vw_streq(vw_xml_attr(c->node, "check"), "none"));
	if (!strcmp(c->mode, "custom") && j->m->live && j->m->live->features.n && !fresh) {
		set_of_words(j, &j->m->live->features, &c->set);
		c->known = true;
	} else if (strcmp(c->mode, "custom") && home && home->features.n) {
		c->set = home->set;
		c->known = true;
	}
	if (!c->known || strcmp(c->mode, "custom"))
		apply_features(j, c);
}

static void say_missing(struct vw_judge *j, const struct cpu *c, const char *missing)
{
	VW_AUTOFREE char *remedy = NULL;

	if (asprintf(
		    &remedy,
		    "virt-warden matrix --baseline HOST... prints a CPU that runs on all; shut %s down, put it in by virsh edit %s, start",
		    j->name, j->name) < 0)
		remedy = NULL;
	if (c->checked)
		vw_judge_add(j,
			     &(struct vw_found){ .id = "cpu-features",
						 .severity = VW_SEV_BLOCKER,
						 .property = "cpu",
						 .source = missing,
						 .destination = j->to->model,
						 .remedy = remedy },
			     "the destination's CPU lacks %s", missing);
	else
		vw_judge_add(j,
			     &(struct vw_found){ .id = "cpu-features-lost",
						 .severity = VW_SEV_RISK,
						 .property = "cpu",
						 .source = missing,
						 .destination = j->to->model,
						 .remedy = remedy },
			     "mode '%s' is let through, but the guest loses %s and may crash",
			     c->mode, missing);
}

static void compare_sets(struct vw_judge *j, const struct cpu *c)
{
	struct vw_featset missing;
	VW_AUTOFREE char *names = NULL;

	if (!j->to->features.n) {
		vw_judge_unknown(j, j->m->dst, "cpu", "cpu");
		return;
	}
	if (vw_featset_minus(&c->set, &j->to->set, &missing)) {
		names = vw_featset_names(j->m->table, &missing);
		say_missing(j, c, names ? names : "");
	} else if (!c->checked) {
		vw_judge_add(
			j,
			&(struct vw_found){
				.id = "cpu-not-checked", .property = "cpu", .source = c->mode },
			"libvirt does not compare CPUs of this mode; no difference that libvirt knows of was found");
	}
}

/* Without the features of its model: is the model one that runs there? */
static void compare_model(struct vw_judge *j, const struct cpu *c)
{
	const xmlNode *node = c->node ? vw_xml_child(c->node, "model") : NULL;
	const char *model = node ? vw_xml_content(j->m->doc, node) : "";
	/* It runs on the destination now: what host-model became is a model without some of
	 * its features, and such a model is not listed as one that runs there. */
	bool home = j->m->flags & VW_MOVE_FRESH && j->m->live && j->m->live->active;

	if (home || c->known || strcmp(c->mode, "custom") || !*model || !j->to->models.n ||
	    vw_words_have(&j->to->models, model))
		return;
	vw_judge_add(
		j,
		&(struct vw_found){
			.id = "cpu-model",
			.severity = VW_SEV_BLOCKER,
			.property = "cpu",
			.source = model,
			.remedy =
				"virt-warden matrix --baseline HOST... prints a CPU that runs on all" },
		"the destination can't give a CPU of the model %s", model);
}

static void compare_vendor(struct vw_judge *j, const struct cpu *c)
{
	const struct vw_host_virt *home = started_on(j);
	const xmlNode *node = c->node ? vw_xml_child(c->node, "vendor") : NULL;
	const char *vendor = node                                ? vw_xml_content(j->m->doc, node)
			     : home && strcmp(c->mode, "custom") ? home->vendor
								 : "";

	if (strcmp(j->to->type, "kvm") || !*vendor || !*j->to->vendor ||
	    !strcmp(vendor, j->to->vendor))
		return;
	vw_judge_add(j,
		     &(struct vw_found){ .id = "cpu-vendor",
					 .severity = c->checked ? VW_SEV_BLOCKER : VW_SEV_RISK,
					 .property = "cpu",
					 .source = vendor,
					 .destination = j->to->vendor,
					 .remedy = "keep guests on hosts of one CPU vendor" },
		     "the CPU is of another vendor there");
}

/* Do the frequencies (kHz, > 0) differ by more than both bear? Facts may say any number. */
static bool tsc_differs(long long a, long long b)
{
	return (a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a) >
	       (uint64_t)(b / TSC_PART);
}

/* A TSC that the guest was given as it is; under KVM a guest with a model's CPU reads kvmclock. */
static void compare_bare_tsc(struct vw_judge *j, const struct cpu *c)
{
	bool back = j->m->flags & VW_MOVE_BACK && !(j->m->flags & VW_MOVE_FRESH);
	VW_AUTOFREE char *remedy = NULL;
	long long here = (back ? j->m->dst : j->m->src)->tsc_khz, there = j->m->dst->tsc_khz;

	if (strcmp(j->to->type, "kvm") || !is_whole_host(c->mode) || here <= 0 || there <= 0 ||
	    j->m->dst->tsc_scaling || !tsc_differs(here, there))
		return;
	if (asprintf(&remedy, "give the guest a CPU of a model: virsh edit %s", j->name) < 0)
		remedy = NULL;
	vw_judge_add(
		j,
		&(struct vw_found){ .id = "tsc-frequency",
				    .severity = VW_SEV_RISK,
				    .property = "clock",
				    .remedy = remedy },
		"the TSC runs at %lld kHz there, not at %lld, and does not scale: the guest's clock may run wrong",
		there, here);
}

static void compare_tsc(struct vw_judge *j, const struct cpu *c)
{
	const xmlNode *t = j->root ? vw_xml_path(j->root, "clock/timer") : NULL;
	const xmlNode *f = c->node ? vw_xml_child(c->node, "feature") : NULL;
	long long khz, there = j->m->dst->tsc_khz;
	const char *hz;

	while (f && !(vw_streq(vw_xml_attr(f, "name"), "invtsc") &&
		      vw_streq(vw_xml_attr(f, "policy"), "require")))
		f = vw_xml_next(f, "feature");
	while (t && !vw_streq(vw_xml_attr(t, "name"), "tsc"))
		t = vw_xml_next(t, "timer");
	hz = t ? vw_xml_attr(t, "frequency") : NULL;
	if (f && !hz)
		vw_judge_add(
			j,
			&(struct vw_found){
				.id = "tsc-frequency",
				.severity = VW_SEV_BLOCKER,
				.property = "clock",
				.remedy =
					"give <timer name='tsc' frequency='HZ'/>, or drop invtsc" },
			"invtsc migrates only with a fixed TSC frequency");
	if (!hz)
		compare_bare_tsc(j, c);
	khz = hz ? strtoll(hz, NULL, 10) / 1000 : 0;
	if (khz > 0 && there > 0 && !j->m->dst->tsc_scaling && tsc_differs(khz, there))
		vw_judge_add(
			j,
			&(struct vw_found){
				.id = "tsc-frequency",
				.severity = VW_SEV_BLOCKER,
				.property = "clock",
				.source = hz,
				.remedy =
					"migrate to a host whose TSC runs at this frequency, or scales" },
			"the destination's TSC runs at %lld kHz, and does not scale", there);
}

void vw_check_cpu(struct vw_judge *j)
{
	struct cpu c = { 0 };

	if (!j->to || j->m->flags & VW_MOVE_OFFLINE)
		return;
	look(j, &c);
	compare_sets(j, &c);
	compare_model(j, &c);
	compare_vendor(j, &c);
	compare_tsc(j, &c);
}
