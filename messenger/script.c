/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sink scripts: the executables in alert.d, in the order of their names.
 *
 * Each has to succeed once for each message: one that fails is tried again, those that did not
 * are not. As they run as root, neither they nor their directory may be anybody else's. */
#include "messenger/messenger.h"
#include "lib/base/trust.h"
#include "plugin/out/alert.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

#define SCRIPTS_MAX 64
#define NAME_BYTES 64
#define ENV_MAX 16

struct scripts {
	char names[SCRIPTS_MAX][NAME_BYTES];
	size_t n;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* No editor's or packager's leftovers. */
static bool is_name(const char *name)
{
	static const char *const not [] = {
		"~", ".bak", ".orig", ".rpmsave", ".rpmnew", ".rpmorig"
	};
	const size_t len = strlen(name);

	if (!len || len >= NAME_BYTES || *name == '.' || strstr(name, ".dpkg-") ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-~") !=
		    len)
		return false;
	for (size_t i = 0; i < VW_N_ELEMENTS(not ); i++)
		if (len > strlen(not [i]) && vw_streq(name + len - strlen(not [i]), not [i]))
			return false;
	return true;
}

/* Return: 0 (also if there is no such directory), or -EAGAIN with why it can't be trusted. */
static int list(const char *path, struct scripts *s, struct vw_err *err)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	struct stat st;

	s->n = 0;
	if (!dir && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!dir)
		return vw_err_set(err, -EAGAIN, "%s: %s", path, strerror(errno));
	if (fstat(dirfd(dir), &st) < 0 || !alert_is_safe(&st)) {
		closedir(dir);
		return vw_err_set(err, -EAGAIN,
				  "%s: others can write to it: chown root, chmod 0755; look at "
				  "what is in it",
				  path);
	}
	if (vw_trust(path, err) < 0) { /* a directory above it */
		closedir(dir);
		return -EAGAIN;
	}
	while ((e = readdir(dir)) && s->n < SCRIPTS_MAX)
		if (is_name(e->d_name))
			snprintf(s->names[s->n++], NAME_BYTES, "%.*s", NAME_BYTES - 1, e->d_name);
	closedir(dir);
	qsort(s->names, s->n, sizeof(s->names[0]), compare_names);
	return 0;
}

/* Return: 1 = to be run; 0 = it is none (not executable); -EPERM: it must not be. */
static int examine(const char *path, struct vw_err *err)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return 0;
	if (S_ISLNK(st.st_mode))
		return vw_err_set(err, -EPERM, "%s: is a link, and not run: copy the program",
				  path);
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
		return 0;
	if (!alert_is_safe(&st))
		return vw_err_set(err, -EPERM,
				  "%s: others can write to it, so it is not run: chown root, chmod "
				  "0755",
				  path);
	return 1;
}

static bool wanted(const struct sink_context *c)
{
	struct scripts s;
	struct vw_err err = { 0 };

	if (!c->policy->scripts)
		return false;
	if (list(c->alert_d, &s, &err) < 0)
		return true; /* send says why not */
	for (size_t i = 0; i < s.n; i++) {
		VW_AUTOFREE char *path = NULL;

		if (asprintf(&path, "%s/%s", c->alert_d, s.names[i]) < 0)
			path = NULL;
		else if (examine(path, &err) != 0)
			return true;
	}
	return false;
}

static void add_env(char **env, const char *name, const char *value)
{
	size_t n = 0;

	while (env[n])
		n++;
	if (n + 1 < ENV_MAX && asprintf(&env[n], "%s%s", name, value) < 0)
		env[n] = NULL;
}

static void free_env(char *env[ENV_MAX + 1])
{
	for (size_t i = 0; i < ENV_MAX; i++)
		free(env[i]);
}

