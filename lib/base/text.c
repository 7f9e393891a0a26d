/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hostile text on its way into a message (see text.h). */
#include "text.h"

#define MAX_NAME 255

/* Is there a control character at s: C0, DEL, or C1 in UTF-8? Return: its bytes, 0 = no. */
static size_t control_at(const unsigned char *s)
{
	if ((*s && *s < 0x20) || *s == 0x7f)
		return 1;
	return s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0 ? 2 : 0;
}

/* The longest prefix of at most max bytes that does not cut a UTF-8 character. */
static size_t utf8_prefix(const char *s, size_t max)
{
	size_t n = max;

	while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
		n--;
	return n;
}

char *vw_printable(const char *s, size_t max)
{
	const size_t len = s ? strnlen(s, max + 1) : 0;
	const size_t keep = len > max ? utf8_prefix(s, max - 3) : len;
	char *copy = malloc((len > max ? max : len) + 1);
	size_t n = 0;

	if (!copy)
		return NULL;
	for (size_t i = 0; i < keep;) {
		const size_t control = control_at((const unsigned char *)s + i);

		copy[n++] = control ? '?' : s[i];
		i += control ? control : 1;
	}
	copy[n] = '\0';
	if (len > max)
		memcpy(copy + n, "...", 4);
	return copy;
}

/* Return: true if the name is one that can be pasted back, quoted or not. */
static bool can_paste(const char *name)
{
	const size_t len = strnlen(name, MAX_NAME + 1);

	if (!len || len > MAX_NAME)
		return false;
	for (size_t i = 0; i < len; i++)
		if (control_at((const unsigned char *)name + i))
			return false;
	return true;
}

static bool is_plain(const char *name)
{
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "_-.,:/@%+=")] == '\0';
}

char *vw_command_text(const char *verb, const char *domain)
{
	const char *name = domain && can_paste(domain) ? domain : "DOMAIN";
	const char *dashes = *name == '-' ? "-- " : "";
	char quoted[MAX_NAME * 4 + 3];
	char *p = quoted;
	char *text = NULL;

	if (is_plain(name))
		return asprintf(&text, "virt-warden %s %s%s", verb, dashes, name) < 0 ? NULL : text;
	*p++ = '\'';
	for (const char *s = name; *s; s++) {
		if (*s == '\'')
			p = stpcpy(p, "'\\''");
		else
			*p++ = *s;
	}
	*p++ = '\'';
	*p = '\0';
	return asprintf(&text, "virt-warden %s %s%s", verb, dashes, quoted) < 0 ? NULL : text;
}
