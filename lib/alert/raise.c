/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Raising and resolving (alert.h). Under the lock; one rename commits each change. */
#include "lib/alert/alert-store.h"
#include "lib/base/open.h"
#include "lib/base/private-dir.h"
#include "lib/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/random.h>
#include <sys/stat.h>

#define NEW_FILE ".new"

static void free_alert(struct vw_alert **a)
{
	vw_alert_free(*a);
}

/* uuid and host in a file's name: finds what may be the same alert without reading all. */
static void subject_of(const char *uuid, const char *host, char ret[ALERT_SUBJECT_SIZE])
{
	uint64_t h = alert_hash(ALERT_HASH_START, uuid, strlen(uuid) + 1);

	snprintf(ret, ALERT_SUBJECT_SIZE, "%016" PRIx64, alert_hash(h, host, strlen(host)));
}

/* There is something to deliver: 8 bytes that were never there before. */
static int mark_todo(const struct vw_alerts *q)
{
	VW_AUTOCLOSE int fd = vw_private_file(q->dirfd, "todo");
	unsigned char stamp[8];

	if (fd < 0)
		return fd;
	if (getrandom(stamp, sizeof(stamp), 0) != sizeof(stamp))
		return -errno;
	stamp[0] |= 1; /* 0 = there is none */
	errno = ENOSPC;
	return pwrite(fd, stamp, sizeof(stamp), 0) == sizeof(stamp) ? 0 : -errno;
}

uint64_t vw_alerts_stamp(struct vw_alerts *q)
{
	VW_AUTOCLOSE int fd = vw_open(q->dirfd, "todo", VW_OPEN_NOLINK, NULL, NULL);
	uint64_t stamp = 0;

	return fd >= 0 && read(fd, &stamp, sizeof(stamp)) == sizeof(stamp) ? stamp : 0;
}

int vw_alerts_all_done(struct vw_alerts *q, uint64_t stamp, struct vw_err *err)
{
	VW_AUTOCLOSE int lock = alert_lock(q, err);
	int r;

	if (lock < 0)
		return lock;
	if (vw_alerts_stamp(q) != stamp)
		return -EAGAIN;
	r = vw_private_remove(q->dirfd, "todo");
	return r < 0 ? alert_error(q, r, "cannot remove todo", err) : 0;
}

/* The file of an alert under other states' names: what a writer left that was killed. */
void alert_unlink_others(const struct vw_alerts *q, struct alert_slot slot)
{
	const enum vw_alert_state keep = slot.state;
	char name[ALERT_NAME_SIZE];

	for (int s = VW_ALERT_OPEN; s <= VW_ALERT_DONE; s++) {
		slot.state = (enum vw_alert_state)s;
		alert_slot_name(&slot, name);
		if (slot.state != keep)
			unlinkat(q->dirfd, name, 0);
	}
}

static int store(const struct vw_alerts *q, const struct alert_slot *slot, const struct vw_alert *a)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	char name[ALERT_NAME_SIZE];
	int r = mark_todo(q);

	alert_format(&b, a);
	alert_slot_name(slot, name);
	if (r == 0)
		r = alert_write_file(q, NEW_FILE, name, &b);
	if (r == 0)
		alert_unlink_others(q, *slot);
	return r;
}

/* The open alert of that kind (NULL = any), uuid and host, from slot *pos on. Return: 1 = it
 * is in *ret, *pos is behind it; 0 = there is none; or negative errno. */
static int find_open(const struct vw_alerts *q, const struct alert_slots *s, size_t *pos,
		     const struct vw_alert *like, struct vw_alert **ret)
{
	char subject[ALERT_SUBJECT_SIZE];

	subject_of(like->uuid, like->host, subject);
	while (*pos < s->n) {
		const struct alert_slot *slot = &s->v[(*pos)++];
		VW_CLEANUP(free_alert) struct vw_alert *a = NULL;
		int r;

		if (slot->state != VW_ALERT_OPEN || strcmp(slot->subject, subject) != 0)
			continue;
		r = alert_load(q, slot, &a);
		if (r == -ENOMEM)
			return r;
		if (r < 0 || !vw_streq(a->uuid, like->uuid) || !vw_streq(a->host, like->host) ||
		    (like->kind && !vw_streq(a->kind, like->kind)))
			continue; /* damaged: not what is looked for */
		*ret = vw_steal(a);
		return 1;
	}
	return 0;
}

static int make_id(char ret[VW_ALERT_ID_SIZE])
{
	unsigned char r[16];

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		return -errno;
	for (size_t i = 0; i < sizeof(r); i++)
		snprintf(ret + 2 * i, 3, "%02x", r[i]);
	return 0;
}

