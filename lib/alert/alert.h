/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The queue of alerts: what somebody must be told, kept on disk until every sink has it.
 *
 * One file per alert below "alerts/" of the state directory, written whole (temporary file,
 * fsync, rename), 0600; safe against other processes that write at once and kill -9 at any
 * instant. Whoever notices something raises; virt-warden-alert delivers (agent/alert-*.c).
 * The store knows no JSON and no sink; an alert's text is hostile (names, guest output):
 * raise cuts what is too long and takes control characters out. */
#ifndef VW_ALERT_H
#define VW_ALERT_H

#include "lib/base/err.h"

#include <stdint.h>

#define VW_ALERT_ID_SIZE 33 /* 32 hex digits and a NUL: unguessable, never used twice */
#define VW_ALERT_MAX_DETAILS 64
#define VW_ALERT_MAX_TEXT 2000 /* bytes of one text; longer is cut */
/* Alerts kept; beyond, the oldest that are over and delivered go, then the oldest that are over, then
 * open ones that are less severe: a critical one always finds room. That some were lost is an alert
 * beyond the bound, "alerts-lost"; its count says how many. */
#define VW_ALERT_MAX_QUEUE 10000

enum vw_alert_severity { VW_ALERT_INFO = 0, VW_ALERT_WARNING, VW_ALERT_CRITICAL };
const char *vw_alert_severity_name(enum vw_alert_severity s); /* "info" "warning" "critical" */

struct vw_alert_detail {
	const char *key, *value;
};

/* What is told. Texts are borrowed for raise, owned by the alert that list and read return. */
struct vw_alert {
	char id[VW_ALERT_ID_SIZE]; /* raise makes it */
	int64_t time;              /* when it was raised, s since the epoch */
	int64_t resolved;          /* when it was over, 0 = it is not */
	const char *host;          /* where it was noticed */
	const char *domain, *uuid; /* "" = none */
	const char *kind;          /* "verify-failed", "cannot-start", "fix-refused" …: [a-z-]+ */
	enum vw_alert_severity severity;
	const char *summary; /* one line */
	const struct vw_alert_detail *details;
	size_t n_details;
	unsigned count; /* how often it was raised while open; raise counts */
};

struct vw_alerts;

/* Open (and create) the queue below statedir ("…/alerts"). Return: 0 or negative errno.
 * vw_alerts_close(NULL) is fine. */
int vw_alerts_open(const char *statedir, struct vw_alerts **ret, struct vw_err *err);
void vw_alerts_close(struct vw_alerts *q);

/* Raise: durable when it returns. An alert of the same kind, uuid and host that is open is the
 * same alert: its count and details are brought up to date, and sinks hear no more than the
 * policy's repeat wants. now: s since the epoch. ret_id may be NULL.
 * Return: 0 = new, 1 = was open already, or negative errno (-EDQUOT: too many as severe are open). */
int vw_alert_raise(struct vw_alerts *q, const struct vw_alert *a, int64_t now,
		   char ret_id[VW_ALERT_ID_SIZE], struct vw_err *err);

/* It is over: sinks that were told (or will be) are told that, too. Return: how many were open
 * (0 is no error), or negative errno. kind: NULL = every kind of this uuid. */
int vw_alert_resolve(struct vw_alerts *q, const char *kind, const char *uuid, const char *host,
		     int64_t now, struct vw_err *err);

#endif
