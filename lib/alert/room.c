/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Room for one more alert. The queue is bounded; a flood of what matters little must not keep out what
 * matters: the least severe go first, and that some went is told as an alert of its own (raise.c). */
#include "lib/alert/alert-store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define PRUNE_AT_ONCE 64 /* so that not every alert beyond the bound has to look for one */
#define LOOK_AT 256      /* of those that are open, the oldest: 5 ms */

struct aged {
	enum vw_alert_state state;
	int64_t time;
	const struct alert_slot *slot;
};

/* Those that are done first, then those that are over, then the open ones; the oldest first. */
static int compare_aged(const void *a, const void *b)
{
	const struct aged *x = a, *y = b;

	if (x->state != y->state)
		return (int)y->state - (int)x->state;
	return x->time < y->time ? -1 : x->time > y->time;
}

static void remove_alert(const struct vw_alerts *q, const struct alert_slot *slot)
{
	char name[ALERT_NAME_SIZE];

	alert_unlink_others(q, *slot);
	alert_slot_name(slot, name);
	unlinkat(q->dirfd, name, 0);
	snprintf(name, sizeof(name), "%s.told", slot->id);
	unlinkat(q->dirfd, name, 0);
}

/* How severe is an alert, if it may make room for one of that severity? -1 = it may not. One that can't
 * be read tells nobody anything. */
static int weight_of(const struct vw_alerts *q, const struct alert_slot *slot,
		     enum vw_alert_severity severity)
{
	struct vw_alert *a = NULL;
	int r = alert_load(q, slot, &a);
	int weight = r == -ENOMEM ? -1 : VW_ALERT_INFO;

	if (r == 0) {
		weight = (int)a->severity;
		if (vw_streq(a->kind, ALERT_KIND_LOST) ||
		    (a->severity >= severity && severity < VW_ALERT_CRITICAL))
			weight = -1;
	}
	vw_alert_free(a);
	return weight;
}

/* Open ones: the least severe of the oldest goes; for a critical one at last a critical one that is
 * older. Return: 0 or -EDQUOT. */
static int displace(const struct vw_alerts *q, const struct aged *open, size_t n,
		    enum vw_alert_severity severity)
{
	const struct alert_slot *found = NULL;
	int least = VW_ALERT_CRITICAL + 1;

	for (size_t i = 0; i < n && least > VW_ALERT_INFO; i++) {
		int weight;

		if (i >= LOOK_AT && found)
			break;
		weight = weight_of(q, open[i].slot, severity);
		if (weight >= 0 && weight < least) {
			least = weight;
			found = open[i].slot;
		}
	}
	if (!found)
		return -EDQUOT;
	remove_alert(q, found);
	return 0;
}

int alert_make_room(const struct vw_alerts *q, const struct alert_slots *s,
		    enum vw_alert_severity severity, bool *ret_lost)
{
	VW_AUTOFREE struct aged *all = NULL;
	char name[ALERT_NAME_SIZE];
	size_t n = 0, over = 0;

	if (s->n < VW_ALERT_MAX_QUEUE)
		return 0;
	all = calloc(s->n, sizeof(*all));
	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < s->n; i++) {
		struct stat st;

		alert_slot_name(&s->v[i], name);
		if (fstatat(q->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		over += s->v[i].state != VW_ALERT_OPEN;
		all[n++] = (struct aged){ s->v[i].state, st.st_mtime, &s->v[i] };
	}
	qsort(all, n, sizeof(*all), compare_aged);
	for (size_t i = 0;
	     i < over &&
	     i < s->n - VW_ALERT_MAX_QUEUE + (all[i].state == VW_ALERT_DONE ? PRUNE_AT_ONCE : 1);
	     i++)
		remove_alert(q, all[i].slot);
	if (over)
		return 0;
	*ret_lost = true;
	return displace(q, all, n, severity);
}
