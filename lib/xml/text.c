/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML, the way out: the input's own bytes, and new text only where an edit was made.
 *
 * An element without an edit is copied as one piece. An edited one is written
 * tag by tag: attributes that kept their value are copied with their quotes,
 * the gaps between children (white space, comments) are copied, too; a removed
 * element goes with the white space before it, an added one gets a line of its
 * own, indented as its neighbours. */
#include "lib/base/buf.h"
#include "lib/xml/internal.h"

#include <ctype.h>
#include <errno.h>

struct writer {
	struct vw_xml *x;
	struct vw_buf b;
	char quote;
};

#define INLINE (-1) /* instead of a depth: no lines of their own */

/* White space between the last newline and pos: the indentation of what stands there.
 * Return: false if something else stands before it on its line. */
static bool indent_of(const struct vw_xml *x, size_t pos, const char **ret, int *ret_len)
{
	bool own_line;

	size_t i = pos;

	while (i > 0 && (x->text[i - 1] == ' ' || x->text[i - 1] == '\t'))
		i--;
	own_line = i == 0 || x->text[i - 1] == '\n';
	if (!own_line)
		i = pos;
	*ret = x->text + i;
	*ret_len = (int)(pos - i);
	return own_line;
}

static void put_name(struct writer *w, const xmlNs *ns, const xmlChar *name)
{
	if (ns && ns->prefix)
		vw_buf_printf(&w->b, "%s:", (char *)ns->prefix);
	vw_buf_puts(&w->b, (char *)name);
}

static void put_attr(struct writer *w, const xmlAttr *a)
{
	xmlChar *value = xmlNodeListGetString(a->doc, a->children, 1);

	vw_buf_puts(&w->b, " ");
	put_name(w, a->ns, a->name);
	vw_buf_printf(&w->b, "=%c", w->quote);
	vw_buf_xml(&w->b, value ? (char *)value : "", w->quote);
	vw_buf_add(&w->b, &w->quote, 1);
	xmlFree(value);
}

static void put_ns(struct writer *w, const xmlNs *ns)
{
	vw_buf_printf(&w->b, ns->prefix ? " xmlns:%s=%c" : " xmlns%s=%c",
		      ns->prefix ? (char *)ns->prefix : "", w->quote);
	vw_buf_xml(&w->b, ns->href ? (char *)ns->href : "", w->quote);
	vw_buf_add(&w->b, &w->quote, 1);
}

static void put_newline(struct writer *w, const char *indent, int indent_len, int depth)
{
	if (depth != INLINE)
		vw_buf_printf(&w->b, "\n%.*s%*s", indent_len, indent, depth * 2, "");
}

/* An element that was added: depth counts from the indentation given. */
static void put_added(struct writer *w, const xmlNode *n, const char *indent, int indent_len,
		      int depth)
{
	bool elements = false;

	vw_buf_puts(&w->b, "<");
	put_name(w, n->ns, n->name);
	for (const xmlNs *ns = n->nsDef; ns; ns = ns->next)
		put_ns(w, ns);
	for (const xmlAttr *a = n->properties; a; a = a->next)
		put_attr(w, a);
	if (!n->children) {
		vw_buf_puts(&w->b, "/>");
		return;
	}
	vw_buf_puts(&w->b, ">");
	for (const xmlNode *c = n->children; c; c = c->next) {
		if (c->type == XML_TEXT_NODE) {
			vw_buf_xml(&w->b, (char *)c->content, 0);
		} else if (c->type == XML_ELEMENT_NODE) {
			int below = depth == INLINE ? INLINE : depth + 1;

			elements = true;
			put_newline(w, indent, indent_len, below);
			put_added(w, c, indent, indent_len, below);
		}
	}
	if (elements)
		put_newline(w, indent, indent_len, depth);
	vw_buf_puts(&w->b, "</");
	put_name(w, n->ns, n->name);
	vw_buf_puts(&w->b, ">");
}

