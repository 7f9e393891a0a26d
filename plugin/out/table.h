/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables for people: aligned columns, cells wrapped to the terminal's width; in a
 * file or a pipe one line per row. The last column takes what width is left. */
#ifndef VW_OUT_TABLE_H
#define VW_OUT_TABLE_H

#include "plugin/out/term.h"

struct out_column {
	const char *title;
	unsigned max; /* widest on a terminal, 0 = as wide as its cells */
	bool right;   /* numbers */
};

struct out_cell {
	char *text; /* clean */
	size_t columns;
	enum out_style style;
};

struct out_table {
	const struct out *o;
	const struct out_column *cols;
	size_t n_cols;
	struct out_cell *cells; /* row by row */
	size_t n, cap;
	bool failed; /* out of memory */
};

void out_table_init(struct out_table *t, const struct out *o, const struct out_column *cols,
		    size_t n_cols);
/* The next cell, from left to right. */
void out_table_add(struct out_table *t, enum out_style style, const char *text);
void out_table_addf(struct out_table *t, enum out_style style, const char *fmt, ...)
	VW_PRINTF(3, 4);
/* Print it, indented; heads: with a line of titles. Nothing if there is no row. */
void out_table_print(const struct out_table *t, unsigned indent, bool heads);
void out_table_clear(struct out_table *t);
#define OUT_AUTOTABLE VW_CLEANUP(out_table_clear)

#endif
