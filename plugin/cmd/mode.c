/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden mode: who may change what in a domain (kept in its own metadata). */
#include "lib/json/json.h"
#include "plugin/cmd/cmd.h"
#include "plugin/cmd/meta.h"
#include "lib/engine/metadata.h"
#include "plugin/out/json.h"
#include "lib/xml/xml.h"
#include "virt/domain.h"

#include <errno.h>
#include <libxml/parser.h>

#define RULES_MAX 32

struct change {
	const char *mode; /* NULL = as it is */
	const char *skip[RULES_MAX], *unskip[RULES_MAX];
	size_t n_skip, n_unskip;
};

static bool is_mode(const char *word)
{
	return vw_streq(word, "enforce") || vw_streq(word, "audit") || vw_streq(word, "off");
}

static xmlNode *find_skip(const xmlNode *root, const char *rule)
{
	xmlNode *n;

	for (n = cmd_meta_child(root, "skip"); n; n = cmd_meta_next(n, "skip"))
		if (vw_streq(vw_xml_attr(n, "rule"), rule))
			return n;
	return NULL;
}

static bool edit(xmlNode *root, const struct change *change)
{
	xmlNode *n;
	size_t i;

	if (change->mode &&
	    !xmlSetProp(root, (const xmlChar *)"mode", (const xmlChar *)change->mode))
		return false;
	for (i = 0; i < change->n_unskip; i++)
		while ((n = find_skip(root, change->unskip[i]))) {
			xmlUnlinkNode(n);
			xmlFreeNode(n);
		}
	for (i = 0; i < change->n_skip; i++) {
		if (find_skip(root, change->skip[i]))
			continue;
		n = xmlNewChild(root, NULL, (const xmlChar *)"skip", NULL);
		if (!n || !xmlNewProp(n, (const xmlChar *)"rule", (const xmlChar *)change->skip[i]))
			return false;
	}
	return true;
}

static int change_mode(struct cmd *cmd, virDomainPtr dom, const struct change *change,
		       struct vw_err *err)
{
	CMD_AUTODOC xmlDoc *doc = NULL;
	int rc = cmd_meta_read(dom, VW_METADATA_NS, "warden", &doc, err);

	if (rc < 0)
		return rc;
	if (!edit(xmlDocGetRootElement(doc), change))
		return vw_err_set(err, -ENOMEM, "out of memory");
	return cmd_meta_write(cmd, dom, VW_METADATA_NS, "w", doc, true, "", err);
}

/* What is in force: the admin's word, else what its owner makes of it. */
static int effective_mode(virDomainPtr dom, enum vw_mode *ret, struct vw_err *err)
{
	VW_AUTOFREE char *text = NULL;
	VW_AUTOXML struct vw_xml *x = NULL;
	int rc = vw_domain_xml(dom, &text, err);

	if (rc == 0)
		rc = vw_xml_parse(text, strlen(text), virDomainGetName(dom), "domain", &x, err);
	if (rc == 0)
		*ret = vw_metadata_effective_mode(vw_xml_root(x));
	return rc;
}

static int show_json(struct cmd *cmd, virDomainPtr dom, const xmlNode *root, enum vw_mode mode)
{
	char uuid[VIR_UUID_STRING_BUFLEN] = "";
	json_t *top = out_json_top(), *skips = json_array();
	xmlNode *n;

	virDomainGetUUIDString(dom, uuid);
	json_object_set_new(top, "domain", vw_json_string(virDomainGetName(dom)));
	json_object_set_new(top, "uuid", vw_json_string(uuid));
	json_object_set_new(top, "mode", vw_json_string(vw_mode_name(mode)));
	for (n = cmd_meta_child(root, "skip"); n; n = cmd_meta_next(n, "skip"))
		json_array_append_new(skips, vw_json_string(vw_xml_attr(n, "rule")));
	json_object_set_new(top, "skip", skips);
	return cmd_print_json(cmd, top);
}

