/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML, edits: on libxml2's tree, with a flag in the span of what differs from the text. */
#include "lib/xml/internal.h"

#include <errno.h>
#include <libxml/parser.h>

/* Note that something in node differs: in it and in all above it. */
static void touch(struct vw_xml *x, const xmlNode *node)
{
	x->changed = true;
	for (; node && node->type == XML_ELEMENT_NODE; node = node->parent) {
		struct vw_span *s = vw_span_of(x, node);

		if (s)
			s->below_edited = true;
	}
}

bool vw_xml_changed(const struct vw_xml *x)
{
	return x->changed;
}

static xmlAttr *find_attr(const xmlNode *node, const char *name)
{
	xmlAttr *a = node->properties;

	while (a && (a->ns || strcmp((char *)a->name, name)))
		a = a->next;
	return a;
}

int vw_xml_set_attr(struct vw_xml *x, xmlNode *node, const char *name, const char *value)
{
	struct vw_span *s = vw_span_of(x, node);
	xmlAttr *a = find_attr(node, name);

	if (vw_streq(vw_xml_attr(node, name), value))
		return 0;
	if (!value)
		xmlRemoveProp(a);
	else if (a ? !xmlSetProp(node, a->name, (const xmlChar *)value)
		   : !xmlNewProp(node, (const xmlChar *)name, (const xmlChar *)value))
		return -ENOMEM;
	if (s)
		s->tag_edited = true;
	touch(x, node);
	return 0;
}

int vw_xml_set_content(struct vw_xml *x, xmlNode *node, const char *text)
{
	struct vw_span *s = vw_span_of(x, node);
	xmlNode *t;

	if (!strcmp(vw_xml_content(x, node), text))
		return 0;
	t = xmlNewDocText(x->doc, (const xmlChar *)text);
	if (!t)
		return -ENOMEM;
	while (node->children) {
		xmlNode *c = node->children;

		xmlUnlinkNode(c);
		xmlFreeNode(c);
	}
	xmlAddChild(node, t);
	if (s)
		s->content_edited = true;
	touch(x, node);
	return 0;
}

void vw_xml_remove(struct vw_xml *x, xmlNode *node)
{
	struct vw_span *s = vw_span_of(x, node);

	if (s)
		s->removed = true;
	touch(x, node->parent);
	xmlUnlinkNode(node);
	xmlFreeNode(node);
}

static void link_child(struct vw_xml *x, xmlNode *parent, xmlNode *after, xmlNode *node)
{
	if (after)
		xmlAddNextSibling(after, node);
	else
		xmlAddChild(parent, node);
	touch(x, parent);
}

int vw_xml_add(struct vw_xml *x, xmlNode *parent, xmlNode *after, const char *name, xmlNode **ret)
{
	xmlNode *node = xmlNewDocNode(x->doc, NULL, (const xmlChar *)name, NULL);

	if (!node)
		return -ENOMEM;
	link_child(x, parent, after, node);
	if (ret)
		*ret = node;
	return 0;
}

int vw_xml_add_text(struct vw_xml *x, xmlNode *parent, xmlNode *after, const char *fragment,
		    xmlNode **ret)
{
	xmlDoc *doc = xmlReadMemory(fragment, (int)strlen(fragment), NULL, "UTF-8",
				    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
					    XML_PARSE_NOBLANKS);
	xmlNode *root = doc ? xmlDocGetRootElement(doc) : NULL;
	xmlNode *node = root ? xmlDocCopyNode(root, x->doc, 1) : NULL;

	xmlFreeDoc(doc);
	if (!node)
		return -ENOMEM;
	link_child(x, parent, after, node);
	if (ret)
		*ret = node;
	return 0;
}
