/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of which of two texts is a third one an edited copy? By the lines that they share. */
#include "plugin/preload/preload.h"

#include <errno.h>

/* The lines of a text, trimmed and sorted. */
struct lines {
	char *text;
	char **line;
	size_t n;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void lines_clear(struct lines *l)
{
	free(l->text);
	free(l->line);
}

static int lines_make(struct lines *l, const char *text)
{
	size_t max = 1;
	char *save = NULL;

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		max++;
	*l = (struct lines){ .text = strdup(text), .line = calloc(max, sizeof(char *)) };
	if (!l->text || !l->line)
		return -ENOMEM;
	for (char *s = strtok_r(l->text, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		s += strspn(s, " \t\r");
		if (*s)
			l->line[l->n++] = s;
	}
	if (l->n)
		qsort(l->line, l->n, sizeof(char *), by_text);
	return 0;
}

static size_t lines_in_common(const struct lines *a, const struct lines *b)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += b->n && bsearch(&a->line[i], b->line, b->n, sizeof(char *), by_text);
	return n;
}

int vw_text_nearer(const char *text, const char *a, const char *b)
{
	struct lines t = { 0 }, la = { 0 }, lb = { 0 };
	int r = lines_make(&t, text);

	r = r ? r : lines_make(&la, a);
	r = r ? r : lines_make(&lb, b);
	if (r == 0)
		r = lines_in_common(&t, &la) >= lines_in_common(&t, &lb);
	lines_clear(&t);
	lines_clear(&la);
	lines_clear(&lb);
	return r;
}
