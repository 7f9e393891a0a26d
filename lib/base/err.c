/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The error object (see err.h). Names and values in it come from hostile XML. */
#include "lib/base/err.h"

#include "lib/base/text.h"

#include <stdarg.h>

/* Room for a line was size bytes, and it would have needed need: no character is left cut. */
static void end_whole(char *s, size_t size, int need)
{
	if (need >= 0 && (size_t)need >= size)
		s[vw_utf8_prefix(s, size - 4)] = '\0';
	vw_text_clean(s);
}

int vw_err_set(struct vw_err *err, int code, const char *fmt, ...)
{
	va_list ap;
	int need;

	if (!err)
		return code;
	err->code = code;
	va_start(ap, fmt);
	need = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	end_whole(err->text, sizeof(err->text), need);
	return code;
}

int vw_err_wrap(struct vw_err *err, int code, const char *fmt, ...)
{
	char prefix[256];
	char rest[sizeof(err->text)];
	va_list ap;
	int need;

	if (!err)
		return code;
	va_start(ap, fmt);
	need = vsnprintf(prefix, sizeof(prefix), fmt, ap);
	va_end(ap);
	end_whole(prefix, sizeof(prefix), need);
	memcpy(rest, err->text, sizeof(rest));
	snprintf(err->text, sizeof(err->text), "%s: %.*s", prefix,
		 (int)vw_utf8_prefix(rest, sizeof(err->text) - sizeof(prefix) - 3), rest);
	err->code = code;
	return code;
}
