/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden alerts --follow: looks again whenever the queue changes (inotify). */
#include "plugin/cmd/alerts.h"
#include "plugin/cmd/cmd.h"
#include "plugin/out/alert.h"

#include <errno.h>
#include <poll.h>
#include <sys/inotify.h>
#include <time.h>

#define LOOK_MS 2000 /* without inotify, and to see that nobody reads us any more */
#define GATHER_MS 50

/* What was printed of an alert. */
struct seen {
	char id[VW_ALERT_ID_SIZE];
	unsigned count;
	bool resolved;
};
struct seen_list {
	struct seen *v;
	size_t n;
};

static int compare_seen(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->id, ((const struct seen *)b)->id);
}

static const char *event_of(const struct seen *old, const struct vw_alert *a)
{
	if (!old)
		return a->resolved ? "over" : "raised";
	if (a->resolved)
		return old->resolved ? NULL : "over";
	return a->count > old->count ? "again" : NULL;
}

static void print_event(struct cmd *cmd, const struct vw_alert *a, const char *event)
{
	static const enum out_style styles[] = { OUT_PLAIN, OUT_WARN, OUT_BAD };
	const time_t when = (time_t)(a->resolved ? a->resolved : a->time);
	VW_AUTOFREE char *line = NULL;
	char text[32] = "?";
	struct tm tm;

	if (cmd->json) {
		line = out_alert_text(a, a->resolved != 0);
		if (line)
			fprintf(cmd->out.f, "%s\n", line);
		return;
	}
	if (localtime_r(&when, &tm))
		strftime(text, sizeof(text), "%F %T", &tm);
	out_print(&cmd->out, OUT_DIM, "%s  %.8s  ", text, a->id);
	out_print(&cmd->out, a->resolved ? OUT_GOOD : styles[a->severity], "%-6s %-8s", event,
		  vw_alert_severity_name(a->severity));
	out_print(&cmd->out, OUT_PLAIN, "  %s  %s%s%s\n", a->kind, a->domain,
		  *a->domain ? ": " : "", a->summary);
}

/* Print what differs from what was printed. first: what is over already is no news. */
static int look(struct cmd *cmd, struct vw_alerts *q, const char *domain, struct seen_list *seen,
		bool first, struct vw_err *err)
{
	VW_AUTOALERTLIST struct vw_alert_list l = { 0 };
	struct seen *fresh;
	int r = vw_alerts_list(q, VW_ALERT_LIST_ALL, &l, err);

	if (r < 0)
		return r;
	fresh = calloc(l.n ? l.n : 1, sizeof(*fresh));
	if (!fresh)
		return vw_err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < l.n; i++) {
		const struct vw_alert *a = l.v[i];
		const struct seen *old;
		const char *event;

		snprintf(fresh[i].id, sizeof(fresh[i].id), "%s", a->id);
		fresh[i].count = a->count;
		fresh[i].resolved = a->resolved != 0;
		old = seen->n ? bsearch(&fresh[i], seen->v, seen->n, sizeof(*seen->v), compare_seen)
			      : NULL;
		event = event_of(old, a);
		if (event && alerts_is_of(a, domain) && !(first && a->resolved))
			print_event(cmd, a, event);
	}
	free(seen->v);
	seen->v = fresh;
	seen->n = l.n;
	if (l.n)
		qsort(fresh, l.n, sizeof(*fresh), compare_seen);
	return fflush(cmd->out.f) == 0 ? 0 : -EPIPE;
}

/* Until something changed, or nobody reads. Return: false at the latter. */
static bool wait_for_change(const struct cmd *cmd, int watch)
{
	char buf[4096];

	for (;;) {
		struct pollfd p[] = { { .fd = watch, .events = POLLIN },
				      { .fd = fileno(cmd->out.f), .events = 0 } };
		const int n = poll(p, 2, LOOK_MS);

		if (p[1].revents & (POLLERR | POLLHUP))
			return false;
		if (n == 0 && watch < 0)
			return true;
		if (n > 0 && p[0].revents) {
			poll(NULL, 0, GATHER_MS);
			while (read(watch, buf, sizeof(buf)) > 0)
				continue;
			return true;
		}
	}
}

int alerts_follow(struct cmd *cmd, struct vw_alerts *q, const char *domain)
{
	VW_AUTOCLOSE int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct seen_list seen = { 0 };
	struct vw_err err = { 0 };
	bool first = true;
	int r;

	if (watch >= 0 && inotify_add_watch(watch, vw_alerts_path(q), IN_MOVED_TO) < 0) {
		close(watch);
		watch = -1;
	}
	do {
		r = look(cmd, q, domain, &seen, first, &err);
		first = false;
	} while (r == 0 && wait_for_change(cmd, watch));
	free(seen.v);
	cmd->json_done = true;
	return r < 0 && r != -EPIPE ? cmd_fail(cmd, &err) : CMD_OK;
}
