/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The preflight on a terminal and as JSON (see preflight.h). */
#include "lib/json/json.h"
#include "plugin/cmd/cmd.h"
#include "plugin/cmd/preflight.h"

#include "plugin/out/json.h"
#include "plugin/out/table.h"

const char *preflight_host(const struct preflight *p, size_t i)
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

void preflight_print_text(const struct cmd *cmd, const struct preflight *p)
{
	const struct out *o = &cmd->out;

	for (size_t i = 0; i < (p->one_way ? 1u : 2u); i++) {
		out_print(o, OUT_BOLD, "%s %s %s", preflight_host(p, i), out_arrow(o),
			  preflight_host(p, !i));
		out_print(o, style_of(p->ways[i].verdict), "  %s\n",
			  vw_verdict_name(p->ways[i].verdict));
		print_reasons(o, &p->ways[i]);
	}
}

int preflight_print_json(struct cmd *cmd, const struct preflight *p)
{
	const xmlNode *name = vw_xml_child(vw_xml_root(p->dom.doc), "name");
	json_t *ways = json_array();

	for (size_t i = 0; i < (p->one_way ? 1u : 2u); i++)
		json_array_append_new(ways,
				      json_pack("{s:o, s:o, s:s, s:o}", "from",
						vw_json_string(preflight_host(p, i)), "to",
						vw_json_string(preflight_host(p, !i)), "verdict",
						vw_verdict_name(p->ways[i].verdict), "reasons",
						host_reasons_json(&p->ways[i])));
	return cmd_print_json(
		cmd, json_pack("{s:i, s:o, s:o}", "version", 1, "domain",
			       vw_json_string(name ? vw_xml_content(p->dom.doc, name) : ""),
			       "directions", ways));
}
