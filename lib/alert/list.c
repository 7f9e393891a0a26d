/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Listing the queue, and what the sinks were told (alert-queue.h). */
#include "lib/alert/alert-store.h"

#include <errno.h>

struct entry {
	struct vw_alert *alert;
	enum vw_alert_state state;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->alert->time != y->alert->time)
		return x->alert->time < y->alert->time ? -1 : 1;
	return strcmp(x->alert->id, y->alert->id);
}

void vw_alert_list_clear(struct vw_alert_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		vw_alert_free(l->v[i]);
	free(l->v);
	free(l->states);
	*l = (struct vw_alert_list){ 0 };
}

/* Load those of the wanted states into e. A file that vanished meanwhile has changed its state:
 * whoever lists comes back. Return: 0 or -ENOMEM. */
static int load_all(const struct vw_alerts *q, const struct alert_slots *s, unsigned states,
		    struct entry *e, struct vw_alert_list *l)
{
	for (size_t i = 0; i < s->n; i++) {
		int r;

		if (!(states & (1u << s->v[i].state)))
			continue;
		r = alert_load(q, &s->v[i], &e[l->n].alert);
		if (r == -ENOMEM)
			return r;
		l->damaged += r < 0 && r != -ENOENT;
		if (r == 0)
			e[l->n++].state = s->v[i].state;
	}
	return 0;
}

int vw_alerts_list(struct vw_alerts *q, unsigned states, struct vw_alert_list *ret,
		   struct vw_err *err)
{
	VW_CLEANUP(alert_slots_clear) struct alert_slots s = { 0 };
	VW_AUTOFREE struct entry *e = NULL;
	struct vw_alert_list l = { 0 };
	int r = alert_scan(q, &s);

	if (r < 0)
		return alert_error(q, r, "cannot list the alerts", err);
	e = calloc(s.n + 1, sizeof(*e));
	l.v = calloc(s.n + 1, sizeof(struct vw_alert *));
	l.states = calloc(s.n + 1, sizeof(*l.states));
	r = e && l.v && l.states ? load_all(q, &s, states, e, &l) : -ENOMEM;
	if (e && l.n)
		qsort(e, l.n, sizeof(*e), compare_entries);
	for (size_t i = 0; l.v && l.states && i < l.n; i++) {
		l.v[i] = e[i].alert;
		l.states[i] = e[i].state;
	}
	if (r < 0) {
		vw_alert_list_clear(&l);
		return vw_err_set(err, r, "out of memory");
	}
	*ret = l;
	return 0;
}

void vw_alert_memory_read(struct vw_alerts *q, const char *id, struct vw_alert_memory *ret)
{
	VW_AUTOFREE char *text = NULL;
	char name[ALERT_NAME_SIZE];
	size_t len = 0;

	*ret = (struct vw_alert_memory){ .n = 0 };
	snprintf(name, sizeof(name), "%.32s.told", id);
	if (alert_read_file(q, name, &text, &len) == 0)
		vw_alert_memory_parse(text, len, ret);
}

struct vw_alert_told *vw_alert_memory_get(struct vw_alert_memory *m, const char *sink)
{
	struct vw_alert_told *t;

	for (size_t i = 0; i < m->n; i++)
		if (vw_streq(m->sinks[i].sink, sink))
			return &m->sinks[i];
	if (m->n == VW_ALERT_MAX_SINKS)
		return NULL;
	t = &m->sinks[m->n++];
	*t = (struct vw_alert_told){ .count = 0 };
	snprintf(t->sink, sizeof(t->sink), "%s", sink);
	return t;
}

int vw_alert_memory_write(struct vw_alerts *q, const char *id, const struct vw_alert_memory *m,
			  struct vw_err *err)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	char name[ALERT_NAME_SIZE];
	int r;

	alert_memory_format(&b, m);
	snprintf(name, sizeof(name), "%.32s.told", id);
	r = alert_write_file(q, ".new-told", name, &b);
	return r < 0 ? alert_error(q, r, "cannot note what was delivered", err) : 0;
}
