/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden alerts: what was raised, who was told, what failed; resolve by hand; test a sink. */
#include "plugin/cmd/alerts.h"
#include "lib/json/json.h"
#include "plugin/cmd/cmd.h"
#include "plugin/out/alert.h"
#include "plugin/out/json.h"
#include "plugin/out/table.h"

#include <errno.h>
#include <spawn.h>
#include <strings.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static const char *const state_names[] = { "open", "over", "done" };

bool alerts_is_of(const struct vw_alert *a, const char *domain)
{
	return !domain || vw_streq(a->domain, domain) || strcasecmp(a->uuid, domain) == 0;
}

static json_t *sinks_json(const struct vw_alert_memory *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->n; i++) {
		const struct vw_alert_told *t = &m->sinks[i];

		json_array_append_new(list, json_pack("{s:o, s:b, s:b, s:I, s:o}", "sink",
						      vw_json_string(t->sink), "raised", t->raised,
						      "resolved", t->resolved, "failures",
						      (json_int_t)t->failures, "error",
						      vw_json_string(t->error)));
	}
	return list;
}

/* Which alerts are shown. */
struct choice {
	const char *domain; /* NULL = of any */
	bool all;           /* also what is over */
};

static bool is_shown(const struct choice *c, const struct vw_alert *a)
{
	return alerts_is_of(a, c->domain) && (c->all || !a->resolved);
}

static int print_json(struct cmd *cmd, struct vw_alerts *q, const struct vw_alert_list *l,
		      const struct choice *choice)
{
	json_t *top = out_json_top(), *list = json_array();

	for (size_t i = 0; i < l->n; i++) {
		struct vw_alert_memory memory;
		json_t *o;

		if (!is_shown(choice, l->v[i]))
			continue;
		o = out_alert_json(l->v[i], l->v[i]->resolved != 0);
		vw_alert_memory_read(q, l->v[i]->id, &memory);
		json_object_set_new(o, "sinks", sinks_json(&memory));
		json_array_append_new(list, o);
	}
	json_object_set_new(top, "alerts", list);
	return cmd_print_json(cmd, top);
}

/* "log webhook mail?": who was told; with a question mark: it fails. NULL: no memory. */
static char *told_text(const struct vw_alert *a, const struct vw_alert_memory *m)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	for (size_t i = 0; i < m->n; i++) {
		const struct vw_alert_told *t = &m->sinks[i];

		if (t->failures || *t->error)
			fprintf(f, "%s%s?", ftell(f) ? " " : "", t->sink);
		else if (a->resolved ? t->resolved : t->raised)
			fprintf(f, "%s%s", ftell(f) ? " " : "", t->sink);
	}
	fclose(f);
	return text;
}

/* Why a sink fails: once for each, the newest. */
static void note_failures(const struct cmd *cmd, const struct vw_alert_memory *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->sinks[i].failures)
			cmd_note(cmd, "%s fails, and is tried again: %s", all->sinks[i].sink,
				 all->sinks[i].error);
		else
			cmd_note(cmd, "%s refused an alert: %s", all->sinks[i].sink,
				 all->sinks[i].error);
}

static void gather_failures(struct vw_alert_memory *all, const struct vw_alert_memory *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct vw_alert_told *t = *m->sinks[i].error
						  ? vw_alert_memory_get(all, m->sinks[i].sink)
						  : NULL;

		if (t)
			*t = m->sinks[i];
	}
}

static void format_time(int64_t when, char *buf, size_t size)
{
	const time_t t = (time_t)when;
	struct tm tm;

	if (!localtime_r(&t, &tm) || !strftime(buf, size, "%F %T", &tm))
		snprintf(buf, size, "?");
}

static void print_table(struct cmd *cmd, struct vw_alerts *q, const struct vw_alert_list *l,
			const struct choice *choice)
{
	static const struct out_column cols[] = {
		{ "ID", 0, false },       { "RAISED", 0, false },  { "STATE", 0, false },
		{ "SEVERITY", 0, false }, { "DOMAIN", 32, false }, { "KIND", 0, false },
		{ "TOLD", 32, false },    { "SUMMARY", 0, false },
	};
	static const enum out_style styles[] = { OUT_PLAIN, OUT_WARN, OUT_BAD };
	OUT_AUTOTABLE struct out_table t = { 0 };
	struct vw_alert_memory failures = { .n = 0 };
	size_t shown = 0;

	out_table_init(&t, &cmd->out, cols, VW_N_ELEMENTS(cols));
	for (size_t i = 0; i < l->n; i++) {
		const struct vw_alert *a = l->v[i];
		VW_AUTOFREE char *told = NULL;
		struct vw_alert_memory memory;
		char when[32];

		vw_alert_memory_read(q, a->id, &memory);
		gather_failures(&failures, &memory); /* also of those that are not shown */
		if (!is_shown(choice, a))
			continue;
		shown++;
		told = told_text(a, &memory);
		format_time(a->time, when, sizeof(when));
		out_table_addf(&t, OUT_BOLD, "%.8s", a->id);
		out_table_add(&t, OUT_PLAIN, when);
		out_table_add(&t, a->resolved ? OUT_GOOD : OUT_PLAIN, state_names[l->states[i]]);
		out_table_add(&t, a->resolved ? OUT_PLAIN : styles[a->severity],
			      vw_alert_severity_name(a->severity));
		out_table_add(&t, OUT_PLAIN, a->domain);
		out_table_add(&t, OUT_PLAIN, a->kind);
		out_table_add(&t, OUT_DIM, told && *told ? told : "-");
		out_table_add(&t, OUT_PLAIN, a->summary);
	}
	if (!shown)
		cmd_note(cmd, "no alert%s%s", choice->domain ? " of " : "",
			 choice->domain ? choice->domain : "");
	out_table_print(&t, 0, !cmd->quiet);
	note_failures(cmd, &failures);
}

