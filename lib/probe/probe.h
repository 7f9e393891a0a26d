/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probes: what the host can tell about a disk's source path. The path comes
 * from XML and is hostile: it is looked at by O_PATH + fstat first; only
 * regular files and block devices are opened, non-blocking and read-only, in a
 * child process that is killed when a second has passed (a FIFO,
 * /dev/watchdog, /dev/zero, a dead NFS or FUSE mount must not harm the host).
 *
 * One child serves all requests of a prober; it is started at the first
 * request for a path and replaced after a kill. */
#ifndef VW_PROBE_H
#define VW_PROBE_H

#include "facts.h"

struct vw_prober;

/* sysroot: "" or a fake root for /sys, /proc, /run/udev (tests). Return: 0 or -ENOMEM. */
int vw_prober_new(const char *sysroot, struct vw_prober **ret, struct vw_err *err);
void vw_prober_free(struct vw_prober *p);

#define VW_PROBE_BLANK 1u   /* look for data (reads the image) */
#define VW_PROBE_DISCARD 2u /* ask sysfs/udev and the filesystem for discard */

/* Learn about the disk at path (absolute; else everything is unknown) into out
 * (its target is kept, all else overwritten; `why` names what is unknown).
 * format: driver type of the XML ("raw", "qcow2", "" = not said -> never blank-checked
 * by guessing: unknown unless the file is all holes). has_backing: the XML names a backing store.
 * want: VW_PROBE_… ; exists, block, odirect, allocated are always asked.
 * O_DIRECT of a path that is not there: asked of its directory's filesystem (statfs).
 * timeout_ms: for this path, 1000 by design. Never fails: unknown is a fact. */
void vw_probe_disk(struct vw_prober *p, const char *path, const char *format, bool has_backing,
		   unsigned want, unsigned timeout_ms, struct vw_disk_facts *out);

#endif
