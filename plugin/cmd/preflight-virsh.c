/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The preflight as virsh-warden.so hands it on to the user of virsh migrate. */
#include "plugin/cmd/cmd.h"
#include "plugin/cmd/preflight.h"

#include "lib/engine/metadata.h"
#include "lib/base/text.h"

#define LINES_MAX 6 /* reasons of one way */

static bool has_reason(const struct vw_judgement *j, const struct vw_reason *r)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->reasons[i].id == r->id && vw_streq(j->reasons[i].property, r->property))
			return true;
	return false;
}

/* Worth a line: what is worse than information; on the way back only what is new. What
 * could not be asked is no reason to fear, unless there is no verdict without it. */
static bool is_told(const struct preflight *p, bool back, const struct vw_reason *r)
{
	if (back && has_reason(&p->ways[0], r))
		return false;
	return r->severity > VW_SEV_INFO ||
	       (p->ways[back].verdict == VW_VERDICT_UNKNOWN && vw_streq(r->id, "unasked"));
}

static void print_way(const struct out *o, const struct preflight *p, bool back)
{
	const struct vw_judgement *j = &p->ways[back];
	size_t told = 0, all = 0;

	for (size_t i = 0; i < j->n; i++) {
		const struct vw_reason *r = &j->reasons[i];

		if (!is_told(p, back, r) || ++all > LINES_MAX)
			continue;
		told++;
		out_print(o, OUT_PLAIN, "  %s %s: %s", r->id, r->property, r->message);
		if (*r->remedy)
			out_print(o, OUT_PLAIN, " (%s)", r->remedy);
		fputc('\n', o->f);
	}
	if (told < all)
		fprintf(o->f, "  and %zu more\n", all - told);
}

static bool is_news(const struct preflight *p, bool back)
{
	for (size_t i = 0; i < p->ways[back].n; i++)
		if (is_told(p, back, &p->ways[back].reasons[i]))
			return true;
	return false;
}

/* The way back alone may be unknown for reasons that nobody can mend from here. */
static bool way_is_told(const struct preflight *p, bool back)
{
	enum vw_verdict v = p->ways[back].verdict;

	if (p->one_way && back)
		return false;
	return v != VW_VERDICT_OK && (!back || (v != VW_VERDICT_UNKNOWN && is_news(p, true)));
}

int preflight_print_virsh(const struct cmd *cmd, const struct preflight *p)
{
	xmlNode *root = vw_xml_root(p->dom.doc);
	const xmlNode *node = vw_xml_child(root, "name");
	VW_AUTOFREE char *name = vw_printable(node ? vw_xml_content(p->dom.doc, node) : "", 60);
	enum vw_mode mode = vw_metadata_effective_mode(root);
	const struct out *o = &cmd->out;

	if (mode == VW_MODE_OFF)
		return CMD_OK;
	for (int back = 0; back < 2; back++) {
		if (!way_is_told(p, back))
			continue;
		out_print(o, OUT_PLAIN, "virt-warden: %s: %s%s %s %s: %s\n", name ? name : "",
			  back ? "and back, " : "", preflight_host(p, (size_t)back), out_arrow(o),
			  preflight_host(p, !back), vw_verdict_name(p->ways[back].verdict));
		print_way(o, p, back);
	}
	if (mode == VW_MODE_AUDIT) /* nothing is refused */
		return CMD_OK;
	switch (p->ways[0].verdict) {
	case VW_VERDICT_UNKNOWN: return CMD_UNKNOWN;
	case VW_VERDICT_BLOCKED: return CMD_FINDINGS;
	default: return CMD_OK;
	}
}
