/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden verify: does this guest live? */
#include "lib/conf/conf.h"
#include "lib/json/json.h"
#include "plugin/cmd/cmd.h"
#include "plugin/out/json.h"
#include "plugin/out/table.h"
#include "lib/base/text.h"
#include "virt/verify/verify.h"

#include <errno.h>

enum {
	OPT_WINDOW = CMD_OPT_OWN,
	OPT_BASELINE,
	OPT_MIGRATED,
	OPT_SOURCE,
	OPT_RECORD,
	OPT_SEEN,
	OPT_FOR_VIRSH, /* for front-end, hook and agent: these are in no manual */
	OPT_AWAIT,
	OPT_WATCH_ALL,
	OPT_ACT,
};

/* What the options ask for beside a verdict. */
struct other {
	unsigned watch_all; /* s, 0 = no */
	const char *act;
	bool await;     /* for the hook */
	bool for_virsh; /* short: what virsh's user reads after a migration */
};

static const enum out_style health_styles[] = { OUT_GOOD, OUT_WARN, OUT_BAD, OUT_WARN };

static int parse_seen(char *list, unsigned *ret, struct vw_err *err)
{
	static const struct {
		const char *name;
		unsigned bit;
	} names[] = {
		{ "panic", VW_EVENT_PANIC },
		{ "crash", VW_EVENT_CRASH },
		{ "stop", VW_EVENT_STOP },
		{ "io-pause", VW_EVENT_IO_PAUSE },
		{ "io-error", VW_EVENT_IO_REPORT },
		{ "watchdog", VW_EVENT_WATCHDOG },
		{ "reset", VW_EVENT_RESET },
		{ "control-error", VW_EVENT_CONTROL },
		{ "postcopy-failed", VW_EVENT_POSTCOPY },
	};

	for (char *save = NULL, *w = strtok_r(list, ",", &save); w;
	     w = strtok_r(NULL, ",", &save)) {
		size_t i = 0;

		while (i < VW_N_ELEMENTS(names) && !vw_streq(w, names[i].name))
			i++;
		if (i == VW_N_ELEMENTS(names))
			return vw_err_set(
				err, CMD_E_USAGE,
				"--seen knows panic, crash, stop, io-pause, io-error, "
				"watchdog, reset, control-error, postcopy-failed, not '%s'",
				w);
		*ret |= names[i].bit;
	}
	return 0;
}

static int parse_baseline(const char *text, struct verify_options *o, struct vw_err *err)
{
	struct vw_baseline b;

	o->baseline = vw_streq(text, "auto") ? NULL : vw_streq(text, "none") ? "" : text;
	if (!o->baseline || !*o->baseline || vw_baseline_parse(text, &b) == 0)
		return 0;
	return vw_err_set(err, CMD_E_USAGE,
			  "--baseline takes auto, none, or what --record printed");
}

static int options(struct cmd *cmd, int argc, char **argv, struct verify_options *o,
		   struct other *other, struct vw_err *err)
{
	static const struct option longs[] = {
		CMD_LONG,
		{ "window", required_argument, NULL, OPT_WINDOW },
		{ "baseline", required_argument, NULL, OPT_BASELINE },
		{ "after-migration", no_argument, NULL, OPT_MIGRATED },
		{ "source", required_argument, NULL, OPT_SOURCE },
		{ "record", no_argument, NULL, OPT_RECORD },
		{ "seen", required_argument, NULL, OPT_SEEN },
		{ "for-virsh", no_argument, NULL, OPT_FOR_VIRSH },
		{ "await", no_argument, NULL, OPT_AWAIT },
		{ "watch-all", required_argument, NULL, OPT_WATCH_ALL },
		{ "act", required_argument, NULL, OPT_ACT },
		CMD_LONG_END
	};
	unsigned long value;
	int c, r = 0;

