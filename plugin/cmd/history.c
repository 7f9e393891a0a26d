/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden history: every config of a domain that was seen, with when, who and why. */
#include "plugin/cmd/history.h"

#include "lib/base/diff.h"
#include "lib/json/json.h"
#include "plugin/cmd/cmd.h"
#include "plugin/out/json.h"
#include "plugin/out/table.h"
#include "lib/base/text.h"
#include "virt/domain.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <time.h>

void cmd_versions_clear(struct cmd_versions *v)
{
	vw_versions_free(v->list, v->n);
	free(v->name);
	*v = (struct cmd_versions){ 0 };
}

static bool is_uuid(const char *s)
{
	return strlen(s) == 36 && strspn(s, "0123456789abcdefABCDEF-") == 36;
}

/* The name that it had last, where libvirt did not tell. */
static void take_name(struct cmd_versions *v)
{
	const char *name = v->n ? v->list[v->n - 1].name : NULL;
	char *copy = !v->known && name && *name ? strdup(name) : NULL;

	if (!copy)
		return;
	free(v->name);
	v->name = copy;
}

/* The domain's UUID: from libvirt if that knows it, else from the history by its last name. */
static int find_uuid(struct cmd *cmd, struct vw_history *h, const char *name,
		     struct cmd_versions *v, struct vw_err *err)
{
	VW_AUTODOMAIN virDomainPtr dom = NULL;
	struct vw_err silent = { 0 };
	/* a UUID needs no libvirt, unless it is asked for something else, anyway */
	int rc = is_uuid(name) && !cmd->conn ? -ENOTCONN : cmd_connect(cmd, true, err);

	if (rc == 0)
		rc = vw_domain_find(cmd->conn, name, &dom, err);
	if (rc == 0 && virDomainGetUUIDString(dom, v->uuid) == 0) {
		v->known = true;
		v->name = strdup(virDomainGetName(dom));
		return v->name ? 0 : vw_err_set(err, -ENOMEM, "out of memory");
	}
	if (rc == -ETIME)
		silent = *err;
	v->name = strdup(name);
	if (is_uuid(name)) {
		memcpy(v->uuid, name, sizeof(v->uuid));
		return 0;
	}
	rc = vw_history_find_name(h, name, v->uuid, NULL);
	if (rc == -ENOENT)
		return vw_err_set(err, rc,
				  "%s: neither libvirt nor the history knows a domain of that name",
				  name);
	if (rc == 0 && silent.code)
		cmd_note(cmd, "%s; this is of the last domain of that name in the history",
			 silent.text);
	return rc < 0 ? vw_err_set(err, rc, "%s: the history can't be searched: %s", name,
				   strerror(-rc))
		      : 0;
}

int cmd_versions_find(struct cmd *cmd, const char *name, struct cmd_versions *ret,
		      struct vw_err *err)
{
	struct vw_history *h;
	int rc = cmd_context(cmd, err);

	if (rc < 0)
		return rc;
	h = vw_context_history(cmd->ctx, err);
	if (!h)
		return err->code ? err->code : -EIO;
	rc = find_uuid(cmd, h, name, ret, err);
	if (rc == 0)
		rc = vw_history_list(h, ret->uuid, &ret->list, &ret->n, err);
	if (rc == 0)
		take_name(ret);
	return rc;
}

const struct vw_version *cmd_versions_get(const struct cmd_versions *v, unsigned n,
					  struct vw_err *err)
{
	VW_AUTOFREE char *command = NULL;
	size_t i;

	for (i = 0; i < v->n; i++)
		if (v->list[i].n == n)
			return &v->list[i];
	command = vw_command_text("history", v->name);
	vw_err_set(err, -ENOENT, "%s: there is no version %u; which there are: %s", v->name, n,
		   command ? command : "virt-warden history DOMAIN");
	return NULL;
}

static void format_time(int64_t when, char *buf, size_t size)
{
	time_t t = (time_t)when;
	struct tm tm;

	if (!localtime_r(&t, &tm) || !strftime(buf, size, "%Y-%m-%dT%H:%M:%S%z", &tm))
		snprintf(buf, size, "%lld", (long long)when);
}

static json_t *rules_json(const char *rules)
{
	VW_AUTOFREE char *copy = strdup(rules ? rules : "");
	json_t *list = json_array();
	char *save = NULL, *word;

	for (word = copy ? strtok_r(copy, " ", &save) : NULL; word;
	     word = strtok_r(NULL, " ", &save))
		json_array_append_new(list, vw_json_string(word));
	return list;
}

static int print_json(struct cmd *cmd, const struct cmd_versions *v)
{
	json_t *top = out_json_top(), *list = json_array();
	json_t *verdict = cmd_verdict_read(cmd, v->uuid);
	size_t i;

	for (i = 0; i < v->n; i++) {
		const struct vw_version *e = &v->list[i];
		char when[64];

		format_time(e->time, when, sizeof(when));
		json_array_append_new(list,
				      json_pack("{s:i, s:o, s:o, s:o, s:o, s:o, s:I}", "n",
						(int)e->n, "time", vw_json_string(when), "cause",
						vw_json_string(vw_cause_name(e->cause)), "name",
						vw_json_string(e->name), "who",
						vw_json_string(e->who), "rules",
						rules_json(e->rules), "size", (json_int_t)e->size));
	}
	json_object_set_new(top, "domain", vw_json_string(v->name));
	json_object_set_new(top, "uuid", vw_json_string(v->uuid));
	json_object_set_new(top, "versions", list);
	if (verdict)
		json_object_set_new(top, "verdict", verdict);
	return cmd_print_json(cmd, top);
}

