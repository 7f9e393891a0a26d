/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is due for a sink: from the alert, from what the sink was told, from the clock. No state.
 *
 * Every sink hears that an alert was raised, then that it is over, in that order, each once. A
 * higher severity is told at once; what is raised again, only if repeat-seconds have passed. A
 * clock that was put back never makes anything wait longer than it would have had to. */
#include "messenger/messenger.h"

/* A message that a sink refuses, though it is up (a script fails, status 400): so often. */
#define REFUSALS_MAX 20

static struct due at(enum due_what what, int64_t when, int64_t now, int64_t longest)
{
	return (struct due){ what, when - now > longest ? now : when };
}

struct due alert_due(const struct sink *sink, const struct vw_alert_policy *p,
		     const struct vw_alert *a, const struct vw_alert_told *told, int64_t now)
{
	const int64_t last = told->last < now ? told->last : now;

	if (!told->raised)
		return at(DUE_RAISED, told->next, now, p->retry_max_seconds);
	if (a->resolved)
		return told->resolved ? (struct due){ DUE_NOTHING, 0 }
				      : at(DUE_RESOLVED, told->next, now, p->retry_max_seconds);
	if (a->severity > told->severity)
		return at(DUE_RAISED, told->next, now, p->retry_max_seconds);
	if (p->repeat_seconds && a->count > told->count && now - last >= p->repeat_seconds)
		return at(DUE_RAISED, told->next, now, p->retry_max_seconds);
	return (struct due){ sink->again ? DUE_AGAIN : DUE_NOTHING, now };
}

int64_t alert_backoff(const struct vw_alert_policy *p, unsigned failures)
{
	int64_t wait = p->retry_seconds;

	for (unsigned i = 1; i < failures && wait < p->retry_max_seconds; i++)
		wait *= 2;
	return wait < p->retry_max_seconds ? wait : p->retry_max_seconds;
}

void alert_told(struct vw_alert_told *told, enum due_what what, enum vw_alert_severity severity,
		unsigned count, int64_t now)
{
	told->raised = true;
	told->resolved = what == DUE_RESOLVED;
	told->severity = severity;
	told->count = count;
	told->last = now;
	told->next = 0;
	told->failures = 0;
	told->error[0] = told->progress[0] = '\0';
}

void alert_failed(struct vw_alert_told *told, const struct vw_alert_policy *p, bool down,
		  enum due_what what, const char *why, int64_t now)
{
	told->failures++;
	told->next = now + alert_backoff(p, told->failures);
	snprintf(told->error, sizeof(told->error), "%s", why);
	if (down || told->failures < REFUSALS_MAX)
		return;
	/* Refused for good: nobody waits for it any more; why stays to be seen. */
	told->raised = true;
	told->resolved = what == DUE_RESOLVED;
	told->count = UINT32_MAX;
	told->next = 0;
	told->failures = 0;
	told->progress[0] = '\0';
}
