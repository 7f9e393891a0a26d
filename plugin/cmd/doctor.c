/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden doctor: is the installation sound? Each check with its remedy. */
#include "plugin/cmd/doctor.h"

#include "lib/json/json.h"
#include "plugin/cmd/cmd.h"
#include "plugin/out/json.h"
#include "plugin/out/table.h"

#include <stdarg.h>

/* The last may take seconds: what is before it is printed before. */
static const struct doctor_check checks[] = {
	{ "config", doctor_config },       { "templates", doctor_templates },
	{ "os-index", doctor_index },      { "state", doctor_state },
	{ "history", doctor_history },     { "wrapper", doctor_wrapper },
	{ "preload", doctor_preload },     { "hook", doctor_hook },
	{ "hook-seen", doctor_hook_seen }, { "security", doctor_security },
	{ "agent", doctor_agent },         { "libvirt", doctor_libvirt },
};
#define LAST (VW_N_ELEMENTS(checks) - 1)

static const char *const status_names[] = { "pass", "warn", "fail", "skip" };

void doctor_say(struct doctor_result *r, enum doctor_status status, const char *remedy,
		const char *fmt, ...)
{
	va_list ap;

	r->status = status;
	snprintf(r->remedy, sizeof(r->remedy), "%s", remedy);
	va_start(ap, fmt);
	vsnprintf(r->detail, sizeof(r->detail), fmt, ap);
	va_end(ap);
}

static enum out_style style_of(enum doctor_status status)
{
	static const enum out_style styles[] = { OUT_GOOD, OUT_WARN, OUT_BAD, OUT_DIM };

	return styles[status];
}

/* Padded: two tables look like one. */
static void print_table(const struct cmd *cmd, const struct doctor_result *results, size_t from,
			size_t to)
{
	static const struct out_column cols[] = {
		{ "CHECK", 0, false },
		{ "", 0, false },
		{ "FOUND", 0, false },
	};
	OUT_AUTOTABLE struct out_table t = { 0 };
	size_t i;

	out_table_init(&t, &cmd->out, cols, VW_N_ELEMENTS(cols));
	for (i = from; i < to; i++) {
		const struct doctor_result *r = &results[i];

		if (cmd->quiet && (r->status == DOCTOR_PASS || r->status == DOCTOR_SKIP))
			continue;
		out_table_addf(&t, OUT_BOLD, "%-9s", checks[i].name);
		out_table_addf(&t, style_of(r->status), "%-4s", status_names[r->status]);
		out_table_addf(&t, OUT_PLAIN, "%s%s%s", r->detail, *r->remedy ? ". Remedy: " : "",
			       r->remedy);
	}
	out_table_print(&t, 0, false);
	fflush(cmd->out.f);
}

static int print_json(struct cmd *cmd, const struct doctor_result *results)
{
	json_t *top = out_json_top(), *list = json_array();
	size_t i;

	for (i = 0; i < VW_N_ELEMENTS(checks); i++)
		json_array_append_new(list,
				      json_pack("{s:o, s:o, s:o, s:o}", "check",
						vw_json_string(checks[i].name), "status",
						vw_json_string(status_names[results[i].status]),
						"detail", vw_json_string(results[i].detail),
						"remedy", vw_json_string(results[i].remedy)));
	json_object_set_new(top, "checks", list);
	return cmd_print_json(cmd, top);
}

static int examine(struct doctor *d)
{
	struct doctor_result results[VW_N_ELEMENTS(checks)] = { 0 };
	int failed = 0, rc = CMD_OK;
	size_t i;

	for (i = 0; i < VW_N_ELEMENTS(checks); i++) {
		if (i == LAST && !d->cmd->json)
			print_table(d->cmd, results, 0, LAST);
		checks[i].run(d, &results[i]);
		failed += results[i].status == DOCTOR_FAIL;
	}
	if (d->cmd->json)
		rc = print_json(d->cmd, results);
	else
		print_table(d->cmd, results, LAST, VW_N_ELEMENTS(checks));
	return rc != CMD_OK ? rc : failed ? CMD_FINDINGS : CMD_OK;
}

static int run_doctor(struct cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = { CMD_LONG, CMD_LONG_END };
	struct doctor d = { .cmd = cmd };
	struct vw_err err = { 0 };
	int rc;

	if (cmd_getopt(cmd, argc, argv, longs) == CMD_STOP)
		return cmd->status;
	if (optind < argc)
		return cmd_usage(cmd, "doctor takes no argument");
	if (vw_paths_init(&d.paths, &err) < 0)
		return cmd_fail(cmd, &err);
	cmd_context(cmd, &d.context_err); /* a broken config is one of the things to tell */
	rc = examine(&d);
	vw_paths_clear(&d.paths);
	return rc;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "is the installation sound",
	.usage =
		"virt-warden doctor\n"
		"\n"
		"Looks at everything that virt-warden needs and says what is amiss and what mends\n"
		"it. Changes nothing. Exit 1 if a check failed; --quiet: only what is amiss.\n",
	.run = run_doctor,
};