static void print_verdict(struct cmd *cmd, const char *uuid)
{
	json_t *verdict = cmd_verdict_read(cmd, uuid);
	char when[64];

	if (verdict && !cmd->quiet) {
		format_time(json_integer_value(json_object_get(verdict, "time")), when,
			    sizeof(when));
		out_print(&cmd->out, OUT_PLAIN, "\nVerified after its migration: %s, %s\n",
			  json_string_value(json_object_get(verdict, "verdict")), when);
	}
	json_decref(verdict);
}

static int print_table(struct cmd *cmd, const struct cmd_versions *v)
{
	static const struct out_column cols[] = {
		{ "N", 0, true },     { "WHEN", 0, false }, { "CAUSE", 0, false },
		{ "WHO", 32, false }, { "SIZE", 0, true },  { "RULES", 0, false },
	};
	OUT_AUTOTABLE struct out_table t = { 0 };
	size_t i;

	if (!v->n)
		cmd_note(cmd, "%s: nothing was kept yet", v->name);
	out_table_init(&t, &cmd->out, cols, VW_N_ELEMENTS(cols));
	for (i = 0; i < v->n; i++) {
		const struct vw_version *e = &v->list[i];
		char when[64];

		format_time(e->time, when, sizeof(when));
		out_table_addf(&t, OUT_BOLD, "%u", e->n);
		out_table_add(&t, OUT_PLAIN, when);
		out_table_add(&t, OUT_PLAIN, vw_cause_name(e->cause));
		out_table_add(&t, OUT_PLAIN, e->who);
		out_table_addf(&t, OUT_PLAIN, "%zu", e->size);
		out_table_add(&t, OUT_PLAIN, e->rules);
	}
	out_table_print(&t, 0, !cmd->quiet);
	print_verdict(cmd, v->uuid);
	return CMD_OK;
}

/* What came with version n: against the version before it. */
static int print_diff(struct cmd *cmd, const struct cmd_versions *v, const struct vw_version *e)
{
	struct vw_history *h = vw_context_history(cmd->ctx, NULL);
	VW_AUTOFREE char *before = NULL;
	VW_AUTOFREE char *after = NULL;
	VW_AUTOFREE char *diff = NULL;
	char a[48] = "/dev/null", b[48];
	size_t len = 0;
	struct vw_err err = { 0 };

	if (e > v->list) {
		snprintf(a, sizeof(a), "version %u", e[-1].n);
		if (vw_history_read(h, v->uuid, e[-1].n, &before, &len, &err) < 0)
			return cmd_fail(cmd, &err);
	}
	snprintf(b, sizeof(b), "version %u", e->n);
	if (vw_history_read(h, v->uuid, e->n, &after, &len, &err) < 0)
		return cmd_fail(cmd, &err);
	if (vw_diff_unified(before ? before : "", a, after, b, &diff) < 0)
		return CMD_UNKNOWN;
	out_diff(&cmd->out, diff);
	return CMD_OK;
}

static int print_version(struct cmd *cmd, const struct cmd_versions *v, const struct vw_version *e)
{
	VW_AUTOFREE char *xml = NULL;
	struct vw_err err = { 0 };
	size_t len = 0;

	if (vw_history_read(vw_context_history(cmd->ctx, NULL), v->uuid, e->n, &xml, &len, &err) <
	    0)
		return cmd_fail(cmd, &err);
	out_data(&cmd->out, OUT_PLAIN, xml);
	return CMD_OK;
}

static int show(struct cmd *cmd, const char *name, unsigned long diff, unsigned long print)
{
	VW_CLEANUP(cmd_versions_clear) struct cmd_versions v = { 0 };
	const struct vw_version *e = NULL;
	struct vw_err err = { 0 };

	if (cmd_versions_find(cmd, name, &v, &err) < 0)
		return cmd_fail(cmd, &err);
	if (diff || print) {
		e = cmd_versions_get(&v, (unsigned)(diff ? diff : print), &err);
		if (!e)
			return cmd_fail(cmd, &err);
		return diff ? print_diff(cmd, &v, e) : print_version(cmd, &v, e);
	}
	return cmd->json ? print_json(cmd, &v) : print_table(cmd, &v);
}

static int run_history(struct cmd *cmd, int argc, char **argv)
{
	enum { OPT_DIFF = CMD_OPT_OWN, OPT_PRINT };
	static const struct option longs[] = {
		CMD_LONG,
		{ "diff", required_argument, NULL, OPT_DIFF },
		{ "print", required_argument, NULL, OPT_PRINT },
		CMD_LONG_END,
	};
	unsigned long diff = 0, print = 0;
	struct vw_err err = { 0 };
	int c;

	while ((c = cmd_getopt(cmd, argc, argv, longs)) != -1) {
		if (c == CMD_STOP)
			return cmd->status;
		if (cmd_number(c == OPT_DIFF ? "--diff" : "--print", optarg, 1, 0xffffffff,
			       c == OPT_DIFF ? &diff : &print, &err) < 0)
			return cmd_fail(cmd, &err);
	}
	if (optind != argc - 1)
		return cmd_usage(cmd, "one DOMAIN is needed");
	if ((diff || print) && (cmd->json || (diff && print)))
		return cmd_usage(cmd, "--diff and --print print text: one of them, and no --json");
	return show(cmd, argv[optind], diff, print);
}

const struct command cmd_history = {
	.name = "history",
	.summary = "every config of a domain that was seen",
	.usage = "virt-warden history DOMAIN [--diff N|--print N]\n"
		 "\n"
		 "Lists the versions that were kept: when, why, by whom, which rules. Also of a\n"
		 "domain that libvirt no longer knows.\n"
		 "\n"
		 "Options:\n"
		 "      --diff N        what version N changed, against the one before it\n"
		 "      --print N       the XML of version N\n",
	.run = run_history,
};
