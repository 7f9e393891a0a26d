/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Validates many files against one RELAX NG schema, which is loaded once.
 *
 * usage: validate RNG FILE…      prints "valid NAME" or "invalid NAME: first message" */
#include "tests/corpus/tool.h"

#include <libxml/parser.h>
#include <libxml/relaxng.h>

static char message[300];

static void __attribute__((format(printf, 2, 3))) keep_message(void *data, const char *fmt, ...)
{
	va_list ap;

	(void)data;
	if (message[0])
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	message[strcspn(message, "\n")] = '\0';
}

static int is_valid(xmlRelaxNG *schema, const char *path)
{
	xmlDoc *doc = xmlReadFile(path, NULL,
				  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	xmlRelaxNGValidCtxt *ctxt = xmlRelaxNGNewValidCtxt(schema);
	int valid;

	message[0] = '\0';
	if (!ctxt)
		die("no memory");
	xmlRelaxNGSetValidErrors(ctxt, keep_message, keep_message, NULL);
	valid = doc && xmlRelaxNGValidateDoc(ctxt, doc) == 0;
	xmlRelaxNGFreeValidCtxt(ctxt);
	xmlFreeDoc(doc);
	return valid;
}

int main(int argc, char **argv)
{
	xmlRelaxNGParserCtxt *parser;
	xmlRelaxNG *schema;

	if (argc < 3)
		die("usage: validate RNG FILE…");
	parser = xmlRelaxNGNewParserCtxt(argv[1]);
	schema = parser ? xmlRelaxNGParse(parser) : NULL;
	if (!schema)
		die("%s: not a RELAX NG schema", argv[1]);
	for (int i = 2; i < argc; i++) {
		if (is_valid(schema, argv[i]))
			printf("valid %s\n", base_name(argv[i]));
		else
			printf("invalid %s: %s\n", base_name(argv[i]), message);
	}
	xmlRelaxNGFree(schema);
	xmlRelaxNGFreeParserCtxt(parser);
	return 0;
}
