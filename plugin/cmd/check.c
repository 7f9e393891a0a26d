/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden check: audits domains and files, changes nothing. */
#include "plugin/cmd/check.h"

#include "lib/base/input.h"
#include "plugin/cmd/cmd.h"
#include "plugin/out/json.h"
#include "plugin/out/plan.h"
#include "virt/domain.h"

#include <errno.h>

/* What was found so far, over all that was named. */
struct tally {
	struct cmd_audit_options opt;
	size_t audited, conformant, with_findings, unjudged, fixes, left, failed;
	char *next; /* what to type, of the first that can be fixed, else of the first with findings */
	bool next_fixes;
	json_t *domains; /* --json */
};

static void tally_clear(struct tally *t)
{
	free(t->next);
	json_decref(t->domains);
}

bool cmd_check_unjudged(const struct vw_plan *plan)
{
	return plan->judged != VW_JUDGED_ALL && plan->mode != VW_MODE_OFF;
}

static void count(const struct cmd *cmd, struct tally *t, const struct cmd_audit *a)
{
	size_t fixes = vw_plan_count(a->plan, VW_ACTION_FIX);

	t->audited++;
	t->fixes += fixes;
	t->left += a->plan->n_findings - fixes;
	t->unjudged += cmd_check_unjudged(a->plan);
	t->conformant += !a->plan->n_findings && !cmd_check_unjudged(a->plan);
	if (!a->plan->n_findings)
		return;
	t->with_findings++;
	if (!t->next || (fixes && !t->next_fixes)) {
		free(t->next);
		t->next = cmd_check_remedy(cmd, a);
		t->next_fixes = fixes > 0;
	}
}

static void show(struct cmd *cmd, struct tally *t, const struct cmd_audit *a)
{
	if (t->domains) {
		json_array_append_new(t->domains, out_json_plan(a->plan));
		return;
	}
	if (cmd->quiet)
		return;
	if (t->audited > 1)
		fputc('\n', cmd->out.f);
	cmd_check_show(cmd, a);
}

void cmd_check_show(const struct cmd *cmd, const struct cmd_audit *a)
{
	out_plan_heading(&cmd->out, a->plan, a->label, a->is_file);
	if (!a->plan->os && !a->is_file && *a->facts->os_note)
		out_print(&cmd->out, OUT_DIM, "  %s\n", a->facts->os_note);
	out_plan_table(&cmd->out, a->plan, OUT_ACTIONS_ALL);
	cmd_check_live(cmd, a);
}

static int check_domain(struct cmd *cmd, const struct cmd_audit_options *opt, const char *arg,
			struct cmd_audit **ret, struct vw_err *err)
{
	VW_AUTODOMAIN virDomainPtr dom = NULL;
	int rc;

	rc = cmd_connect(cmd, true, err);
	if (rc == 0)
		rc = vw_domain_find(cmd->conn, arg, &dom, err);
	return rc < 0 ? rc : cmd_audit_domain(cmd, dom, opt, ret, err);
}

char *cmd_check_next(const struct cmd *cmd, const char *verb, const char *options,
		     const char *label)
{
	VW_AUTOFREE char *quoted = label ? out_shell_quote(label) : NULL;
	VW_AUTOFREE char *uri = cmd->uri ? out_shell_quote(cmd->uri) : NULL;
	bool dashes = quoted && *label == '-' && label[1];
	char *text = NULL;

	if (asprintf(&text, "virt-warden %s%s%s%s%s%s%s%s", uri ? "-c " : "", uri ? uri : "",
		     uri ? " " : "", verb, options, dashes ? " --" : "", quoted ? " " : "",
		     quoted ? quoted : "") < 0)
		return NULL;
	return text;
}

char *cmd_check_remedy(const struct cmd *cmd, const struct cmd_audit *a)
{
	VW_AUTOFREE char *options = NULL;
	VW_AUTOFREE char *set = NULL;
	bool fixes = vw_plan_count(a->plan, VW_ACTION_FIX) > 0;
	const char *allow = NULL;
	char *text = NULL;

	if (fixes || vw_plan_waiting(a->plan, &allow)) {
		if (asprintf(&options, "%s%s%s", a->os_said,
			     fixes ? a->is_file ? " --diff" : "" : " --allow ",
			     fixes ? "" : allow) < 0)
			options = NULL;
		return options ? cmd_check_next(cmd, "fix", options, a->label) : NULL;
	}
	if (a->plan->os || a->plan->judged != VW_JUDGED_ALL)
		return NULL;
	if (a->is_file)
		return cmd_check_next(cmd, "check", " --os ID", a->label);
	set = cmd_check_next(cmd, "os set", "", a->label);
	if (!set || asprintf(&text, "%s ID", set) < 0)
		return NULL;
	return text;
}

