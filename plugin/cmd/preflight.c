/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden preflight: will this migration work, there and back, and why not? */
#include "plugin/cmd/preflight.h"

#include "lib/base/input.h"
#include "lib/xml/xml.h"
#include "plugin/cmd/cmd.h"

#include <errno.h>

enum {
	OPT_ONE_WAY = CMD_OPT_OWN,
	OPT_COPY,
	OPT_DISKS,
	OPT_OFFLINE,
	OPT_XML,
	OPT_PERSISTENT_XML,
	OPT_DNAME,
	OPT_FOR_VIRSH
};

static bool has_reason(const struct vw_judgement *j, const char *group)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->reasons[i].severity == VW_SEV_BLOCKER &&
		    vw_startswith(j->reasons[i].id, group))
			return true;
	return false;
}

/* Nothing can be judged without both hosts: one reason says which could not be asked. */
static int judge_unknown(struct preflight *p, struct vw_judgement *ret)
{
	const struct host *h = &p->hosts[p->hosts[0].known];
	struct vw_reason *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	*r = (struct vw_reason){ .id = "unasked",
				 .property = strdup("host"),
				 .source = strdup(""),
				 .destination = strdup(""),
				 .message = strdup(h->err.text),
				 .remedy = strdup("") };
	*ret = (struct vw_judgement){ .verdict = VW_VERDICT_UNKNOWN, .reasons = r, .n = 1 };
	return 0;
}

static int judge(struct preflight *p, bool back, struct vw_judgement *ret, struct vw_err *err)
{
	struct vw_xml *given = p->given.doc;
	struct vw_move m = { .doc = given ? given : p->dom.doc,
			     .sent = given ? given : p->dom.sent,
			     .own = given && !back ? p->dom.doc : NULL,
			     .persistent = back ? NULL : p->persistent,
			     .dname = back ? NULL : p->dname,
			     .live = p->dom.has_live ? &p->dom.live : NULL,
			     .src = &p->hosts[back].facts,
			     .dst = &p->hosts[!back].facts,
			     .desturi = back ? "" : p->dest,
			     .copied = p->copied,
			     .flags = p->flags | (back ? VW_MOVE_BACK : 0),
			     .table = &p->table };

	if (!p->hosts[0].known || !p->hosts[1].known)
		return judge_unknown(p, ret);
	/* It can't get there alive with this CPU: then it would have been started there. */
	if (back && has_reason(&p->ways[0], "cpu-"))
		m.flags |= VW_MOVE_FRESH;
	return vw_move_judge(&m, ret, err);
}

