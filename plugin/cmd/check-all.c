/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden check --all: a whole host at a glance, the first thing that a new user
 * sees. The sum first, then the worst first, what they would gain, what to type. */
#include "plugin/cmd/check.h"
#include "plugin/cmd/cmd.h"
#include "plugin/out/json.h"
#include "plugin/out/plan.h"
#include "plugin/out/table.h"

#include <errno.h>

#define ROWS_MIN 10     /* shown on a terminal at least */
#define LINES_AROUND 24 /* of a terminal's height, for the rest of the picture */

struct seen {
	struct cmd_audit *audit;
	size_t refuse, fix, total;
	bool cache; /* a live migration is not safe */
};

struct overview {
	struct seen *seen;
	size_t n, conformant, unjudged, unknown_os, failed, fixes, left;
};

static void overview_clear(struct overview *v)
{
	size_t i;

	for (i = 0; i < v->n; i++)
		cmd_audit_free(v->seen[i].audit);
	free(v->seen);
}

static bool has_rule(const struct vw_plan *plan, const char *rule)
{
	size_t i;

	for (i = 0; i < plan->n_findings; i++)
		if (vw_streq(plan->findings[i].rule, rule))
			return true;
	return false;
}

static void add(struct overview *v, struct cmd_audit *a)
{
	struct seen *s = &v->seen[v->n++];

	*s = (struct seen){
		.audit = a,
		.refuse = vw_plan_count(a->plan, VW_ACTION_REFUSE),
		.fix = vw_plan_count(a->plan, VW_ACTION_FIX),
		.total = a->plan->n_findings,
		.cache = has_rule(a->plan, "disk-cache"),
	};
	v->conformant += s->total == 0 && !cmd_check_unjudged(a->plan);
	v->unjudged += cmd_check_unjudged(a->plan);
	v->unknown_os += a->plan->os == NULL;
	v->fixes += s->fix;
	v->left += s->total - s->fix;
}

static int compare(const void *va, const void *vb)
{
	const struct seen *a = va, *b = vb;

	if (a->refuse != b->refuse)
		return a->refuse > b->refuse ? -1 : 1;
	if (a->cache != b->cache)
		return a->cache ? -1 : 1;
	if (a->fix != b->fix)
		return a->fix > b->fix ? -1 : 1;
	if (a->total != b->total)
		return a->total > b->total ? -1 : 1;
	if (a->audit->plan->judged != b->audit->plan->judged)
		return a->audit->plan->judged > b->audit->plan->judged ? -1 : 1;
	return strcmp(a->audit->label, b->audit->label);
}

/* Audit all; a domain that is gone meanwhile is none, one that can't be told is said and counted. */
static int look(struct cmd *cmd, struct overview *v, struct vw_err *err)
{
	const struct cmd_audit_options opt = { .findings_only = true };
	struct out_progress progress;
	virDomainPtr *doms = NULL;
	size_t n = 0, i;
	int rc = cmd_domains(cmd, &doms, &n, err);

	if (rc < 0)
		return rc;
	v->seen = calloc(n + 1, sizeof(*v->seen));
	out_progress_start(&progress, cmd->quiet ? NULL : &cmd->err);
	for (i = 0; v->seen && i < n; i++) {
		struct cmd_audit *a = NULL;
		struct vw_err why = { 0 };

		out_progress_show(&progress, "checking", i + 1, n);
		rc = cmd_audit_domain(cmd, doms[i], &opt, &a, &why);
		if (rc == 0) {
			add(v, a);
		} else if (rc != -ENOENT) {
			out_progress_end(&progress);
			cmd_fail(cmd, &why);
			v->failed++;
		}
		if (rc == -ETIME) { /* nor will it for the others */
			v->failed += n - i - 1;
			break;
		}
	}
	out_progress_end(&progress);
	cmd_domains_free(doms);
	if (!v->seen)
		return vw_err_set(err, -ENOMEM, "out of memory");
	qsort(v->seen, v->n, sizeof(*v->seen), compare);
	return 0;
}

