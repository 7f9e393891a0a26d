/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The history store: every distinct XML of every domain, with when, who and
 * why, kept BEFORE anything is changed ("Nothing lost" in design.md).
 *
 * One directory per domain UUID (never per name: names are hostile), one file
 * per version, files 0600, directories 0700, written whole (temporary file,
 * rename, fsync), bounded by count, age and bytes; safe against other processes that
 * write at once, kill -9 at any instant and a full disk (then an error, and the
 * caller changes nothing). What a power cut left half is told by its digest. */
#ifndef VW_HISTORY_H
#define VW_HISTORY_H

#include "lib/base/err.h"

#include <stdint.h>

#define VW_HISTORY_MAX_BYTES (10u * 1024 * 1024) /* of one XML; as xml.h, virsh's own limit */
#define VW_HISTORY_NAME_MAX 1024 /* a longer domain name is stored cut and not found by name */

/* Why a version was kept. Contract names by vw_cause_name. */
enum vw_cause {
	VW_CAUSE_CLIENT = 0, /* "client": what a client typed or sent */
	VW_CAUSE_FIX,        /* "fix": what the engine made of it */
	VW_CAUSE_AGENT,      /* "agent" */
	VW_CAUSE_HOOK,       /* "hook" */
	VW_CAUSE_IMPORT,     /* "import" */
	VW_CAUSE_UNDO,       /* "undo" */
	VW_CAUSE_SEEN,       /* "seen": found in libvirtd */
};

struct vw_version {
	unsigned n;   /* 1, 2, 3 …: never reused for the domain */
	int64_t time; /* seconds since the epoch, UTC */
	enum vw_cause cause;
	char *name;    /* domain name then */
	char *who;     /* "root@virsh[1234]" */
	char *rules;   /* space-separated rule ids, "" */
	char hash[17]; /* 64-bit FNV-1a of the XML, hex: tells damage and a
			    * change, not a forgery (the store is its owner's alone) */
	size_t size;   /* of the XML, bytes */
};

struct vw_history;

/* Open (and create) the store below statedir ("…/history"). A store that is a
 * symbolic link or another user's is refused; too open modes are mended.
 * Return: 0 or negative errno. Close with vw_history_close (NULL is fine). */
int vw_history_open(const char *statedir, struct vw_history **ret, struct vw_err *err);
void vw_history_close(struct vw_history *h);

/* When is a version that vw_history_keep keeps from now on safe from a power cut? (From a
 * kill of the process it is, once that returns.) */
enum vw_history_disk {
	VW_DISK_NOW = 0, /* when vw_history_keep returns */
	VW_DISK_LATER,   /* when vw_history_settle does: the disk works meanwhile */
	VW_DISK_NEVER,   /* sometime: it can be had elsewhere (libvirtd has it) */
};
void vw_history_disk(struct vw_history *h, enum vw_history_disk when);
/* Wait for what was kept with VW_DISK_LATER. Return: 0 or negative errno: it is not safe. */
int vw_history_settle(struct vw_history *h, struct vw_err *err);

/* Keep one version. uuid must be a canonical UUID (else -EINVAL; upper case is
 * the same domain). If the newest version has the same XML nothing is written
 * and its number is returned. max_versions/max_days: the bounds (policy.h); old
 * ones beyond are removed after the new one is safe; the newest is never removed, and
 * none of the ten newest for its age, which counts from the earliest of them.
 * now: seconds since the epoch. Waits at most 2 s for another writer.
 * Return: 0 or negative errno (-ENOSPC; -EDQUOT: vw_history_bound; -EFBIG above VW_HISTORY_MAX_BYTES; -EBUSY
 * another writer has the domain …). ret_n may be NULL. */
int vw_history_keep(struct vw_history *h, const char *uuid, const char *name, const char *xml,
		    size_t len, enum vw_cause cause, const char *who, const char *rules,
		    int64_t now, unsigned max_versions, unsigned max_days, unsigned *ret_n,
		    struct vw_err *err);

/* The first version of a domain that may or may not be defined, written ahead of that. It is in nobody's history before vw_history_use. As vw_history_keep; *ret: end it with
 * vw_history_abandon, before the store is closed. One per process. */
