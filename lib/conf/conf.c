/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* warden.conf: inih splits it into lines, the table below says what may stand there.
 *
 * inih is fed line by line through our own reader: so we know the line of every
 * key whatever inih was built with, and a line that is too long for it is an
 * error instead of two lines. */
#include "lib/conf/baseline.h"
#include "lib/conf/conf-internal.h"
#include "lib/base/open.h"
#include "lib/base/trust.h"

#include <errno.h>
#include <ini.h>

static const char *const define_values[] = { "fix", "warn", "off", NULL };
static const char *const start_values[] = { "warn", "refuse", "off", NULL };
static const char *const migrate_values[] = { "warn", "enforce", "off", NULL };
static const char *const unknown_values[] = { "pass", "refuse", NULL };
static const char *const verify_values[] = { "wait", "background", "off", NULL };
static const char *const failed_values[] = { "alert", "reset", "dump", NULL };
static const char *const boot_values[] = { "proven", "never", NULL };
static const char *const network_values[] = { "report", "enforce", "off", NULL };
static const char *const cache_values[] = { "none",      "directsync", "writethrough",
					    "writeback", "unsafe",     "default",
					    NULL };

static const char *const yes_values[] = { "no", "yes", NULL };

#define TEXT(section, name, member, set)                                    \
	{                                                                   \
		section, name, offsetof(struct vw_policy, member), NULL, 0, \
			sizeof(((struct vw_policy *)0)->member), set        \
	}
#define YES_NO(name, member)                                                          \
	{                                                                             \
		"alerts", name, offsetof(struct vw_policy, member), yes_values, 0, 0, \
			conf_set_enum                                                 \
	}
#define NUMBER(name, member, min, max)                                              \
	{                                                                           \
		"alerts", name, offsetof(struct vw_policy, member), NULL, min, max, \
			conf_set_number                                             \
	}
static const struct conf_key keys[] = {
	{ "policy", "define", offsetof(struct vw_policy, define), define_values, 0, 0,
	  conf_set_enum },
	{ "policy", "start", offsetof(struct vw_policy, start), start_values, 0, 0, conf_set_enum },
	{ "policy", "migrate", offsetof(struct vw_policy, migrate), migrate_values, 0, 0,
	  conf_set_enum },
	{ "policy", "unknown", offsetof(struct vw_policy, unknown), unknown_values, 0, 0,
	  conf_set_enum },
	{ "policy", "verify", offsetof(struct vw_policy, verify), verify_values, 0, 0,
	  conf_set_enum },
	{ "policy", "boot-changes", offsetof(struct vw_policy, boot), boot_values, 0, 0,
	  conf_set_enum },
	{ "cache", "allowed", 0, cache_values, 0, 0, conf_set_caches },
	{ "cache", "network-disks", offsetof(struct vw_policy, network_disks), network_values, 0, 0,
	  conf_set_enum },
	{ "verify", "on-failed", offsetof(struct vw_policy, on_failed), failed_values, 0, 0,
	  conf_set_enum },
	TEXT("verify", "peers", peers, conf_set_uris),
	{ "verify", "sample-seconds", offsetof(struct vw_policy, sample_seconds), NULL, 0, 3600,
	  conf_set_number },
	{ "verify", "correct-clock", offsetof(struct vw_policy, correct_clock), yes_values, 0, 0,
	  conf_set_enum },
	{ "cpu", "baseline", 0, NULL, 0, 0, conf_set_model },
	{ "history", "versions", offsetof(struct vw_policy, history_versions), NULL, 1, 100000,
	  conf_set_number },
	{ "history", "days", offsetof(struct vw_policy, history_days), NULL, 1, 36500,
	  conf_set_number },
	{ "history", "size-mib", offsetof(struct vw_policy, history_mib), NULL, 1, 16777216,
	  conf_set_number },
	{ "agent", "quiet-seconds", offsetof(struct vw_policy, agent_quiet), NULL, 0, 3600,
	  conf_set_number },
	{ "agent", "compare-interval", offsetof(struct vw_policy, agent_compare), NULL, 1, 86400,
	  conf_set_number },
	TEXT("agent", "metrics", agent_metrics, conf_set_path),
	YES_NO("log", alerts.log),
	YES_NO("scripts", alerts.scripts),
	NUMBER("script-seconds", alerts.script_seconds, 1, 600),
	TEXT("alerts", "webhook", alerts.webhook, conf_set_url),
	TEXT("alerts", "webhook-auth", alerts.webhook_auth, conf_set_path),
	TEXT("alerts", "alertmanager", alerts.alertmanager, conf_set_url),
	TEXT("alerts", "alertmanager-auth", alerts.alertmanager_auth, conf_set_path),
	NUMBER("resend-seconds", alerts.resend_seconds, 1, 3600),
	NUMBER("http-seconds", alerts.http_seconds, 1, 300),
	TEXT("alerts", "ca-file", alerts.ca_file, conf_set_path),
	TEXT("alerts", "mail-to", alerts.mail_to, conf_set_addresses),
	TEXT("alerts", "mail-from", alerts.mail_from, conf_set_addresses),
	TEXT("alerts", "sendmail", alerts.sendmail, conf_set_path),
	TEXT("alerts", "metrics", alerts.metrics, conf_set_path),
	NUMBER("repeat-seconds", alerts.repeat_seconds, 0, 31536000),
	NUMBER("retry-seconds", alerts.retry_seconds, 1, 3600),
	NUMBER("retry-max-seconds", alerts.retry_max_seconds, 1, 86400),
	NUMBER("per-minute", alerts.per_minute, 1, 10000),
};
#undef TEXT
#undef YES_NO
#undef NUMBER
_Static_assert(VW_N_ELEMENTS(keys) <= MAX_KEYS, "struct conf_state has a line for each key");
_Static_assert(sizeof(enum vw_policy_define) == sizeof(unsigned),
	       "conf_set_enum writes an unsigned");
