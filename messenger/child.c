/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The child that serves one sink: one message after the other, a result for each; what is more
 * than the sink may get in a minute goes into one summary. */
#include "messenger/messenger.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/syscall.h>

const struct sink *const sinks[N_SINKS] = { &sink_log, &sink_scripts, &sink_webhook,
					    &sink_alertmanager, &sink_mail };

static void on_term(int signo)
{
	(void)signo;
	alert_run_kill();
	_exit(EXIT_FAILURE);
}

/* The rights of root that a sink's own code needs none of: files of root are read and written as
 * their owner. Nor are any had again by a program, should somebody make it run one. */
static void drop_rights(void)
{
	struct {
		uint32_t version;
		int pid;
	} head = { .version = 0x20080522 }; /* capget(2): version 3 */
	const uint32_t none[2][3] = { { 0 } };

	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &head, none) < 0)
		_exit(EXIT_FAILURE);
}

static void become_child(bool runs_programs)
{
	const struct sigaction term = { .sa_handler = on_term };
	sigset_t none;

	sigaction(SIGTERM, &term, NULL);
	sigaction(SIGINT, &term, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (!runs_programs)
		drop_rights();
}

/* What a child knows of itself. */
struct child {
	struct messenger *m;
	const struct sink *sink;
	const struct run *run;
	const struct sink_context *c;
	struct item *items;
	int fd;
};

/* What became of messages; the next one waits until the parent has noted these. If it was killed
 * meanwhile we note it ourselves, and end: whoever comes next waits for our lock, which we
 * share with it. So nothing is told twice unless we are killed, too. */
static void report(const struct child *ch, size_t first, size_t n, int code,
		   const struct vw_err *err, const struct message *m)
{
	bool alone = false;

	for (size_t i = first; i < first + n; i++) {
		struct result r = { .item = (uint32_t)i, .code = code };
		char noted;

		if (code < 0)
			snprintf(r.error, sizeof(r.error), "%.*s", (int)sizeof(r.error) - 1,
				 err->text);
		memcpy(r.progress, m->progress, sizeof(r.progress));
		alone = alone || write(ch->fd, &r, sizeof(r)) != (ssize_t)sizeof(r) ||
			read(ch->fd, &noted, 1) != 1;
		if (alone)
			alert_note(ch->m, ch->sink->name, &ch->run->pending[i], &r);
	}
	if (alone)
		_exit(EXIT_FAILURE);
}

/* What one summary says of one alert: "web1: web1 is dead". */
static char *summary_line(const struct item *item)
{
	const struct vw_alert *a = item->message.alert;
	char *line = NULL;

	if (asprintf(&line, "%s%s%s%s: %s", item->message.resolved ? "over: " : "", a->kind,
		     *a->domain ? " " : "", a->domain, a->summary) < 0)
		return NULL;
	return line;
}

static void make_id(char ret[VW_ALERT_ID_SIZE])
{
	unsigned char r[16] = { 0 };

	(void)!getrandom(r, sizeof(r), 0);
	for (size_t i = 0; i < sizeof(r); i++)
		snprintf(ret + 2 * i, 3, "%02x", r[i]);
}

/* One message for all of them. The first VW_ALERT_MAX_DETAILS are named, with their ids. */
static int send_summary(const struct sink *sink, const struct sink_context *c,
			const struct item *items, size_t n, struct vw_err *err)
{
	struct vw_alert_detail details[VW_ALERT_MAX_DETAILS];
	struct message m = { .severity = VW_ALERT_INFO };
	struct vw_alert a = { .time = c->now,
			      .host = c->host,
			      .domain = "",
			      .uuid = "",
			      .kind = "alerts-summary",
			      .details = details,
			      .count = 1 };
	size_t shown = n < VW_ALERT_MAX_DETAILS ? n : VW_ALERT_MAX_DETAILS, raised = 0;
	char text[160];
	int r;

	for (size_t i = 0; i < n; i++) {
		raised += !items[i].message.resolved;
		if (items[i].message.severity > a.severity)
			a.severity = items[i].message.severity;
	}
	for (size_t i = 0; i < shown; i++)
		details[i] = (struct vw_alert_detail){ items[i].message.alert->id,
						       summary_line(&items[i]) };
	for (size_t i = 0; i < shown; i++)
		if (!details[i].value)
			details[i].value = "";
	snprintf(text, sizeof(text),
		 "%zu alerts at once: %zu raised, %zu over; see virt-warden alerts --all", n,
		 raised, n - raised);
	a.summary = text;
	a.n_details = shown;
	make_id(a.id);
	m.alert = &a;
	m.severity = a.severity;
	r = sink->send(c, &m, 1, err);
	return r; /* the lines go with the process */
}

/* All in one call; if that is refused, one of them is to blame: each alone. */
static void send_all(const struct child *ch, size_t n)
{
	struct message *m = calloc(n, sizeof(*m));
	struct vw_err err = { 0 };
	int r;

	if (!m)
		_exit(EXIT_FAILURE);
	for (size_t i = 0; i < n; i++)
		m[i] = ch->items[i].message;
	r = ch->sink->send(ch->c, m, n, &err);
	if (r == 0 || r == -EAGAIN || n == 1) {
		report(ch, 0, r == -EAGAIN ? 1 : n, r, &err, m);
		return;
	}
	for (size_t i = 0; i < n && r != -EAGAIN; i++) {
		r = ch->sink->send(ch->c, &m[i], 1, &err);
		report(ch, i, 1, r, &err, &m[i]);
	}
}

static void send_some(const struct child *ch, size_t n, size_t single)
{
	struct vw_err err = { 0 };
	int r = 0;

	for (size_t i = 0; i < single && r != -EAGAIN; i++) {
		struct message *m = &ch->items[i].message;

		r = ch->sink->send(ch->c, m, 1, &err);
		report(ch, i, 1, r, &err, m);
	}
	if (single == n || r == -EAGAIN)
		return;
	r = send_summary(ch->sink, ch->c, ch->items + single, n - single, &err);
	/* Refused or not up: they stay, and are tried again. */
	report(ch, single, r < 0 ? 1 : n - single, r < 0 ? -EAGAIN : 0, &err,
	       &ch->items[single].message);
}

void alert_child(struct messenger *m, size_t sink, struct item *items, size_t single, int fd)
{
	const struct child ch = {
		.m = m,
		.sink = sinks[sink],
		.run = &m->runs[sink],
		.c = &m->context,
		.items = items,
		.fd = fd,
	};

	become_child(ch.sink->runs_programs);
	if (ch.sink->all_at_once)
		send_all(&ch, ch.run->n);
	else
		send_some(&ch, ch.run->n, single);
	_exit(EXIT_SUCCESS);
}
