/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One output stream (see out-term.h). */
#include "out-term.h"

#include "buf.h"

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

/* Decode one character of UTF-8. Return: its bytes, 0 if it is broken. */
static size_t decode(const char *s, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char c = (unsigned char)*s;
	size_t len = c < 0x80 ? 1 : c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2, i;
	uint32_t code = c < 0x80 ? c : c & (0x7fu >> len);

	if (c > 0xf7 || (c >= 0x80 && c < 0xc0))
		return 0;
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	*ret = code;
	return len;
}

/* What would turn the reading direction, and so show another text than there is. */
static bool is_bidi(uint32_t c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

char *out_clean(const struct out *o, const char *s)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	const char *p = s;

	while (*p >= 0x20 && *p < 0x7f)
		p++;
	if (!*p)
		return strdup(s);
	while (*s) {
		size_t ascii = 0, len;
		uint32_t c = 0;

		while (s[ascii] >= 0x20 && s[ascii] < 0x7f)
			ascii++;
		vw_buf_add(&b, s, ascii);
		s += ascii;
		if (!*s)
			break;
		len = decode(s, &c);
		if (len > 1 && o->utf8 && wcwidth((wchar_t)c) >= 0 && !is_bidi(c))
			vw_buf_add(&b, s, len);
		else
			vw_buf_add(&b, c == '\t' ? " " : "?", 1);
		s += len ? len : 1;
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
		if ((unsigned char)*clean < 0x80) {
			len = 1;
			columns++;
			continue;
		}
		len = decode(clean, &c);
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
		len = decode(clean + pos, &c);
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

static long long now_ms(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void out_progress_start(struct out_progress *p, const struct out *o)
{
	*p = (struct out_progress){ .o = o && o->tty ? o : NULL, .start = now_ms() };
}

void out_progress_show(struct out_progress *p, const char *what, size_t done, size_t all)
{
	if (!p->o || now_ms() - p->start < 500)
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
