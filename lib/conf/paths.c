/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The paths of the installation: system paths for root, XDG directories for
 * everybody else, and the VIRT_WARDEN_… overrides for tests. The only place in
 * lib/ that reads the environment. */
#include "lib/conf/conf.h"
#include "lib/base/trust.h"

#include <errno.h>
#include <sys/auxv.h>

/* What the environment says; NULL when it is not set, empty or not to be trusted. */
static const char *env(const char *name)
{
	const char *v = getauxval(AT_SECURE) ? NULL : getenv(name);

	return v && *v ? v : NULL;
}

/* XDG: a relative path is to be ignored. */
static const char *env_dir(const char *name)
{
	const char *v = env(name);

	return v && *v == '/' ? v : NULL;
}

static char *join(const char *dir, const char *rest)
{
	char *s = NULL;

	return asprintf(&s, "%s%s", dir, rest) < 0 ? NULL : s;
}

/* $XDG_…_HOME/REST, else ~/FALLBACK/REST, else the system's path. */
static char *user_path(const char *xdg, const char *fallback, const char *rest, const char *system)
{
	VW_AUTOFREE char *base = NULL;
	const char *home = env_dir("HOME");

	if (env_dir(xdg))
		return join(env_dir(xdg), rest);
	if (!home)
		return strdup(system);
	base = join(home, fallback);
	return base ? join(base, rest) : NULL;
}

static char *user_dir(const char *xdg, const char *fallback, const char *system)
{
	return user_path(xdg, fallback, "/virt-warden", system);
}

static char *conf_path(bool root)
{
	static const char system[] = VW_SYSCONFDIR "/virt-warden/warden.conf";
	VW_AUTOFREE char *dir = NULL;
	VW_AUTOFREE char *own = NULL;

	if (env("VIRT_WARDEN_CONF"))
		return strdup(env("VIRT_WARDEN_CONF"));
	if (root)
		return strdup(system);
	dir = user_dir("XDG_CONFIG_HOME", "/.config", VW_SYSCONFDIR "/virt-warden");
	own = dir ? join(dir, "/warden.conf") : NULL;
	if (!own)
		return NULL;
	return access(own, F_OK) == 0 ? vw_steal(own) : strdup(system);
}

static char *own_dir(const char *override, bool root, const char *xdg, const char *fallback,
		     const char *system)
{
	if (env(override))
		return strdup(env(override));
	return root ? strdup(system) : user_dir(xdg, fallback, system);
}

/* The run directory must be the same for every process of a user, also for a
 * hook, whose environment libvirtd has emptied: so no XDG_RUNTIME_DIR when it
 * is not set, but a directory in the state. */
static char *run_dir(bool root, const char *statedir)
{
	if (env("VIRT_WARDEN_STATEDIR"))
		return join(statedir, "/run");
	if (root)
		return strdup("/run/virt-warden");
	if (env_dir("XDG_RUNTIME_DIR"))
		return join(env_dir("XDG_RUNTIME_DIR"), "/virt-warden");
	return join(statedir, "/run");
}

static char *templates_dir(const char *conf)
{
	const char *slash = strrchr(conf, '/');
	char *s = NULL;

	if (!slash)
		return strdup("templates.d");
	return asprintf(&s, "%.*s/templates.d", (int)(slash - conf), conf) < 0 ? NULL : s;
}

/* A place that the environment names (sudo -E keeps it) is root's own, or root does not use it.
 * VIRT_WARDEN_CONF: vw_conf_load. */
static int trust_overrides(struct vw_err *err)
{
	static const char *const names[] = { "VIRT_WARDEN_DATADIR", "VIRT_WARDEN_STATEDIR",
					     "VIRT_WARDEN_CACHEDIR", "VIRT_WARDEN_SYSROOT" };
	int r = 0;

	for (size_t i = 0; r == 0 && i < VW_N_ELEMENTS(names); i++) {
		r = env(names[i]) ? vw_trust(env(names[i]), err) : 0;
		if (r < 0)
			vw_err_wrap(err, r, "$%s", names[i]);
	}
	return r;
}

int vw_paths_init(struct vw_paths *p, struct vw_err *err)
{
	const bool root = geteuid() == 0;
	int r = trust_overrides(err);
	struct vw_paths n = { 0 };

	if (r < 0)
		return r;
	n = (struct vw_paths){
		.conf = conf_path(root),
		.datadir = strdup(env("VIRT_WARDEN_DATADIR") ? env("VIRT_WARDEN_DATADIR")
							     : VW_PREFIX "/share/virt-warden"),
		.statedir = own_dir("VIRT_WARDEN_STATEDIR", root, "XDG_STATE_HOME", "/.local/state",
				    VW_LOCALSTATEDIR "/lib/virt-warden"),
		.cachedir = own_dir("VIRT_WARDEN_CACHEDIR", root, "XDG_CACHE_HOME", "/.cache",
				    VW_LOCALSTATEDIR "/cache/virt-warden"),
		.sysroot = strdup(env("VIRT_WARDEN_SYSROOT") ? env("VIRT_WARDEN_SYSROOT") : ""),
	};

	n.rundir = n.statedir ? run_dir(root, n.statedir) : NULL;
	n.templates_d = n.conf ? templates_dir(n.conf) : NULL;
	if (!n.conf || !n.datadir || !n.statedir || !n.cachedir || !n.rundir || !n.sysroot ||
	    !n.templates_d) {
		vw_paths_clear(&n);
		return vw_err_set(err, -ENOMEM, "out of memory");
	}
	*p = n;
	return 0;
}

void vw_paths_clear(struct vw_paths *p)
{
	free(p->conf);
	free(p->datadir);
	free(p->statedir);
	free(p->cachedir);
	free(p->rundir);
	free(p->sysroot);
	free(p->templates_d);
	*p = (struct vw_paths){ 0 };
}

/* libvirt 9.0, qemu/qemu_conf.c, virQEMUDriverConfigNew. */
int vw_libvirt_dirs_init(struct vw_libvirt_dirs *d, bool session)
{
	static const char log[] = "/var/log/libvirt/qemu";
	static const char nvram[] = "/var/lib/libvirt/qemu/nvram";

	d->log = session ? user_path("XDG_CACHE_HOME", "/.cache", "/libvirt/qemu/log", log)
			 : strdup(log);
	d->nvram = session ? user_path("XDG_CONFIG_HOME", "/.config", "/libvirt/qemu/nvram", nvram)
			   : strdup(nvram);
	if (d->log && d->nvram)
		return 0;
	vw_libvirt_dirs_clear(d);
	return -ENOMEM;
}

void vw_libvirt_dirs_clear(struct vw_libvirt_dirs *d)
{
	free(d->log);
	free(d->nvram);
	*d = (struct vw_libvirt_dirs){ 0 };
}
