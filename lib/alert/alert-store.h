/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The queue's files, for lib/alert only (alert-queue.h says what lies where). */
#ifndef VW_ALERT_STORE_H
#define VW_ALERT_STORE_H

#include "lib/alert/alert-queue.h"
#include "lib/base/buf.h"

#include <dirent.h>

#define ALERT_FILE_MAX (512u * 1024) /* bytes of a file; the longest alert has about 140 KiB */
#define ALERT_KEY_MAX 64             /* bytes of a detail's key, of a kind */
#define ALERT_NAME_SIZE 64
#define ALERT_SUBJECT_SIZE 17

struct vw_alerts {
	int dirfd;
	int deliver; /* the deliverer's lock, -1 = not ours */
	char *path;
};

/* What a file's name tells. */
struct alert_slot {
	char subject[ALERT_SUBJECT_SIZE];
	char id[VW_ALERT_ID_SIZE];
	enum vw_alert_state state;
};
struct alert_slots {
	struct alert_slot *v;
	size_t n;
};

/* store.c: directory, lock, files. The error line for a failure. Return: code. */
int alert_error(const struct vw_alerts *q, int code, const char *what, struct vw_err *err);
/* Lock out other writers; close the descriptor to unlock. Waits 2 s at most. */
int alert_lock(struct vw_alerts *q, struct vw_err *err);
void alert_slot_name(const struct alert_slot *s, char ret[ALERT_NAME_SIZE]);
/* All alerts by name; an alert that a killed writer left under two names stands there once. */
int alert_scan(const struct vw_alerts *q, struct alert_slots *ret);
void alert_slots_clear(struct alert_slots *s);
/* Return: malloc'ed, NUL-terminated; or negative errno. */
int alert_read_file(const struct vw_alerts *q, const char *name, char **ret, size_t *ret_len);
/* Whole or not at all, under that name, on disk; temp: where it is written first. */
int alert_write_file(const struct vw_alerts *q, const char *temp, const char *name,
		     const struct vw_buf *text);
int alert_load(const struct vw_alerts *q, const struct alert_slot *s, struct vw_alert **ret);

/* raise.c: the file of an alert under other states' names: what a writer left that was killed. */
void alert_unlink_others(const struct vw_alerts *q, struct alert_slot slot);

/* room.c: under the lock. *ret_lost is set if an open alert went for it, or it finds no room.
 * Return: 0, -EDQUOT (all that are open are as severe) or -ENOMEM. */
int alert_make_room(const struct vw_alerts *q, const struct alert_slots *s,
		    enum vw_alert_severity severity, bool *ret_lost);
#define ALERT_KIND_LOST "alerts-lost" /* never makes room */

/* format.c. Lines, and the hash behind them. */
void alert_format(struct vw_buf *b, const struct vw_alert *a);
void alert_memory_format(struct vw_buf *b, const struct vw_alert_memory *m);
uint64_t alert_hash(uint64_t h, const void *data, size_t len);
#define ALERT_HASH_START UINT64_C(0xcbf29ce484222325)

/* text.c: a detail's key, a kind: [A-Za-z0-9_.-], the rest becomes '_'. */
char *alert_key(const char *s);

#endif