static const xmlAttr *attr_by_qname(const xmlNode *n, const char *qname, size_t len)
{
	for (const xmlAttr *a = n->properties; a; a = a->next) {
		const char *prefix = a->ns && a->ns->prefix ? (char *)a->ns->prefix : "";
		size_t plen = strlen(prefix);
		const char *local = qname;
		size_t local_len = len;

		if (plen) {
			if (len <= plen + 1 || memcmp(qname, prefix, plen) || qname[plen] != ':')
				continue;
			local += plen + 1;
			local_len -= plen + 1;
		}
		if (strlen((char *)a->name) == local_len && !memcmp(a->name, local, local_len))
			return a;
	}
	return NULL;
}

/* Did the attribute keep the value that stands in the text [v, v+len)? Unescaped
 * values only: one with an entity is written anew, which keeps its meaning. */
static bool same_value(const xmlAttr *a, const char *v, size_t len)
{
	const char *now = a->children ? (char *)a->children->content : "";

	return !(a->children && a->children->next) && now && strlen(now) == len &&
	       !memcmp(now, v, len);
}

/* One attribute of a start tag in the text: white space, name, '=', value. */
struct attr_text {
	const char *begin; /* of the white space before it */
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
	const char *end;
};

static bool next_attr(const char **p, const char *end, struct attr_text *ret)
{
	const char *s = *p;
	char q;

	ret->begin = s;
	while (s < end && isspace((unsigned char)*s))
		s++;
	if (s >= end)
		return false;
	ret->name = s;
	while (s < end && *s != '=' && !isspace((unsigned char)*s))
		s++;
	ret->name_len = (size_t)(s - ret->name);
	while (s < end && *s != '\'' && *s != '"')
		s++;
	if (s >= end)
		return false;
	q = *s++;
	ret->value = s;
	s = memchr(s, q, (size_t)(end - s));
	if (!s)
		return false;
	ret->value_len = (size_t)(s - ret->value);
	ret->end = s + 1;
	*p = ret->end;
	return true;
}

/* The start tag with its attributes as they are now, without the closing '>'. */
static void put_edited_tag(struct writer *w, const xmlNode *n, const struct vw_span *s)
{
	const char *p = w->x->text + s->begin + 1;
	const char *end = w->x->text + s->tag_close;
	struct attr_text t;
	const char *old_attrs;

	while (p < end && !isspace((unsigned char)*p))
		p++;
	vw_buf_add(&w->b, w->x->text + s->begin, (size_t)(p - w->x->text) - s->begin);
	old_attrs = p;
	while (next_attr(&p, end, &t)) {
		const xmlAttr *a = attr_by_qname(n, t.name, t.name_len);
		bool ns = !strncmp(t.name, "xmlns", 5) &&
			  (t.name_len == 5 || (t.name_len > 5 && t.name[5] == ':'));

		if (ns || (a && same_value(a, t.value, t.value_len)))
			vw_buf_add(&w->b, t.begin, (size_t)(t.end - t.begin));
		else if (a)
			put_attr(w, a);
	}
	for (const xmlAttr *a = n->properties; a; a = a->next) {
		bool old = false;

		for (p = old_attrs; !old && next_attr(&p, end, &t);)
			old = attr_by_qname(n, t.name, t.name_len) == a;
		if (!old)
			put_attr(w, a);
	}
}

/* The text between two children, without what was removed there. from/to: offsets;
 * first: number of the first span that may lie there. */
static void put_gap(struct writer *w, size_t from, size_t to, size_t first)
{
	const struct vw_xml *x = w->x;

	for (size_t i = first; i < x->n_spans && x->spans[i].begin < to; i++) {
		const struct vw_span *s = &x->spans[i];
		size_t stop;

		if (s->begin < from || !s->removed)
			continue;
		stop = s->begin;
		while (stop > from && isspace((unsigned char)x->text[stop - 1]))
			stop--;
		vw_buf_add(&w->b, x->text + from, stop - from);
		from = s->end;
	}
	vw_buf_add(&w->b, x->text + from, to - from);
}

static void put_node(struct writer *w, const xmlNode *n);

static size_t root_begin(const struct vw_xml *x)
{
	return vw_span_of(x, xmlDocGetRootElement(x->doc))->begin;
}