static int open_queue(struct cmd *cmd, struct vw_alerts **ret, struct vw_err *err)
{
	const int r = cmd_context(cmd, err);

	return r < 0 ? r : vw_alerts_open(vw_context_paths(cmd->ctx)->statedir, ret, err);
}

static int list(struct cmd *cmd, struct vw_alerts *q, const struct choice *choice)
{
	const unsigned states = VW_ALERT_LIST_OPEN | VW_ALERT_LIST_OVER;
	VW_AUTOALERTLIST struct vw_alert_list l = { 0 };
	struct vw_err err = { 0 };
	int status = CMD_OK;

	if (vw_alerts_list(q, choice->all ? VW_ALERT_LIST_ALL : states, &l, &err) < 0)
		return cmd_fail(cmd, &err);
	if (cmd->json)
		status = print_json(cmd, q, &l, choice);
	else
		print_table(cmd, q, &l, choice);
	if (l.damaged)
		cmd_error(cmd, "%s: %zu damaged file%s left there", vw_alerts_path(q), l.damaged,
			  l.damaged == 1 ? " is" : "s are");
	for (size_t i = 0; status == CMD_OK && i < l.n; i++)
		if (!l.v[i]->resolved && is_shown(choice, l.v[i]))
			status = CMD_FINDINGS;
	return status;
}

static int resolve(struct cmd *cmd, struct vw_alerts *q, char *const *ids, int n)
{
	int status = CMD_OK;

	for (int i = 0; i < n; i++) {
		struct vw_err err = { 0 };
		const int r = vw_alert_resolve_id(q, ids[i], time(NULL), &err);

		if (r < 0)
			status = cmd_fail(cmd, &err);
		else
			cmd_note(cmd, "%s: %s", ids[i], r ? "resolved" : "was over already");
	}
	return status;
}

/* Its own program does it: what speaks to sinks is linked there only. */
static int test(struct cmd *cmd, const char *sink)
{
	char option[] = "--test";
	VW_AUTOFREE char *program = vw_context_program(cmd->ctx, "virt-warden-alert");
	VW_AUTOFREE char *name = strdup(sink);
	char *argv[] = { program, option, name, NULL };
	int status = 0, r;
	pid_t pid;

	if (!program || !name)
		return CMD_UNKNOWN;
	r = posix_spawn(&pid, program, NULL, NULL, argv, environ);
	if (r) {
		cmd_error(cmd, "%s: %s", program, strerror(r));
		return CMD_UNKNOWN;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		cmd_note(cmd, "%s: a test alert went out, raised and over", sink);
		return CMD_OK;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == CMD_USAGE ? CMD_USAGE : CMD_UNKNOWN;
}

static int run_alerts(struct cmd *cmd, int argc, char **argv)
{
	enum { OPT_ALL = CMD_OPT_OWN, OPT_FOLLOW };
	static const struct option longs[] = {
		CMD_LONG,
		{ "all", no_argument, NULL, OPT_ALL },
		{ "follow", no_argument, NULL, OPT_FOLLOW },
		CMD_LONG_END,
	};
	struct choice choice = { .all = false };
	bool follow = false;
	struct vw_alerts *q = NULL;
	struct vw_err err = { 0 };
	int c, n, status;

	while ((c = cmd_getopt(cmd, argc, argv, longs)) != -1) {
		if (c == CMD_STOP)
			return cmd->status;
		choice.all = choice.all || c == OPT_ALL;
		follow = follow || c == OPT_FOLLOW;
	}
	n = argc - optind;
	argv += optind;
	choice.domain = argv[0];
	if (n > 1 && !vw_streq(argv[0], "resolve") && !(n == 2 && vw_streq(argv[0], "test")))
		return cmd_usage(cmd, "one DOMAIN, resolve ID…, or test SINK");
	if (n > 1 && (choice.all || follow || cmd->json))
		return cmd_usage(cmd, "%s takes no option", argv[0]);
	if (open_queue(cmd, &q, &err) < 0)
		return cmd_fail(cmd, &err);
	if (n > 1)
		status = vw_streq(argv[0], "test") ? test(cmd, argv[1])
						   : resolve(cmd, q, argv + 1, n - 1);
	else
		status = follow ? alerts_follow(cmd, q, argv[0]) : list(cmd, q, &choice);
	vw_alerts_close(q);
	return status;
}

const struct command cmd_alerts = {
	.name = "alerts",
	.summary = "what was raised, and who was told",
	.usage =
		"virt-warden alerts [DOMAIN] [--all] [--follow]\n"
		"       virt-warden alerts resolve ID…\n"
		"       virt-warden alerts test SINK\n"
		"\n"
		"Lists the alerts that are open, and which sinks were told (a question mark: it\n"
		"fails). resolve: says by hand that it is over; 8 digits of an ID will do. test:\n"
		"sends a test alert to log, scripts, webhook, alertmanager or mail ([alerts] in\n"
		"warden.conf). Exit 1: there are open ones.\n"
		"\n"
		"Options:\n"
		"      --all           those that are over, too\n"
		"      --follow        go on, and print what happens; with --json an object a line\n",
	.run = run_alerts,
};
