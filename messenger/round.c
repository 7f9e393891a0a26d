/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One look at the queue: what is due goes to its sinks, what every sink knows is over is done.
 * It reads all from disk each time; only what failed, and how much was sent, is kept in memory. */
#include "messenger/messenger.h"
#include "lib/conf/conf.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#define WINDOW 60      /* seconds: per-minute */
#define FINISH_MAX 200 /* alerts in one look */
#define SETTLED 2      /* seconds since warden.conf was written */

struct look {
	struct messenger *m;
	struct vw_alert_list list;
	struct vw_alert_memory *memory; /* of each alert in the list */
	int64_t now, next;
	bool left;
	bool wanted[N_SINKS]; /* asked once: a sink looks at files for it */
};

static int64_t earlier(int64_t a, int64_t b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

/* The newest warden.conf; a bad one is said once, and the last good one stays. One that was
 * written just now may be half: it waits, lest a sink be taken for gone. Return: false if so. */
static bool load_policy(struct messenger *m, int64_t now)
{
	struct vw_err err = { 0 };
	struct stat st = { .st_mtime = 0 };
	uint64_t stamp;

	if (stat(m->conf, &st) < 0)
		st.st_mtime = 0;
	stamp = (uint64_t)st.st_mtim.tv_sec * 1000003u ^ (uint64_t)st.st_mtim.tv_nsec ^
		(uint64_t)st.st_ino << 20 ^ (uint64_t)st.st_size;
	if (m->loaded && stamp == m->stamp)
		return true;
	if (m->loaded && st.st_mtime <= now && now - st.st_mtime < SETTLED)
		return false;
	m->loaded = true;
	m->stamp = stamp;
	if (vw_conf_load(m->conf, &m->policy, &err) < 0)
		fprintf(stderr, "virt-warden-alert: %s\n", err.text);
	return true;
}

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->message.severity != y->message.severity)
		return x->message.severity > y->message.severity ? -1 : 1;
	if (x->message.alert->time != y->message.alert->time)
		return x->message.alert->time < y->message.alert->time ? -1 : 1;
	return strcmp(x->message.alert->id, y->message.alert->id);
}

/* What is due for a sink. Return: how many items. */
static size_t collect(struct look *l, const struct sink *sink, struct run *run, struct item *items)
{
	size_t n = 0;

	for (size_t i = 0; i < l->list.n; i++) {
		const struct vw_alert *a = l->list.v[i];
		const struct vw_alert_told *told = vw_alert_memory_get(&l->memory[i], sink->name);
		struct due due;

		if (!told)
			continue;
		due = alert_due(sink, l->m->context.policy, a, told, l->now);
		if (due.what == DUE_AGAIN)
			due.when = run->again;
		if (due.what == DUE_NOTHING)
			continue;
		l->left = true;
		if (due.when > l->now) {
			l->next = earlier(l->next, due.when);
			continue;
		}
		items[n].what = due.what;
		items[n].message.alert = a;
		items[n].message.resolved = due.what == DUE_RESOLVED;
		/* What it was told is over, under the name by which it knows it. */
		items[n].message.severity = due.what == DUE_RESOLVED ? told->severity : a->severity;
		memcpy(items[n++].message.progress, told->progress, sizeof(told->progress));
	}
	if (n)
		qsort(items, n, sizeof(*items), compare_items);
	return n;
}

/* How many messages the sink may get now, at most n. */
static size_t allowance(const struct look *l, const struct sink *sink, struct run *run, size_t n)
{
	const unsigned most = l->m->context.policy->per_minute;

	if (!sink->limited)
		return n;
	if (l->now >= run->window + WINDOW || l->now < run->window) {
		run->window = l->now;
		run->sent = 0;
	}
	return run->sent >= most ? 0 : most - run->sent < n ? most - run->sent : n;
}

static bool remember(struct run *run, const struct item *items, size_t n)
{
	run->pending = calloc(n, sizeof(*run->pending));
	if (!run->pending)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct pending *p = &run->pending[i];

		memcpy(p->id, items[i].message.alert->id, sizeof(p->id));
		p->what = items[i].what;
		p->severity = items[i].message.severity;
		p->count = items[i].message.alert->count;
	}
	run->n = n;
	run->reported = 0;
	run->down = false;
	return true;
}

