/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan for people (see out-plan.h). */
#include "out-plan.h"

#include "buf.h"
#include "out-table.h"

#define RULES(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

static const struct out_gain gains[] = {
	{ "safe live migration", RULES("disk-cache") },
	{ "faster disk", RULES("disk-bus", "disk-io", "disk-iothread") },
	{ "faster network", RULES("nic-model", "nic-queues") },
	{ "all of the CPU", RULES("cpu-mode") },
	{ "right time, less idle load", RULES("hyperv", "clock") },
	{ "clean shutdown and backup", RULES("agent-channel") },
	{ "crashes are noticed", RULES("panic-device") },
	{ "space given back", RULES("disk-discard") },
	{ "memory figures", RULES("balloon") },
	{ "entropy at boot", RULES("rng") },
	{ "today's platform", RULES("machine", "firmware", "tpm", "cdrom-bus", "usb") },
	{ "better console", RULES("video", "tablet") },
	{ "tools know its OS", RULES("os-metadata") },
};

size_t out_gains(const struct out_gain **ret)
{
	*ret = gains;
	return VW_N_ELEMENTS(gains);
}

static bool has_rule(const struct out_gain *gain, const char *rule)
{
	const char *const *p;

	for (p = gain->rules; *p; p++)
		if (vw_streq(*p, rule))
			return true;
	return false;
}

unsigned out_plan_gains(const struct vw_plan *plan)
{
	unsigned bits = 0;
	size_t i, g;

	for (i = 0; i < plan->n_findings; i++)
		for (g = 0; g < VW_N_ELEMENTS(gains); g++)
			if (has_rule(&gains[g], plan->findings[i].rule))
				bits |= 1u << g;
	return bits;
}

char *out_gain_names(unsigned bits)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	size_t g;

	for (g = 0; g < VW_N_ELEMENTS(gains); g++)
		if (bits & (1u << g))
			vw_buf_printf(&b, "%s%s", b.len ? ", " : "", gains[g].name);
	return vw_buf_take(&b);
}

char *out_plan_os(const struct vw_plan *plan)
{
	const struct vw_os *os = plan->os;

	if (!os)
		return strdup("unknown OS");
	return strdup(*os->name ? os->name : *os->short_id ? os->short_id : os->id);
}

void out_plan_heading(const struct out *o, const struct vw_plan *plan, const char *label,
		      bool is_file)
{
	VW_AUTOFREE char *os = out_plan_os(plan);
	bool named = plan->name && *plan->name;

	out_print(o, OUT_BOLD, "%s", named ? plan->name : label);
	if (is_file && named && !vw_streq(label, "-"))
		out_print(o, OUT_DIM, " (%s)", label);
	if (plan->os)
		out_print(o, OUT_PLAIN, "  %s (%s)  ", os ? os : "",
			  vw_os_source_name(plan->os_source));
	else
		out_print(o, OUT_WARN, "  unknown OS  ");
	if (plan->mode == VW_MODE_OFF)
		out_print(o, OUT_DIM, "mode off: left alone\n");
	else if (!plan->n_findings)
		out_print(o, OUT_GOOD, "conformant\n");
	else
		out_print(o, OUT_WARN, "%zu finding%s\n", plan->n_findings,
			  plan->n_findings == 1 ? "" : "s");
}

static enum out_style action_style(enum vw_action action)
{
	switch (action) {
	case VW_ACTION_FIX: return OUT_GOOD;
	case VW_ACTION_REFUSE: return OUT_BAD;
	default: return OUT_WARN;
	}
}

static const char *or_dash(const char *s)
{
	return s && *s ? s : "-";
}

void out_plan_table(const struct out *o, const struct vw_plan *plan, unsigned actions)
{
	static const struct out_column cols[] = {
		{ "RULE", 0, false },   { "DEVICE", 20, false }, { "CHANGE", 36, false },
		{ "ACTION", 0, false }, { "WHY", 0, false },
	};
	OUT_AUTOTABLE struct out_table t = { 0 };
	size_t i;

	out_table_init(&t, o, cols, VW_N_ELEMENTS(cols));
	for (i = 0; i < plan->n_findings; i++) {
		const struct vw_finding *f = &plan->findings[i];

		if (!(actions & OUT_ACTION(f->action)))
			continue;
		out_table_add(&t, OUT_PLAIN, f->rule);
		out_table_add(&t, OUT_PLAIN, or_dash(f->device));
		out_table_addf(&t, OUT_PLAIN, "%s %s %s", or_dash(f->before), out_arrow(o),
			       or_dash(f->after));
		out_table_addf(&t, action_style(f->action), "%s/%s", vw_action_name(f->action),
			       vw_evidence_name(f->evidence));
		out_table_add(&t, OUT_PLAIN, f->message ? f->message : "");
	}
	out_table_print(&t, 2, true);
}
