/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden fix: plans and applies. A FILE goes to stdout, a DOMAIN is redefined. */
#include "lib/base/input.h"
#include "plugin/cmd/check.h"
#include "lib/base/diff.h"
#include "lib/engine/metadata.h"
#include "plugin/cmd/cmd.h"
#include "plugin/out/json.h"
#include "plugin/out/plan.h"
#include "virt/apply.h"
#include "virt/domain.h"

#include <errno.h>

#define TRIES 3 /* another client may change the config between our look and our define */

struct fix {
	struct cmd *cmd;
	struct cmd_audit_options opt;
	bool diff, dry_run, print_xml, all;
	json_t *domains; /* --json */
};

static const char *text_after(const struct cmd_audit *a)
{
	return a->plan->xml ? a->plan->xml : a->text;
}

static bool changes_nothing(const struct fix *fix)
{
	return fix->diff || fix->dry_run || fix->print_xml;
}

static int print_diff(const struct cmd *cmd, const struct cmd_audit *a)
{
	const char *name = vw_streq(a->label, "-") ? "stdin" : a->label;
	VW_AUTOFREE char *diff = NULL;

	if (vw_diff_unified(a->text, name, text_after(a), name, &diff) < 0) {
		cmd_error(cmd, "%s: out of memory", a->label);
		return CMD_UNKNOWN;
	}
	out_diff(&cmd->out, diff);
	return CMD_OK;
}

/* What a plan leaves for the admin's word, or can't tell. */
static int left(const struct vw_plan *plan)
{
	if (cmd_check_unjudged(plan))
		return CMD_UNKNOWN;
	return plan->n_findings > vw_plan_count(plan, VW_ACTION_FIX) ? CMD_FINDINGS : CMD_OK;
}

/* The findings in short and what is left at length, beside the XML on stdout. */
static void note_summary(const struct cmd *cmd, const struct cmd_audit *a)
{
	size_t fixes = vw_plan_count(a->plan, VW_ACTION_FIX);
	VW_AUTOFREE char *rules = vw_plan_rules(a->plan);
	size_t rest = a->plan->n_findings - fixes;

	if (cmd->quiet)
		return;
	if (cmd_check_unjudged(a->plan))
		cmd_note(cmd, "%s: not judged wholly: %s", a->label, a->plan->unjudged);
	else if (!a->plan->n_findings)
		cmd_note(cmd, "%s: %s, unchanged", a->label,
			 a->plan->mode == VW_MODE_OFF ? "its mode is off" : "conformant");
	if (fixes)
		cmd_note(cmd, "%s: %zu fixed (%s)", a->label, fixes, rules ? rules : "");
	if (!rest)
		return;
	cmd_note(cmd, "%s: %zu left as %s", a->label, rest, rest == 1 ? "it is:" : "they are:");
	fflush(cmd->out.f);
	out_plan_table(&cmd->err, a->plan, OUT_ACTIONS_ALL & ~OUT_ACTION(VW_ACTION_FIX));
}

/* All that is shown without changing anything. Return: exit code. */
static int show_only(const struct fix *fix, const struct cmd_audit *a)
{
	struct cmd *cmd = fix->cmd;
	int rc = CMD_OK;

	if (fix->domains)
		json_array_append_new(fix->domains, out_json_plan(a->plan));
	else if (fix->dry_run && !fix->diff && !fix->print_xml)
		cmd_check_show(cmd, a);
	else if (fix->diff)
		rc = print_diff(cmd, a);
	else
		out_data(&cmd->out, OUT_PLAIN, text_after(a));
	if (rc != CMD_OK)
		return rc;
	if (fix->dry_run && !cmd_check_unjudged(a->plan))
		return a->plan->n_findings ? CMD_FINDINGS : CMD_OK;
	if (!fix->domains)
		note_summary(cmd, a);
	return left(a->plan);
}

static int fix_file(const struct fix *fix, const char *path)
{
	CMD_AUTOAUDIT struct cmd_audit *a = NULL;
	struct vw_err err = { 0 };

	if (cmd_audit_file(fix->cmd, path, &fix->opt, &a, &err) < 0)
		return cmd_fail(fix->cmd, &err);
	return show_only(fix, a);
}

/* What was done, for people. */
static void report(const struct fix *fix, const struct cmd_audit *a)
{
	struct cmd *cmd = fix->cmd;
	size_t fixes = vw_plan_count(a->plan, VW_ACTION_FIX);

	if (fix->domains || cmd->quiet)
		return;
	if (!a->plan->n_findings || fix->all) {
		out_print(&cmd->out, OUT_PLAIN, "%s: %zu fixed, %zu left as found\n", a->label,
			  fixes, a->plan->n_findings - fixes);
		return;
	}
	out_plan_heading(&cmd->out, a->plan, a->label, false);
	out_plan_table(&cmd->out, a->plan, OUT_ACTIONS_ALL);
	fputc('\n', cmd->out.f);
	out_print(&cmd->out, OUT_PLAIN, "%zu fixed, %zu left as found.", fixes,
		  a->plan->n_findings - fixes);
	if (fixes && a->facts->facts.active == VW_YES)
		out_print(&cmd->out, OUT_WARN,
			  " Takes effect at the next cold boot: it is running now.");
	if (fixes) {
		VW_AUTOFREE char *back = cmd_check_next(cmd, "undo", "", a->label);

		out_print(&cmd->out, OUT_PLAIN, "\nBack: %s", back ? back : "");
	}
	fputc('\n', cmd->out.f);
}

