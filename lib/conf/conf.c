/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* warden.conf: inih splits it into lines, the table below says what may stand there.
 *
 * inih is fed line by line through our own reader: so we know the line of every
 * key whatever inih was built with, and a line that is too long for it is an
 * error instead of two lines. */
#include "conf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <sys/stat.h>

#define MAX_KEYS 16

struct state {
	const char *name;   /* of the file, for messages */
	const char *p;      /* what is left of the text */
	int line;           /* the line that was read last */
	int seen[MAX_KEYS]; /* line of each key, 0 = not yet */
	struct vw_policy policy;
	struct vw_err err; /* the first error; nothing more is read then */
};

struct key {
	const char *section, *name;
	size_t offset;             /* of the member of struct vw_policy */
	const char *const *values; /* enum: the names, in the order of the enum */
	unsigned min, max;         /* number */
	int (*set)(struct state *st, const struct key *k, const char *value);
};

static const char *const define_values[] = { "fix", "warn", "off", NULL };
static const char *const start_values[] = { "warn", "refuse", "off", NULL };
static const char *const migrate_values[] = { "warn", "enforce", "off", NULL };
static const char *const verify_values[] = { "wait", "background", "off", NULL };
static const char *const boot_values[] = { "proven", "never", NULL };
static const char *const network_values[] = { "report", "enforce", "off", NULL };
static const char *const cache_values[] = { "none",      "directsync", "writethrough",
					    "writeback", "unsafe",     "default",
					    NULL };

static int set_enum(struct state *st, const struct key *k, const char *value);
static int set_caches(struct state *st, const struct key *k, const char *value);
static int set_model(struct state *st, const struct key *k, const char *value);
static int set_number(struct state *st, const struct key *k, const char *value);
static int set_path(struct state *st, const struct key *k, const char *value);

static const struct key keys[] = {
	{ "policy", "define", offsetof(struct vw_policy, define), define_values, 0, 0, set_enum },
	{ "policy", "start", offsetof(struct vw_policy, start), start_values, 0, 0, set_enum },
	{ "policy", "migrate", offsetof(struct vw_policy, migrate), migrate_values, 0, 0,
	  set_enum },
	{ "policy", "verify", offsetof(struct vw_policy, verify), verify_values, 0, 0, set_enum },
	{ "policy", "boot-changes", offsetof(struct vw_policy, boot), boot_values, 0, 0, set_enum },
	{ "cache", "allowed", 0, cache_values, 0, 0, set_caches },
	{ "cache", "network-disks", offsetof(struct vw_policy, network_disks), network_values, 0, 0,
	  set_enum },
	{ "cpu", "baseline", 0, NULL, 0, 0, set_model },
	{ "history", "versions", offsetof(struct vw_policy, history_versions), NULL, 1, 100000,
	  set_number },
	{ "history", "days", offsetof(struct vw_policy, history_days), NULL, 1, 36500, set_number },
	{ "agent", "quiet-seconds", offsetof(struct vw_policy, agent_quiet), NULL, 0, 3600,
	  set_number },
	{ "agent", "compare-interval", offsetof(struct vw_policy, agent_compare), NULL, 1, 86400,
	  set_number },
	{ "agent", "metrics", 0, NULL, 0, 0, set_path },
};
_Static_assert(VW_N_ELEMENTS(keys) <= MAX_KEYS, "struct state has a line for each key");
_Static_assert(sizeof(enum vw_policy_define) == sizeof(unsigned), "set_enum writes an unsigned");
_Static_assert(VW_N_ELEMENTS(cache_values) - 1 <= VW_CACHES_MAX, "all cache modes fit the policy");

/* Append "a, b, c" to the text in err. */
static void add_names(struct vw_err *err, const char *const *names)
{
	for (size_t i = 0; names[i]; i++) {
		size_t len = strlen(err->text);

		snprintf(err->text + len, sizeof(err->text) - len, "%s%s", i ? ", " : "", names[i]);
	}
}

static int bad_value(struct state *st, const struct key *k, const char *value, const char *what)
{
	vw_err_set(&st->err, -EINVAL, "%s:%d: [%s] %s = '%.64s': %s", st->name, st->line,
		   k->section, k->name, value, what);
	if (k->values)
		add_names(&st->err, k->values);
	return -EINVAL;
}

