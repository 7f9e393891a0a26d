/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One output stream (see plugin/out/term.h). */
#include "plugin/out/term.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <time.h>
#include <wchar.h>

#define NARROWEST 40 /* a terminal that says less is laid out for as this */

static bool wants_color(bool tty)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return tty && !(no && *no) && term && *term && strcmp(term, "dumb") != 0;
}

void out_init(struct out *o, FILE *f)
{
	struct winsize ws = { 0 };
	const char *columns = getenv("COLUMNS");

	*o = (struct out){ .f = f, .tty = isatty(fileno(f)) };
	o->color = wants_color(o->tty);
	o->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	if (!o->tty)
		return;
	o->width = 80;
	if (columns && atoi(columns) > 0)
		o->width = (unsigned)atoi(columns);
	if (ioctl(fileno(f), TIOCGWINSZ, &ws) == 0 && ws.ws_col) {
		o->width = ws.ws_col;
		o->height = ws.ws_row;
	}
	if (o->width < NARROWEST)
		o->width = NARROWEST;
}

char *out_clean(const struct out *o, const char *s)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	size_t len = strlen(s), n;
	uint32_t c = 0;

	for (size_t i = 0; i < len; i += n) {
		for (n = 0; s[i + n] >= 0x20 && s[i + n] < 0x7f;)
			n++;
		vw_buf_add(&b, s + i, n);
		if (n)
			continue;
		n = vw_utf8_at(s + i, len - i, &c);
		if (n > 1 && o->utf8 && vw_text_shows(c) && wcwidth((wchar_t)c) >= 0)
			vw_buf_add(&b, s + i, n);
		else
			vw_buf_puts(&b, n && strchr("\t\r\n", (int)c) ? " " : "?");
		n += !n;
	}
	return vw_buf_take(&b);
}

static size_t columns_of(uint32_t c)
{
	int w = c < 0x80 ? 1 : wcwidth((wchar_t)c);

	return w > 0 ? (size_t)w : 0;
}

size_t out_columns(const char *clean)
{
	size_t columns = 0, len;
	uint32_t c = 0;

	for (; *clean; clean += len) {
		len = vw_utf8_at(clean, 4, &c); /* the NUL ends it */
		columns += len ? columns_of(c) : 1;
		len += !len;
	}
	return columns;
}

size_t out_fit(const char *clean, size_t columns)
{
	size_t used = 0, pos = 0, blank = 0, len;
	uint32_t c = 0;

	if (!columns)
		return strlen(clean);
	while (clean[pos]) {
		len = vw_utf8_at(clean + pos, 4, &c);
		if (!len)
			len = 1;
		if (c == ' ')
			blank = pos;
		used += columns_of(c);
		if (used > columns)
			return blank ? blank : pos ? pos : len;
		pos += len;
	}
	return pos;
}

const char *out_arrow(const struct out *o)
{
	return o->utf8 ? "\xe2\x86\x92" : "->";
}

static const char *const styles[] = {
	[OUT_PLAIN] = "",        [OUT_BOLD] = "\x1b[1m",  [OUT_DIM] = "\x1b[2m",
	[OUT_GOOD] = "\x1b[32m", [OUT_WARN] = "\x1b[33m", [OUT_BAD] = "\x1b[31m",
	[OUT_HUNK] = "\x1b[36m",
};

void out_style(const struct out *o, enum out_style style)
{
	if (o->color && style != OUT_PLAIN)
		fputs(styles[style], o->f);
}

void out_plain(const struct out *o, enum out_style style)
{
	if (o->color && style != OUT_PLAIN)
		fputs("\x1b[0m", o->f);
}

void out_print(const struct out *o, enum out_style style, const char *fmt, ...)
{
	VW_AUTOFREE char *text = NULL;
	va_list ap;
	char *line, *rest;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	for (line = text; line; line = rest) { /* newlines of the format are ours */
		VW_AUTOFREE char *clean = NULL;

		rest = strchr(line, '\n');
		if (rest)
			*rest++ = '\0';
		clean = out_clean(o, line);
		if (clean && *clean) {
			out_style(o, style);
			fputs(clean, o->f);
			out_plain(o, style);
		}
		if (rest)
			fputc('\n', o->f);
	}
}

void out_data(const struct out *o, enum out_style style, const char *text)
{
	if (!o->tty) {
		fputs(text, o->f);
		return;
	}
	out_style(o, style);
	while (*text) {
		const size_t len = strcspn(text, "\n\t");
		VW_AUTOFREE char *piece = strndup(text, len);
		VW_AUTOFREE char *clean = piece ? out_clean(o, piece) : NULL;

		fputs(clean ? clean : "", o->f);
		if (text[len])
			fputc(text[len], o->f);
		text += len + (text[len] != '\0');
	}
	out_plain(o, style);
}

char *out_shell_quote(const char *arg)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   "_./:@%+=,-";
	VW_AUTOBUF struct vw_buf b = { 0 };

	if (*arg && strspn(arg, safe) == strlen(arg))
		return strdup(arg);
	vw_buf_puts(&b, "'");
	for (; *arg; arg++) {
		if (*arg == '\'')
			vw_buf_puts(&b, "'\\''");
		else
			vw_buf_add(&b, arg, 1);
	}
	vw_buf_puts(&b, "'");
	return vw_buf_take(&b);
}

void out_progress_start(struct out_progress *p, const struct out *o)
{
	*p = (struct out_progress){ .o = o && o->tty ? o : NULL, .start = vw_clock_ms() };
}

void out_progress_show(struct out_progress *p, const char *what, size_t done, size_t all)
{
	if (!p->o || vw_clock_ms() - p->start < 500)
		return;
	fprintf(p->o->f, "\r%s %zu of %zu\x1b[K", what, done, all);
	fflush(p->o->f);
	p->shown = true;
}

void out_progress_end(struct out_progress *p)
{
	if (p->shown)
		fputs("\r\x1b[K", p->o->f);
	p->shown = false;
}