static void start(struct look *l, size_t k, struct item *items, size_t n, size_t single)
{
	struct run *run = &l->m->runs[k];
	int ends[2];

	if (!remember(run, items, n) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		l->next = l->now + 1;
		return;
	}
	run->child = fork();
	if (run->child == 0) {
		close(ends[0]);
		alert_child(l->m, k, items, single, ends[1]);
	}
	close(ends[1]);
	run->fd = ends[0];
	if (run->child < 0) { /* no process to be had: soon again */
		close(ends[0]);
		run->child = 0;
		l->next = l->now + 1;
	}
}

static void serve(struct look *l, size_t k)
{
	const struct sink *sink = sinks[k];
	struct run *run = &l->m->runs[k];
	const struct vw_alert_policy *p = l->m->context.policy;
	VW_AUTOFREE struct item *items = NULL;
	size_t n, allowed;

	if (run->child) {
		l->left = true;
		return;
	}
	free(vw_steal(run->pending));
	items = calloc(l->list.n ? l->list.n : 1, sizeof(*items));
	n = items ? collect(l, sink, run, items) : 0;
	if (!n)
		return;
	if (run->next > l->now && run->next - l->now <= p->retry_max_seconds) {
		l->next = earlier(l->next, run->next);
		return;
	}
	allowed = allowance(l, sink, run, n);
	if (!allowed) {
		l->next = earlier(l->next, run->window + WINDOW);
		return;
	}
	if (sink->again)
		run->again = l->now + p->resend_seconds;
	run->sent += (unsigned)allowed;
	start(l, k, items, n, allowed == n ? n : allowed - 1);
}

/* Does every sink that there is know that it is over? */
static bool all_know(const struct look *l, size_t i)
{
	for (size_t k = 0; k < N_SINKS; k++) {
		const struct vw_alert_told *t = l->wanted[k] ? vw_alert_memory_get(&l->memory[i],
										   sinks[k]->name)
							     : NULL;

		if (t && !t->resolved)
			return false;
	}
	return true;
}

/* What is over, and known to be: a bounded piece, for others wait. */
static void finish(struct look *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->list.n; i++) {
		if (!l->list.v[i]->resolved || !all_know(l, i))
			continue;
		if (n++ == FINISH_MAX) {
			l->left = true;
			l->next = l->now;
			return;
		}
		if (vw_alert_finish(l->m->q, l->list.v[i]->id, NULL) < 0) {
			l->left = true;
			l->next = earlier(l->next, l->now + 5);
		}
	}
}

static bool knows_any(const struct look *l, size_t k)
{
	for (size_t i = 0; i < l->list.n; i++) {
		const struct vw_alert_told *t = vw_alert_memory_get(&l->memory[i], sinks[k]->name);

		if (t && t->raised)
			return true;
	}
	return false;
}

/* A log daemon that is started anew is away for a moment: what was seen, or has been told of what is
 * not over yet, counts as there. */
static bool is_wanted(const struct look *l, size_t k)
{
	struct run *run = &l->m->runs[k];

	run->seen = run->seen || !sinks[k]->is_there || sinks[k]->is_there() || knows_any(l, k);
	return run->seen && sinks[k]->wanted(&l->m->context);
}

int64_t alert_round(struct messenger *m)
{
	struct look l = { .m = m, .now = time(NULL) };
	struct vw_err err = { 0 };

	if (!load_policy(m, l.now)) {
		l.left = true;
		l.next = l.now + 1;
	}
	alert_memory_save(m);
	m->context.now = l.now;
	if (vw_alerts_list(m->q, VW_ALERT_LIST_OPEN | VW_ALERT_LIST_OVER, &l.list, &err) == 0)
		l.memory = calloc(l.list.n ? l.list.n : 1, sizeof(*l.memory));
	if (!l.memory) {
		vw_alert_list_clear(&l.list);
		return l.now + 5;
	}
	alert_metrics_write(m->context.policy->metrics, &l.list);
	for (size_t i = 0; i < l.list.n; i++)
		alert_memory_get(m, l.list.v[i]->id, &l.memory[i]);
	for (size_t k = 0; k < N_SINKS; k++)
		l.wanted[k] = is_wanted(&l, k);
	finish(&l);
	for (size_t k = 0; k < N_SINKS; k++)
		if (l.wanted[k] || m->runs[k].child)
			serve(&l, k);
	l.left = l.left || m->unsaved;
	if (m->unsaved)
		l.next = earlier(l.next, l.now + 5);
	free(l.memory);
	vw_alert_list_clear(&l.list);
	return l.left ? l.next : -1;
}