/* Plan and store; again if another client was faster. */
static int apply(const struct fix *fix, virDomainPtr dom, const struct cmd_audit_options *opt,
		 struct cmd_audit **ret, struct vw_err *err)
{
	struct cmd *cmd = fix->cmd;
	int tries, rc = -EAGAIN;

	for (tries = 0; tries < TRIES && rc == -EAGAIN; tries++) {
		CMD_AUTOAUDIT struct cmd_audit *a = NULL;
		struct vw_redefine d = { .conn = cmd->conn, .dom = dom, .cause = VW_CAUSE_FIX };

		rc = cmd_audit_domain(cmd, dom, opt, &a, err);
		if (rc == 0 && a->plan->xml && !changes_nothing(fix)) {
			d.original = a->text;
			d.plan = a->plan;
			rc = vw_apply_redefine(cmd->ctx, &d, NULL, err);
		}
		if (rc == 0)
			*ret = vw_steal(a);
	}
	return rc;
}

/* libvirtd refused the fix: what the guest can't see, alone. err: why; on failure it stays. */
static int apply_host_class(const struct fix *fix, virDomainPtr dom, struct cmd_audit **ret,
			    struct vw_err *err)
{
	struct cmd_audit_options opt = fix->opt;
	struct vw_err again = { 0 };
	VW_AUTOFREE char *why = NULL;
	int rc;

	if (asprintf(&why, "libvirt refuses the whole fix (%s)", err->text) < 0) {
		why = NULL;
		return -EPERM;
	}
	opt.hold = VW_HOLD_GUEST_SIDE;
	opt.hold_why = why;
	rc = apply(fix, dom, &opt, ret, &again);
	if (rc < 0)
		return -EPERM;
	if (!vw_plan_count((*ret)->plan, VW_ACTION_FIX)) {
		cmd_audit_free(vw_steal(*ret));
		return -EPERM;
	}
	cmd_note(fix->cmd,
		 "%s: libvirt refuses the whole fix, so only what the guest can't see was fixed",
		 (*ret)->label);
	return 0;
}

static int fix_domain(const struct fix *fix, virDomainPtr dom)
{
	CMD_AUTOAUDIT struct cmd_audit *a = NULL;
	struct vw_err err = { 0 };
	int rc = apply(fix, dom, &fix->opt, &a, &err);

	if (rc == -EPERM)
		rc = apply_host_class(fix, dom, &a, &err);
	if (rc < 0)
		return cmd_fail(fix->cmd, &err);
	if (changes_nothing(fix))
		return show_only(fix, a);
	if (fix->domains)
		json_array_append_new(fix->domains, out_json_plan(a->plan));
	report(fix, a);
	return left(a->plan);
}

static int fix_named(const struct fix *fix, const char *name)
{
	VW_AUTODOMAIN virDomainPtr dom = NULL;
	struct vw_err err = { 0 };

	if (vw_input_is_file(name))
		return fix_file(fix, name);
	if (cmd_connect(fix->cmd, changes_nothing(fix), &err) < 0 ||
	    vw_domain_find(fix->cmd->conn, name, &dom, &err) < 0)
		return cmd_fail(fix->cmd, &err);
	return fix_domain(fix, dom);
}

/* With --all nobody has named the domain: one whose mode says audit or off, or
 * that another manager (OpenStack, OpenNebula …) owns, is left alone. */
static bool is_left_alone(const struct fix *fix, virDomainPtr dom)
{
	const struct cmd_audit_options opt = { .findings_only = true };
	CMD_AUTOAUDIT struct cmd_audit *a = NULL;
	struct vw_err err = { 0 };
	const char *why = NULL;

	if (cmd_audit_domain(fix->cmd, dom, &opt, &a, &err) < 0)
		return false; /* fix_domain will say why */
	if (a->facts->outline->foreign_owner && a->facts->outline->mode == VW_MODE_DEFAULT)
		why = vw_metadata_audit_why(vw_xml_root(a->doc));
	else if (a->facts->outline->mode == VW_MODE_AUDIT || a->facts->outline->mode == VW_MODE_OFF)
		why = "its mode says so";
	if (why && !fix->domains)
		cmd_note(fix->cmd, "%s: left alone, %s; to fix it, name it", a->label, why);
	return why != NULL;
}

