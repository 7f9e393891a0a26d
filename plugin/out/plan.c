/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan for people (see plugin/out/plan.h). */
#include "plugin/out/plan.h"

#include "lib/base/buf.h"
#include "plugin/out/table.h"

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
	{ "clean shutdown and backup", RULES("agent-channel", "acpi", "pm") },
	{ "crashes are noticed", RULES("panic-device") },
	{ "space given back", RULES("disk-discard") },
	{ "memory figures", RULES("balloon") },
	{ "entropy at boot", RULES("rng") },
	{ "today's platform",
	  RULES("machine", "firmware", "tpm", "cdrom-bus", "usb", "pcie-ports") },
	{ "better console", RULES("video", "tablet") },
	{ "tools know its OS", RULES("os-metadata") },
	{ "starts and works", RULES("disk-format", "shared-memory") },
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
	else if (!plan->n_findings && plan->unjudged)
		out_print(o, OUT_WARN, "not judged\n");
	else if (!plan->n_findings)
		out_print(o, OUT_GOOD, "conformant\n");
	else
		out_print(o, OUT_WARN, "%zu finding%s\n", plan->n_findings,
			  plan->n_findings == 1 ? "" : "s");
	if (plan->unjudged && plan->mode != VW_MODE_OFF)
		out_print(o, OUT_WARN, "  %s\n", plan->unjudged);
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

/* Many findings are left for the same reason: it is said once, below the table. */
#define REASON "; not done, because "
#define NOTES_MAX 9

struct notes {
	const char *text[NOTES_MAX];
	size_t n;
	const char **reasons; /* of all findings that are shown, sorted */
	size_t n_reasons;
};

static const char *reason_of(const struct vw_finding *f)
{
	return f->message ? strstr(f->message, REASON) : NULL;
}

static int compare_reasons(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void collect_reasons(struct notes *notes, const struct vw_plan *plan, unsigned actions)
{
	notes->reasons = calloc(plan->n_findings + 1, sizeof(*notes->reasons));
	for (size_t i = 0; notes->reasons && i < plan->n_findings; i++) {
		const char *reason = reason_of(&plan->findings[i]);

		if (reason && actions & OUT_ACTION(plan->findings[i].action))
			notes->reasons[notes->n_reasons++] = reason;
	}
	if (notes->n_reasons)
		qsort(notes->reasons, notes->n_reasons, sizeof(*notes->reasons), compare_reasons);
}

static bool is_shared(const struct notes *notes, const char *reason)
{
	const char **first = notes->reasons, **last = first + notes->n_reasons, **found;

	if (!notes->n_reasons)
		return false;
	found = bsearch(&reason, first, notes->n_reasons, sizeof(*first), compare_reasons);
	return found && ((found > first && vw_streq(found[-1], reason)) ||
			 (found + 1 < last && vw_streq(found[1], reason)));
}

/* Return: the number of the note that has this reason, 0 = it is said in the row. */
static size_t note_number(struct notes *notes, const char *reason)
{
	size_t i;

	if (!reason || !is_shared(notes, reason))
		return 0;
	for (i = 0; i < notes->n; i++)
		if (vw_streq(notes->text[i], reason))
			return i + 1;
	if (notes->n == NOTES_MAX)
		return 0;
	notes->text[notes->n++] = reason;
	return notes->n;
}

static void add_row(struct out_table *t, const struct vw_finding *f, size_t note)
{
	const char *message = f->message ? f->message : "";
	int len = (int)(note ? (size_t)(reason_of(f) - message) : strlen(message));

	out_table_add(t, OUT_PLAIN, f->rule);
	out_table_add(t, OUT_PLAIN, or_dash(f->device));
	out_table_addf(t, OUT_PLAIN, "%s %s %s", or_dash(f->before), out_arrow(t->o),
		       or_dash(f->after));
	out_table_addf(t, action_style(f->action), "%s/%s", vw_action_name(f->action),
		       vw_evidence_name(f->evidence));
	if (note)
		out_table_addf(t, OUT_PLAIN, "%.*s [%zu]", len, message, note);
	else
		out_table_add(t, OUT_PLAIN, message);
}

static void print_notes(const struct out *o, const struct notes *notes)
{
	static const struct out_column cols[] = { { "", 0, true }, { "", 0, false } };
	OUT_AUTOTABLE struct out_table t = { 0 };
	size_t i;

	out_table_init(&t, o, cols, VW_N_ELEMENTS(cols));
	for (i = 0; i < notes->n; i++) {
		out_table_addf(&t, OUT_WARN, "[%zu]", i + 1);
		out_table_add(&t, OUT_PLAIN, notes->text[i] + strlen("; "));
	}
	out_table_print(&t, 2, false);
}

void out_plan_table(const struct out *o, const struct vw_plan *plan, unsigned actions)
{
	static const struct out_column cols[] = {
		{ "RULE", 0, false },   { "DEVICE", 20, false }, { "CHANGE", 36, false },
		{ "ACTION", 0, false }, { "WHY", 0, false },
	};
	OUT_AUTOTABLE struct out_table t = { 0 };
	struct notes notes = { .n = 0 };
	size_t i;

	out_table_init(&t, o, cols, VW_N_ELEMENTS(cols));
	collect_reasons(&notes, plan, actions);
	for (i = 0; i < plan->n_findings; i++) {
		const struct vw_finding *f = &plan->findings[i];

		if (actions & OUT_ACTION(f->action))
			add_row(&t, f, note_number(&notes, reason_of(f)));
	}
	out_table_print(&t, 2, true);
	print_notes(o, &notes);
	free(notes.reasons);
}
