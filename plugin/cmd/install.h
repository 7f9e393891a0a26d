/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of virt-warden is installed on this host, and which daemons run: for doctor
 * and status. Looks only. */
#ifndef VW_CMD_INSTALL_H
#define VW_CMD_INSTALL_H

#include "lib/base/util.h"

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#define INSTALL_HOOKS_DIR VW_SYSCONFDIR "/libvirt/hooks"

/* Is the file a program of ours? (An ELF file that has the word in it.) */
bool install_is_ours(const char *path, const char *word);

/* The first `virsh` on PATH, and whether that is our wrapper. Return: false if there is none. */
bool install_virsh(char path[PATH_MAX], bool *ret_ours);

/* Our hook where libvirt looks for it. Return: false if it is not there. */
bool install_hook(char path[PATH_MAX]);
/* Is there a qemu hook, ours or not, that has been there since before `when` (seconds since the epoch)? */
bool install_any_hook_before(int64_t when);

/* The agent: in its place, in another of the places for such daemons, or on PATH, which lacks those for
 * most users. Return: false if it is nowhere. */
bool install_agent(char path[PATH_MAX]);

/* virsh-warden.so beside this program, or in its place. */
void install_preload(char path[PATH_MAX]);

/* A process of that name in our mount namespace. sysroot: as vw_paths. Return: 0 = none. */
pid_t install_find_process(const char *sysroot, const char *const *names);
/* When it was started, seconds since the epoch; 0 = unknown. */
int64_t install_started(const char *sysroot, pid_t pid);
/* The daemon that runs QEMU domains: libvirtd or virtqemud. */
pid_t install_find_libvirtd(const char *sysroot);

#endif
