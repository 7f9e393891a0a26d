/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML, before libxml2 sees it: start tags with more attributes than any domain has.
 *
 * libxml2 compares each attribute of a start tag with all before it, and tells nobody of them
 * before the tag is complete: 300,000 attributes keep it busy for a minute. This scan is right
 * about any text up to its first error, and there the parser is stopped (xml.c). */
#include "lib/xml/internal.h"

#include <libxml/parser.h>
#include <strings.h>

/* Behind the next `end` (its last character is '>') at or after p; NULL: there is none. */
static const char *behind(const char *p, const char *limit, const char *end)
{
	size_t n = strlen(end);

	for (const char *q = p; (q = memchr(q, '>', (size_t)(limit - q)));)
		if ((size_t)(++q - p) >= n && !memcmp(q - n, end, n))
			return q;
	return NULL;
}

static bool begins(const char *p, const char *limit, const char *with)
{
	return (size_t)(limit - p) >= strlen(with) && !memcmp(p, with, strlen(with));
}

/* Behind the start tag at p ("<name …>"); NULL: it has no end, or too many attributes. */
static const char *behind_tag(const char *p, const char *limit, bool *ret_too_many)
{
	int attributes = 0;

	for (; p < limit && *p != '>'; p++) {
		if (*p == '"' || *p == '\'') {
			p = memchr(p + 1, *p, (size_t)(limit - p - 1));
			if (!p)
				return NULL;
		} else if (*p == '=' && ++attributes > VW_XML_MAX_ATTRS) {
			*ret_too_many = true;
			return NULL;
		}
	}
	return p < limit ? p + 1 : NULL;
}

/* Has any tag room for so many? No tag goes on behind the next '<', which no attribute's value may
 * hold; and an attribute is no shorter than this. */
static bool has_room(const char *p, const char *limit)
{
	const size_t room = VW_XML_MAX_ATTRS * strlen("a=''");

	while ((size_t)(limit - p) > room) {
		const char *next = memchr(p + 1, '<', (size_t)(limit - p - 1));

		if (!next || (size_t)(next - p) > room)
			return true;
		p = next;
	}
	return false;
}

int vw_xml_crowded_line(const char *text, size_t len)
{
	const char *limit = text + len;
	const char *p = has_room(text, limit) ? text : NULL;
	int line = 1;

	while (p && (p = memchr(p, '<', (size_t)(limit - p)))) {
		const char *tag = p;
		bool too_many = false;

		if (begins(p, limit, "<!--"))
			p = behind(p + 4, limit, "-->");
		else if (begins(p, limit, "<![CDATA["))
			p = behind(p, limit, "]]>");
		else if (begins(p, limit, "<?"))
			p = behind(p, limit, "?>");
		else if (begins(p, limit, "<!"))
			return 0; /* a document type: the parser stops there */
		else
			p = behind_tag(p, limit, &too_many);
		if (too_many) {
			for (p = text; (p = memchr(p, '\n', (size_t)(tag - p))); p++)
				line++;
			return line;
		}
	}
	return 0;
}

/* What the document is converted from; NULL = nothing to convert. Up to libxml2 2.13 only the converter
 * tells; since 2.14 it is not for us to look at, and the context has the name. */
static const char *parser_encoding(const xmlParserCtxt *ctxt)
{
#if LIBXML_VERSION >= 21400
	return (const char *)ctxt->encoding;
#else
	const xmlParserInput *input = ctxt->input;

	return input && input->buf && input->buf->encoder ? input->buf->encoder->name : NULL;
#endif
}

bool vw_xml_keeps_ascii(const xmlParserCtxt *ctxt)
{
	static const char *const known[] = { "UTF-8",       "ASCII",    "US-ASCII", "ISO-8859-",
					     "ISO8859",     "ISO_8859", "LATIN",    "ISO-LATIN",
					     "WINDOWS-125", "CP125",    "KOI8-" };
	const char *encoding = parser_encoding(ctxt);

	if (!encoding)
		return true;
	for (size_t i = 0; i < VW_N_ELEMENTS(known); i++)
		if (!strncasecmp(encoding, known[i], strlen(known[i])))
			return true;
	return false;
}
