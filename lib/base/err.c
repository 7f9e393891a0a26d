/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The error object (see err.h). Control characters never reach the user's terminal. */
#include "err.h"

#include <stdarg.h>

/* Names and values in messages come from hostile XML: make them printable. */
static void make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = ' ';
}

int vw_err_set(struct vw_err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	make_printable(err->text);
	return code;
}

int vw_err_wrap(struct vw_err *err, int code, const char *fmt, ...)
{
	char prefix[256];
	char rest[sizeof(err->text)];
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	memcpy(rest, err->text, sizeof(rest));
	snprintf(err->text, sizeof(err->text), "%s: %.*s", prefix,
		 (int)(sizeof(err->text) - sizeof(prefix) - 3), rest);
	err->code = code;
	make_printable(err->text);
	return code;
}