_Static_assert(VW_N_ELEMENTS(cache_values) - 1 <= VW_CACHES_MAX, "all cache modes fit the policy");

/* The names that are known: the sections, or the keys of a section. */
static void add_known(struct vw_err *err, const char *section)
{
	const char *names[MAX_KEYS + 1] = { NULL };
	size_t n = 0;

	for (size_t i = 0; i < VW_N_ELEMENTS(keys); i++) {
		if (section && vw_streq(keys[i].section, section))
			names[n++] = keys[i].name;
		else if (!section && conf_index_of(names, keys[i].section) < 0)
			names[n++] = keys[i].section;
	}
	conf_add_names(err, names);
}

static bool known_section(const char *section)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(keys); i++)
		if (vw_streq(keys[i].section, section))
			return true;
	return false;
}

static void unknown_section(struct conf_state *st, const char *section)
{
	vw_err_set(&st->err, -EINVAL, "%s:%d: unknown section [%.64s]; known: ", st->name, st->line,
		   section);
	add_known(&st->err, NULL);
}

static void unknown_key(struct conf_state *st, const char *section, const char *name)
{
	vw_err_set(&st->err, -EINVAL, "%s:%d: unknown key '%.64s' in [%s]; known: ", st->name,
		   st->line, name, section);
	add_known(&st->err, section);
}

/* A key with its value (inih's handler). Return: 1, or 0 for "error". */
static int on_key(void *data, const char *section, const char *name, const char *value)
{
	struct conf_state *st = data;

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
static void check_header(struct conf_state *st, const char *line)
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
	struct conf_state *st = data;
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
	struct conf_state st = { .name = name };
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
	struct vw_err why = { 0 };
	struct stat sb;
	VW_AUTOCLOSE int fd = vw_open(AT_FDCWD, path, 0, &sb, &why);
	VW_AUTOFREE char *text = NULL;
	struct vw_policy policy;
	size_t len = 0;
	int r;

	if (fd == -ENOENT || fd == -ENOTDIR) {
		vw_policy_defaults(ret);
		return 0;
	}
	if (fd < 0)
		return vw_err_set(err, fd, "%s", why.text);
	r = vw_trust(path, err);
	if (r < 0)
		return r;
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
	r = vw_conf_parse(text, len, path, &policy, err);
	if (r == 0)
		r = vw_baseline_load(policy.cpu_baseline, err);
	if (r == 0)
		*ret = policy;
	return r;
}

bool vw_conf_key(size_t i, const char **ret_section, const char **ret_name)
{
	if (i >= VW_N_ELEMENTS(keys))
		return false;
	*ret_section = keys[i].section;
	*ret_name = keys[i].name;
	return true;
}
