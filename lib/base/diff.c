/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unified diff (see diff.h): Myers' greedy O(ND) algorithm over interned lines.
 *
 * Theory: both texts are cut into lines, equal lines get equal numbers. What is
 * common at both ends is left out; the middle is searched for the shortest edit
 * script (E. W. Myers, "An O(ND) difference algorithm", 1986), keeping the
 * furthest points of every round to walk back. The search is bounded in rounds
 * (memory) and steps (time); beyond, the whole middle is replaced: still a
 * correct diff, only not the shortest. */
#include "lib/base/diff.h"

#include "lib/base/text.h"

#include <errno.h>
#include <stdint.h>

#define ROUNDS_MAX 2000           /* differing lines; the trace is at most 16 MB */
#define STEPS_MAX (64u * 1000000) /* line comparisons, about 0.2 s */
#define CONTEXT 3
#define NAME_BYTES 4096 /* of a file's name in the head */

struct line {
	const char *p;
	size_t len;  /* with the newline, if it has one */
	uint32_t id; /* equal lines, equal ids */
	bool edited; /* left out (in a) or put in (in b) */
};

struct text {
	struct line *lines;
	size_t n;
};

static void text_clear(struct text *t)
{
	free(t->lines);
}

static int text_split(const char *s, struct text *t)
{
	size_t n = 0, i;
	const char *p, *nl;

	for (p = s; *p; p = nl + 1, n++) {
		nl = strchr(p, '\n');
		if (!nl) {
			n++;
			break;
		}
	}
	t->lines = calloc(n + 1, sizeof(*t->lines));
	if (!t->lines)
		return -ENOMEM;
	for (p = s, i = 0; i < n; i++) {
		nl = strchr(p, '\n');
		t->lines[i].p = p;
		t->lines[i].len = nl ? (size_t)(nl + 1 - p) : strlen(p);
		p += t->lines[i].len;
	}
	t->n = n;
	return 0;
}

/* FNV-1a, 64 bit. */
static uint64_t line_hash(const struct line *l)
{
	uint64_t h = 0xcbf29ce484222325u;
	size_t i;

	for (i = 0; i < l->len; i++)
		h = (h ^ (unsigned char)l->p[i]) * 0x100000001b3u;
	return h ^ (h >> 32);
}

struct slot {
	const struct line *line; /* NULL: free */
	uint64_t hash;
};

static void intern_line(struct slot *table, size_t mask, struct line *l, uint32_t *next)
{
	uint64_t hash = line_hash(l);
	size_t i;

	for (i = hash & mask; table[i].line; i = (i + 1) & mask) {
		const struct line *o = table[i].line;

		if (table[i].hash == hash && o->len == l->len && !memcmp(o->p, l->p, l->len)) {
			l->id = o->id;
			return;
		}
	}
	l->id = (*next)++;
	table[i].line = l;
	table[i].hash = hash;
}