struct vw_prepared;
int vw_history_prepare(struct vw_history *h, const char *uuid, const char *name, const char *xml,
		       size_t len, enum vw_cause cause, const char *who, int64_t now,
		       struct vw_prepared **ret, struct vw_err *err);
/* Make it version 1 of the domain, and wait for the disk as vw_history_disk says. Once.
 * Return: 0, or a negative errno: the domain has a directory already (-EEXIST), the filesystem can't do
 * it … Then keep it in the usual way. */
int vw_history_use(struct vw_prepared *p);
/* Remove it if it was not used; free it (NULL is fine). */
void vw_history_abandon(struct vw_prepared *p);

/* All domains together may take so many bytes (0 = no bound, as after vw_history_open): a version's
 * file the 4 KiB blocks that it fills, a domain one more. A version beyond is kept only if older ones
 * may go (vw_history_sweep), else it is refused with -EDQUOT. may_sweep: vw_history_keep and _prepare
 * look for what may go themselves; the hook, which has no time, and the agent, which does that in a
 * thread, don't. */
void vw_history_bound(struct vw_history *h, uint64_t bytes, bool may_sweep);
/* What all domains take. Return: 0; -ENODATA: not counted yet; or a negative errno. *ret_full: the last
 * sweep found nothing more that may go. */
int vw_history_size(struct vw_history *h, uint64_t *ret_bytes, bool *ret_full, struct vw_err *err);

/* libvirtd no longer has the domain, since then (s since the epoch; a mark of before stays), or it has
 * it (since 0). vw_history_keep takes the mark away, too. Return: 0 or negative errno. */
int vw_history_gone(struct vw_history *h, const char *uuid, int64_t since);

#define VW_HISTORY_GONE_DAYS 90 /* so long the last version of a domain that is gone … */
#define VW_HISTORY_GONE_BYTES (1024u * 1024) /* … stays, if it is smaller */

/* The domains that libvirtd has: canonical UUIDs, sorted by strcmp. */
struct vw_domains {
	char (*uuids)[37];
	size_t n;
};
struct vw_sweep {
	int64_t now;    /* s since the epoch */
	unsigned days;  /* what has been gone for longer goes; 0 = whatever its age */
	uint64_t bytes; /* then versions go until all take no more; 0 = any number */
	/* Which domains are gone? They are marked, with `now`. NULL = not known: as marked before. */
	const struct vw_domains *known;
};
struct vw_swept {
	uint64_t bytes; /* that all domains take now */
	size_t domains, gone;
	size_t versions, whole; /* that went; domains of which nothing is left */
	bool full;              /* more had to go, and nothing may */
};
/* Count all, and remove what is too old or too much: the oldest version of the domain that takes most,
 * again and again. Never of a domain that libvirtd has: the newest, the one before our last change, and that change;
 * of one that is gone: the last, for VW_HISTORY_GONE_DAYS, if smaller than VW_HISTORY_GONE_BYTES. Ages
 * count only if they were looked at between an hour and a week ago as well: clocks jump. Killed at any
 * instant, every version is there or not. One process at a time (-EBUSY after 2 s). ret, err may be NULL.
 * Return: 0 or negative errno. */
int vw_history_sweep(struct vw_history *h, const struct vw_sweep *how, struct vw_swept *ret,
		     struct vw_err *err);

/* All versions of a domain, oldest first (none is no error; a damaged one is
 * left out); free with vw_versions_free. Return: 0 or negative errno. */
int vw_history_list(struct vw_history *h, const char *uuid, struct vw_version **ret, size_t *ret_n,
		    struct vw_err *err);
void vw_versions_free(struct vw_version *v, size_t n);

/* The XML of version n (0 = newest). malloc'ed, NUL-terminated. -ENOENT if there
 * is none, -EBADMSG if the file is not what was written (a bad disk). */
int vw_history_read(struct vw_history *h, const char *uuid, unsigned n, char **ret_xml,
		    size_t *ret_len, struct vw_err *err);

/* The UUID of the domain that last had that name; for domains that libvirt no
 * longer knows. buf: 37 bytes. -ENOENT if none. */
int vw_history_find_name(struct vw_history *h, const char *name, char buf[37], struct vw_err *err);

const char *vw_cause_name(enum vw_cause c);

#endif
