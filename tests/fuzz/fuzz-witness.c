/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer: what one document says and another says, too (lib/xml/says.h). The input is two domains, cut
 * at the first NUL: nothing is missing of one in itself, no more than it says in the other, and
 * of three versions the one that was sent is found. */
#include "lib/xml/says.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int says_of(const char *text, struct vw_xml_says *ret)
{
	VW_AUTOXML struct vw_xml *doc = NULL;
	struct vw_err err = { 0 };
	int r = vw_xml_parse(text, strlen(text), "fuzz", "domain", &doc, &err);

	return r < 0 ? r : vw_xml_says(vw_xml_root(doc), ret);
}

static void check(const struct vw_xml_says *a, const struct vw_xml_says *b)
{
	const size_t a_of_b = vw_xml_missing(a, b), b_of_a = vw_xml_missing(b, a);

	if (vw_xml_missing(a, a) || vw_xml_missing(b, b))
		abort();
	/* what is in both is counted the same from either side */
	if (a_of_b > a->n || b_of_a > b->n || a->n - a_of_b != b->n - b_of_a)
		abort();
	for (size_t i = 1; i < a->n; i++)
		if (a->v[i - 1] > a->v[i])
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VW_AUTOFREE char *first = strndup((const char *)data, size);
	const size_t len = first ? strlen(first) : 0;
	VW_AUTOFREE char *second = len < size
					   ? strndup((const char *)data + len + 1, size - len - 1)
					   : strdup("");
	VW_AUTOXMLSAYS struct vw_xml_says a = { 0 };
	VW_AUTOXMLSAYS struct vw_xml_says b = { 0 };
	char *texts[3] = { second, NULL, first };
	size_t nearest;

	if (!first || !second)
		return 0;
	nearest = vw_xml_nearest(first, texts, VW_N_ELEMENTS(texts));
	if (says_of(first, &a) < 0)
		return 0;
	if (nearest != 0 && nearest != 2)
		abort();
	if (says_of(second, &b) < 0)
		return nearest == 2 ? 0 : (abort(), 0);
	check(&a, &b);
	if ((vw_xml_missing(&a, &b) == 0) != (nearest == 0))
		abort();
	return 0;
}