/* A copy with texts that are fit to be kept. */
static int take_over(const struct vw_alert *from, struct vw_alert **ret)
{
	struct vw_alert *a = calloc(1, sizeof(*a));
	struct vw_alert_detail *details = calloc(VW_ALERT_MAX_DETAILS, sizeof(*details));
	bool whole = a && details;

	if (!whole) {
		free(a);
		free(details);
		return -ENOMEM;
	}
	a->details = details;
	a->severity = (unsigned)from->severity <= VW_ALERT_CRITICAL ? from->severity
								    : VW_ALERT_CRITICAL;
	a->host = vw_printable(from->host, VW_ALERT_MAX_TEXT);
	a->domain = vw_printable(from->domain, VW_ALERT_MAX_TEXT);
	a->uuid = vw_printable(from->uuid, VW_ALERT_MAX_TEXT);
	a->kind = alert_key(from->kind);
	a->summary = vw_printable(from->summary, VW_ALERT_MAX_TEXT);
	whole = a->host && a->domain && a->uuid && a->kind && a->summary;
	for (size_t i = 0; i < from->n_details && i < VW_ALERT_MAX_DETAILS; i++) {
		details[i].key = alert_key(from->details[i].key);
		details[i].value = vw_printable(from->details[i].value, VW_ALERT_MAX_TEXT);
		whole = whole && details[i].key && details[i].value;
		a->n_details++;
	}
	if (whole) {
		*ret = a;
		return 0;
	}
	vw_alert_free(a);
	return -ENOMEM;
}

/* Bring the alert up to date if it is open already, else it is a new one. a: its texts are fit to be
 * kept. ret_lost: set if another one had to go for it, or it found no room; NULL = it needs none.
 * Return: 0 = new, 1 = was open, negative errno. */
static int store_alert(const struct vw_alerts *q, const struct alert_slots *s, struct vw_alert *a,
		       int64_t now, bool *ret_lost)
{
	VW_CLEANUP(free_alert) struct vw_alert *old = NULL;
	struct alert_slot slot = { .state = VW_ALERT_OPEN };
	size_t pos = 0;
	int r = 0, found = find_open(q, s, &pos, a, &old);

	if (found < 0)
		return found;
	if (found) {
		memcpy(a->id, old->id, sizeof(a->id));
		a->time = old->time;
		a->count = old->count < UINT32_MAX ? old->count + 1 : old->count;
	} else {
		r = ret_lost ? alert_make_room(q, s, a->severity, ret_lost) : 0;
		if (r == 0)
			r = make_id(a->id);
		a->time = now;
		a->count = 1;
	}
	memcpy(slot.id, a->id, sizeof(slot.id));
	subject_of(a->uuid, a->host, slot.subject);
	if (r == 0)
		r = store(q, &slot, a);
	return r < 0 ? r : found;
}

/* An alert was lost: that is one, too, beyond the bound; its count says how many. */
static int tell_lost(const struct vw_alerts *q, const struct alert_slots *s, const char *host,
		     int64_t now)
{
	struct vw_alert lost = {
		.host = host,
		.domain = "",
		.uuid = "",
		.kind = ALERT_KIND_LOST,
		.severity = VW_ALERT_CRITICAL,
		.summary = "too many alerts are open: so many (count) of the least "
			   "severe were lost; see virt-warden alerts"
	};
	int r = store_alert(q, s, &lost, now, NULL);

	return r < 0 ? r : 0;
}

/* What raise does under the lock. a: taken over. Return: 0 = new, 1 = was open, negative errno. */
static int raise_locked(struct vw_alerts *q, struct vw_alert *a, int64_t now)
{
	VW_CLEANUP(alert_slots_clear) struct alert_slots s = { 0 };
	bool lost = false;
	int told = 0, r = alert_scan(q, &s);

	if (r == 0)
		r = store_alert(q, &s, a, now, &lost);
	if (lost)
		told = tell_lost(q, &s, a->host, now);
	return r < 0 || told == 0 ? r : told;
}

int vw_alert_raise(struct vw_alerts *q, const struct vw_alert *a, int64_t now,
		   char ret_id[VW_ALERT_ID_SIZE], struct vw_err *err)
{
	VW_CLEANUP(free_alert) struct vw_alert *own = NULL;
	VW_AUTOCLOSE int lock = -1;
	int r;

	if (!a->kind || !*a->kind || now <= 0)
		return vw_err_set(err, -EINVAL, "an alert needs a kind, and a clock that is set");
	r = take_over(a, &own);
	if (r < 0)
		return vw_err_set(err, r, "out of memory");
	lock = alert_lock(q, err);
	if (lock < 0)
		return lock;
	r = raise_locked(q, own, now);
	if (r == -EDQUOT)
		return vw_err_set(
			err, r, "%s: %d alerts are open: no more are kept; see virt-warden alerts",
			q->path, VW_ALERT_MAX_QUEUE);
	if (r < 0)
		return alert_error(q, r, "cannot keep an alert", err);
	if (ret_id)
		memcpy(ret_id, own->id, VW_ALERT_ID_SIZE);
	return r;
}

