/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The yardstick of audit-vs-parse: the least that a libxml2 program can do with many
 * domain XML files: parse each, and free it. */
#include <libxml/parser.h>

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++) {
		xmlDoc *doc = xmlReadFile(argv[i], NULL, XML_PARSE_NONET);

		failed += doc == NULL;
		xmlFreeDoc(doc);
	}
	return failed ? 1 : 0;
}