static void put_children(struct writer *w, const xmlNode *n, const struct vw_span *s,
			 bool was_empty)
{
	const struct vw_xml *x = w->x;
	size_t pos = was_empty ? s->end : (size_t)s->tag_close + 1;
	size_t content_end = was_empty ? s->end
				       : (size_t)((const char *)memrchr(x->text + s->tag_close, '<',
									s->end - s->tag_close) -
						  x->text);
	size_t next_span = (size_t)(s - x->spans) + 1;
	const char *indent;
	int indent_len, depth = 1;

	if (!indent_of(x, s->begin, &indent, &indent_len) && s->begin != root_begin(x))
		depth = INLINE;
	for (const xmlNode *c = n->children; c; c = c->next) {
		const struct vw_span *cs = c->type == XML_ELEMENT_NODE ? vw_span_of(x, c) : NULL;

		if (!cs)
			continue;
		depth = indent_of(x, cs->begin, &indent, &indent_len) ? 0 : INLINE;
		break;
	}
	for (const xmlNode *c = n->children; c; c = c->next) {
		const struct vw_span *cs;

		if (c->type != XML_ELEMENT_NODE)
			continue;
		cs = vw_span_of(x, c);
		if (!cs) {
			put_newline(w, indent, indent_len, depth);
			put_added(w, c, indent, indent_len, depth);
			continue;
		}
		put_gap(w, pos, cs->begin, next_span);
		put_node(w, c);
		pos = cs->end;
		next_span = (size_t)(cs - x->spans) + 1;
	}
	if (!was_empty)
		put_gap(w, pos, content_end, next_span);
}

static void put_end_tag(struct writer *w, const xmlNode *n, const struct vw_span *s, bool was_empty,
			bool own_line)
{
	const char *indent;
	int indent_len;

	if (!was_empty) {
		const char *lt = memrchr(w->x->text + s->tag_close, '<', s->end - s->tag_close);

		vw_buf_add(&w->b, lt, (size_t)(w->x->text + s->end - lt));
		return;
	}
	if (indent_of(w->x, s->begin, &indent, &indent_len) && own_line)
		put_newline(w, indent, indent_len, 0);
	vw_buf_puts(&w->b, "</");
	put_name(w, n->ns, n->name);
	vw_buf_puts(&w->b, ">");
}

/* An element of the input, with its edits. */
static void put_node(struct writer *w, const xmlNode *n)
{
	const struct vw_span *s = vw_span_of(w->x, n);
	bool was_empty = w->x->text[s->tag_close] == '/';

	if (!s->below_edited) {
		vw_buf_add(&w->b, w->x->text + s->begin, s->end - s->begin);
		return;
	}
	if (s->tag_edited)
		put_edited_tag(w, n, s);
	else
		vw_buf_add(&w->b, w->x->text + s->begin, s->tag_close - s->begin);
	if (was_empty && !n->children) {
		vw_buf_puts(&w->b, "/>");
		return;
	}
	vw_buf_puts(&w->b, ">");
	if (s->content_edited)
		vw_buf_xml(&w->b, n->children ? (char *)n->children->content : "", 0);
	else
		put_children(w, n, s, was_empty);
	put_end_tag(w, n, s, was_empty, !s->content_edited);
}

/* The quote that the input prefers: the first one in it, else libvirt's own. */
static char preferred_quote(const struct vw_xml *x, const struct vw_span *root)
{
	const char *p = x->text + root->begin;

	p = strpbrk(p, "'\"");
	return p && *p == '"' ? '"' : '\'';
}

int vw_xml_text(struct vw_xml *x, char **ret_text, size_t *ret_len, struct vw_err *err)
{
	struct writer w = { .x = x };
	const struct vw_span *root = vw_span_of(x, vw_xml_root(x));
	size_t len;

	if (!x->changed) {
		vw_buf_add(&w.b, x->input ? x->input : x->text, x->input ? x->input_len : x->len);
	} else {
		w.quote = preferred_quote(x, root);
		vw_buf_add(&w.b, x->text, root->begin);
		put_node(&w, vw_xml_root(x));
		vw_buf_add(&w.b, x->text + root->end, x->len - root->end);
	}
	len = w.b.len;
	*ret_text = vw_buf_take(&w.b);
	if (!*ret_text)
		return vw_err_set(err, -ENOMEM, "out of memory");
	if (ret_len)
		*ret_len = len;
	return 0;
}
