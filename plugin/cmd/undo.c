/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden undo: a kept config becomes the config again.
 *
 * Which version is "the one before"? A kept XML may be what a client typed, and
 * libvirt stores it with addresses and defaults filled in. So libvirt itself is
 * asked: a version is defined and read back; if that is what was there before,
 * the next older one is meant. */
#include "plugin/cmd/undo.h"

#include "lib/json/json.h"
#include "plugin/cmd/cmd.h"
#include "plugin/cmd/history.h"
#include "plugin/out/json.h"
#include "virt/apply.h"
#include "lib/xml/xml.h"
#include "virt/domain.h"

#include <errno.h>

struct undo {
	struct cmd *cmd;
	struct cmd_versions versions;
	virDomainPtr dom; /* NULL: libvirt no longer has it */
	char *current;    /* config now, NULL likewise */
	char *skip;       /* rules that the undone fixes had applied */
	bool force;
	bool defined; /* something was defined */
};

static void undo_clear(struct undo *u)
{
	cmd_versions_clear(&u->versions);
	if (u->dom)
		virDomainFree(u->dom);
	free(u->current);
	free(u->skip);
}

/* The rules of all fixes after version n. */
static char *undone_rules(const struct cmd_versions *v, unsigned n)
{
	char *rules = NULL;
	size_t len = 0, i;
	FILE *f = open_memstream(&rules, &len);

	if (!f)
		return NULL;
	for (i = 0; i < v->n; i++)
		if (v->list[i].n > n &&
		    (v->list[i].cause == VW_CAUSE_FIX || v->list[i].cause == VW_CAUSE_AGENT))
			fprintf(f, "%s ", v->list[i].rules);
	fclose(f);
	return rules;
}

static int define(struct undo *u, const char *xml, struct vw_err *err)
{
	virDomainPtr dom = NULL;
	int rc = vw_apply_restore(u->cmd->ctx, u->cmd->conn, u->versions.uuid, u->versions.name,
				  u->current, xml, &dom, err);

	if (rc < 0)
		return rc;
	if (u->dom)
		virDomainFree(u->dom);
	u->dom = dom;
	u->defined = true;
	return 0;
}

/* Define version e. *ret_same: that is what was there before. */
static int go_to(struct undo *u, const struct vw_version *e, bool *ret_same, struct vw_err *err)
{
	struct vw_history *h = vw_context_history(u->cmd->ctx, err);
	VW_AUTOFREE char *kept = NULL;
	VW_AUTOFREE char *xml = NULL;
	VW_AUTOFREE char *now = NULL;
	char risk[320] = "";
	size_t len = 0;
	int rc = h ? vw_history_read(h, u->versions.uuid, e->n, &kept, &len, err) : -EIO;

	*ret_same = rc == 0 && u->current && strcmp(kept, u->current) == 0;
	if (rc < 0 || *ret_same)
		return rc;
	free(u->skip);
	u->skip = u->current ? undone_rules(&u->versions, e->n) : strdup("");
	if (!u->skip)
		return vw_err_set(err, -ENOMEM, "out of memory");
	rc = cmd_undo_prepare(
		&(struct cmd_undo){ u->versions.name, u->versions.uuid, u->current, u->skip }, kept,
		&xml, risk, sizeof(risk), err);
	if (rc == 0 && *risk && !u->force)
		rc = vw_err_set(err, -ECANCELED,
				"%s: version %u: %s; --force does it, and deletes nothing",
				u->versions.name, e->n, risk);
	if (rc == 0)
		rc = define(u, xml, err);
	if (rc == 0 && u->current) {
		rc = vw_domain_xml(u->dom, &now, err);
		*ret_same = rc == 0 && cmd_undo_same(now, u->current);
	}
	return rc;
}

/* The newest version that is another config. On failure the config is as it was. */
static int go_back(struct undo *u, const struct vw_version **ret, struct vw_err *err)
{
	bool same = true;
	size_t i;
	int rc = 0;

	for (i = u->versions.n; rc == 0 && same && i > 0; i--)
		rc = go_to(u, &u->versions.list[i - 1], &same, err);
	if (rc == 0 && !same) {
		*ret = &u->versions.list[i];
		return 0;
	}
	if (rc == 0)
		rc = vw_err_set(err, -ENOENT,
				"%s: no other config was kept, there is nothing to go back to",
				u->versions.name);
	if (u->defined && u->current)
		define(u, u->current, NULL);
	return rc;
}