static int index_of(const char *const *names, const char *name)
{
	for (int i = 0; names[i]; i++)
		if (vw_streq(names[i], name))
			return i;
	return -1;
}

static int set_enum(struct state *st, const struct key *k, const char *value)
{
	const int i = index_of(k->values, value);
	const unsigned u = (unsigned)i;

	if (i < 0)
		return bad_value(st, k, value, "must be one of: ");
	memcpy((char *)&st->policy + k->offset, &u, sizeof(u));
	return 0;
}

/* A list, separated by commas or blanks: each mode once, at least one. */
static int set_caches(struct state *st, const struct key *k, const char *value)
{
	static const char sep[] = ", \t";
	const char *p = value + strspn(value, sep);
	char mode[16];

	st->policy.n_caches = 0;
	while (*p) {
		const size_t len = strcspn(p, sep);

		snprintf(mode, sizeof(mode), "%.*s", (int)(len < sizeof(mode) ? len : 0), p);
		if (index_of(k->values, mode) < 0 || vw_policy_cache_allowed(&st->policy, mode))
			return bad_value(st, k, value, "must be a list, each once, of: ");
		memcpy(st->policy.caches[st->policy.n_caches++], mode, sizeof(mode));
		p += len;
		p += strspn(p, sep);
	}
	if (!st->policy.n_caches)
		return bad_value(st, k, value, "must be a list, at least one, of: ");
	return 0;
}

static int set_model(struct state *st, const struct key *k, const char *value)
{
	const size_t len = strlen(value);

	if (len >= sizeof(st->policy.cpu_baseline) ||
	    strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+") !=
		    len)
		return bad_value(st, k, value,
				 "must be a CPU model of `virsh cpu-models x86_64`, or empty");
	memcpy(st->policy.cpu_baseline, value, len + 1);
	return 0;
}

static int set_number(struct state *st, const struct key *k, const char *value)
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

static int set_path(struct state *st, const struct key *k, const char *value)
{
	const size_t len = strlen(value);

	if (len >= sizeof(st->policy.agent_metrics) || (len && *value != '/'))
		return bad_value(st, k, value, "must be the full path of a file, or empty");
	memcpy(st->policy.agent_metrics, value, len + 1);
	return 0;
}

/* The names that are known: the sections, or the keys of a section. */
static void add_known(struct vw_err *err, const char *section)
{
	const char *names[MAX_KEYS + 1] = { NULL };
	size_t n = 0;

	for (size_t i = 0; i < VW_N_ELEMENTS(keys); i++) {
		if (section && vw_streq(keys[i].section, section))
			names[n++] = keys[i].name;
		else if (!section && index_of(names, keys[i].section) < 0)
			names[n++] = keys[i].section;
	}
	add_names(err, names);
}

static bool known_section(const char *section)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(keys); i++)
		if (vw_streq(keys[i].section, section))
			return true;
	return false;
}

static void unknown_section(struct state *st, const char *section)
{
	vw_err_set(&st->err, -EINVAL, "%s:%d: unknown section [%.64s]; known: ", st->name, st->line,
		   section);
	add_known(&st->err, NULL);
}

static void unknown_key(struct state *st, const char *section, const char *name)
{
	vw_err_set(&st->err, -EINVAL, "%s:%d: unknown key '%.64s' in [%s]; known: ", st->name,
		   st->line, name, section);
	add_known(&st->err, section);
}

/* A key with its value (inih's handler). Return: 1, or 0 for "error". */
static int on_key(void *data, const char *section, const char *name, const char *value)
{
	struct state *st = data;

	if (!*section) {
		vw_err_set(&st->err, -EINVAL, "%s:%d: '%.64s' stands before the first [section]",
			   st->name, st->line, name);
		return 0;
	}
	if (!known_section(section)) {
		unknown_section(st, section);
		return 0;
	}
	for (size_t i = 0; i < VW_N_ELEMENTS(keys); i++) {
		if (!vw_streq(keys[i].section, section) || !vw_streq(keys[i].name, name))
			continue;
		if (st->seen[i]) {
			vw_err_set(&st->err, -EINVAL,
				   "%s:%d: [%s] %s is set twice (first in line %d): remove one",
				   st->name, st->line, section, name, st->seen[i]);
			return 0;
		}
		st->seen[i] = st->line;
		return keys[i].set(st, &keys[i], value ? value : "") == 0;
	}
	unknown_key(st, section, name);
	return 0;
}

