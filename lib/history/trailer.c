/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The last line of a version's file: its metadata, as an XML comment.
 *
 * <!-- virt-warden-history 1 size=812 hash=0123456789abcdef n=12 time=1732300000
 *      cause=client name=web1 who=root@virsh[1234] rules=disk-cache%20disk-bus -->
 * (in one line). Values are percent-encoded, so that a hostile domain name can
 * neither end the comment nor forge a key. */
#include "lib/history/history-store.h"

#include <errno.h>
#include <inttypes.h>

#define HEAD "<!-- virt-warden-history 1"
#define TAIL " -->"

static const char *const cause_names[] = {
	[VW_CAUSE_CLIENT] = "client", [VW_CAUSE_FIX] = "fix",       [VW_CAUSE_AGENT] = "agent",
	[VW_CAUSE_HOOK] = "hook",     [VW_CAUSE_IMPORT] = "import", [VW_CAUSE_UNDO] = "undo",
	[VW_CAUSE_SEEN] = "seen",
};

const char *vw_cause_name(enum vw_cause c)
{
	return (size_t)c < VW_N_ELEMENTS(cause_names) ? cause_names[c] : "unknown";
}

void vw_trailer_hash(const char *data, size_t len, char ret[17])
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++) {
		h ^= (unsigned char)data[i];
		h *= UINT64_C(0x100000001b3);
	}
	snprintf(ret, 17, "%016" PRIx64, h);
}

/* Is this byte written as it is? '-' only where no "--" can arise. */
static bool plain(unsigned char c, unsigned char before)
{
	if (c == '-')
		return before != '-';
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c && strchr("._@:/+,()[]", c));
}

/* Append " key=value", value percent-encoded and cut after max bytes. */
static char *put_text(char *out, const char *key, const char *value, size_t max)
{
	static const char hex[] = "0123456789ABCDEF";

	*out++ = ' ';
	out = stpcpy(out, key);
	*out++ = '=';
	for (const unsigned char *p = (const unsigned char *)value; p && *p && max; p++, max--) {
		if (plain(*p, (unsigned char)out[-1])) {
			*out++ = (char)*p;
		} else {
			*out++ = '%';
			*out++ = hex[*p >> 4];
			*out++ = hex[*p & 15];
		}
	}
	*out = '\0';
	return out;
}

size_t vw_trailer_format(const struct vw_version *v, char *buf)
{
	char *p = buf;

	p += sprintf(p, HEAD " size=%zu hash=%.16s n=%u time=%" PRId64 " cause=%s", v->size,
		     v->hash, v->n, v->time, vw_cause_name(v->cause));
	p = put_text(p, "name", v->name, VW_HISTORY_NAME_MAX);
	p = put_text(p, "who", v->who, VW_WHO_MAX);
	p = put_text(p, "rules", v->rules, VW_RULES_MAX);
	p = stpcpy(p, TAIL "\n");
	return (size_t)(p - buf);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decode a percent-encoded value into a new string. */
static int get_text(const char *value, size_t len, char **ret)
{
	VW_AUTOFREE char *text = malloc(len + 1);
	size_t n = 0;

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++) {
		if (value[i] != '%') {
			text[n++] = value[i];
			continue;
		}
		if (len - i < 3 || hex_digit(value[i + 1]) < 0 || hex_digit(value[i + 2]) < 0)
			return -EBADMSG;
		text[n++] = (char)(hex_digit(value[i + 1]) << 4 | hex_digit(value[i + 2]));
		i += 2;
	}
	text[n] = '\0';
	if (memchr(text, '\0', n))
		return -EBADMSG;
	*ret = vw_steal(text);
	return 0;
}

static int get_number(const char *value, size_t len, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	if (!len)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned)(unsigned char)value[i] - '0';

		if (digit > 9 || n > (max - digit) / 10)
			return -EBADMSG;
		n = n * 10 + digit;
	}
	*ret = n;
	return 0;
}

static int get_cause(const char *value, size_t len, enum vw_cause *ret)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(cause_names); i++) {
		if (strlen(cause_names[i]) == len && memcmp(cause_names[i], value, len) == 0) {
			*ret = (enum vw_cause)i;
			return 0;
		}
	}
	return -EBADMSG;
}

/* If the text at *pos goes on with " key=", the value up to the next space.
 * Return: its length and *ret; -EBADMSG otherwise. */
static int next_value(const char **pos, const char *end, const char *key, const char **ret,
		      size_t *ret_len)
{
	size_t key_len = strlen(key);
	const char *p = *pos, *space;

	if ((size_t)(end - p) < key_len + 2 || *p != ' ' || memcmp(p + 1, key, key_len) != 0 ||
	    p[key_len + 1] != '=')
		return -EBADMSG;
	p += key_len + 2;
	space = memchr(p, ' ', (size_t)(end - p));
	*ret = p;
	*pos = space ? space : end;
	*ret_len = (size_t)(*pos - p);
	return 0;
}

/* One key of the line, in the order in which they are written. */
static int parse_field(size_t index, const char *value, size_t len, struct vw_version *v)
{
	uint64_t number = 0;
	int r;

	switch (index) {
	case 0:
		r = get_number(value, len, VW_HISTORY_MAX_BYTES, &number);
		v->size = (size_t)number;
		return r;
	case 1:
		if (len != 16)
			return -EBADMSG;
		memcpy(v->hash, value, 16);
		return 0;
	case 2:
		r = get_number(value, len, UINT32_MAX, &number);
		v->n = (unsigned)number;
		return r;
	case 3:
		r = get_number(value, len, INT64_MAX, &number);
		v->time = (int64_t)number;
		return r;
	case 4: return get_cause(value, len, &v->cause);
	case 5: return get_text(value, len, &v->name);
	case 6: return get_text(value, len, &v->who);
	default: return get_text(value, len, &v->rules);
	}
}

int vw_trailer_parse(const char *line, size_t len, struct vw_version *ret)
{
	static const char *const keys[] = { "size",  "hash", "n",   "time",
					    "cause", "name", "who", "rules" };
	const size_t head = strlen(HEAD), tail = strlen(TAIL);
	struct vw_version v = { 0 };
	const char *pos, *end, *value;
	size_t value_len;
	int r = 0;

	if (len < head + tail || memcmp(line, HEAD, head) != 0 ||
	    memcmp(line + len - tail, TAIL, tail) != 0)
		return -EBADMSG;
	pos = line + head;
	end = line + len - tail;
	for (size_t i = 0; r == 0 && i < VW_N_ELEMENTS(keys); i++) {
		r = next_value(&pos, end, keys[i], &value, &value_len);
		if (r == 0)
			r = parse_field(i, value, value_len, &v);
	}
	if (r == 0 && pos != end)
		r = -EBADMSG;
	if (r < 0) {
		vw_version_clear(&v);
		return r;
	}
	*ret = v;
	return 0;
}