static int read_copied(struct preflight *p, char *list)
{
	for (char *save = NULL, *w = strtok_r(list, ",", &save); w;
	     w = strtok_r(NULL, ",", &save)) {
		const char **more = reallocarray(p->copied.v, p->copied.n + 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		p->copied.v = more;
		p->copied.v[p->copied.n++] = w;
	}
	return 0;
}

static int read_xml(const char *path, struct vw_xml **ret, struct vw_err *err)
{
	VW_AUTOFREE char *text = NULL;
	size_t len = 0;
	int r = path ? vw_input_read(path, VW_XML_MAX_BYTES, &text, &len, err) : 0;

	return !path || r < 0 ? r : vw_xml_parse(text, len, path, "domain", ret, err);
}

static int gather(struct cmd *cmd, struct preflight *p, const char *name, struct vw_err *err)
{
	bool source_is_file = cmd->uri && host_is_file(cmd->uri);
	unsigned ms = p->for_virsh ? HOST_VIRSH_MS : HOST_DEADLINE_MS;
	int r;

	if (source_is_file && !vw_input_is_file(name))
		return vw_err_set(err, CMD_E_USAGE,
				  "with a facts file as source the domain is an XML file, not '%s'",
				  name);
	r = host_domain_get(cmd->uri, name, ms, &p->dom, err);
	if (r == 0)
		r = read_xml(p->xml, &p->given.doc, err);
	if (r == 0)
		r = read_xml(p->persistent_xml, &p->persistent, err);
	if (r == 0 && host_domain_paths(p->given.doc ? &p->given : &p->dom, &p->paths) < 0)
		r = vw_err_set(err, -ENOMEM, "out of memory");
	if (r < 0)
		return r;
	p->hosts[0].arg = cmd->uri;
	p->hosts[1].arg = p->dest;
	host_get_all(p->hosts, 2, &p->paths, &p->table, ms);
	for (size_t i = 0; i < 2; i++)
		if (!p->hosts[i].known)
			cmd_error(cmd, "%s", p->hosts[i].err.text);
	return 0;
}

static void clear(struct preflight *p)
{
	host_domain_clear(&p->dom);
	host_domain_clear(&p->given);
	vw_xml_free(p->persistent);
	for (size_t i = 0; i < 2; i++) {
		vw_judgement_clear(&p->ways[i]);
		host_clear(&p->hosts[i]);
	}
	vw_features_clear(&p->table);
	free(p->paths.v);
	free(p->copied.v);
}

/* The exit code is that of the direction that was asked for. */
static int answer(struct cmd *cmd, struct preflight *p, const char *name)
{
	struct vw_err err = { 0 };
	int r = gather(cmd, p, name, &err);

	if (r == 0)
		r = judge(p, false, &p->ways[0], &err);
	if (r == 0 && !p->one_way)
		r = judge(p, true, &p->ways[1], &err);
	if (r < 0 && p->for_virsh)
		printf("virt-warden: whether this migration will work could not be told: %s\n",
		       err.text);
	if (r < 0)
		return cmd_fail(cmd, &err);
	if (p->for_virsh)
		return preflight_print_virsh(cmd, p);
	if (cmd->json && preflight_print_json(cmd, p) != CMD_OK)
		return CMD_UNKNOWN;
	if (!cmd->json)
		preflight_print_text(cmd, p);
	switch (p->ways[0].verdict) {
	case VW_VERDICT_OK: return CMD_OK;
	case VW_VERDICT_UNKNOWN: return CMD_UNKNOWN;
	default: return CMD_FINDINGS;
	}
}

static const struct option longs[] = {
	CMD_LONG,
	{ "one-way", no_argument, NULL, OPT_ONE_WAY },
	{ "copy-storage", no_argument, NULL, OPT_COPY },
	{ "migrate-disks", required_argument, NULL, OPT_DISKS },
	{ "offline", no_argument, NULL, OPT_OFFLINE },
	{ "xml", required_argument, NULL, OPT_XML },
	{ "persistent-xml", required_argument, NULL, OPT_PERSISTENT_XML },
	{ "dname", required_argument, NULL, OPT_DNAME },
	{ "for-virsh", no_argument, NULL, OPT_FOR_VIRSH }, /* virsh-warden.so's own */
	CMD_LONG_END
};

/* Return: -1 at the end of the options, else the verb's exit code. */
static int read_options(struct cmd *cmd, struct preflight *p, int argc, char **argv)
{
	int c;

	while ((c = cmd_getopt(cmd, argc, argv, longs)) != -1) {
		switch (c) {
		case CMD_STOP: return cmd->status;
		case OPT_ONE_WAY: p->one_way = true; break;
		case OPT_COPY: p->flags |= VW_MOVE_COPY_STORAGE; break;
		case OPT_OFFLINE: p->flags |= VW_MOVE_OFFLINE; break;
		case OPT_XML: p->xml = optarg; break;
		case OPT_PERSISTENT_XML: p->persistent_xml = optarg; break;
		case OPT_DNAME: p->dname = optarg; break;
		case OPT_FOR_VIRSH: p->for_virsh = true; break;
		case OPT_DISKS:
			p->flags |= VW_MOVE_COPY_STORAGE;
			if (read_copied(p, optarg) < 0)
				return CMD_UNKNOWN;
			break;
		default: break;
		}
	}
	return -1;
}

static int run_preflight(struct cmd *cmd, int argc, char **argv)
{
	struct preflight p = { 0 };
	int rc = read_options(cmd, &p, argc, argv);

	if (rc < 0 && argc - optind != 2) {
		rc = cmd_usage(cmd, "preflight takes a domain and a destination");
	} else if (rc < 0) {
		p.dest = argv[optind + 1];
		rc = answer(cmd, &p, argv[optind]);
	}
	clear(&p);
	return rc;
}

const struct command cmd_preflight = {
	.name = "preflight",
	.summary = "will a live migration work, there and back, and why not",
	.usage =
		"virt-warden preflight DOMAIN|FILE DESTURI|FACTS\n"
		"\n"
		"Judges the live migration of a domain to DESTURI, and the way back, without touching\n"
		"it: all reasons at once, each with its remedy. FACTS is a file of virt-warden facts;\n"
		"with -c FACTS the source is one, and the domain an XML file.\n"
		"\n"
		"      --one-way         only the way there\n"
		"      --copy-storage    as virsh migrate with --copy-storage-all or --copy-storage-inc\n"
		"      --migrate-disks LIST\n"
		"                        only these disks are copied (vda,vdb)\n"
		"      --offline         as virsh migrate --offline: the config only\n"
		"      --xml FILE        the XML that the destination gets instead\n"
		"      --persistent-xml FILE\n"
		"                        the config that the destination keeps instead\n"
		"      --dname NAME      its name there\n",
	.run = run_preflight,
};