/* Give every distinct line of both texts a number. */
static int intern(struct text *a, struct text *b)
{
	VW_AUTOFREE struct slot *table = NULL;
	size_t size = 16, i;
	uint32_t next = 0;

	if (a->n > UINT32_MAX / 4 || b->n > UINT32_MAX / 4)
		return -ENOMEM;
	while (size < 2 * (a->n + b->n))
		size *= 2;
	table = calloc(size, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (i = 0; i < a->n; i++)
		intern_line(table, size - 1, &a->lines[i], &next);
	for (i = 0; i < b->n; i++)
		intern_line(table, size - 1, &b->lines[i], &next);
	return 0;
}

/* The middle of both texts, and the furthest points of the search. */
struct search {
	struct line *a, *b;
	ptrdiff_t n, m;
	int32_t *v;       /* furthest x on diagonal k: v[k + ROUNDS_MAX + 1] */
	int32_t **trace;  /* before round d: v[-d - 1 … d + 1] */
	ptrdiff_t rounds; /* entries of trace */
	uint64_t steps;
};

static void search_clear(struct search *s)
{
	ptrdiff_t d;

	for (d = 0; s->trace && d < s->rounds; d++)
		free(s->trace[d]);
	free(s->trace);
	free(s->v);
}

static int32_t *diagonal(const struct search *s, ptrdiff_t k)
{
	return &s->v[k + ROUNDS_MAX + 1];
}

static int trace_round(struct search *s, ptrdiff_t d)
{
	size_t len = (size_t)(2 * d + 3);

	s->trace[d] = malloc(len * sizeof(int32_t));
	if (!s->trace[d])
		return -ENOMEM;
	memcpy(s->trace[d], diagonal(s, -d - 1), len * sizeof(int32_t));
	s->rounds = d + 1;
	return 0;
}

/* One round. Return: true if the end was reached. */
static bool search_round(struct search *s, ptrdiff_t d)
{
	ptrdiff_t k;

	for (k = -d; k <= d; k += 2) {
		bool down = k == -d || (k != d && *diagonal(s, k - 1) < *diagonal(s, k + 1));
		ptrdiff_t x = down ? *diagonal(s, k + 1) : *diagonal(s, k - 1) + 1;
		ptrdiff_t y = x - k;

		while (x < s->n && y >= 0 && y < s->m && s->a[x].id == s->b[y].id) {
			x++;
			y++;
			s->steps++;
		}
		*diagonal(s, k) = (int32_t)x;
		if (x >= s->n && y >= s->m)
			return true;
	}
	return false;
}

/* Walk the trace back from the end and mark what was left out and put in. */
static void mark_edits(struct search *s, ptrdiff_t d)
{
	ptrdiff_t x = s->n, y = s->m;

	for (; d > 0; d--) {
		const int32_t *v = s->trace[d] + d + 1; /* v[k] for k in -d-1 … d+1 */
		ptrdiff_t k = x - y;
		bool down = k == -d || (k != d && v[k - 1] < v[k + 1]);
		ptrdiff_t px = down ? v[k + 1] : v[k - 1];
		ptrdiff_t py = px - (down ? k + 1 : k - 1);

		if (down)
			s->b[py].edited = true;
		else
			s->a[px].edited = true;
		x = px;
		y = py;
	}
}

static void mark_all(struct search *s)
{
	ptrdiff_t i;

	for (i = 0; i < s->n; i++)
		s->a[i].edited = true;
	for (i = 0; i < s->m; i++)
		s->b[i].edited = true;
}

/* Find the shortest edit script of the middle, or replace it wholly. */
static int search_run(struct search *s)
{
	ptrdiff_t d;

	if (!s->n || !s->m) {
		mark_all(s);
		return 0;
	}
	s->v = calloc(2 * ROUNDS_MAX + 4, sizeof(*s->v));
	s->trace = calloc(ROUNDS_MAX, sizeof(*s->trace));
	if (!s->v || !s->trace)
		return -ENOMEM;
	for (d = 0; d < ROUNDS_MAX && s->steps < STEPS_MAX; d++) {
		if (trace_round(s, d) < 0)
			return -ENOMEM;
		if (search_round(s, d)) {
			mark_edits(s, d);
			return 0;
		}
	}
	mark_all(s);
	return 0;
}

static int find_edits(struct text *a, struct text *b)
{
	VW_CLEANUP(search_clear) struct search s = { 0 };
	size_t head = 0, tail = 0;

	while (head < a->n && head < b->n && a->lines[head].id == b->lines[head].id)
		head++;
	while (tail < a->n - head && tail < b->n - head &&
	       a->lines[a->n - 1 - tail].id == b->lines[b->n - 1 - tail].id)
		tail++;
	s.a = a->lines + head;
	s.b = b->lines + head;
	s.n = (ptrdiff_t)(a->n - head - tail);
	s.m = (ptrdiff_t)(b->n - head - tail);
	return search_run(&s);
}

static void put_line(struct vw_buf *out, char sign, const struct line *l)
{
	vw_buf_add(out, &sign, 1);
	vw_buf_add(out, l->p, l->len);
	if (l->p[l->len - 1] != '\n')
		vw_buf_puts(out, "\n\\ No newline at end of file\n");
}

/* "12,3", "12" for one line, "11,0" (the line before) for none. */
static void put_range(struct vw_buf *out, size_t start, size_t len)
{
	if (len == 1)
		vw_buf_printf(out, "%zu", start + 1);
	else
		vw_buf_printf(out, "%zu,%zu", len ? start + 1 : start, len);
}

/* Where a hunk begins or ends in both texts. */
struct point {
	size_t a, b;
};

static bool same_at(const struct text *a, const struct text *b, struct point p)
{
	return p.a < a->n && p.b < b->n && !a->lines[p.a].edited && !b->lines[p.b].edited;
}

/* From the first edit at p to the end of its hunk, trailing context left out. */
static struct point hunk_end(const struct text *a, const struct text *b, struct point p)
{
	struct point end = p;
	size_t same = 0;

	while (same <= 2 * CONTEXT && (p.a < a->n || p.b < b->n)) {
		if (same_at(a, b, p)) {
			p.a++;
			p.b++;
			same++;
			continue;
		}
		while (p.a < a->n && a->lines[p.a].edited)
			p.a++;
		while (p.b < b->n && b->lines[p.b].edited)
			p.b++;
		same = 0;
		end = p;
	}
	return end;
}

static void put_body(struct vw_buf *out, const struct text *a, const struct text *b, struct point p,
		     struct point end)
{
	while (p.a < end.a || p.b < end.b) {
		while (p.a < end.a && a->lines[p.a].edited)
			put_line(out, '-', &a->lines[p.a++]);
		while (p.b < end.b && b->lines[p.b].edited)
			put_line(out, '+', &b->lines[p.b++]);
		while (p.a < end.a && p.b < end.b && same_at(a, b, p)) {
			put_line(out, ' ', &a->lines[p.a++]);
			p.b++;
		}
	}
}

static void put_hunks(struct vw_buf *out, const struct text *a, const struct text *b)
{
	struct point p = { 0, 0 };

	while (p.a < a->n || p.b < b->n) {
		struct point start, end;
		size_t before, after;

		if (same_at(a, b, p)) {
			p.a++;
			p.b++;
			continue;
		}
		end = hunk_end(a, b, p);
		before = p.a < CONTEXT ? p.a : CONTEXT;
		if (before > p.b)
			before = p.b;
		after = a->n - end.a < CONTEXT ? a->n - end.a : CONTEXT;
		start = (struct point){ p.a - before, p.b - before };
		p = end;
		end = (struct point){ end.a + after, end.b + after };
		vw_buf_puts(out, "@@ -");
		put_range(out, start.a, end.a - start.a);
		vw_buf_puts(out, " +");
		put_range(out, start.b, end.b - start.b);
		vw_buf_puts(out, " @@\n");
		put_body(out, a, b, start, end);
	}
}

static void put_name(struct vw_buf *out, const char *sign, const char *name)
{
	VW_AUTOFREE char *clean = vw_printable(name, NAME_BYTES);

	out->failed = out->failed || !clean;
	vw_buf_puts(out, sign);
	vw_buf_puts(out, clean ? clean : "");
	vw_buf_puts(out, "\n");
}

int vw_diff_unified(const char *a, const char *a_name, const char *b, const char *b_name,
		    char **ret)
{
	VW_CLEANUP(text_clear) struct text ta = { 0 };
	VW_CLEANUP(text_clear) struct text tb = { 0 };
	VW_AUTOBUF struct vw_buf out = { 0 };
	char *text;

	if (strcmp(a, b)) {
		if (text_split(a, &ta) || text_split(b, &tb) || intern(&ta, &tb) ||
		    find_edits(&ta, &tb))
			return -ENOMEM;
		put_name(&out, "--- ", a_name);
		put_name(&out, "+++ ", b_name);
		put_hunks(&out, &ta, &tb);
	}
	text = vw_buf_take(&out);
	if (!text)
		return -ENOMEM;
	*ret = text;
	return 0;
}
