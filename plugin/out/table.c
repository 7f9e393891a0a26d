/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables for people (see plugin/out/table.h). */
#include "plugin/out/table.h"

#include <stdarg.h>

#define GAP 2       /* blanks between columns */
#define LAST_MIN 24 /* less than that for the last column: it goes below */
#define NARROWEST 8 /* a column is not made narrower */
#define COLS_MAX 8

struct layout {
	size_t width[COLS_MAX]; /* of each column; the last: 0 = no limit */
	bool below;             /* the last cell goes onto lines of its own */
	unsigned indent;
};

void out_table_init(struct out_table *t, const struct out *o, const struct out_column *cols,
		    size_t n_cols)
{
	*t = (struct out_table){ .o = o, .cols = cols, .n_cols = n_cols };
}

static struct out_cell *new_cell(struct out_table *t)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		struct out_cell *cells = realloc(t->cells, cap * sizeof(*cells));

		if (!cells)
			return NULL;
		t->cells = cells;
		t->cap = cap;
	}
	return &t->cells[t->n];
}

void out_table_add(struct out_table *t, enum out_style style, const char *text)
{
	struct out_cell *cell = t->failed ? NULL : new_cell(t);

	if (cell)
		*cell = (struct out_cell){ .text = out_clean(t->o, text), .style = style };
	if (!cell || !cell->text) {
		t->failed = true;
		return;
	}
	cell->columns = out_columns(cell->text);
	t->n++;
}

void out_table_addf(struct out_table *t, enum out_style style, const char *fmt, ...)
{
	VW_AUTOFREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	out_table_add(t, style, text ? text : "");
}

/* As wide as its cells, but not wider than it may be. */
static size_t natural_width(const struct out_table *t, size_t c, bool heads)
{
	size_t width = heads ? out_columns(t->cols[c].title) : 0, i;

	for (i = c; i < t->n; i += t->n_cols)
		if (t->cells[i].columns > width)
			width = t->cells[i].columns;
	if (t->o->width && t->cols[c].max && width > t->cols[c].max)
		width = t->cols[c].max;
	return width;
}

/* Take from the widest of the first n columns until they fit. */
static void shrink(struct layout *l, size_t n, size_t room)
{
	size_t used, widest, c;

	for (;;) {
		for (c = used = widest = 0; c < n; c++) {
			used += l->width[c] + (c ? GAP : 0);
			if (l->width[c] > l->width[widest])
				widest = c;
		}
		if (used <= room || l->width[widest] <= NARROWEST)
			return;
		l->width[widest]--;
	}
}

static void make_layout(const struct out_table *t, bool heads, struct layout *l)
{
	size_t used = l->indent, c, last = t->n_cols - 1;

	for (c = 0; c < t->n_cols; c++) {
		l->width[c] = natural_width(t, c, heads);
		if (c < last)
			used += l->width[c] + GAP;
	}
	if (!t->o->width) {
		l->width[last] = 0;
	} else if (used + l->width[last] > t->o->width) {
		l->below = used + LAST_MIN > t->o->width;
		l->width[last] = t->o->width - (l->below ? l->indent + 2 : used);
		if (l->below)
			shrink(l, last, t->o->width - l->indent);
	}
}

static void put_blanks(const struct out *o, size_t n)
{
	static const char blanks[] = "                                ";

	for (; n >= sizeof(blanks); n -= sizeof(blanks) - 1)
		fwrite_unlocked(blanks, 1, sizeof(blanks) - 1, o->f);
	fwrite_unlocked(blanks, 1, n, o->f);
}

static void put_piece(const struct out *o, enum out_style style, const char *text, size_t len,
		      size_t blanks)
{
	put_blanks(o, blanks);
	out_style(o, style);
	fwrite_unlocked(text, 1, len, o->f);
	out_plain(o, style);
}

/* Columns of what of the cell stands on this line. */
static size_t piece_columns(const struct out_cell *cell, const char *text, size_t len)
{
	VW_AUTOFREE char *piece = NULL;

	if (text == cell->text && !text[len])
		return cell->columns;
	piece = strndup(text, len);
	return piece ? out_columns(piece) : len;
}

/* One line of a row: from every cell what fits. Return: true if something is left. */
static bool put_line(const struct out_table *t, const struct layout *l,
		     const struct out_cell *cells, const char **rest, size_t n_cols)
{
	size_t c, pos = 0, start = l->indent;
	bool more = false;

	for (c = 0; c < n_cols; c++) {
		size_t len = out_fit(rest[c], l->width[c]);
		size_t columns = piece_columns(&cells[c], rest[c], len), at = start;

		if (t->cols[c].right && columns < l->width[c])
			at += l->width[c] - columns;
		if (len) {
			put_piece(t->o, cells[c].style, rest[c], len, at - pos);
			pos = at + columns;
		}
		start += l->width[c] + GAP;
		rest[c] += len;
		rest[c] += strspn(rest[c], " ");
		more |= *rest[c] != '\0';
	}
	putc_unlocked('\n', t->o->f);
	return more;
}

static void put_row(const struct out_table *t, const struct layout *l, const struct out_cell *cells,
		    size_t n_cols)
{
	const char *rest[COLS_MAX];
	size_t c;

	for (c = 0; c < n_cols; c++)
		rest[c] = cells[c].text;
	while (put_line(t, l, cells, rest, n_cols))
		continue;
}

/* The last cell on lines of its own, two deeper. */
static void put_below(const struct out_table *t, const struct layout *l,
		      const struct out_cell *cell)
{
	const char *rest = cell->text;

	while (*rest) {
		size_t len = out_fit(rest, l->width[t->n_cols - 1]);

		put_piece(t->o, cell->style, rest, len, l->indent + 2);
		fputc('\n', t->o->f);
		rest += len;
		rest += strspn(rest, " ");
	}
}

static void put_heads(const struct out_table *t, const struct layout *l)
{
	struct out_cell cells[COLS_MAX];
	size_t c;

	for (c = 0; c < t->n_cols; c++)
		cells[c] = (struct out_cell){ .text = (char *)t->cols[c].title,
					      .columns = out_columns(t->cols[c].title),
					      .style = OUT_DIM };
	put_row(t, l, cells, t->n_cols - l->below);
}

void out_table_print(const struct out_table *t, unsigned indent, bool heads)
{
	struct layout l = { .indent = indent };
	size_t i;

	if (!t->n || t->n_cols > COLS_MAX || t->n % t->n_cols)
		return;
	make_layout(t, heads, &l);
	if (heads)
		put_heads(t, &l);
	for (i = 0; i < t->n; i += t->n_cols) {
		put_row(t, &l, &t->cells[i], t->n_cols - l.below);
		if (l.below)
			put_below(t, &l, &t->cells[i + t->n_cols - 1]);
	}
}

void out_table_clear(struct out_table *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->cells[i].text);
	free(t->cells);
	*t = (struct out_table){ 0 };
}
