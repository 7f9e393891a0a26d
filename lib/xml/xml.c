/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML, the way in: a bounded libxml2 parse that notes where each element stands.
 *
 * The bounds are enforced in SAX callbacks, while the tree is being built: a document type
 * stops the parser before one entity is declared; depth, nodes, names and namespaces are
 * counted as they come; the first error ends it (libxml2 would read on, without callbacks).
 * What libxml2 does at its own pace before any callback is bounded in lib/xml/bounds.c. */
#include "lib/xml/error.h"
#include "lib/xml/internal.h"
#include "lib/xml/xml.h"

#include <errno.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

struct parse_state {
	struct vw_xml *x;
	bool keep_blanks; /* all that is only white space, too */
	int stop;         /* negative errno: why we stopped the parser */
	const char *what; /* there is too much of, for -ELOOP; the encoding, for -EILSEQ */
	int limit;
	int stop_line;
	int depth;
	int nodes;
	int ids;
	int namespaces;                       /* in scope */
	short declared[VW_XML_MAX_DEPTH + 1]; /* of them: by the element at this depth */
};

static size_t parser_offset(const xmlParserCtxt *ctxt)
{
	return ctxt->input->consumed + (size_t)(ctxt->input->cur - ctxt->input->base);
}

static void stop_parser(xmlParserCtxt *ctxt, int why)
{
	struct parse_state *st = ctxt->_private;

	if (!st->stop) {
		st->stop = why;
		st->stop_line = ctxt->input ? ctxt->input->line : 0;
	}
	xmlStopParser(ctxt);
}

static void stop_at(xmlParserCtxt *ctxt, const char *what, int limit)
{
	struct parse_state *st = ctxt->_private;

	if (!st->stop) {
		st->what = what;
		st->limit = limit;
	}
	stop_parser(ctxt, -ELOOP);
}

static void count_nodes(xmlParserCtxt *ctxt, int n)
{
	struct parse_state *st = ctxt->_private;

	st->nodes += n;
	if (st->nodes > VW_XML_MAX_NODES)
		stop_at(ctxt, "elements, attributes, texts and comments", VW_XML_MAX_NODES);
}

static void on_error(void *data, vw_xml_error *e)
{
	if (e->level == XML_ERR_FATAL)
		xmlStopParser(data);
}

static void on_document(void *data)
{
	xmlParserCtxt *ctxt = data;
	struct parse_state *st = ctxt->_private;

	xmlSAX2StartDocument(data);
	if (!vw_xml_keeps_ascii(ctxt)) {
		st->what = "its encoding";
		stop_parser(ctxt, -EILSEQ);
	}
}

/* White space between elements, or that begins a text. Nobody reads it in the tree, the way out copies
 * it from the input, and without it the tree has half as many nodes. */
static bool is_blank(const xmlNode *last, const xmlChar *text, int len)
{
	if (last && last->type != XML_ELEMENT_NODE)
		return false;
	for (int i = 0; i < len; i++)
		if (text[i] != ' ' && (text[i] < '\t' || text[i] > '\r'))
			return false;
	return true;
}

static void on_text(void *data, const xmlChar *text, int len)
{
	xmlParserCtxt *ctxt = data;
	const struct parse_state *st = ctxt->_private;
	const xmlNode *last = ctxt->node ? ctxt->node->last : NULL;

	const bool blank = is_blank(last, text, len);

	if (blank && !st->keep_blanks)
		return;
	xmlSAX2Characters(data, text, len);
	if (!blank && ctxt->node && ctxt->node->last != last)
		count_nodes(ctxt, 1);
}

static void on_cdata(void *data, const xmlChar *text, int len)
{
	xmlSAX2CDataBlock(data, text, len);
	count_nodes(data, 1);
}

static void on_comment(void *data, const xmlChar *text)
{
	xmlSAX2Comment(data, text);
	count_nodes(data, 1);
}

static void on_instruction(void *data, const xmlChar *target, const xmlChar *text)
{
	xmlSAX2ProcessingInstruction(data, target, text);
	count_nodes(data, 1);
}

static void on_doctype(void *data, const xmlChar *name, const xmlChar *ext, const xmlChar *sys)
{
	(void)name;
	(void)ext;
	(void)sys;
	stop_parser(data, -EPERM);
}

static struct vw_span *new_span(struct vw_xml *x)
{
	if (x->n_spans == x->cap_spans) {
		size_t cap = x->cap_spans ? x->cap_spans * 2 : 128;
		struct vw_span *v = reallocarray(x->spans, cap, sizeof(*v));

		if (!v)
			return NULL;
		x->spans = v;
		x->cap_spans = cap;
	}
	x->spans[x->n_spans] = (struct vw_span){ 0 };
	return &x->spans[x->n_spans++];
}