static int print_json(struct cmd *cmd, const struct overview *v)
{
	json_t *domains = json_array();
	size_t i;

	for (i = 0; i < v->n; i++)
		json_array_append_new(domains, out_json_plan(v->seen[i].audit->plan));
	return cmd_print_json(cmd, cmd_check_json(domains));
}

static void print_sum(const struct cmd *cmd, const struct overview *v)
{
	VW_AUTOFREE char *uri = virConnectGetURI(cmd->conn);
	size_t all = v->n + v->failed;

	out_print(&cmd->out, OUT_BOLD, "%zu domain%s on %s: ", all, all == 1 ? "" : "s",
		  uri ? uri : "?");
	out_print(&cmd->out, OUT_GOOD, "%zu conformant", v->conformant);
	out_print(&cmd->out, OUT_PLAIN, ", ");
	out_print(&cmd->out, v->n > v->conformant ? OUT_WARN : OUT_PLAIN, "%zu with findings",
		  v->n - v->conformant);
	out_print(&cmd->out, OUT_PLAIN, ", %zu of unknown OS", v->unknown_os);
	if (v->unjudged)
		out_print(&cmd->out, OUT_WARN, ", %zu not judged wholly", v->unjudged);
	if (v->failed)
		out_print(&cmd->out, OUT_BAD, ", %zu could not be told", v->failed);
	fputc('\n', cmd->out.f);
}

static const char *state_of(const struct seen *s)
{
	switch (s->audit->facts->facts.active) {
	case VW_YES: return "running";
	case VW_NO: return "off";
	default: return "?";
	}
}

/* Return: how many rows were printed. */
static size_t print_rows(const struct cmd *cmd, const struct overview *v)
{
	static const struct out_column cols[] = {
		{ "DOMAIN", 32, false }, { "OS", 28, false }, { "STATE", 0, false },
		{ "FIX", 0, true },      { "ASK", 0, true },  { "WOULD GAIN", 0, false },
	};
	size_t shown = v->n - v->conformant, i, fit;
	OUT_AUTOTABLE struct out_table t = { 0 };

	if (cmd->out.height) {
		fit = cmd->out.height > LINES_AROUND + ROWS_MIN ? cmd->out.height - LINES_AROUND
								: ROWS_MIN;
		if (shown > fit)
			shown = fit;
	}
	out_table_init(&t, &cmd->out, cols, VW_N_ELEMENTS(cols));
	for (i = 0; i < shown; i++) {
		const struct seen *s = &v->seen[i];
		const struct vw_plan *plan = s->audit->plan;
		VW_AUTOFREE char *os = out_plan_os(plan);
		VW_AUTOFREE char *gains = out_gain_names(out_plan_gains(plan));

		out_table_add(&t, s->refuse || s->cache ? OUT_BAD : OUT_BOLD, s->audit->label);
		out_table_add(&t, plan->os ? OUT_PLAIN : OUT_WARN, os ? os : "");
		out_table_addf(&t, OUT_PLAIN, "%s%s", state_of(s),
			       plan->mode == VW_MODE_AUDIT ? ", audit" : "");
		out_table_addf(&t, OUT_GOOD, "%zu", s->fix);
		out_table_addf(&t, OUT_WARN, "%zu", s->total - s->fix);
		out_table_add(&t, OUT_PLAIN,
			      gains && *gains  ? gains
			      : plan->unjudged ? plan->unjudged
					       : "");
	}
	out_table_print(&t, 2, true);
	return shown;
}

/* One row for each gain: how many domains, by which rules. */
static void print_gains(const struct cmd *cmd, const struct overview *v)
{
	static const struct out_column cols[] = {
		{ "GAIN", 0, false },
		{ "DOMAINS", 0, true },
		{ "RULES", 0, false },
	};
	const struct out_gain *gains = NULL;
	size_t n = out_gains(&gains), g, i;
	OUT_AUTOTABLE struct out_table t = { 0 };

	out_table_init(&t, &cmd->out, cols, VW_N_ELEMENTS(cols));
	for (g = 0; g < n; g++) {
		const char *const *r = gains[g].rules;
		char rules[128] = "";
		size_t domains = 0;

		for (i = 0; i < v->n; i++)
			domains += (out_plan_gains(v->seen[i].audit->plan) >> g) & 1;
		if (!domains)
			continue;
		for (; *r; r++)
			snprintf(rules + strlen(rules), sizeof(rules) - strlen(rules), "%s%s",
				 *rules ? " " : "", *r);
		out_table_add(&t, OUT_PLAIN, gains[g].name);
		out_table_addf(&t, OUT_PLAIN, "%zu", domains);
		out_table_add(&t, OUT_DIM, rules);
	}
	fputs("\n", cmd->out.f);
	out_table_print(&t, 2, true);
}

