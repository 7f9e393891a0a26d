/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML, reading the tree: elements without a namespace only. */
#include "lib/xml/internal.h"

#include <ctype.h>

xmlNode *vw_xml_root(struct vw_xml *x)
{
	return xmlDocGetRootElement(x->doc);
}

/* Most names differ in their first letter, and a call costs more than that. */
static bool same(const xmlChar *a, const char *b)
{
	return a[0] == (xmlChar)b[0] && !strcmp((const char *)a, b);
}

static bool is_element(const xmlNode *n, const char *name)
{
	return n->type == XML_ELEMENT_NODE && !n->ns && (!name || same(n->name, name));
}

static xmlNode *find(xmlNode *n, const char *name)
{
	while (n && !is_element(n, name))
		n = n->next;
	return n;
}

xmlNode *vw_xml_child(const xmlNode *parent, const char *name)
{
	return parent ? find(parent->children, name) : NULL;
}

xmlNode *vw_xml_first(const xmlNode *parent)
{
	return vw_xml_child(parent, NULL);
}

xmlNode *vw_xml_next(const xmlNode *node, const char *name)
{
	return node ? find(node->next, name) : NULL;
}

xmlNode *vw_xml_path(const xmlNode *node, const char *path)
{
	const xmlNode *n = node;
	char part[64];

	while (n && *path) {
		size_t len = strcspn(path, "/");

		if (len >= sizeof(part))
			return NULL;
		memcpy(part, path, len);
		part[len] = '\0';
		n = vw_xml_child(n, part);
		path += len + (path[len] == '/');
	}
	return (xmlNode *)n;
}

/* The text of a list of text nodes: borrowed from the tree when it is one node. */
static const char *list_text(struct vw_xml *x, const xmlNode *list, xmlDoc *doc)
{
	struct vw_pool_entry *e;
	xmlChar *s;
	size_t len;

	if (!list)
		return "";
	if (!list->next && (list->type == XML_TEXT_NODE || list->type == XML_CDATA_SECTION_NODE))
		return list->content ? (char *)list->content : "";
	if (!x)
		return NULL;
	s = xmlNodeListGetString(doc, (xmlNode *)list, 1);
	len = s ? strlen((char *)s) : 0;
	e = malloc(sizeof(*e) + len + 1);
	if (!e) {
		xmlFree(s);
		return "";
	}
	memcpy(e->text, s ? (char *)s : "", len + 1);
	xmlFree(s);
	e->next = x->pool;
	x->pool = e;
	return e->text;
}

const char *vw_xml_attr(const xmlNode *node, const char *name)
{
	if (!node || node->type != XML_ELEMENT_NODE)
		return NULL;
	for (const xmlAttr *a = node->properties; a; a = a->next)
		if (!a->ns && same(a->name, name))
			return list_text(NULL, a->children, node->doc);
	return NULL;
}

const char *vw_xml_content(struct vw_xml *x, const xmlNode *node)
{
	struct vw_pool_entry *e;
	const char *s;
	size_t len;

	if (!node)
		return "";
	s = list_text(x, node->children, node->doc);
	while (isspace((unsigned char)*s))
		s++;
	len = strlen(s);
	if (!len || !isspace((unsigned char)s[len - 1]))
		return s;
	while (len && isspace((unsigned char)s[len - 1]))
		len--;
	e = malloc(sizeof(*e) + len + 1);
	if (!e)
		return "";
	memcpy(e->text, s, len);
	e->text[len] = '\0';
	e->next = x->pool;
	x->pool = e;
	return e->text;
}