/* Where the tag begins that the parser has just read: attribute values can't hold a '<'. The
 * parser's own buffer still has all of it (values of attributes point into it). By hand: a
 * sanitizer's memrchr looks at the whole buffer, for each element. */
static size_t tag_begin(const xmlParserCtxt *ctxt, size_t pos)
{
	const xmlChar *p = ctxt->input->cur;

	while (p > ctxt->input->base && *--p != '<')
		;
	return pos - (size_t)(ctxt->input->cur - p);
}

/* Count what the element brings along. Return: false if that is too much. */
static bool within_bounds(xmlParserCtxt *ctxt, int n_ns, int n_attr, const xmlChar **attr)
{
	struct parse_state *st = ctxt->_private;

	if (++st->depth > VW_XML_MAX_DEPTH) {
		stop_at(ctxt, "levels of elements", VW_XML_MAX_DEPTH);
		return false;
	}
	st->declared[st->depth] = (short)n_ns;
	st->namespaces += n_ns;
	for (int i = 0; i < n_attr; i++) /* localname, prefix, URI, value, end */
		st->ids += vw_streq((const char *)attr[(ptrdiff_t)i * 5 + 1], "xml");
	if (st->namespaces > VW_XML_MAX_NAMESPACES)
		stop_at(ctxt, "namespaces in one place", VW_XML_MAX_NAMESPACES);
	else if (st->ids > VW_XML_MAX_IDS)
		stop_at(ctxt, "attributes xml:…", VW_XML_MAX_IDS);
	else if (xmlDictSize(ctxt->dict) > VW_XML_MAX_NAMES)
		stop_at(ctxt, "different names", VW_XML_MAX_NAMES);
	else
		count_nodes(ctxt, 1 + n_ns + 2 * n_attr);
	return st->stop == 0;
}

static void on_start(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
		     int n_ns, const xmlChar **ns, int n_attr, int n_def, const xmlChar **attr)
{
	xmlParserCtxt *ctxt = data;
	struct parse_state *st = ctxt->_private;
	struct vw_xml *x = st->x;
	struct vw_span *span;

	if (!within_bounds(ctxt, n_ns, n_attr, attr))
		return;
	span = new_span(x);
	if (!span) {
		stop_parser(ctxt, -ENOMEM);
		return;
	}
	span->tag_close = (uint32_t)parser_offset(ctxt);
	span->begin = (uint32_t)tag_begin(ctxt, span->tag_close);
	xmlSAX2StartElementNs(ctxt, name, prefix, uri, n_ns, ns, n_attr, n_def, attr);
	if (ctxt->node)
		ctxt->node->_private = (void *)(uintptr_t)x->n_spans;
}

static void on_end(void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	xmlParserCtxt *ctxt = data;
	struct parse_state *st = ctxt->_private;
	struct vw_span *span = ctxt->node ? vw_span_of(st->x, ctxt->node) : NULL;

	st->namespaces -= st->declared[st->depth--];
	if (span)
		span->end = (uint32_t)parser_offset(ctxt);
	xmlSAX2EndElementNs(ctxt, name, prefix, uri);
}

/* Do the spans fit the text? (They would not if libxml2 had recoded its input.) */
static bool spans_fit(const struct vw_xml *x)
{
	for (size_t i = 0; i < x->n_spans; i++) {
		const struct vw_span *s = &x->spans[i];

		if (s->begin >= s->tag_close || s->tag_close >= s->end || s->end > x->len ||
		    x->text[s->begin] != '<' || x->text[s->end - 1] != '>' ||
		    (x->text[s->tag_close] != '>' && x->text[s->tag_close] != '/'))
			return false;
	}
	return true;
}

static int parse_error(xmlParserCtxt *ctxt, const struct parse_state *st, const char *name,
		       struct vw_err *err)
{
	const xmlError *e = xmlCtxtGetLastError(ctxt);
	size_t n;

	switch (st->stop) {
	case -EPERM:
		return vw_err_set(
			err, -EINVAL,
			"%s:%d: a document type (DTD) is not accepted: remove the <!DOCTYPE …>",
			name, st->stop_line);
	case -ELOOP:
		return vw_err_set(err, -ELOOP, "%s:%d: more than %d %s: not a domain", name,
				  st->stop_line, st->limit, st->what);
	case -EILSEQ:
		return vw_err_set(err, -EINVAL, "%s: %s can't be read: save it as UTF-8", name,
				  st->what);
	case -ENOMEM: return vw_err_set(err, -ENOMEM, "%s: out of memory", name);
	}
	if (e && e->code == XML_ERR_NO_MEMORY)
		return vw_err_set(err, -ENOMEM, "%s: out of memory", name);
	n = e && e->message ? strcspn(e->message, "\n") : 0;
	return vw_err_set(err, -EINVAL, "%s:%d: not well-formed XML: %.*s", name,
			  e && e->line ? e->line : 1, n ? (int)n : 5, n ? e->message : "empty");
}

