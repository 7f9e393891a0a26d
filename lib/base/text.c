/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text that others wrote, on its way to a person (see text.h). */
#include "lib/base/text.h"

#include <ctype.h>

#define MAX_NAME 255

size_t vw_utf8_at(const char *s, size_t len, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char first = len ? (unsigned char)*s : 0x80;
	const size_t n = first < 0x80   ? 1
			 : first < 0xc2 ? 0
			 : first < 0xe0 ? 2
			 : first < 0xf0 ? 3
			 : first < 0xf5 ? 4
					: 0;
	uint32_t code = n == 1 ? first : first & (0x7fu >> n);

	if (!n || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | ((unsigned char)s[i] & 0x3fu);
	}
	if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	*ret = code;
	return n;
}

size_t vw_utf8_prefix(const char *s, size_t max)
{
	size_t n = strnlen(s, max + 1);

	if (n <= max)
		return n;
	for (n = max; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80;)
		n--;
	return n;
}

bool vw_text_shows(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} not [] = {
		{ 0x00, 0x1f },       /* C0 */
		{ 0x7f, 0x9f },       /* DEL, C1 */
		{ 0xad, 0xad },       /* soft hyphen: seen at the end of a line only */
		{ 0x61c, 0x61c },     /* Arabic letter mark: a direction */
		{ 0x180e, 0x180e },   /* Mongolian vowel separator: no width */
		{ 0x200b, 0x200f },   /* no width; left-to-right and right-to-left marks */
		{ 0x2028, 0x202e },   /* separators of lines and paragraphs; directions */
		{ 0x2060, 0x206f },   /* word joiner, invisible operators, directions */
		{ 0xfdd0, 0xfdef },   /* noncharacters */
		{ 0xfeff, 0xfeff },   /* byte order mark */
		{ 0xfff9, 0xfffb },   /* annotations */
		{ 0xe0000, 0xe007f }, /* tags: not seen */
	};

	if ((code & 0xfffe) == 0xfffe) /* noncharacters, two in each plane */
		return false;
	for (size_t i = 0; i < VW_N_ELEMENTS(not ); i++)
		if (code >= not [i].first && code <= not [i].last)
			return false;
	return true;
}

/* What stands at s (len > 0 bytes). Return: its bytes, at least 1; *ret_instead is what to show
 * instead, 0 = the character itself. */
static size_t look_at(const char *s, size_t len, char *ret_instead)
{
	uint32_t code = 0;
	const size_t n = vw_utf8_at(s, len, &code);

	if (n && vw_text_shows(code))
		*ret_instead = '\0';
	else
		*ret_instead = n && (code == '\t' || code == '\n' || code == '\r') ? ' ' : '?';
	return n ? n : 1;
}

/* From in (len bytes) to out, which may be in itself. Return: its bytes; no NUL is added. */
static size_t clean(const char *in, size_t len, char *out)
{
	size_t n = 0;

	for (size_t i = 0, took; i < len; i += took) {
		char instead;

		took = look_at(in + i, len - i, &instead);
		if (instead) {
			out[n++] = instead;
		} else {
			memmove(out + n, in + i, took);
			n += took;
		}
	}
	return n;
}

bool vw_text_is_clean(const char *s)
{
	const size_t len = strlen(s);
	char instead = '\0';

	for (size_t i = 0; i < len && !instead;)
		i += look_at(s + i, len - i, &instead);
	return !instead;
}

void vw_text_clean(char *s)
{
	s[clean(s, strlen(s), s)] = '\0';
}

char *vw_printable(const char *s, size_t max)
{
	const size_t len = s ? strnlen(s, max + 1) : 0;
	const size_t keep = len > max ? vw_utf8_prefix(s, max - 3) : len;
	char *copy = malloc((len > max ? max : len) + 1);
	size_t n;

	if (!copy)
		return NULL;
	n = keep ? clean(s, keep, copy) : 0;
	memcpy(copy + n, len > max ? "..." : "", len > max ? 4 : 1);
	return copy;
}

void vw_text_quote(struct vw_buf *b, const char *value, size_t max)
{
	VW_AUTOFREE char *safe = vw_printable(value, max);

	b->failed = b->failed || !safe;
	vw_buf_puts(b, "\"");
	for (const char *s = safe ? safe : ""; *s; s++) {
		if (*s == '"' || *s == '\\')
			vw_buf_puts(b, "\\");
		vw_buf_add(b, s, 1);
	}
	vw_buf_puts(b, "\"");
}

void vw_text_name(struct vw_buf *b, const char *name, size_t max)
{
	size_t plain = 0;

	/* What is not ASCII but may be shown is a letter, or harmless. */
	while (name[plain] && (name[plain] & 0x80 || isalnum((unsigned char)name[plain]) ||
			       strchr("._+@-", name[plain])))
		plain++;
	if (*name && plain <= max && !name[plain] && vw_text_is_clean(name))
		vw_buf_puts(b, name);
	else
		vw_text_quote(b, name, max);
}

char *vw_utf8_valid(const char *s)
{
	char *copy = strdup(s);
	const size_t len = copy ? strlen(copy) : 0;
	uint32_t code;

	for (size_t i = 0, n; i < len; i += n ? n : 1) {
		n = vw_utf8_at(copy + i, len - i, &code);
		if (!n)
			copy[i] = '?';
	}
	return copy;
}

void vw_json_escape(struct vw_buf *b, const char *json, size_t len)
{
	size_t from = 0;

	for (size_t i = 0, n; i < len; i += n ? n : 1) {
		uint32_t code = 0xfffd;

		n = vw_utf8_at(json + i, len - i, &code);
		if (n && (vw_text_shows(code) || code == '\n'))
			continue;
		vw_buf_add(b, json + from, i - from);
		from = i + (n ? n : 1);
		if (code < 0x10000)
			vw_buf_printf(b, "\\u%04x", code);
		else
			vw_buf_printf(b, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
				      0xdc00 + ((code - 0x10000) & 0x3ff));
	}
	vw_buf_add(b, json + from, len - from);
}

/* Return: true if the name is one that can be pasted back, quoted or not. */
static bool can_paste(const char *name)
{
	const size_t len = strnlen(name, MAX_NAME + 1);

	return len && len <= MAX_NAME && vw_text_is_clean(name);
}

static bool is_plain(const char *name)
{
	return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "_-.,:/@%+=")] == '\0';
}

char *vw_shell_word(const char *word, const char *otherwise)
{
	char quoted[MAX_NAME * 4 + 3];
	char *p = quoted;

	if (!word || !can_paste(word))
		word = otherwise;
	if (is_plain(word))
		return strdup(word);
	*p++ = '\'';
	for (const char *s = word; *s; s++) {
		if (*s == '\'')
			p = stpcpy(p, "'\\''");
		else
			*p++ = *s;
	}
	*p++ = '\'';
	*p = '\0';
	return strdup(quoted);
}

char *vw_command_text(const char *verb, const char *domain)
{
	VW_AUTOFREE char *word = vw_shell_word(domain, "DOMAIN");
	const char *dashes = word && (*word == '-' || vw_startswith(word, "'-")) ? "-- " : "";
	char *text = NULL;

	if (!word || asprintf(&text, "virt-warden %s %s%s", verb, dashes, word) < 0)
		return NULL;
	return text;
}
