/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probes: what the host can tell about a disk's source path. The path comes
 * from XML and is hostile: it is looked at by O_PATH + fstat first; only
 * regular files and block devices are opened, non-blocking and read-only, in a
 * child process that is killed when a second has passed (a FIFO,
 * /dev/watchdog, /dev/zero, a dead NFS or FUSE mount must not harm the host).
 *
 * One child serves all requests of a prober; it is started at the first
 * request for a path and replaced after a kill. It works through many paths at
 * one request; one that hangs loses its own facts only, and of those not what
 * was known before the image was read. */
#ifndef VW_PROBE_H
#define VW_PROBE_H

#include "lib/engine/facts.h"

struct vw_prober;

/* sysroot: "" (or NULL), or a fake root for /sys (tests). A prober is for one
 * thread at a time. Return: 0 or -ENOMEM. Free with vw_prober_free (NULL is
 * fine), which ends the child and waits for it, unless it hangs in the kernel:
 * then it goes by itself when its mount answers or is taken away. */
int vw_prober_new(const char *sysroot, struct vw_prober **ret, struct vw_err *err);
void vw_prober_free(struct vw_prober *p);
/* Only one call of vw_probe_disks is to come: the child ends by itself when it has answered. (Another
 * call works, but pays for another child.) */
void vw_prober_once(struct vw_prober *p);

#define VW_PROBE_BLANK 1u   /* look for data (reads the image) */
#define VW_PROBE_EXISTS 4u  /* nothing else: it is not opened */
#define VW_PROBE_DISCARD 2u /* ask sysfs and the filesystem for discard, and for a LUN's names */

/* Learn about the disk at path (absolute; else everything is unknown) into out
 * (its target is kept, all else overwritten; `why` names what is unknown).
 * want: VW_PROBE_… ; without VW_PROBE_EXISTS also block, odirect, allocated.
 * timeout_ms: for this path, 1000 by design. Never fails: unknown is a fact.
 *
 * block      unknown also for what is neither a file nor a block device.
 * blank      format "raw" and "" (not said: libvirt takes it as raw): YES if all of it
 *            reads as zero. "qcow2": YES without an allocated cluster, backing file,
 *            snapshot. UNKNOWN: absent, can't be looked at, corrupt, or zero as far as
 *            the time allowed to read. NO: data, has_backing (the XML names a backing
 *            store), and whatever is there in a format that is not looked into.
 * magic      with VW_PROBE_BLANK, by the first bytes, whatever `format` says.
 * odirect    by an O_DIRECT open. Of a path that is not there (or may not be opened):
 *            by its (directory's) filesystem.
 * allocated  files only. raw: YES = no holes (empty: NO). qcow2, where it is looked into for data:
 *            YES = it takes the room of the whole disk (preallocated, or full), backing store or not.
 *            Other formats: unknown.
 * discard    block device: its queue in sysfs; file: can its filesystem punch holes?
 * one_path   block devices, as sysfs says; better: the multipath device, or the name by WWN of
 *            what goes by its kernel's name, if udev has made one. */
void vw_probe_disk(struct vw_prober *p, const char *path, const char *format, bool has_backing,
		   unsigned want, unsigned timeout_ms, struct vw_disk_facts *out);

/* A child costs the more to start, the larger its parent is. So a large process may have its
 * children be a small program: one whose main() begins with vw_prober_main if its argv[0] is
 * VW_PROBER_PROGRAM. path: of that (NULL, or one that can't be run or does not answer: the child
 * is a clone of us).
 * Unlike a clone it raises SIGCHLD when it ends. */
#define VW_PROBER_PROGRAM "vw-probe"
void vw_prober_program(struct vw_prober *p, const char *path);
/* Return: 2 = no prober has started this; 1 = it failed. Else it ends the process. */
int vw_prober_main(int argc, char **argv);

/* One disk of many: as the arguments of vw_probe_disk. */
struct vw_probe_ask {
	const char *path; /* NULL: left alone, out included */
	const char *format;
	bool has_backing;
	unsigned want;
	struct vw_disk_facts *out;
};

/* vw_probe_disks in two steps, for who has something to do while the child looks. asks and what they
 * point to must stay until vw_probe_finish, which vw_probe_start does for those before. */
void vw_probe_start(struct vw_prober *p, const struct vw_probe_ask *asks, size_t n,
		    unsigned timeout_ms, unsigned total_ms);
void vw_probe_finish(struct vw_prober *p);

/* vw_probe_disk for n disks, each within timeout_ms, all within total_ms. */
void vw_probe_disks(struct vw_prober *p, const struct vw_probe_ask *asks, size_t n,
		    unsigned timeout_ms, unsigned total_ms);

#endif
