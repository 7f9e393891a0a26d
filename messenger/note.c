/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What became of a message: noted beside its alert, or in memory while the disk takes nothing. */
#include "messenger/messenger.h"

#include <errno.h>
#include <time.h>

void alert_note(struct messenger *m, const char *sink, const struct pending *p, struct result *r)
{
	struct vw_alert_memory memory;
	struct vw_alert_told *told;

	if (p->what == DUE_AGAIN)
		return;
	r->error[sizeof(r->error) - 1] = r->progress[sizeof(r->progress) - 1] = '\0';
	alert_memory_get(m, p->id, &memory);
	told = vw_alert_memory_get(&memory, sink);
	if (!told)
		return;
	if (r->code == 0) {
		alert_told(told, p->what, p->severity, p->count, time(NULL));
	} else {
		memcpy(told->progress, r->progress, sizeof(told->progress));
		alert_failed(told, m->context.policy, r->code == -EAGAIN, p->what, r->error,
			     time(NULL));
	}
	alert_memory_put(m, p->id, &memory);
}

static struct unsaved **find_unsaved(struct messenger *m, const char *id)
{
	struct unsaved **u = &m->unsaved;

	while (*u && strcmp((*u)->id, id) != 0)
		u = &(*u)->next;
	return u;
}

void alert_memory_get(struct messenger *m, const char *id, struct vw_alert_memory *ret)
{
	const struct unsaved *u = *find_unsaved(m, id);

	if (u)
		*ret = u->memory;
	else
		vw_alert_memory_read(m->q, id, ret);
}

void alert_memory_put(struct messenger *m, const char *id, const struct vw_alert_memory *memory)
{
	struct unsaved **u = find_unsaved(m, id), *old = *u;
	struct vw_err err = { 0 };

	if (vw_alert_memory_write(m->q, id, memory, &err) == 0) {
		if (old) {
			*u = old->next;
			free(old);
		}
		return;
	}
	if (!old) {
		fprintf(stderr, "virt-warden-alert: %s\n", err.text);
		old = *u = calloc(1, sizeof(*old));
	}
	if (!old)
		return; /* no disk and no memory: it may be told twice */
	snprintf(old->id, sizeof(old->id), "%s", id);
	old->memory = *memory;
}

void alert_memory_save(struct messenger *m)
{
	for (struct unsaved *u = m->unsaved, *next; u; u = next) {
		const struct vw_alert_memory memory = u->memory;
		char id[VW_ALERT_ID_SIZE];

		next = u->next;
		memcpy(id, u->id, sizeof(id));
		alert_memory_put(m, id, &memory);
	}
}