static int fix_all(const struct fix *fix)
{
	struct cmd *cmd = fix->cmd;
	virDomainPtr *doms = NULL;
	struct vw_err err = { 0 };
	int worst = CMD_OK, rc;
	size_t n = 0, i;

	if (cmd_audit_ready(cmd, &err) < 0 || cmd_connect(cmd, changes_nothing(fix), &err) < 0 ||
	    cmd_domains(cmd, &doms, &n, &err) < 0)
		return cmd_fail(cmd, &err);
	for (i = 0; i < n && (i == 0 || virConnectIsAlive(cmd->conn) == 1); i++) {
		if (is_left_alone(fix, doms[i]))
			continue;
		rc = fix_domain(fix, doms[i]);
		if (rc > worst)
			worst = rc;
	}
	cmd_domains_free(doms);
	return worst;
}

/* "--allow boot,visible". Return: false if a word is none of them. */
static bool parse_allow(const char *text, unsigned *allow)
{
	VW_AUTOFREE char *copy = strdup(text);
	char *save = NULL, *word;

	for (word = copy ? strtok_r(copy, ",", &save) : NULL; word;
	     word = strtok_r(NULL, ",", &save)) {
		if (vw_streq(word, vw_class_name(VW_CLASS_BOOT)))
			*allow |= 1u << VW_CLASS_BOOT;
		else if (vw_streq(word, vw_class_name(VW_CLASS_VISIBLE)))
			*allow |= 1u << VW_CLASS_VISIBLE;
		else
			return false;
	}
	return copy && *text;
}

/* Return: CMD_OK, or the exit code with cmd->status set and stop = true. */
static int parse_options(struct fix *fix, int argc, char **argv, bool *stop)
{
	enum { OPT_DIFF = CMD_OPT_OWN, OPT_DRY_RUN, OPT_PRINT_XML, OPT_OS, OPT_ALLOW, OPT_ALL };
	static const struct option longs[] = {
		CMD_LONG,
		{ "diff", no_argument, NULL, OPT_DIFF },
		{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
		{ "print-xml", no_argument, NULL, OPT_PRINT_XML },
		{ "os", required_argument, NULL, OPT_OS },
		{ "allow", required_argument, NULL, OPT_ALLOW },
		{ "all", no_argument, NULL, OPT_ALL },
		CMD_LONG_END,
	};
	int c;

	*stop = true;
	while ((c = cmd_getopt(fix->cmd, argc, argv, longs)) != -1) {
		switch (c) {
		case CMD_STOP: return fix->cmd->status;
		case OPT_DIFF: fix->diff = true; break;
		case OPT_DRY_RUN: fix->dry_run = true; break;
		case OPT_PRINT_XML: fix->print_xml = true; break;
		case OPT_OS: fix->opt.os = optarg; break;
		case OPT_ALL: fix->all = true; break;
		case OPT_ALLOW:
			if (!parse_allow(optarg, &fix->opt.allow))
				return cmd_usage(fix->cmd,
						 "--allow takes boot or visible, not '%s'", optarg);
			break;
		}
	}
	if (fix->all ? optind < argc : optind != argc - 1)
		return cmd_usage(fix->cmd,
				 fix->all ? "--all takes no name" : "one DOMAIN or FILE is needed");
	if (fix->all && (fix->opt.os || fix->opt.allow))
		return cmd_usage(fix->cmd, "--os and --allow are said of one domain, not of --all");
	if (fix->diff && fix->print_xml)
		return cmd_usage(fix->cmd, "--diff or --print-xml, not both");
	*stop = false;
	return CMD_OK;
}

static int run_fix(struct cmd *cmd, int argc, char **argv)
{
	struct fix fix = { .cmd = cmd, .opt = { .enforce = true } };
	bool stop;
	int rc = parse_options(&fix, argc, argv, &stop);

	if (stop)
		return rc;
	if (cmd->json && !(fix.domains = json_array()))
		return CMD_UNKNOWN;
	rc = fix.all ? fix_all(&fix) : fix_named(&fix, argv[optind]);
	if (fix.domains && cmd_print_json(cmd, cmd_check_json(fix.domains)) != CMD_OK)
		return CMD_UNKNOWN;
	return rc;
}

const struct command cmd_fix = {
	.name = "fix",
	.summary = "give a domain or an XML file the devices that suit its OS",
	.usage =
		"virt-warden fix DOMAIN [OPTION]…\n"
		"       virt-warden fix FILE|- [OPTION]…\n"
		"       virt-warden fix --all [--dry-run]\n"
		"\n"
		"A DOMAIN is redefined; what was there is kept for undo. A FILE is not written:\n"
		"the fixed XML goes to standard output, the findings to standard error.\n"
		"\n"
		"Options:\n"
		"      --diff          print what would change as a unified diff; changes nothing\n"
		"      --dry-run       print the table of findings; changes nothing\n"
		"      --print-xml     print the fixed XML of a DOMAIN; changes nothing\n"
		"      --os ID         the guest OS, as `virt-warden os list` names it\n"
		"      --allow CLASS   boot, visible: count as proven what you know to work\n"
		"      --all           all domains but those whose mode or owner forbids it\n",
	.run = run_fix,
};
