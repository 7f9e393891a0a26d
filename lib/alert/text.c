/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hostile text on its way into an alert: bounded, one line, valid UTF-8. */
#include "alert-store.h"

/* The bytes of the UTF-8 character at s that may be shown, 0 = there is none: broken, too
 * long a form, a surrogate, a control character (C0, DEL, C1), or one that turns the
 * direction of what follows (U+202A–202E, U+2066–2069: a name that reads as another). */
static size_t good_at(const unsigned char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc0 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (!n || s[0] > 0xf4 || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069))
		return 0;
	return n;
}

char *alert_text(const char *s, size_t max)
{
	const size_t len = s ? strnlen(s, max + 1) : 0;
	const size_t keep = len > max ? max - 3 : len;
	VW_AUTOFREE char *in = s ? strndup(s, len) : strdup(""); /* ends where we stop reading */
	char *copy = malloc(keep + 4);
	size_t n = 0;

	if (!copy || !in) {
		free(copy);
		return NULL;
	}
	for (size_t i = 0; i < keep;) {
		const size_t good = good_at((const unsigned char *)in + i);

		if (good > keep - i) /* the cut goes through it */
			break;
		if (good)
			memcpy(copy + n, in + i, good);
		else
			copy[n] = in[i] == '\n' || in[i] == '\t' ? ' ' : '?';
		n += good ? good : 1;
		i += good ? good : 1;
	}
	memcpy(copy + n, len > max ? "..." : "", len > max ? 4 : 1);
	return copy;
}

char *alert_key(const char *s)
{
	char *key = strndup(s ? s : "", ALERT_KEY_MAX);

	for (char *p = key; p && *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-",
			    *p))
			*p = '_';
	return key;
}