/* "2 domains: 7 findings: 5 can be fixed now, 2 need your word", and what to type. */
static void show_summary(const struct cmd *cmd, const struct tally *t)
{
	size_t all = t->fixes + t->left;

	if (cmd->quiet || t->domains || !t->audited)
		return;
	fputc('\n', cmd->out.f);
	if (t->audited > 1)
		out_print(&cmd->out, OUT_BOLD, "%zu checked: %zu conformant, %zu with findings",
			  t->audited, t->conformant, t->with_findings);
	if (t->audited > 1 && t->unjudged)
		out_print(&cmd->out, OUT_WARN, ", %zu could not be judged wholly", t->unjudged);
	if (t->audited > 1)
		fputc('\n', cmd->out.f);
	if (!all) {
		if (t->audited == 1)
			out_print(&cmd->out, t->unjudged ? OUT_WARN : OUT_GOOD, "%s\n",
				  t->unjudged ? "Could not tell." : "Nothing to do.");
		return;
	}
	out_print(&cmd->out, OUT_PLAIN,
		  "%zu finding%s: %zu can be fixed now, %zu need%s your word.%s", all,
		  all == 1 ? "" : "s", t->fixes, t->left, t->left == 1 ? "s" : "",
		  t->next ? "  Next: " : "");
	out_print(&cmd->out, OUT_BOLD, "%s\n", t->next ? t->next : "");
}

/* Files are audited some at a time, so that the disks of all of them are looked at in one go. */
#define GROUP_MAX 32
#define GROUP_BYTES (1024u * 1024) /* of XML */

struct begun {
	const char *arg;
	struct cmd_audit *audit; /* a file's, half done; NULL: a domain, or it failed */
	struct vw_err err;
};

/* Begin the next ones. Return: how many. */
static size_t begin_group(struct cmd *cmd, const struct cmd_audit_options *opt, char **args,
			  struct begun group[GROUP_MAX])
{
	size_t n, bytes = 0;

	for (n = 0; n < GROUP_MAX && args[n] && bytes < GROUP_BYTES; n++) {
		struct begun *b = &group[n];

		*b = (struct begun){ .arg = args[n] };
		if (vw_input_is_file(b->arg) &&
		    cmd_audit_file_begin(cmd, b->arg, opt, &b->audit, &b->err) == 0)
			bytes += b->audit->len;
	}
	return n;
}

static void finish_one(struct cmd *cmd, struct begun *b, struct tally *t)
{
	CMD_AUTOAUDIT struct cmd_audit *a = b->audit;
	int rc = b->err.code;

	if (rc == 0)
		rc = a ? cmd_audit_finish(cmd, &t->opt, a, &b->err)
		       : check_domain(cmd, &t->opt, b->arg, &a, &b->err);
	if (rc < 0) {
		cmd_fail(cmd, &b->err);
		t->failed++;
		return;
	}
	count(cmd, t, a);
	show(cmd, t, a);
}

static int check_named(struct cmd *cmd, const char *os, char **args)
{
	struct begun group[GROUP_MAX];
	VW_CLEANUP(tally_clear)
	struct tally t = { .opt = { .findings_only = true, .os = os } };
	struct vw_err ready = { 0 };

	if (cmd->json && !(t.domains = json_array()))
		return CMD_UNKNOWN;
	if (cmd_audit_ready(cmd, &ready) < 0) {
		cmd_fail(cmd, &ready);
		t.failed++;
	} else {
		vw_context_many(cmd->ctx, true);
	}
	for (size_t n; *args && !ready.code; args += n) {
		n = begin_group(cmd, &t.opt, args, group);
		for (size_t i = 0; i < n; i++)
			finish_one(cmd, &group[i], &t);
	}
	show_summary(cmd, &t);
	if (t.domains && cmd_print_json(cmd, cmd_check_json(json_incref(t.domains))) != CMD_OK)
		return CMD_UNKNOWN;
	return t.failed || t.unjudged ? CMD_UNKNOWN : t.with_findings ? CMD_FINDINGS : CMD_OK;
}

json_t *cmd_check_json(json_t *domains)
{
	json_t *top = out_json_top();

	json_object_set_new(top, "domains", domains);
	return top;
}

static int run_check(struct cmd *cmd, int argc, char **argv)
{
	enum { OPT_ALL = CMD_OPT_OWN, OPT_OS };
	static const struct option longs[] = {
		CMD_LONG,
		{ "all", no_argument, NULL, OPT_ALL },
		{ "os", required_argument, NULL, OPT_OS },
		CMD_LONG_END,
	};
	const char *os = NULL;
	bool all = false;
	int c;

	while ((c = cmd_getopt(cmd, argc, argv, longs)) != -1) {
		if (c == CMD_STOP)
			return cmd->status;
		if (c == OPT_OS)
			os = optarg;
		else
			all = true;
	}
	if (all && optind < argc)
		return cmd_usage(cmd, "--all takes no names");
	if (os && optind == argc)
		return cmd_usage(cmd, "--os is said of a DOMAIN or FILE, not of all");
	if (all || optind == argc)
		return cmd_check_all(cmd);
	return check_named(cmd, os, argv + optind);
}

const struct command cmd_check = {
	.name = "check",
	.summary = "audit domains or domain XML files; changes nothing",
	.usage =
		"virt-warden check [--os ID] [DOMAIN|FILE|-]…\n"
		"       virt-warden check --all\n"
		"\n"
		"Says what of each domain is not as its guest OS and a safe migration would have\n"
		"it, why, and what to type. An argument that is a file, has a '/' or ends in .xml\n"
		"is a FILE and needs no libvirt; '-' is standard input. Without an argument: --all.\n"
		"\n"
		"Options:\n"
		"      --all           all domains of the host, the worst first\n"
		"      --os ID         the guest OS, as `virt-warden os list` names it\n",
	.run = run_check,
};