static void add_next(const struct cmd *cmd, struct out_table *t, const char *verb,
		     const char *options, const char *label, const char *why)
{
	VW_AUTOFREE char *next = cmd_check_next(cmd, verb, options, label);

	out_table_add(t, OUT_BOLD, next ? next : "");
	out_table_add(t, OUT_DIM, why);
}

static void print_next(const struct cmd *cmd, const struct overview *v)
{
	static const struct out_column cols[] = { { "", 0, false }, { "", 0, false } };
	VW_AUTOFREE char *remedy = v->fixes ? NULL : cmd_check_remedy(cmd, v->seen[0].audit);
	const char *worst = v->seen[0].audit->label;
	bool several = v->n - v->conformant > 1;
	OUT_AUTOTABLE struct out_table t = { 0 };

	if (!v->fixes && !v->left)
		return;
	out_print(&cmd->out, OUT_PLAIN,
		  "\n%zu finding%s: %zu can be fixed now (FIX), %zu need%s your word (ASK).\n",
		  v->fixes + v->left, v->fixes + v->left == 1 ? "" : "s", v->fixes, v->left,
		  v->left == 1 ? "s" : "");
	if (!v->fixes && !several && !remedy)
		return;
	out_print(&cmd->out, OUT_BOLD, "Next:\n");
	out_table_init(&t, &cmd->out, cols, VW_N_ELEMENTS(cols));
	if (several)
		add_next(cmd, &t, "check", "", worst, "each finding, and why");
	if (v->fixes) {
		add_next(cmd, &t, "fix", " --diff", worst,
			 "what a fix would change; changes nothing");
		add_next(cmd, &t, "fix", "", worst, "fix it; what was there is kept for undo");
	}
	if (v->fixes && several)
		add_next(cmd, &t, "fix --all", "", NULL, "fix all of them");
	if (remedy) {
		out_table_add(&t, OUT_BOLD, remedy);
		out_table_add(&t, OUT_DIM, "only you can know that");
	}
	out_table_print(&t, 2, false);
}

static void print_overview(const struct cmd *cmd, const struct overview *v)
{
	size_t with = v->n - v->conformant, shown;

	print_sum(cmd, v);
	if (!v->n || !with) {
		if (!v->n && !v->failed)
			out_print(&cmd->out, OUT_PLAIN, "Make one: virt-warden new --help\n");
		return;
	}
	fputc('\n', cmd->out.f);
	if (with == 1) {
		cmd_check_show(cmd, v->seen[0].audit);
	} else {
		shown = print_rows(cmd, v);
		if (shown < with)
			out_print(&cmd->out, OUT_DIM,
				  "  and %zu more: virt-warden check --all | less\n", with - shown);
		print_gains(cmd, v);
	}
	print_next(cmd, v);
}

int cmd_check_all(struct cmd *cmd)
{
	VW_CLEANUP(overview_clear) struct overview v = { 0 };
	struct vw_err err = { 0 };
	int rc = cmd_connect(cmd, true, &err);

	if (rc == 0)
		rc = cmd_audit_ready(cmd, &err);
	if (rc == 0)
		rc = look(cmd, &v, &err);
	if (rc < 0)
		cmd_fail(cmd, &err);
	if (rc < 0 && !cmd->json)
		return CMD_UNKNOWN;
	v.failed += rc < 0;
	rc = CMD_OK;
	if (cmd->json)
		rc = print_json(cmd, &v);
	else if (!cmd->quiet)
		print_overview(cmd, &v);
	if (rc != CMD_OK)
		return rc;
	return v.failed || v.unjudged ? CMD_UNKNOWN : v.conformant < v.n ? CMD_FINDINGS : CMD_OK;
}
