/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* warden.conf (INI, by inih) and the paths of the installation. */
#ifndef VW_CONF_H
#define VW_CONF_H

#include "lib/base/err.h"
#include "lib/engine/policy.h"

/* Where everything lies. As root: the system paths of design.md; else XDG
 * directories for state and cache. The VIRT_WARDEN_… overrides are honoured
 * unless the process is set-id (getauxval(AT_SECURE)). Strings owned; free
 * with vw_paths_clear. */
struct vw_paths {
	char *conf; /* /etc/virt-warden/warden.conf        VIRT_WARDEN_CONF */
	char *datadir; /* /usr/share/virt-warden              VIRT_WARDEN_DATADIR; templates in datadir/xml-templates */
	char *statedir; /* /var/lib/virt-warden                VIRT_WARDEN_STATEDIR */
	char *cachedir; /* /var/cache/virt-warden              VIRT_WARDEN_CACHEDIR; OS index: cachedir/os.index */
	char *rundir;  /* /run/virt-warden (or statedir's run/ when VIRT_WARDEN_STATEDIR is set) */
	char *sysroot; /* "" or a fake root for /sys /proc /run/udev  VIRT_WARDEN_SYSROOT */
	char *templates_d; /* templates.d beside conf */
};
int vw_paths_init(struct vw_paths *p, struct vw_err *err);
void vw_paths_clear(struct vw_paths *p);

/* Where libvirtd leaves traces of what ran: of qemu:///system, or of this user's qemu:///session.
 * Strings owned. Return: 0 or -ENOMEM. Free with vw_libvirt_dirs_clear. */
struct vw_libvirt_dirs {
	char *log;   /* NAME.log of each domain */
	char *nvram; /* NAME_VARS.fd */
};
int vw_libvirt_dirs_init(struct vw_libvirt_dirs *d, bool session);
void vw_libvirt_dirs_clear(struct vw_libvirt_dirs *d);

#define VW_CONF_MAX_BYTES (64u * 1024)

/* Read the policy. A file that is not there: the defaults. An unknown section or
 * key, a value that is not one of the documented: -EINVAL and one line that
 * names file, line, key and the values allowed; *ret is untouched. */
int vw_conf_load(const char *path, struct vw_policy *ret, struct vw_err *err);

/* As above from memory (tests, fuzzing). */
int vw_conf_parse(const char *text, size_t len, const char *name, struct vw_policy *ret,
		  struct vw_err *err);

/* The i-th key that is known, in the order of docs/warden.conf (for tests and
 * doctor). Return: false when there are no more. */
bool vw_conf_key(size_t i, const char **ret_section, const char **ret_name);

#endif
