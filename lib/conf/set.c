/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The values of warden.conf's keys: what may stand there, and where it goes (conf-internal.h). */
#include "lib/conf/baseline.h"
#include "lib/conf/conf-internal.h"
#include "lib/base/text.h"

#include <ctype.h>
#include <errno.h>

/* Append "a, b, c" to the text in err. */
void conf_add_names(struct vw_err *err, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		size_t len = strlen(err->text);

		snprintf(err->text + len, sizeof(err->text) - len, "%s%s", i ? ", " : "", names[i]);
	}
}

static int bad_value(struct conf_state *st, const struct conf_key *k, const char *value,
		     const char *what)
{
	vw_err_set(&st->err, -EINVAL, "%s:%d: [%s] %s = '%.64s': %s", st->name, st->line,
		   k->section, k->name, value, what);
	if (k->values)
		conf_add_names(&st->err, k->values);
	return -EINVAL;
}

int conf_index_of(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (vw_streq(names[i], name))
			return i;
	return -1;
}

int conf_set_enum(struct conf_state *st, const struct conf_key *k, const char *value)
{
	const int i = conf_index_of(k->values, value);
	const unsigned u = (unsigned)i;

	if (i < 0)
		return bad_value(st, k, value, "must be one of: ");
	memcpy((char *)&st->policy + k->offset, &u, sizeof(u));
	return 0;
}

/* A list, separated by commas or blanks: each mode once, at least one. */
int conf_set_caches(struct conf_state *st, const struct conf_key *k, const char *value)
{
	static const char sep[] = ", \t";
	const char *p = value + strspn(value, sep);
	char mode[16];

	st->policy.n_caches = 0;
	while (*p) {
		const size_t len = strcspn(p, sep);

		snprintf(mode, sizeof(mode), "%.*s", (int)(len < sizeof(mode) ? len : 0), p);
		if (conf_index_of(k->values, mode) < 0 ||
		    vw_policy_cache_allowed(&st->policy, mode))
			return bad_value(st, k, value, "must be a list, each once, of: ");
		memcpy(st->policy.caches[st->policy.n_caches++], mode, sizeof(mode));
		p += len;
		p += strspn(p, sep);
	}
	if (!st->policy.n_caches)
		return bad_value(st, k, value, "must be a list, at least one, of: ");
	return 0;
}

/* "Nehalem +aes -mpx", or the path of a file that holds that as a <cpu>. */
int conf_set_model(struct conf_state *st, const struct conf_key *k, const char *value)
{
	const size_t len = strlen(value);
	bool good = len < sizeof(st->policy.cpu_baseline);

	for (const char *p = value; good && *value != '/' && *p;) {
		const size_t n = strcspn(p, " \t");

		good = strspn(p, VW_BASELINE_CHARS "+") >= n &&
		       (p == value) == (*p != '+' && *p != '-');
		p += n;
		p += strspn(p, " \t");
	}
	if (!good)
		return bad_value(st, k, value,
				 "must be a CPU model of `virsh cpu-models x86_64` (and features, "
				 "+aes -mpx), the full path of a file with a <cpu>, or empty");
	memcpy(st->policy.cpu_baseline, value, len + 1);
	return 0;
}

int conf_set_number(struct conf_state *st, const struct conf_key *k, const char *value)
{
	char range[64];
	unsigned u = 0;
	size_t i;

	for (i = 0; isdigit((unsigned char)value[i]) && u <= k->max; i++)
		u = u * 10 + (unsigned)(value[i] - '0');
	if (!i || value[i] || u < k->min || u > k->max) {
		snprintf(range, sizeof(range), "must be a number from %u to %u", k->min, k->max);
		return bad_value(st, k, value, range);
	}
	memcpy((char *)&st->policy + k->offset, &u, sizeof(u));
	return 0;
}

static char *member(struct conf_state *st, const struct conf_key *k)
{
	return (char *)&st->policy + k->offset;
}

int conf_set_path(struct conf_state *st, const struct conf_key *k, const char *value)
{
	const size_t len = strlen(value);

	if (len >= k->max || (len && *value != '/'))
		return bad_value(st, k, value, "must be the full path of a file, or empty");
	memcpy(member(st, k), value, len + 1);
	return 0;
}

/* A path or a query may hold an '@', what stands before them may not: that would be a password
 * in a file that everybody may read. */
static bool has_user(const char *url)
{
	const char *host = strstr(url, "://") + 3;

	return memchr(host, '@', strcspn(host, "/?#")) != NULL;
}

int conf_set_url(struct conf_state *st, const struct conf_key *k, const char *value)
{
	const size_t len = strlen(value);

	if (strchr(value, ' ') || !vw_text_is_clean(value))
		return bad_value(st, k, value, "holds a blank or a control character");
	if (len >= k->max ||
	    (len && !vw_startswith(value, "http://") && !vw_startswith(value, "https://")))
		return bad_value(st, k, value, "must begin with http:// or https://, or be empty");
	if (len && has_user(value))
		return bad_value(st, k, value, "no user or password here: use the key …-auth");
	memcpy(member(st, k), value, len + 1);
	return 0;
}

int conf_set_addresses(struct conf_state *st, const struct conf_key *k, const char *value)
{
	static const char what[] = "must be mail addresses, separated by commas, or empty";
	const size_t len = strlen(value);

	if (len >= k->max)
		return bad_value(st, k, value, what);
	for (const char *p = value; *p;) {
		const size_t n = strcspn(p, ", ");

		if (n && (*p == '-' || strcspn(p, "<>\"'\\;:()|&$`\t\r\n") < n))
			return bad_value(st, k, value, what);
		p += n;
		p += strspn(p, ", ");
	}
	memcpy(member(st, k), value, len + 1);
	return 0;
}

int conf_set_uris(struct conf_state *st, const struct conf_key *k, const char *value)
{
	static const char what[] = "must be libvirt URIs (qemu+ssh://host/system), separated by "
				   "blanks, or empty";
	const size_t len = strlen(value);

	if (len >= k->max)
		return bad_value(st, k, value, what);
	for (const char *p = value; *p;) {
		const size_t n = strcspn(p, " \t");
		const char *slashes = strstr(p, "://");

		if (n && (*p == '-' || !slashes || slashes >= p + n))
			return bad_value(st, k, value, what);
		p += n;
		p += strspn(p, " \t");
	}
	memcpy(member(st, k), value, len + 1);
	return 0;
}
