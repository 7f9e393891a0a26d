/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What xml.c (in), lib/xml/edit.c (edits) and lib/xml/text.c (out) share; nobody else.
 *
 * Every element that came with the input has a span: where it stands in the
 * text. node->_private holds the span's number + 1; NULL marks an element that
 * we added. Writing out copies spans, except where an edit left its flag. */
#ifndef VW_XML_INTERNAL_H
#define VW_XML_INTERNAL_H

#include "lib/xml/xml.h"

#include <stdint.h>

struct vw_span {
	uint32_t begin;      /* of '<' */
	uint32_t tag_close;  /* of the '>' or "/>" that ends the start tag */
	uint32_t end;        /* behind the last '>' of the element */
	bool removed;        /* the element was taken out */
	bool tag_edited;     /* attributes differ from the text */
	bool content_edited; /* text content differs from the text */
	bool below_edited;   /* something in it (tag, content, children) differs */
};

struct vw_pool_entry {
	struct vw_pool_entry *next;
	char text[];
};

struct vw_xml {
	char *input; /* as it came; NULL when text is that */
	size_t input_len;
	char *text; /* UTF-8; what the spans point into */
	size_t len;
	xmlDoc *doc;
	struct vw_span *spans;
	size_t n_spans, cap_spans;
	bool changed;
	struct vw_pool_entry *pool; /* strings that were lent out */
};

/* Bounds beside those of xml.h; each is far above what a domain has. */
#define VW_XML_MAX_ATTRS 256      /* of one start tag, namespaces included */
#define VW_XML_MAX_NAMESPACES 256 /* declared by an element and those around it */
#define VW_XML_MAX_NAMES 20000    /* different names: libxml2's table of them gets slow */
#define VW_XML_MAX_IDS 1000       /* xml:id and the like: its table of them, too */

/* Return: the line of the first start tag with more than VW_XML_MAX_ATTRS attributes, 0 = none. */
int vw_xml_crowded_line(const char *text, size_t len);

/* Return: true if in the document's encoding each byte below 0x80 is that character of ASCII, so that
 * what scans the bytes sees the markup that the parser sees (UTF-7, EBCDIC …: false). */
bool vw_xml_keeps_ascii(const xmlParserCtxt *ctxt);

/* Return: the span of an element of the input, or NULL for one that was added. */
static inline struct vw_span *vw_span_of(const struct vw_xml *x, const xmlNode *node)
{
	uintptr_t i = (uintptr_t)node->_private;

	return i && i <= x->n_spans ? &x->spans[i - 1] : NULL;
}

#endif
