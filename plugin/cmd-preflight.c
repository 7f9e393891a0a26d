/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden preflight: will this migration work, there and back, and why not? */
#include "host.h"
#include "out-json.h"
#include "out-table.h"

#include <errno.h>

struct preflight {
	struct host_domain dom;
	struct host hosts[2]; /* source, destination */
	struct vw_words paths, copied;
	struct vw_features table;
	struct vw_judgement ways[2]; /* there, back */
	bool one_way;
	unsigned flags;
	const char *dest;
};

enum { OPT_ONE_WAY = CMD_OPT_OWN, OPT_COPY, OPT_DISKS, OPT_OFFLINE };

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
	struct vw_move m = { .doc = p->dom.doc,
			     .sent = p->dom.sent,
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

static int gather(struct cmd *cmd, struct preflight *p, const char *name, struct vw_err *err)
{
	bool source_is_file = cmd->uri && host_is_file(cmd->uri);
	int r;

	if (source_is_file && !cmd_is_file(name))
		return vw_err_set(err, CMD_E_USAGE,
				  "with a facts file as source the domain is an XML file, not '%s'",
				  name);
	r = host_domain_get(cmd->uri, name, &p->dom, err);
	if (r == 0 && host_domain_paths(&p->dom, &p->paths) < 0)
		r = vw_err_set(err, -ENOMEM, "out of memory");
	if (r < 0)
		return r;
	p->hosts[0].arg = cmd->uri;
	p->hosts[1].arg = p->dest;
	host_get_all(p->hosts, 2, &p->paths, &p->table);
	for (size_t i = 0; i < 2; i++)
		if (!p->hosts[i].known)
			cmd_error(cmd, "%s", p->hosts[i].err.text);
	return 0;
}

static const char *host_name(const struct preflight *p, size_t i)
{
	const struct host *h = &p->hosts[i];

	return h->known ? h->facts.name : h->arg ? h->arg : "here";
}

static enum out_style style_of(enum vw_verdict v)
{
	static const enum out_style styles[] = { OUT_GOOD, OUT_WARN, OUT_WARN, OUT_BAD };

	return styles[v];
}

static void print_reasons(const struct out *o, const struct vw_judgement *j)
{
	static const struct out_column cols[] = {
		{ "", 0, false }, { "", 0, false }, { "", 24, false }, { "", 0, false }
	};
	static const enum out_style styles[] = { OUT_DIM, OUT_WARN, OUT_BAD };
	OUT_AUTOTABLE struct out_table t = { 0 };

	out_table_init(&t, o, cols, VW_N_ELEMENTS(cols));
	for (size_t i = 0; i < j->n; i++) {
		const struct vw_reason *r = &j->reasons[i];

		out_table_add(&t, styles[r->severity], vw_severity_name(r->severity));
		out_table_add(&t, OUT_PLAIN, r->id);
		out_table_add(&t, OUT_PLAIN, r->property);
		out_table_addf(&t, OUT_PLAIN, "%s%s%s", r->message, *r->remedy ? ": " : "",
			       r->remedy);
	}
	out_table_print(&t, 2, false);
}

static void print_text(const struct cmd *cmd, const struct preflight *p)
{
	const struct out *o = &cmd->out;

	for (size_t i = 0; i < (p->one_way ? 1u : 2u); i++) {
		out_print(o, OUT_BOLD, "%s %s %s", host_name(p, i), out_arrow(o), host_name(p, !i));
		out_print(o, style_of(p->ways[i].verdict), "  %s\n",
			  vw_verdict_name(p->ways[i].verdict));
		print_reasons(o, &p->ways[i]);
	}
}

static int print_json(struct cmd *cmd, const struct preflight *p)
{
	const xmlNode *name = vw_xml_child(vw_xml_root(p->dom.doc), "name");
	json_t *ways = json_array();

	for (size_t i = 0; i < (p->one_way ? 1u : 2u); i++)
		json_array_append_new(ways, json_pack("{s:o, s:o, s:s, s:o}", "from",
						      out_json_string(host_name(p, i)), "to",
						      out_json_string(host_name(p, !i)), "verdict",
						      vw_verdict_name(p->ways[i].verdict),
						      "reasons", host_reasons_json(&p->ways[i])));
	return out_json_print(
		cmd, json_pack("{s:i, s:o, s:o}", "version", 1, "domain",
			       out_json_string(name ? vw_xml_content(p->dom.doc, name) : ""),
			       "directions", ways));
}

static void clear(struct preflight *p)
{
	host_domain_clear(&p->dom);
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
	if (r < 0)
		return cmd_fail(cmd, &err);
	if (cmd->json && print_json(cmd, p) != CMD_OK)
		return CMD_UNKNOWN;
	if (!cmd->json)
		print_text(cmd, p);
	switch (p->ways[0].verdict) {
	case VW_VERDICT_OK: return CMD_OK;
	case VW_VERDICT_UNKNOWN: return CMD_UNKNOWN;
	default: return CMD_FINDINGS;
	}
}

static int run_preflight(struct cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = { CMD_LONG,
					       { "one-way", no_argument, NULL, OPT_ONE_WAY },
					       { "copy-storage", no_argument, NULL, OPT_COPY },
					       { "migrate-disks", required_argument, NULL,
						 OPT_DISKS },
					       { "offline", no_argument, NULL, OPT_OFFLINE },
					       CMD_LONG_END };
	struct preflight p = { 0 };
	int c, rc = CMD_UNKNOWN;

	while ((c = cmd_getopt(cmd, argc, argv, longs)) != -1) {
		switch (c) {
		case CMD_STOP: free(p.copied.v); return cmd->status;
		case OPT_ONE_WAY: p.one_way = true; break;
		case OPT_COPY: p.flags |= VW_MOVE_COPY_STORAGE; break;
		case OPT_OFFLINE: p.flags |= VW_MOVE_OFFLINE; break;
		case OPT_DISKS:
			p.flags |= VW_MOVE_COPY_STORAGE;
			if (read_copied(&p, optarg) < 0)
				return CMD_UNKNOWN;
			break;
		default: break;
		}
	}
	if (argc - optind != 2) {
		rc = cmd_usage(cmd, "preflight takes a domain and a destination");
	} else {
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
		"      --offline         as virsh migrate --offline: the config only\n",
	.run = run_preflight,
};
