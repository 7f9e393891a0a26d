/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What every libvirt-side layer (command, preload, agent) opens once: paths,
 * policy, templates, OS index, prober, history. Parts are opened when first
 * asked for; the getters return NULL with an error line if a part can't be had
 * (a missing OS index is no reason to stop: then the OS is unknown, and said). */
#ifndef VW_VIRT_CONTEXT_H
#define VW_VIRT_CONTEXT_H

#include "lib/engine/caps.h"
#include "lib/conf/conf.h"
#include "lib/history/history.h"
#include "lib/osindex/osindex.h"
#include "lib/diskprobe/probe.h"
#include "lib/engine/template.h"

#include <libvirt/libvirt.h>

struct vw_context;

/* Paths and policy are read here: -EINVAL with its line if warden.conf is bad. */
int vw_context_open(struct vw_context **ret, struct vw_err *err);
/* The same in two steps: paths, from the environment; then the policy, from its file. */
int vw_context_new(struct vw_context **ret, struct vw_err *err);
int vw_context_load(struct vw_context *c, struct vw_err *err);
void vw_context_close(struct vw_context *c);

/* One context belongs to one thread.
 *
 * With many domains before it the collector prepares its looks at the disks of files, and has
 * all that are prepared done at once when the first of them is needed. */
struct vw_look;
void vw_context_many(struct vw_context *c, bool many);
/* Where those wait that are prepared; NULL if there are not many domains. */
struct vw_look **vw_context_looks(struct vw_context *c);

/* Where virt/networks.c keeps a call to libvirtd that it gave up, so that it makes no second one. */
struct vw_networks_ask;
struct vw_networks_ask **vw_context_networks_ask(struct vw_context *c);
void vw_networks_forget(struct vw_networks_ask *a); /* NULL is fine */

const struct vw_paths *vw_context_paths(const struct vw_context *c);
const struct vw_policy *vw_context_policy(const struct vw_context *c);
struct vw_templates *vw_context_templates(struct vw_context *c, struct vw_err *err);
/* For a context that plans one domain only: vw_context_os says which OS it has, and from then on
 * vw_context_templates gives what holds for that alone, from the disk if it was worked out
 * before; the index is looked at with a glance (osindex.h). */
void vw_context_single(struct vw_context *c, bool single);
void vw_context_os(struct vw_context *c, const struct vw_os *os, enum vw_known virtio_drivers);
/* A missing, stale or corrupt index is rebuilt once (virt-warden-osinfo build) if the
 * cache directory is writable by us; else NULL. */
struct vw_osindex *vw_context_osindex(struct vw_context *c, struct vw_err *err);
/* For an OS that this one does not know: the one that is built if osinfo-db proves to have changed at
 * more than a glance; else NULL. */
struct vw_osindex *vw_context_newer_osindex(struct vw_context *c);
struct vw_prober *vw_context_prober(struct vw_context *c, struct vw_err *err);
/* vw_conn_peer, asked once by a context for one domain. */
bool vw_context_peer(struct vw_context *c, virConnectPtr conn, pid_t *ret_daemon);
/* Until a connection is there: assume that it will lead to the system's libvirtd, by its pid file, and
 * take what it is asked (conn NULL) from the disk only. No program is run meanwhile.
 * Return: false: that daemon can't be told, nothing is assumed. */
bool vw_context_assume_daemon(struct vw_context *c);
bool vw_context_assumes(const struct vw_context *c);
/* The end of that. Return: it was right, and nothing was missing. */
bool vw_context_assumed_right(struct vw_context *c, virConnectPtr conn);
struct vw_history *vw_context_history(struct vw_context *c, struct vw_err *err);

/* The domain capabilities for an emulator, architecture, machine and virt type ("" = libvirt's
 * choice). Each is asked for once in the life of the context, which owns them: open a new
 * one when libvirtd has started anew. Of the system's libvirtd an answer of before serves, too
 * (virt/cache/caps-cache.h). NULL: libvirtd has none for these. */
const struct vw_caps *vw_context_caps(struct vw_context *c, virConnectPtr conn,
				      const char *emulator, const char *arch, const char *machine,
				      const char *type);

/* libvirtd refused what they had led to: those that are on the disk must not lead there again. */
void vw_context_doubt_caps(struct vw_context *c);

/* Full path of a helper program of ours ("virt-warden-osinfo"): beside the running build or in $libexec. malloc'ed. */
char *vw_context_program(const struct vw_context *c, const char *name);
/* The command virt-warden: beside the running build, or where it is installed. malloc'ed. */
char *vw_context_command(const struct vw_context *c);

#endif