static int report_json(const struct undo *u, const struct vw_version *e, bool active)
{
	json_t *top = out_json_top();

	json_object_set_new(top, "domain", vw_json_string(u->versions.name));
	json_object_set_new(top, "uuid", vw_json_string(u->versions.uuid));
	json_object_set_new(top, "restored", json_integer(e->n));
	json_object_set_new(top, "skip", vw_json_string(u->skip)); /* NULL: "" */
	json_object_set_new(top, "active", json_boolean(active));
	return cmd_print_json(u->cmd, top);
}

static int report(const struct undo *u, const struct vw_version *e)
{
	bool active = virDomainIsActive(u->dom) == 1;
	const struct out *o = &u->cmd->out;

	if (u->cmd->json)
		return report_json(u, e, active);
	if (u->cmd->quiet)
		return CMD_OK;
	out_print(o, OUT_PLAIN, "%s: back to version %u (%s by %s)\n", u->versions.name, e->n,
		  vw_cause_name(e->cause), e->who);
	if (u->current && *u->skip)
		out_print(o, OUT_PLAIN,
			  "skipped from now on: %s (virt-warden mode %s --unskip RULE)\n", u->skip,
			  u->versions.name);
	if (active)
		out_print(o, OUT_WARN, "takes effect at the next cold boot: it is running now\n");
	return CMD_OK;
}

static int undo_to(struct undo *u, unsigned n)
{
	const struct vw_version *e = NULL;
	struct vw_err err = { 0 };
	bool same = false;
	int rc;

	if (n) {
		e = cmd_versions_get(&u->versions, n, &err);
		rc = e ? go_to(u, e, &same, &err) : -ENOENT;
	} else {
		rc = go_back(u, &e, &err);
	}
	if (rc < 0) {
		cmd_error(u->cmd, "%s", err.text);
		return rc == -ECANCELED ? CMD_FINDINGS : CMD_UNKNOWN;
	}
	if (!same || u->cmd->json)
		return report(u, e);
	cmd_note(u->cmd, "%s: version %u is the config that it has", u->versions.name, e->n);
	return CMD_OK;
}

static int run_undo(struct cmd *cmd, int argc, char **argv)
{
	enum { OPT_FORCE = CMD_OPT_OWN };
	static const struct option longs[] = {
		CMD_LONG,
		{ "force", no_argument, NULL, OPT_FORCE },
		CMD_LONG_END,
	};
	VW_CLEANUP(undo_clear) struct undo u = { .cmd = cmd };
	struct vw_err err = { 0 };
	unsigned long n = 0;
	int c;

	while ((c = cmd_getopt(cmd, argc, argv, longs)) != -1) {
		if (c == CMD_STOP)
			return cmd->status;
		u.force = true;
	}
	if (optind >= argc || argc - optind > 2)
		return cmd_usage(cmd, "one DOMAIN, and at most one version, are needed");
	if (argv[optind + 1] && cmd_number("N", argv[optind + 1], 1, 0xffffffff, &n, &err) < 0)
		return cmd_fail(cmd, &err);
	if (cmd_connect(cmd, false, &err) < 0 ||
	    cmd_versions_find(cmd, argv[optind], &u.versions, &err) < 0)
		return cmd_fail(cmd, &err);
	if (u.versions.known && (vw_domain_find(cmd->conn, u.versions.uuid, &u.dom, &err) < 0 ||
				 vw_domain_xml(u.dom, &u.current, &err) < 0))
		return cmd_fail(cmd, &err);
	return undo_to(&u, (unsigned)n);
}

const struct command cmd_undo = {
	.name = "undo",
	.summary = "go back to an earlier config of a domain",
	.usage =
		"virt-warden undo DOMAIN [N] [--force]\n"
		"\n"
		"Without N: to the config before this one. The config that is left is kept first,\n"
		"so undo can be undone. What a fix had changed is not fixed again (mode shows it).\n"
		"A domain that was undefined comes back. EFI variables and TPM state are never\n"
		"deleted.\n"
		"\n"
		"Options:\n"
		"      --force         also where EFI variables or a TPM would no longer be used\n",
	.run = run_undo,
};