	while (r == 0 && (c = cmd_getopt(cmd, argc, argv, longs)) != -1) {
		switch (c) {
		case CMD_STOP: return 1;
		case OPT_WINDOW:
			r = cmd_number("--window", optarg, 1, VERIFY_WINDOW_MAX, &value, err);
			o->window = r == 0 ? (unsigned)value : 0;
			break;
		case OPT_BASELINE: r = parse_baseline(optarg, o, err); break;
		case OPT_MIGRATED: o->migrated = true; break;
		case OPT_SOURCE:
			if (o->n_source == VW_SOURCES_MAX)
				return vw_err_set(err, -EINVAL, "more than %d times --source",
						  VW_SOURCES_MAX);
			o->source[o->n_source++] = optarg;
			break;
		case OPT_RECORD: o->record = true; break;
		case OPT_SEEN: r = parse_seen(optarg, &o->seen, err); break;
		case OPT_FOR_VIRSH: other->for_virsh = true; break;
		case OPT_AWAIT: other->await = true; break;
		case OPT_WATCH_ALL:
			r = cmd_number("--watch-all", optarg, 1, 3600, &value, err);
			other->watch_all = r == 0 ? (unsigned)value : 0;
			break;
		case OPT_ACT: other->act = optarg; break;
		default: break;
		}
	}
	return r;
}

static void print_probes(const struct cmd *cmd, const struct vw_verify *v)
{
	static const struct out_column cols[] = { { "", 0, false },
						  { "", 0, false },
						  { "", 0, false } };
	static const enum out_style styles[] = { OUT_GOOD, OUT_WARN, OUT_BAD, OUT_DIM };
	OUT_AUTOTABLE struct out_table t = { 0 };

	out_table_init(&t, &cmd->out, cols, VW_N_ELEMENTS(cols));
	for (size_t i = 0; i < v->n; i++) {
		const struct vw_probe_result *p = &v->probes[i];

		out_table_add(&t, styles[p->status], vw_status_name(p->status));
		out_table_add(&t, OUT_PLAIN, p->probe);
		out_table_add(&t, p->status == VW_SKIP ? OUT_DIM : OUT_PLAIN, p->detail);
	}
	out_table_print(&t, 2, false);
}

/* With --quiet: one line, and only if something is wrong. */
static void print_text(const struct cmd *cmd, const struct verify_report *r)
{
	const struct vw_verify *v = &r->verdict;
	const struct vw_probe_result *worst = vw_verify_worst(v);

	if (cmd->quiet && v->verdict == VW_HEALTHY)
		return;
	out_print(&cmd->out, OUT_BOLD, "%s", r->domain);
	fputs("  ", cmd->out.f);
	out_print(&cmd->out, health_styles[v->verdict], "%s", vw_health_name(v->verdict));
	if (cmd->quiet && worst)
		out_print(&cmd->out, OUT_PLAIN, "  %s: %s", worst->probe, worst->detail);
	else if (!cmd->quiet)
		out_print(&cmd->out, OUT_DIM, "  (%.1f s%s)", r->seconds,
			  r->before.known ? "" : "; what is normal for it is not known");
	fputc('\n', cmd->out.f);
	if (!cmd->quiet)
		print_probes(cmd, v);
}

static int say_recorded(struct cmd *cmd, const struct verify_report *r)
{
	char text[VW_BASELINE_SIZE];

	if (!r->recorded)
		return cmd_fail(cmd, &r->err);
	vw_baseline_format(&r->now, text);
	if (cmd->json)
		return cmd_print_json(cmd, json_pack("{s:i, s:o, s:s, s:s}", "version", 1, "domain",
						     vw_json_string(r->domain), "uuid", r->uuid,
						     "baseline", text));
	if (!cmd->quiet)
		out_print(&cmd->out, OUT_PLAIN, "%s\n", text);
	return CMD_OK;
}

/* One line, and one for each probe that is not content. */
static void print_short(const struct cmd *cmd, const struct verify_report *r)
{
	VW_AUTOFREE char *name = vw_printable(r->domain, 200);
	const struct vw_verify *v = &r->verdict;

	out_print(&cmd->out, OUT_PLAIN,
		  "virt-warden: %s: %s on %s after its migration (%.1f s%s)\n", name ? name : "?",
		  vw_health_name(v->verdict), r->host, r->seconds,
		  r->before.known ? "" : "; what is normal for it was not known");
	for (size_t i = 0; i < v->n; i++)
		if (v->probes[i].status == VW_FAIL || v->probes[i].status == VW_WARN)
			out_print(&cmd->out, OUT_PLAIN, "  %s: %s\n", v->probes[i].probe,
				  v->probes[i].detail);
}