/* inih tells a section only with its first key: look at the header ourselves. */
static void check_header(struct state *st, const char *line)
{
	char section[65];

	line += strspn(line, " \t");
	if (*line != '[' || !strchr(line, ']'))
		return;
	snprintf(section, sizeof(section), "%.*s", (int)strcspn(line + 1, "]"), line + 1);
	if (!known_section(section))
		unknown_section(st, section);
}

/* inih's fgets: the next line, NULL at the end. */
static char *next_line(char *buf, int size, void *data)
{
	struct state *st = data;
	const size_t len = strcspn(st->p, "\n");

	if (!*st->p || st->err.code)
		return NULL;
	st->line++;
	if (len + 2 >= (size_t)size) {
		vw_err_set(&st->err, -EINVAL, "%s:%d: the line is longer than %d bytes: shorten it",
			   st->name, st->line, size - 3);
		return NULL;
	}
	memcpy(buf, st->p, len);
	buf[len] = '\0';
	st->p += len + (st->p[len] == '\n');
	check_header(st, buf);
	return st->err.code ? NULL : buf;
}

int vw_conf_parse(const char *text, size_t len, const char *name, struct vw_policy *ret,
		  struct vw_err *err)
{
	VW_AUTOFREE char *copy = NULL;
	struct state st = { .name = name };
	int r;

	if (len > VW_CONF_MAX_BYTES)
		return vw_err_set(err, -EFBIG, "%s: larger than %u KiB: not a configuration", name,
				  VW_CONF_MAX_BYTES >> 10);
	if (memchr(text, 0, len))
		return vw_err_set(err, -EINVAL, "%s: holds a NUL byte: not a text file", name);
	copy = strndup(text, len);
	if (!copy)
		return vw_err_set(err, -ENOMEM, "%s: out of memory", name);
	vw_policy_defaults(&st.policy);
	st.p = copy;
	r = ini_parse_stream(next_line, &st, on_key, &st);
	if (r < 0)
		return vw_err_set(err, -ENOMEM, "%s: out of memory", name);
	if (r > 0 && (r < st.line || !st.err.code)) /* inih's own, before any of ours */
		vw_err_set(&st.err, -EINVAL,
			   "%s:%d: neither '[section]' nor 'key = value' nor a comment (#)", name,
			   r);
	if (st.err.code) {
		if (err)
			*err = st.err;
		return st.err.code;
	}
	*ret = st.policy;
	return 0;
}

static int read_all(int fd, char *buf, size_t cap, size_t *ret_len)
{
	size_t len = 0;

	while (len < cap) {
		const ssize_t n = read(fd, buf + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

int vw_conf_load(const char *path, struct vw_policy *ret, struct vw_err *err)
{
	VW_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	VW_AUTOFREE char *text = NULL;
	struct stat sb;
	size_t len = 0;
	int r;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		vw_policy_defaults(ret);
		return 0;
	}
	if (fd < 0 || fstat(fd, &sb) < 0)
		return vw_err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(sb.st_mode))
		return vw_err_set(err, -EINVAL, "%s: not a regular file", path);
	if (sb.st_size > VW_CONF_MAX_BYTES)
		return vw_err_set(err, -EFBIG, "%s: larger than %u KiB: not a configuration", path,
				  VW_CONF_MAX_BYTES >> 10);
	/* One byte more than allowed, to notice a file that grows meanwhile. */
	text = malloc(VW_CONF_MAX_BYTES + 1);
	if (!text)
		return vw_err_set(err, -ENOMEM, "%s: out of memory", path);
	r = read_all(fd, text, VW_CONF_MAX_BYTES + 1, &len);
	if (r < 0)
		return vw_err_set(err, r, "%s: %s", path, strerror(-r));
	return vw_conf_parse(text, len, path, ret, err);
}

bool vw_conf_key(size_t i, const char **ret_section, const char **ret_name)
{
	if (i >= VW_N_ELEMENTS(keys))
		return false;
	*ret_section = keys[i].section;
	*ret_name = keys[i].name;
	return true;
}
