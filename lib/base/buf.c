/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A growing text buffer (see buf.h). */
#include "lib/base/buf.h"

#include <stdarg.h>
#include <stdint.h>

static bool reserve(struct vw_buf *b, size_t more)
{
	size_t need, cap;
	char *p;

	if (b->failed || more >= SIZE_MAX / 2 - b->len) {
		b->failed = true;
		return false;
	}
	need = b->len + more + 1;
	if (need <= b->cap)
		return true;
	cap = b->cap ? b->cap * 2 : 256;
	if (cap < need)
		cap = need;
	p = realloc(b->p, cap);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void vw_buf_add(struct vw_buf *b, const void *data, size_t len)
{
	if (!len || !reserve(b, len))
		return;
	memcpy(b->p + b->len, data, len);
	b->len += len;
	b->p[b->len] = '\0';
}

void vw_buf_puts(struct vw_buf *b, const char *s)
{
	vw_buf_add(b, s, strlen(s));
}

void vw_buf_printf(struct vw_buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !reserve(b, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf(b->p + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void vw_buf_xml(struct vw_buf *b, const char *s, char quote)
{
	for (; *s; s++) {
		switch (*s) {
		case '&': vw_buf_puts(b, "&amp;"); break;
		case '<': vw_buf_puts(b, "&lt;"); break;
		case '>': vw_buf_puts(b, "&gt;"); break;
		case '\r': vw_buf_puts(b, "&#13;"); break;
		case '\n':
		case '\t':
			if (quote)
				vw_buf_printf(b, "&#%d;", *s);
			else
				vw_buf_add(b, s, 1);
			break;
		case '\'':
		case '"':
			if (*s == quote)
				vw_buf_puts(b, quote == '"' ? "&quot;" : "&apos;");
			else
				vw_buf_add(b, s, 1);
			break;
		default: vw_buf_add(b, s, 1);
		}
	}
}

char *vw_buf_take(struct vw_buf *b)
{
	char *p = b->failed ? NULL : b->p ? vw_steal(b->p) : strdup("");

	vw_buf_free(b);
	return p;
}

void vw_buf_free(struct vw_buf *b)
{
	free(b->p);
	*b = (struct vw_buf){ 0 };
}
