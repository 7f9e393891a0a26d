/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One output stream: what it can show (colour, UTF-8, width), and text made safe
 * for it. Names and values come from hostile XML: control characters and broken
 * UTF-8 never reach a terminal. */
#ifndef VW_OUT_TERM_H
#define VW_OUT_TERM_H

#include "lib/base/util.h"

struct out {
	FILE *f;
	bool tty;
	bool color;
	bool utf8;       /* the locale is UTF-8 */
	unsigned width;  /* columns of the terminal, 0 = no limit (a file, a pipe) */
	unsigned height; /* rows of the terminal, 0 = no limit */
};

enum out_style { OUT_PLAIN = 0, OUT_BOLD, OUT_DIM, OUT_GOOD, OUT_WARN, OUT_BAD, OUT_HUNK };

/* setlocale(LC_CTYPE, "") comes first. Reads NO_COLOR, TERM, COLUMNS. */
void out_init(struct out *o, FILE *f);

/* s as it may be shown there. malloc'ed (never NULL but for want of memory). */
char *out_clean(const struct out *o, const char *s);
/* Columns that a clean text takes. */
size_t out_columns(const char *clean);
/* Bytes of clean text that fit into `columns`, cut at a blank where there is one; all if columns is 0. */
size_t out_fit(const char *clean, size_t columns);

/* "→" or "->". */
const char *out_arrow(const struct out *o);
/* Start and end a style; nothing without colour. */
void out_style(const struct out *o, enum out_style style);
void out_plain(const struct out *o, enum out_style style);
/* Print formatted text in a style, made clean. */
void out_print(const struct out *o, enum out_style style, const char *fmt, ...) VW_PRINTF(3, 4);

/* Print data (XML, a diff): byte for byte to a file or a pipe; made clean on a terminal, where
 * only line feeds and tabs stay. */
void out_data(const struct out *o, enum out_style style, const char *text);

/* An argument as a shell takes it back: quoted if it needs to be. malloc'ed. */
char *out_shell_quote(const char *arg);

/* A line that is written over: "checking 3 of 500". Shown on a terminal only, from the
 * first half second on. out_progress_end wipes it. */
struct out_progress {
	const struct out *o; /* NULL = show nothing */
	long long start;     /* ms */
	bool shown;
};
void out_progress_start(struct out_progress *p, const struct out *o);
void out_progress_show(struct out_progress *p, const char *what, size_t done, size_t all);
void out_progress_end(struct out_progress *p);

/* A unified diff, coloured on a terminal. */
void out_diff(const struct out *o, const char *diff);

#endif