static void set_callbacks(xmlSAXHandler *sax)
{
	sax->serror = on_error;
	sax->internalSubset = on_doctype;
	sax->externalSubset = on_doctype;
	sax->startDocument = on_document;
	sax->startElementNs = on_start;
	sax->endElementNs = on_end;
	sax->characters = on_text;
	sax->ignorableWhitespace = on_text;
	sax->cdataBlock = on_cdata;
	sax->comment = on_comment;
	sax->processingInstruction = on_instruction;
}

static int parse_text(struct vw_xml *x, bool keep_blanks, const char *name, struct vw_err *err)
{
	struct parse_state st = { .x = x, .keep_blanks = keep_blanks };
	int line = vw_xml_crowded_line(x->text, x->len);
	xmlParserCtxt *ctxt;
	int r = 0;

	if (line)
		return vw_err_set(err, -ELOOP,
				  "%s:%d: more than %d attributes of one element: not a domain",
				  name, line, VW_XML_MAX_ATTRS);
	ctxt = xmlCreateMemoryParserCtxt(x->text, (int)x->len);
	if (!ctxt)
		return vw_err_set(err, x->len ? -ENOMEM : -EINVAL,
				  x->len ? "%s: out of memory" : "%s:1: empty, no domain XML",
				  name);
	xmlCtxtUseOptions(ctxt, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
					XML_PARSE_COMPACT);
	ctxt->_private = &st;
	set_callbacks(ctxt->sax);
	xmlParseDocument(ctxt);
	x->doc = vw_steal(ctxt->myDoc);
	if (st.stop || !ctxt->wellFormed || !x->doc)
		r = parse_error(ctxt, &st, name, err);
	xmlFreeParserCtxt(ctxt);
	return r;
}

static void forget_tree(struct vw_xml *x)
{
	xmlFreeDoc(x->doc);
	x->doc = NULL;
	x->n_spans = 0;
}

/* A document in another encoding: go on with libxml2's UTF-8 rendering of it. */
static int recode(struct vw_xml *x, const char *name, struct vw_err *err)
{
	xmlChar *utf8 = NULL;
	int len = 0, r;

	forget_tree(x);
	r = parse_text(x, true, name, err);
	if (r < 0)
		return r;
	xmlDocDumpMemoryEnc(x->doc, &utf8, &len, "UTF-8");
	if (!utf8 || len <= 0)
		return vw_err_set(err, -EINVAL, "%s: can't be converted to UTF-8", name);
	x->input = vw_steal(x->text);
	x->input_len = x->len;
	x->text = strndup((char *)utf8, (size_t)len);
	x->len = (size_t)len;
	xmlFree(utf8);
	forget_tree(x);
	if (!x->text)
		return vw_err_set(err, -ENOMEM, "%s: out of memory", name);
	return parse_text(x, false, name, err);
}

static int check_root(struct vw_xml *x, const char *name, const char *root, struct vw_err *err)
{
	xmlNode *node = vw_xml_root(x);

	if (!node || (root && (node->ns || strcmp((char *)node->name, root))))
		return vw_err_set(err, -EINVAL, "%s:%ld: the root element is <%s>, not <%s>", name,
				  node ? xmlGetLineNo(node) : 1L, node ? (char *)node->name : "",
				  root ? root : "domain");
	return 0;
}

int vw_xml_parse(const char *text, size_t len, const char *name, const char *root,
		 struct vw_xml **ret, struct vw_err *err)
{
	VW_AUTOXML struct vw_xml *x = NULL;
	int r;

	if (len > VW_XML_MAX_BYTES)
		return vw_err_set(err, -EFBIG, "%s: larger than %u MiB: not a domain XML", name,
				  VW_XML_MAX_BYTES >> 20);
	if (memchr(text, 0, len))
		return vw_err_set(err, -EINVAL, "%s: holds a NUL byte: not an XML text", name);
	x = calloc(1, sizeof(*x));
	if (!x || !(x->text = strndup(text, len)))
		return vw_err_set(err, -ENOMEM, "%s: out of memory", name);
	x->len = len;
	r = parse_text(x, false, name, err);
	if (r == 0 && !spans_fit(x)) {
		r = recode(x, name, err);
		if (r == 0 && !spans_fit(x))
			r = vw_err_set(err, -EINVAL, "%s: can't be read: save it as plain UTF-8",
				       name);
	}
	if (r == 0)
		r = check_root(x, name, root, err);
	if (r < 0)
		return r;
	*ret = vw_steal(x);
	return 0;
}

void vw_xml_free(struct vw_xml *x)
{
	if (!x)
		return;
	while (x->pool) {
		struct vw_pool_entry *next = x->pool->next;

		free(x->pool);
		x->pool = next;
	}
	xmlFreeDoc(x->doc);
	free(x->spans);
	free(x->input);
	free(x->text);
	free(x);
}
