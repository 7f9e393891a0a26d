/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The only part on the libvirt side that changes anything: keep, define, read
 * back. What was there before is in the history first; if it can't be kept,
 * nothing is changed (-ENOSPC … and a line that says so). */
#ifndef VW_VIRT_APPLY_H
#define VW_VIRT_APPLY_H

#include "virt/collect.h"

/* Store the plan's XML as the config of a domain that libvirtd has. Checks that the config is
 * still `original` before (-EAGAIN: another client changed it: plan again), keeps it,
 * defines, reads back; if the domain became active meanwhile and the plan has
 * boot or visible changes, puts the old config back (-EBUSY). libvirt has no compare-and-swap:
 * what another client stores between that check and our define is seen by virt/witness.h as a
 * rule, kept, and made the config again (-EAGAIN, too). "Meanwhile" is since
 * `dom` was looked up (virDomainGetID remembers). -EPERM: libvirtd refused the XML;
 * the line has its reason, and nothing was changed.
 * ret_stored: what libvirtd made of it, with -EAGAIN of the other client's (malloc'ed, NULL if
 * it did not say); may be NULL. */
struct vw_redefine {
	virConnectPtr conn;
	virDomainPtr dom;
	const char *original; /* the INACTIVE|SECURE XML that the plan was made from */
	const struct vw_plan *plan;
	enum vw_cause cause;
	bool kept;      /* `original` is the newest in the history already, and on the disk */
	bool hurry;     /* don't wait until the disk has the new config, which libvirtd has, too */
	bool *ret_gone; /* set if it was undefined meanwhile, and so defined anew; may be NULL */
};
int vw_apply_redefine(struct vw_context *c, const struct vw_redefine *d, char **ret_stored,
		      struct vw_err *err);

/* Make a config of the history the config again (undo). current: the config now
 * (INACTIVE|SECURE), which is kept first; NULL if libvirtd has no such domain.
 * Return: 0 with the domain (virDomainFree); -EPERM: libvirtd refused the XML, the
 * line has its reason; another negative errno: it can't be kept. Nothing was changed then. */
int vw_apply_restore(struct vw_context *c, virConnectPtr conn, const char *uuid, const char *name,
		     const char *current, const char *xml, virDomainPtr *ret, struct vw_err *err);

/* libvirt's last error, of a call that was to change the domain `name`: "what: message". If
 * libvirtd did not answer it says that nobody knows whether it did. Return: code; -ETIME then. */
int vw_apply_error(struct vw_err *err, int code, const char *what, const char *name);

/* Keep one XML in the history with our identity ("user@program[pid]") and the clock. */
int vw_apply_keep(struct vw_context *c, const char *uuid, const char *name, const char *xml,
		  enum vw_cause cause, const char *rules, struct vw_err *err);

/* The same for what is perhaps going to be defined, as vw_history_prepare. Return: 0 or negative errno. */
int vw_apply_prepare(struct vw_context *c, const char *uuid, const char *name, const char *xml,
		     struct vw_prepared **ret);

/* The rules that a plan fixes, space-separated, each once. malloc'ed. */
char *vw_plan_rules(const struct vw_plan *plan);

/* Has the plan boot or visible changes? They must not be stored for a guest that
 * started meanwhile without them. */
bool vw_plan_needs_cold_boot(const struct vw_plan *plan);

#endif
