/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The history store's files, for lib/history only.
 *
 * STATEDIR/history/UUID/000012-1732300000.xml   version 12, kept at that second
 * STATEDIR/history/UUID/.new                    a version that is being written
 *
 * STATEDIR/history/UUID/gone-1732300000   libvirtd has not had the domain since that second
 * STATEDIR/history/.size, .sweep          bound.c, sweep.c
 *
 * STATEDIR/history/.ahead/PID/…                 versions that are not used yet (prepare.c)
 * UUID itself is flock'ed by whoever writes (on NFS its file .lock).
 *
 * A version is one file, so that one rename commits it: the XML as it came, a
 * newline, and a last line that is an XML comment with the metadata. An admin
 * can `virsh define` the file as it lies there, should all else be lost. All
 * opens are relative to a directory's descriptor and follow no symbolic link. */
#ifndef VW_HISTORY_STORE_H
#define VW_HISTORY_STORE_H

#include "lib/history/history.h"

#include <dirent.h>
#include <pthread.h>

#define VW_STORE_NEW ".new" /* the file in which a version is written */
#define VW_WHO_MAX 256      /* bytes that are kept of struct vw_version's who … */
#define VW_RULES_MAX 4096   /* … and rules */
/* The last line at its longest: each byte may become three ("%2F"), plus keys and numbers. */
#define VW_TRAILER_MAX (3 * (VW_HISTORY_NAME_MAX + VW_WHO_MAX + VW_RULES_MAX) + 512)
#define VW_SLOT_NAME_MAX 64

static inline void vw_store_closedir(DIR **d)
{
	if (*d)
		closedir(*d);
}

struct vw_history {
	int dirfd;
	char *path; /* for messages */
	enum vw_history_disk disk;
	uint64_t max_bytes; /* 0 = no bound */
	bool may_sweep;
	/* What waits for vw_history_settle, in a thread if it is running. */
	struct vw_later {
		size_t n;
		int fds[3]; /* a file and its directory, both owned, and perhaps the store */
		bool running;
		pthread_t thread;
		int result;
	} later;
};

/* What a version's file name tells. */
struct vw_slot {
	unsigned n;
	int64_t time;
};

/* Write the canonical (lower case) form. Return: 0 or -EINVAL. */
int vw_store_uuid(const char *uuid, char ret[37], struct vw_err *err);

/* The directory of a domain; with create it is made, and its mode mended.
 * uuid: canonical. Return: descriptor or negative errno (-ENOENT: none, err untouched). */
int vw_store_dir(struct vw_history *h, const char *uuid, bool create, struct vw_err *err);

/* Lock a domain against other writers; close the descriptor to unlock.
 * Waits 2 s at most. Return: descriptor or negative errno (-EBUSY). */
int vw_store_lock(struct vw_history *h, int dirfd, const char *uuid, struct vw_err *err);

/* The versions in a directory, sorted by n. Names that are not exactly ours are
 * left alone, except that sweep removes what a killed writer left (needs the lock).
 * Return: 0 or negative errno; free *ret with free(). */
int vw_store_scan(int dirfd, bool sweep, struct vw_slot **ret, size_t *ret_n);

void vw_store_slot_name(const struct vw_slot *slot, char ret[VW_SLOT_NAME_MAX]);

/* Open one version's file and read its trailer. v: strings malloc'ed, on success.
 * Return: descriptor or negative errno (-EBADMSG: not a whole version). */
int vw_store_open(int dirfd, const struct vw_slot *slot, struct vw_version *ret);

/* The XML of an opened version, checked against v's hash. Return: 0 or negative
 * errno (-EBADMSG); *ret malloc'ed, NUL-terminated, v->size bytes. */
int vw_store_read(int fd, const struct vw_version *v, char **ret);

/* The error line for a failure in the store, with the remedy that suits it. Return: code. */
int vw_store_error(const struct vw_history *h, const char *uuid, int code, const char *what,
		   struct vw_err *err);

/* keep.c: may it be kept? Return: 0; -EFBIG, -EINVAL (a date before 1970). */
int vw_store_bounds(const struct vw_version *v, const char *uuid, struct vw_err *err);
/* keep.c: write a version into a directory, whole before it has its name.
 * Return: the file's descriptor or negative errno. */
int vw_store_write(int dirfd, const struct vw_version *v, const char *xml);

/* bound.c. What all domains take, under its lock. */
#define VW_STORE_BLOCK 4096u /* bytes */
struct vw_store_count {
	bool known;
	uint64_t bytes;
	int64_t looked, full;
};
/* Close the descriptor to unlock. Return: it, or a negative errno. */
int vw_store_count_lock(struct vw_history *h, struct vw_store_count *ret);
int vw_store_count_write(int fd, const struct vw_store_count *c);
/* What a file of that size takes. */
uint64_t vw_store_cost(uint64_t size);
/* Room for a version with an XML of that size, the first of its domain or not. *ret: what was counted for
 * it, to be released if it is not written. Return: 0; -EDQUOT or another negative errno. */
int vw_store_reserve(struct vw_history *h, size_t size, bool first, int64_t now, uint64_t *ret);
void vw_store_release(struct vw_history *h, uint64_t bytes);
/* The error line for -EDQUOT. Return: that. */
int vw_store_full(const struct vw_history *h, const char *uuid, struct vw_err *err);

/* gone.c. What a file's name says: since when the domain is gone; 0 = it is no mark. */
int64_t vw_store_gone_since(const char *name);
/* The mark in a domain's directory; forget: remove it. Return: since when, 0 = none. */
int64_t vw_store_gone(int dirfd, bool forget);
int vw_store_mark_gone(int dirfd, int64_t since);

/* disk.c: a version is written and has its name; wait for the disk, if and when h says so.
 * first: its directory may be new. Borrows the descriptors. Return: 0 or negative errno. */
int vw_store_sync(struct vw_history *h, int fd, int dirfd, bool first);

/* Free the strings of a version, not the struct. */
void vw_version_clear(struct vw_version *v);

/* trailer.c: the last line of a version's file. */

/* FNV-1a, 64 bit, as 16 hex digits (http://www.isthe.com/chongo/tech/comp/fnv/). */
void vw_trailer_hash(const char *data, size_t len, char ret[17]);

/* Write the line, newline included, for v into buf[VW_TRAILER_MAX]. Return: its length. */
size_t vw_trailer_format(const struct vw_version *v, char *buf);

/* Read it back. line: without the newline. Return: 0, -ENOMEM or -EBADMSG. */
int vw_trailer_parse(const char *line, size_t len, struct vw_version *ret);

#endif
