/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The line for an OS that nobody knows: up to three near spellings. */
#include "lib/osindex/reader.h"

#include <ctype.h>
#include <errno.h>

#define MAX_TEXT 64
#define MAX_NEAR 3

struct near {
	const char *text;
	unsigned distance;
};

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* Levenshtein's distance, upper and lower case alike; both at most MAX_TEXT long. */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[MAX_TEXT + 1];
	size_t n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		row[j] = (unsigned)j;
	for (; *a; a++) {
		unsigned diagonal = row[0]++;

		for (size_t j = 1; j <= n; j++) {
			bool same = tolower((unsigned char)*a) == tolower((unsigned char)b[j - 1]);
			unsigned above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + !same);
			diagonal = above;
		}
	}
	return row[n];
}

/* Insert in order of distance; of equals the earlier one stays in front. */
static void keep_near(struct near *near, size_t *n, const char *text, unsigned d)
{
	size_t i = *n;

	while (i > 0 && near[i - 1].distance > d)
		i--;
	if (i >= MAX_NEAR)
		return;
	if (*n < MAX_NEAR)
		(*n)++;
	for (size_t j = *n - 1; j > i; j--)
		near[j] = near[j - 1];
	near[i].text = text;
	near[i].distance = d;
}

static size_t find_near(const struct vw_osindex *x, enum vw_osi_section table, const char *asked,
			struct near *near)
{
	size_t len = strlen(asked);
	size_t limit = len / 3 + 1; /* farther away is no misspelling */
	size_t n = 0;

	if (len > MAX_TEXT)
		return 0;
	for (size_t i = 0; i < x->header.sections[table].count; i++) {
		uint32_t os;
		const char *text = vw_osi_key(x, table, i, &os);
		size_t other = text ? strlen(text) : 0;
		unsigned d;

		if (!other || other > MAX_TEXT || other > len + limit || len > other + limit)
			continue;
		d = distance(asked, text);
		if (d <= limit)
			keep_near(near, &n, text, d);
	}
	return n;
}

int vw_osi_not_found(const struct vw_osindex *x, enum vw_osi_section table, const char *asked,
		     struct vw_err *err)
{
	struct near near[MAX_NEAR];
	size_t n = find_near(x, table, asked, near);
	char list[MAX_NEAR * (MAX_TEXT + sizeof(" or "))] = "";
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		const char *joint = i + 1 < n ? ", " : " or ";

		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i ? joint : "",
					near[i].text);
	}
	if (n)
		return vw_err_set(err, -ENOENT,
				  "no OS '%.100s' in osinfo-db; did you mean %s? "
				  "(`virt-warden os list` shows all)",
				  asked, list);
	return vw_err_set(err, -ENOENT,
			  "no OS '%.100s' in osinfo-db; `virt-warden os list` shows all", asked);
}
