/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much of what one document says does another say, too? Linear in both (and a sort), whatever
 * stands in them: what is compared here may be hostile. */
#ifndef VW_XML_SAYS_H
#define VW_XML_SAYS_H

#include "lib/xml/xml.h"

#include <stdint.h>

/* Every element, attribute and text of a document as a number, sorted. */
struct vw_xml_says {
	uint64_t *v;
	size_t n;
};
/* Return: 0 or -ENOMEM. Free with vw_xml_says_clear. */
int vw_xml_says(const xmlNode *root, struct vw_xml_says *ret);
void vw_xml_says_clear(struct vw_xml_says *s);
#define VW_AUTOXMLSAYS VW_CLEANUP(vw_xml_says_clear)

/* Return: how much of a is not in b. What stands n times in a must stand n times in b. */
size_t vw_xml_missing(const struct vw_xml_says *a, const struct vw_xml_says *b);

/* In which of the texts is most of `sent`? The first, if several have as much; NULL and what is no
 * domain has nothing. Return: its index, n - 1 if nothing can be said. n: at least 1. */
size_t vw_xml_nearest(const char *sent, char *const *texts, size_t n);

#endif