static void make_env(char *env[ENV_MAX + 1], const struct message *m)
{
	const struct vw_alert *a = m->alert;
	char raised_at[OUT_ALERT_TIME], count[16];

	out_alert_time(a->time, raised_at);
	snprintf(count, sizeof(count), "%u", a->count);
	add_env(env, "PATH=", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	add_env(env, "LANG=", "C.UTF-8");
	add_env(env, "VIRT_WARDEN_ALERT_ID=", a->id);
	add_env(env, "VIRT_WARDEN_ALERT_STATE=", m->resolved ? "resolved" : "raised");
	add_env(env, "VIRT_WARDEN_ALERT_TIME=", raised_at);
	add_env(env, "VIRT_WARDEN_ALERT_HOST=", a->host);
	add_env(env, "VIRT_WARDEN_ALERT_DOMAIN=", a->domain);
	add_env(env, "VIRT_WARDEN_ALERT_UUID=", a->uuid);
	add_env(env, "VIRT_WARDEN_ALERT_KIND=", a->kind);
	add_env(env, "VIRT_WARDEN_ALERT_SEVERITY=", vw_alert_severity_name(a->severity));
	add_env(env, "VIRT_WARDEN_ALERT_SUMMARY=", a->summary);
	add_env(env, "VIRT_WARDEN_ALERT_COUNT=", count);
}

/* Run one. Return: 0, or a negative errno with why. */
static int run_one(const struct sink_context *c, const char *name, char *env[], const char *json,
		   struct vw_err *err)
{
	VW_AUTOFREE char *path = NULL;
	char *argv[2] = { NULL, NULL };
	char why[160];
	int r;

	if (asprintf(&path, "%s/%s", c->alert_d, name) < 0) {
		path = NULL;
		return vw_err_set(err, -ENOMEM, "out of memory");
	}
	r = examine(path, err);
	if (r <= 0)
		return r;
	argv[0] = path;
	r = alert_run(argv, env, json, strlen(json), c->policy->script_seconds, why, sizeof(why));
	if (r == -ETIME)
		return vw_err_set(err, -EIO, "%s: took longer than %u s and was ended", name,
				  c->policy->script_seconds);
	if (r < 0)
		return vw_err_set(err, -EIO, "%s: %s", name, strerror(-r));
	if (r > 0)
		return vw_err_set(err, -EIO, "%s: exit %d%s%s", name, r, *why ? ": " : "", why);
	return 0;
}

/* progress: "10-a,20-b,": those that had it. */
static bool had_it(const char *progress, const char *name)
{
	const size_t len = strlen(name);

	for (const char *p = progress; (p = strstr(p, name)); p += len)
		if ((p == progress || p[-1] == ',') && p[len] == ',')
			return true;
	return false;
}

static void note(struct message *m, const char *name)
{
	const size_t have = strlen(m->progress);

	if (have + strlen(name) + 2 <= sizeof(m->progress))
		snprintf(m->progress + have, sizeof(m->progress) - have, "%s,", name);
}

static int send_one(const struct sink_context *c, struct message *m, size_t n, struct vw_err *err)
{
	VW_AUTOFREE char *json = out_alert_text(m->alert, m->resolved);
	char *env[ENV_MAX + 1] = { NULL };
	struct scripts s;
	struct vw_err one = { 0 };
	int r = list(c->alert_d, &s, err);

	(void)n;
	if (r < 0)
		return r;
	if (!json)
		return vw_err_set(err, -EAGAIN, "out of memory");
	make_env(env, m);
	for (size_t i = 0; i < s.n; i++) {
		if (had_it(m->progress, s.names[i]))
			continue;
		if (run_one(c, s.names[i], env, json, &one) == 0) {
			note(m, s.names[i]);
		} else if (r == 0) { /* the first that failed is told; the others have their turn */
			*err = one;
			r = -EIO;
		}
	}
	free_env(env);
	return r;
}

const struct sink sink_scripts = {
	.name = "scripts",
	.runs_programs = true,
	.limited = true,
	.wanted = wanted,
	.send = send_one,
};
