/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The other side of the queue: who lists, delivers, and resolves by hand.
 *
 * STATEDIR/alerts/SUBJECT-ID.open   an alert; SUBJECT: hash of uuid and host
 * STATEDIR/alerts/SUBJECT-ID.over   it is over; some sink may not know yet
 * STATEDIR/alerts/SUBJECT-ID.done   it is over, and every sink was told
 * STATEDIR/alerts/ID.told           what each sink was told (only the deliverer writes it)
 * STATEDIR/alerts/todo              there is something to deliver
 * STATEDIR/alerts/.lock             flock'ed by whoever changes an alert, for milliseconds
 * STATEDIR/alerts/.deliver          flock'ed by virt-warden-alert as long as it runs
 *
 * Every file is lines of "key value" and a last one with a hash of those before it. */
#ifndef VW_ALERT_QUEUE_H
#define VW_ALERT_QUEUE_H

#include "lib/alert/alert.h"

#define VW_ALERT_MAX_SINKS 8
#define VW_ALERT_SINK_SIZE 32      /* bytes of a sink's name */
#define VW_ALERT_ERROR_SIZE 256    /* bytes of why it failed last */
#define VW_ALERT_PROGRESS_SIZE 512 /* bytes of what a sink notes for itself */

enum vw_alert_state { VW_ALERT_OPEN = 0, VW_ALERT_OVER, VW_ALERT_DONE };
#define VW_ALERT_LIST_OPEN (1u << VW_ALERT_OPEN)
#define VW_ALERT_LIST_OVER (1u << VW_ALERT_OVER)
#define VW_ALERT_LIST_DONE (1u << VW_ALERT_DONE)
#define VW_ALERT_LIST_ALL (VW_ALERT_LIST_OPEN | VW_ALERT_LIST_OVER | VW_ALERT_LIST_DONE)

struct vw_alert_list {
	struct vw_alert **v; /* the oldest first */
	enum vw_alert_state *states;
	size_t n;
	size_t damaged; /* files that are not whole: left where they are */
};

/* states: VW_ALERT_LIST_…, or'ed. Return: 0 or negative errno; free with vw_alert_list_clear. */
int vw_alerts_list(struct vw_alerts *q, unsigned states, struct vw_alert_list *ret,
		   struct vw_err *err);
void vw_alert_list_clear(struct vw_alert_list *l);
#define VW_AUTOALERTLIST VW_CLEANUP(vw_alert_list_clear)

/* An alert with texts of its own. vw_alert_free(NULL) is fine. */
void vw_alert_free(struct vw_alert *a);

/* Resolve one by hand. id: whole, or its first 8 digits or more if no other alert begins so.
 * Return: 1 = it was open, 0 = it was over already, or negative errno (-ENOENT, -EINVAL). */
int vw_alert_resolve_id(struct vw_alerts *q, const char *id, int64_t now, struct vw_err *err);

/* Every sink was told that it is over (state DONE). Return: 0 or negative errno. */
int vw_alert_finish(struct vw_alerts *q, const char *id, struct vw_err *err);

/* What one sink knows of one alert. */
struct vw_alert_told {
	char sink[VW_ALERT_SINK_SIZE];
	bool raised, resolved;           /* it was told that */
	enum vw_alert_severity severity; /* of what it was told */
	unsigned count;                  /* … and how often raised */
	int64_t last;                    /* when, s since the epoch; 0 = never */
	int64_t next;                    /* try (again) then, s; 0 = at once, or nothing to do */
	unsigned failures;               /* in a row */
	char error[VW_ALERT_ERROR_SIZE]; /* of the last failure, "" = none */
	char progress[VW_ALERT_PROGRESS_SIZE]; /* how far it came, in words of its own: no blanks */
};
struct vw_alert_memory {
	struct vw_alert_told sinks[VW_ALERT_MAX_SINKS];
	size_t n;
};
/* Never fails: what can't be read was never told. The entry of a sink is made if it is not there;
 * NULL: no room. */
void vw_alert_memory_read(struct vw_alerts *q, const char *id, struct vw_alert_memory *ret);
struct vw_alert_told *vw_alert_memory_get(struct vw_alert_memory *m, const char *sink);
/* Durable when it returns; only for who holds the deliverer's lock. Return: 0 or negative errno. */
int vw_alert_memory_write(struct vw_alerts *q, const char *id, const struct vw_alert_memory *m,
			  struct vw_err *err);

/* The deliverer's lock. Return: 0, -EBUSY (another one runs) or negative errno. It ends with the
 * queue, or the process. */
int vw_alerts_deliver_lock(struct vw_alerts *q, struct vw_err *err);
/* Is there something to deliver that nobody delivers? Cheap enough for every tick. */
bool vw_alerts_waiting(struct vw_alerts *q);
/* Nothing is left to deliver, unless somebody changed an alert since `stamp` was taken: -EAGAIN. */
uint64_t vw_alerts_stamp(struct vw_alerts *q);
int vw_alerts_all_done(struct vw_alerts *q, uint64_t stamp, struct vw_err *err);
/* The directory, for inotify. */
const char *vw_alerts_path(const struct vw_alerts *q);

/* Parse a queue file (tests, fuzzing). Return: 0, -EBADMSG or -ENOMEM. */
int vw_alert_parse(const char *text, size_t len, struct vw_alert **ret);
int vw_alert_memory_parse(const char *text, size_t len, struct vw_alert_memory *ret);

#endif