static int show_mode(struct cmd *cmd, virDomainPtr dom)
{
	CMD_AUTODOC xmlDoc *doc = NULL;
	struct vw_err err = { 0 };
	enum vw_mode mode = VW_MODE_DEFAULT;
	const xmlNode *root, *n;

	if (cmd_meta_read(dom, VW_METADATA_NS, "warden", &doc, &err) < 0 ||
	    effective_mode(dom, &mode, &err) < 0)
		return cmd_fail(cmd, &err);
	root = xmlDocGetRootElement(doc);
	if (cmd->json)
		return show_json(cmd, dom, root, mode);
	out_print(&cmd->out, OUT_PLAIN, "%s: mode %s%s", virDomainGetName(dom), vw_mode_name(mode),
		  vw_xml_attr(root, "mode") ? "" : " (by default)");
	for (n = cmd_meta_child(root, "skip"); n; n = cmd_meta_next(n, "skip")) {
		const char *rule = vw_xml_attr(n, "rule");

		out_print(&cmd->out, OUT_PLAIN, "%s%s",
			  n == cmd_meta_child(root, "skip") ? "; skips " : " ", rule ? rule : "?");
	}
	fputc('\n', cmd->out.f);
	return CMD_OK;
}

static int parse(struct cmd *cmd, int argc, char **argv, struct change *change)
{
	enum { OPT_SKIP = CMD_OPT_OWN, OPT_UNSKIP };
	static const struct option longs[] = {
		CMD_LONG,
		{ "skip", required_argument, NULL, OPT_SKIP },
		{ "unskip", required_argument, NULL, OPT_UNSKIP },
		CMD_LONG_END,
	};
	int c;

	while ((c = cmd_getopt(cmd, argc, argv, longs)) != -1) {
		if (c == CMD_STOP)
			return CMD_STOP;
		if (vw_rule_number(optarg) < 0) {
			cmd->status = cmd_usage(cmd, "there is no rule '%s'", optarg);
			return CMD_STOP;
		}
		if (c == OPT_SKIP && change->n_skip < RULES_MAX)
			change->skip[change->n_skip++] = optarg;
		else if (c == OPT_UNSKIP && change->n_unskip < RULES_MAX)
			change->unskip[change->n_unskip++] = optarg;
	}
	if (optind >= argc || argc - optind > 2) {
		cmd->status = cmd_usage(cmd, "one DOMAIN and at most one mode are needed");
		return CMD_STOP;
	}
	change->mode = argv[optind + 1];
	if (change->mode && !is_mode(change->mode)) {
		cmd->status = cmd_usage(cmd, "a mode is enforce, audit or off, not '%s'",
					change->mode);
		return CMD_STOP;
	}
	return CMD_OK;
}

static int run_mode(struct cmd *cmd, int argc, char **argv)
{
	VW_AUTODOMAIN virDomainPtr dom = NULL;
	struct change change = { 0 };
	struct vw_err err = { 0 };
	bool changes;

	if (parse(cmd, argc, argv, &change) == CMD_STOP)
		return cmd->status;
	changes = change.mode || change.n_skip || change.n_unskip;
	if (cmd_context(cmd, &err) < 0 || cmd_connect(cmd, !changes, &err) < 0 ||
	    vw_domain_find(cmd->conn, argv[optind], &dom, &err) < 0)
		return cmd_fail(cmd, &err);
	if (changes && change_mode(cmd, dom, &change, &err) < 0)
		return cmd_fail(cmd, &err);
	return changes && cmd->quiet && !cmd->json ? CMD_OK : show_mode(cmd, dom);
}

const struct command cmd_mode = {
	.name = "mode",
	.summary = "who may change what in a domain: enforce, audit, off",
	.usage =
		"virt-warden mode DOMAIN [enforce|audit|off] [--skip RULE]… [--unskip RULE]…\n"
		"\n"
		"enforce: fixed when it is defined; audit: findings only; off: left alone by every\n"
		"part of virt-warden. Kept in the domain's metadata. Without a mode: shows it.\n"
		"\n"
		"Options:\n"
		"      --skip RULE     leave what this rule is about as it is (check names the rules)\n"
		"      --unskip RULE   take that back\n",
	.run = run_mode,
};