/* Under the lock: it is over. */
static int close_alert(const struct vw_alerts *q, struct vw_alert *a, int64_t now)
{
	struct alert_slot slot = { .state = VW_ALERT_OVER };

	memcpy(slot.id, a->id, sizeof(slot.id));
	subject_of(a->uuid, a->host, slot.subject);
	a->resolved = now > 0 ? now : 1;
	return store(q, &slot, a);
}

int vw_alert_resolve(struct vw_alerts *q, const char *kind, const char *uuid, const char *host,
		     int64_t now, struct vw_err *err)
{
	VW_AUTOFREE char *clean_uuid = vw_printable(uuid, VW_ALERT_MAX_TEXT);
	VW_AUTOFREE char *clean_host = vw_printable(host, VW_ALERT_MAX_TEXT);
	const struct vw_alert like = { .kind = kind, .uuid = clean_uuid, .host = clean_host };
	VW_CLEANUP(alert_slots_clear) struct alert_slots s = { 0 };
	VW_AUTOCLOSE int lock = -1;
	size_t pos = 0;
	int r, n = 0;

	if (!clean_uuid || !clean_host)
		return vw_err_set(err, -ENOMEM, "out of memory");
	lock = alert_lock(q, err);
	if (lock < 0)
		return lock;
	r = alert_scan(q, &s);
	while (r >= 0) {
		VW_CLEANUP(free_alert) struct vw_alert *a = NULL;

		r = find_open(q, &s, &pos, &like, &a);
		if (r <= 0)
			break;
		r = close_alert(q, a, now);
		n++;
	}
	return r < 0 ? alert_error(q, r, "cannot resolve an alert", err) : n;
}

/* The alert whose id begins so. Return: its slot; NULL with *ret_code: none, or several. */
static const struct alert_slot *slot_of(const struct alert_slots *s, const char *id, int *ret_code)
{
	const size_t len = strlen(id);
	const struct alert_slot *found = NULL;

	*ret_code = -ENOENT;
	for (size_t i = 0; len >= 8 && i < s->n; i++) {
		if (strncmp(s->v[i].id, id, len) != 0)
			continue;
		if (found) {
			*ret_code = -EINVAL;
			return NULL;
		}
		found = &s->v[i];
	}
	return found;
}

int vw_alert_resolve_id(struct vw_alerts *q, const char *id, int64_t now, struct vw_err *err)
{
	VW_CLEANUP(alert_slots_clear) struct alert_slots s = { 0 };
	VW_CLEANUP(free_alert) struct vw_alert *a = NULL;
	VW_AUTOCLOSE int lock = alert_lock(q, err);
	const struct alert_slot *slot;
	int r;

	if (lock < 0)
		return lock;
	r = alert_scan(q, &s);
	if (r < 0)
		return alert_error(q, r, "cannot resolve an alert", err);
	slot = slot_of(&s, id, &r);
	if (!slot && r == -ENOENT)
		return vw_err_set(err, r, "%.40s: there is no alert of that id (8 digits at least)",
				  id);
	if (!slot)
		return vw_err_set(err, r, "%.40s: more than one alert begins so: give more digits",
				  id);
	if (slot->state != VW_ALERT_OPEN)
		return 0;
	r = alert_load(q, slot, &a);
	if (r == 0)
		r = close_alert(q, a, now);
	return r < 0 ? alert_error(q, r, "cannot resolve an alert", err) : 1;
}

int vw_alert_finish(struct vw_alerts *q, const char *id, struct vw_err *err)
{
	VW_CLEANUP(alert_slots_clear) struct alert_slots s = { 0 };
	VW_AUTOCLOSE int lock = alert_lock(q, err);
	char from[ALERT_NAME_SIZE], to[ALERT_NAME_SIZE];
	const struct alert_slot *slot;
	struct alert_slot done;
	int r;

	if (lock < 0)
		return lock;
	r = alert_scan(q, &s);
	slot = r < 0 ? NULL : slot_of(&s, id, &r);
	if (!slot)
		return alert_error(q, r, "cannot finish an alert", err);
	if (slot->state != VW_ALERT_OVER)
		return 0;
	done = *slot;
	done.state = VW_ALERT_DONE;
	alert_slot_name(slot, from);
	alert_slot_name(&done, to);
	if (renameat(q->dirfd, from, q->dirfd, to) < 0)
		return alert_error(q, -errno, "cannot finish an alert", err);
	alert_unlink_others(q, done);
	return 0;
}