static int say(struct cmd *cmd, const struct verify_options *o, const struct other *other,
	       const struct verify_report *r)
{
	if (o->record)
		return say_recorded(cmd, r);
	if (!r->known && other->for_virsh)
		out_print(&cmd->out, OUT_PLAIN,
			  "virt-warden: whether the guest lives could not be told: %s\n",
			  r->err.text);
	if (!r->known)
		return cmd_fail(cmd, &r->err);
	if (cmd->json && cmd_print_json(cmd, verify_json(r)) != CMD_OK)
		return CMD_UNKNOWN;
	if (other->for_virsh)
		print_short(cmd, r);
	else if (!cmd->json)
		print_text(cmd, r);
	switch (r->verdict.verdict) {
	case VW_HEALTHY: return CMD_OK;
	case VW_HEALTH_UNKNOWN: return CMD_UNKNOWN;
	default: return CMD_FINDINGS;
	}
}

/* What warden.conf says. A broken one is said; the verdict comes all the same. */
static void configure(struct cmd *cmd, const struct vw_paths *paths, char *health_d, size_t size,
		      struct verify_options *o)
{
	const char *slash = strrchr(paths->conf, '/');
	struct vw_policy policy;
	struct vw_err err = { 0 };

	snprintf(health_d, size, "%.*s/health.d", (int)(slash ? slash - paths->conf : 0),
		 paths->conf);
	o->health_d = health_d;
	vw_policy_defaults(&policy);
	if (vw_conf_load(paths->conf, &policy, &err) < 0)
		cmd_note(cmd, "%s", err.text);
	o->correct_clock = policy.correct_clock;
}

static int run_act(struct cmd *cmd, const char *uuid, const char *what)
{
	struct vw_err err = { 0 };
	char text[400] = "";
	int r = verify_act(cmd->uri, uuid, what, text, sizeof(text), &err);

	cmd_print_json(cmd, json_pack("{s:i, s:b, s:o}", "version", 1, "done", r == 0, "text",
				      vw_json_string(r == 0 ? text : err.text)));
	return r == 0 ? CMD_OK : CMD_UNKNOWN;
}

static int run_verify(struct cmd *cmd, int argc, char **argv)
{
	struct verify_options o = { .uri = NULL };
	struct other other = { .act = NULL };
	struct verify_report report = { 0 };
	struct vw_paths paths = { 0 };
	struct vw_err err = { 0 };
	char health_d[512];
	int r = options(cmd, argc, argv, &o, &other, &err);

	if (r > 0)
		return cmd->status;
	if (r == 0 && other.watch_all) {
		r = verify_watch_all(cmd->uri, other.watch_all, &err);
		return r < 0 ? cmd_fail(cmd, &err) : CMD_OK;
	}
	if (r == 0 && argc - optind != 1)
		return cmd_usage(cmd, "verify takes one domain");
	if (r == 0)
		r = vw_paths_init(&paths, &err);
	if (r < 0)
		return cmd_fail(cmd, &err);
	if (other.act)
		return run_act(cmd, argv[optind], other.act);
	configure(cmd, &paths, health_d, sizeof(health_d), &o);
	o.uri = cmd->uri;
	o.domain = argv[optind];
	if (other.await) {
		r = verify_await(&o, paths.statedir, &err);
		verify_exit(r < 0 ? cmd_fail(cmd, &err) : CMD_OK);
	}
	o.progress = cmd->quiet || !cmd->err.tty ? NULL : cmd->err.f;
	if (!o.window)
		o.window = o.migrated ? VERIFY_WINDOW_MIGRATED : VERIFY_WINDOW;
	r = verify_run(&o, &report, &err);
	verify_exit(r < 0 ? cmd_fail(cmd, &err) : say(cmd, &o, &other, &report));
}

const struct command cmd_verify = {
	.name = "verify",
	.summary = "does this guest live, as far as anybody can tell from here",
	.usage =
		"virt-warden verify DOMAIN\n"
		"\n"
		"Watches a running guest for some seconds and compares it with what is normal for it:\n"
		"healthy, degraded, failed, or unknown where it offers no sign to judge by.\n"
		"\n"
		"      --window SEC      how long at most (default 12; after a migration 10)\n"
		"      --after-migration it has just come from another host\n"
		"      --source URI      that host: is the guest there, too?\n"
		"      --baseline TEXT   what is normal: auto (from its live metadata), none, or a text\n"
		"      --record          no verdict: note what is normal for it now\n"
		"      --seen EVENT,...  events of this migration that were seen already\n",
	.run = run_verify,
};
