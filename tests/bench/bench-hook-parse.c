/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The yardstick of hook-vs-parse: the least that a libxml2 program can do with a
 * domain XML: read stdin, parse it, run one XPath. */
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <unistd.h>

int main(void)
{
	xmlDoc *doc = xmlReadFd(STDIN_FILENO, NULL, NULL, XML_PARSE_NONET);
	xmlXPathContext *ctxt = doc ? xmlXPathNewContext(doc) : NULL;
	xmlXPathObject *disks = ctxt ? xmlXPathEvalExpression(BAD_CAST "/domain/devices/disk", ctxt)
				     : NULL;
	int status = disks && disks->nodesetval && disks->nodesetval->nodeNr == 2 ? 0 : 1;

	xmlXPathFreeObject(disks);
	xmlXPathFreeContext(ctxt);
	xmlFreeDoc(doc);
	return status;
}
