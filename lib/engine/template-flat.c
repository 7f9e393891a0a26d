/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One template as a text of its own: every rule that holds for it, those of its bases
 * included, and no comments. As a set it fits every OS and says the same of it. */
#include "lib/engine/template-internal.h"

#include "lib/base/buf.h"
#include "lib/engine/plan.h"

#include <libxml/tree.h>

static void drop_comments(xmlNode *node)
{
	for (xmlNode *n = node->children, *next; n; n = next) {
		next = n->next;
		if (n->type == XML_COMMENT_NODE) {
			xmlUnlinkNode(n);
			xmlFreeNode(n);
		} else {
			drop_comments(n);
		}
	}
}

static void add_rule(struct vw_buf *b, const xmlNode *rule)
{
	/* The copy is in no document, whose dictionary it would share names with. */
	xmlNode *copy = xmlDocCopyNode((xmlNode *)(uintptr_t)rule, NULL, 1);
	xmlBuffer *text = xmlBufferCreate();

	if (copy)
		drop_comments(copy);
	if (copy && text && xmlNodeDump(text, NULL, copy, 0, 0) >= 0)
		vw_buf_printf(b, "%s\n", (const char *)xmlBufferContent(text));
	else
		b->failed = true;
	xmlBufferFree(text);
	xmlFreeNode(copy);
}

char *vw_template_flat(const struct vw_template *t)
{
	VW_AUTOBUF struct vw_buf b = { 0 };

	vw_buf_printf(&b, "<template version='1' id='%s'>\n<match/>\n", vw_template_id(t));
	for (size_t i = 0; vw_rule_id(i); i++)
		if (vw_template_rule_at(t, i))
			add_rule(&b, vw_template_rule_at(t, i));
	vw_buf_puts(&b, "</template>\n");
	return vw_buf_take(&b);
}
