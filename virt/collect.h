/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gathers the facts about one domain XML: OS (metadata, --os, install media),
 * disks (probes, only over a local socket in our own mount namespace, or for a file
 * that no libvirtd is asked about: its paths are those of this host), domain
 * capabilities, and what libvirtd knows of the domain. Changes nothing. */
#ifndef VW_VIRT_COLLECT_H
#define VW_VIRT_COLLECT_H

#include "lib/engine/plan.h"
#include "virt/context.h"

struct vw_look;

/* Must not outlive the context. */
struct vw_gathered {
	struct vw_outline *outline;
	struct vw_facts facts; /* pointers in it are owned by this struct */
	struct vw_os *os;
	const struct vw_caps *caps[2]; /* the context's */
	char *active_xml;
	virDomainPtr
		known; /* what libvirtd has under that UUID, else under that name; NULL = nothing */
	bool local;    /* probes could look at the disks */
	struct vw_look *look; /* virt/disks.c */
	char os_note[200];    /* why the OS is unknown or assumed, "" = nothing to say */
};

/* conn: NULL = a file without a libvirt: a domain yet to be defined here; caps stay unknown.
 * dom: the domain if it is one that libvirtd has, else NULL: then it is looked
 * up (a lookup that finds nothing raises libvirt's error: the program has to
 * have a silent virSetErrorFunc).
 * os: id or short id that the admin gave, else NULL.
 * Only -ENOMEM, and -ENOENT for an unknown `os` that the admin gave, are errors. */
int vw_collect(struct vw_context *c, virConnectPtr conn, virDomainPtr dom, struct vw_xml *doc,
	       const char *os, struct vw_gathered **ret, struct vw_err *err);
/* For who was just handed `dom` and holds back everything but the host class: asks libvirtd
 * nothing of the domain. Whether it runs is what its handle's id says (of a domain that does,
 * all is asked); managed save and snapshots stay unknown. */
int vw_collect_host_class(struct vw_context *c, virConnectPtr conn, virDomainPtr dom,
			  struct vw_xml *doc, struct vw_gathered **ret, struct vw_err *err);
/* vw_collect in two steps, for who has something to do between them: first what libvirtd
 * knows of the domain, then the rest. On failure of the second g is still to be freed. */
int vw_collect_begin(struct vw_context *c, virConnectPtr conn, virDomainPtr dom, struct vw_xml *doc,
		     struct vw_gathered **ret, struct vw_err *err);
int vw_collect_rest(struct vw_context *c, virConnectPtr conn, struct vw_xml *doc, const char *os,
		    struct vw_gathered *g, struct vw_err *err);
/* What was gathered without a libvirt: ask this one what it knows of the domain. */
void vw_collect_state(struct vw_gathered *g, virConnectPtr conn);
/* And whether its networks are other than was assumed. */
bool vw_networks_differ(struct vw_context *c, const struct vw_gathered *g, virConnectPtr conn);
void vw_gathered_free(struct vw_gathered *g);

/* Look at the disks of the outline, want: VW_PROBE_… at most, and add one entry
 * each to f. All together take a few seconds at most, whatever hangs; what was
 * not looked at is unknown, with the reason. Return: 0 or -ENOMEM. */
int vw_collect_disks(struct vw_context *c, virConnectPtr conn, bool local,
		     const struct vw_outline *o, unsigned want, struct vw_facts *f,
		     struct vw_err *err);

/* Is this a QEMU/KVM connection? Over a local UNIX socket, in our mount namespace? */
bool vw_conn_is_qemu(virConnectPtr conn);
bool vw_conn_is_local(virConnectPtr conn);
/* vw_conn_is_local; *ret_daemon: who listens for qemu:///system at the other end, if that is local (1:
 * systemd does), 0 = not to be told. */
bool vw_conn_peer(virConnectPtr conn, pid_t *ret_daemon);
/* One line about the daemon (vw_conn_peer's) and all that its domain capabilities depend on, but for the
 * emulator. Return: false if that can't be told (not root, not qemu:///system, not local …). */
#define VW_DAEMON_IDENTITY 512
bool vw_daemon_identity(pid_t daemon, char buf[VW_DAEMON_IDENTITY], pid_t *ret_pid);

#endif
