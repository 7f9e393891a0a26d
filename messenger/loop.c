/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden-alert's loop: sleeps until an alert changes (inotify), a sink's child reports, it is
 * time, or a signal comes. */
#include "messenger/messenger.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define GATHER_MS 100 /* alerts come in flocks: wait so long for the others */
#define BLIND_S 5     /* without inotify: look so often */
#define CHILD_MS 300  /* a sink's child has so long to end; some end together … */
#define END_MS 1500   /* … and we after so long at the latest */
#define STACK (64 << 10)

/* The sink is not up: all its messages wait. */
static void put_off(struct messenger *m, struct run *run, const char *name, const char *why)
{
	run->down = true;
	run->failures++;
	run->next = time(NULL) + alert_backoff(m->context.policy, run->failures);
	if (run->failures == 1)
		fprintf(stderr, "virt-warden-alert: %s: %s\n", name, why);
}

static void take_result(struct messenger *m, size_t k, struct result *r)
{
	struct run *run = &m->runs[k];

	if (r->item >= run->n)
		return;
	run->reported++;
	if (r->code == 0)
		run->failures = 0;
	else if (r->code == -EAGAIN)
		put_off(m, run, sinks[k]->name, r->error);
	alert_note(m, sinks[k]->name, &run->pending[r->item], r);
}

/* The child's end. Return: true, for there may be more for its sink now. */
static bool end_child(struct messenger *m, size_t k)
{
	struct run *run = &m->runs[k];
	int status = 0;

	close(run->fd);
	while (waitpid(run->child, &status, 0) < 0 && errno == EINTR)
		continue;
	run->child = 0;
	if (run->reported < run->n && !run->down && !m->stop) {
		char why[64];

		snprintf(why, sizeof(why), "its process ended early (status 0x%x)", status);
		put_off(m, run, sinks[k]->name, why);
	}
	return true;
}

/* Return: true if the child ended. */
static bool take_results(struct messenger *m, size_t k)
{
	struct result r;
	const ssize_t n = read(m->runs[k].fd, &r, sizeof(r));

	if (n == (ssize_t)sizeof(r)) {
		take_result(m, k, &r);
		(void)!send(m->runs[k].fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
		return false;
	}
	return (n < 0 && errno == EINTR) ? false : end_child(m, k);
}

static void take_signals(struct messenger *m)
{
	struct signalfd_siginfo info;

	while (read(m->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		continue; /* a reason to look; or m->stop was set */
}

/* Return: true if an alert was written. */
static bool take_events(struct messenger *m)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool written = false;
	ssize_t n;

	while ((n = read(m->inotify, buf, sizeof(buf))) > 0)
		for (char *p = buf; p < buf + n;) {
			const struct inotify_event *e = (const struct inotify_event *)p;
			const char *dot = e->len ? strrchr(e->name, '.') : NULL;

			written = written || e->mask & IN_Q_OVERFLOW || vw_streq(dot, ".open") ||
				  vw_streq(dot, ".over");
			p += sizeof(*e) + e->len;
		}
	return written;
}

static int timeout_of(const struct messenger *m, int64_t next)
{
	const int64_t longest = m->inotify < 0 ? BLIND_S : 3600;
	const int64_t wait = next ? next - (int64_t)time(NULL) : longest;

	return wait <= 0 ? 0 : (int)(wait < longest ? wait : longest) * 1000;
}

/* Until there is reason for another look. */
static void wait_for_reason(struct messenger *m, int64_t next)
{
	for (bool reason = false; !reason && !m->stop;) {
		struct pollfd p[2 + N_SINKS];
		int n;

		p[0] = (struct pollfd){ .fd = m->signals, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = m->inotify, .events = POLLIN };
		for (size_t k = 0; k < N_SINKS; k++)
			p[2 + k] = (struct pollfd){ .fd = m->runs[k].child ? m->runs[k].fd : -1,
						    .events = POLLIN };
		n = poll(p, VW_N_ELEMENTS(p), timeout_of(m, next));
		if (n < 0)
			continue;
		reason = n == 0;
		if (p[0].revents) {
			take_signals(m);
			reason = true;
		}
		if (p[1].revents && take_events(m)) {
			poll(NULL, 0, GATHER_MS);
			reason = true;
		}
		for (size_t k = 0; k < N_SINKS; k++)
			if (p[2 + k].revents && take_results(m, k))
				reason = true;
	}
}

/* A thread: the main one may wait for a disk when we are told to end. What it was about is done
 * again by the next messenger, as after a crash. */
static void *hear_end(void *arg)
{
	struct messenger *m = arg;
	sigset_t set;
	int signal;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigwait(&set, &signal) != 0)
		return NULL;
	m->stop = true;
	kill(getpid(), SIGHUP); /* wakes the main thread */
	poll(NULL, 0, END_MS);
	_exit(EXIT_SUCCESS);
}

static int watch(struct messenger *m, struct vw_err *err)
{
	pthread_attr_t attr;
	pthread_t thread;
	sigset_t set;
	int r;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK);
	r = pthread_create(&thread, &attr, hear_end, m);
	pthread_attr_destroy(&attr);
	if (r)
		return vw_err_set(err, -r, "no thread could be started: %s", strerror(r));
	sigdelset(&set, SIGTERM);
	sigdelset(&set, SIGINT);
	m->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (m->signals < 0)
		return vw_err_set(err, -errno, "signals can't be watched: %s", strerror(errno));
	m->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (m->inotify >= 0 &&
	    inotify_add_watch(m->inotify, vw_alerts_path(m->q), IN_MOVED_TO) < 0) {
		close(m->inotify);
		m->inotify = -1;
	}
	return 0;
}

/* Told to end: the children, too; what they still report is noted. One that does not end is ended. */
static void stop_children(struct messenger *m)
{
	for (size_t k = 0; k < N_SINKS; k++)
		if (m->runs[k].child)
			kill(m->runs[k].child, SIGTERM);
	for (size_t k = 0; k < N_SINKS; k++)
		while (m->runs[k].child) {
			struct pollfd p = { .fd = m->runs[k].fd, .events = POLLIN };

			if (poll(&p, 1, CHILD_MS) == 0)
				kill(m->runs[k].child, SIGKILL);
			else
				take_results(m, k);
		}
}

static void clear(struct messenger *m)
{
	for (size_t k = 0; k < N_SINKS; k++)
		free(m->runs[k].pending);
	for (struct unsaved *u = m->unsaved, *next; u; u = next) {
		next = u->next;
		free(u);
	}
	if (m->inotify >= 0)
		close(m->inotify);
	if (m->signals >= 0)
		close(m->signals);
}

int alert_loop(struct vw_alerts *q, const char *conf, const char *alert_d, const char *host,
	       struct vw_err *err)
{
	static struct messenger m; /* the thread has it until the process is gone */
	int r;

	m = (struct messenger){ .q = q, .conf = conf, .inotify = -1, .signals = -1 };
	vw_policy_defaults(&m.policy);
	m.context = (struct sink_context){ &m.policy.alerts, alert_d, host, 0 };
	r = watch(&m, err);
	while (r == 0 && !m.stop) {
		const uint64_t stamp = vw_alerts_stamp(q);
		const int64_t next = alert_round(&m);

		if (next >= 0) {
			wait_for_reason(&m, next);
			continue;
		}
		r = vw_alerts_all_done(q, stamp, err);
		if (r != -EAGAIN)
			break;
		r = 0;
	}
	stop_children(&m);
	clear(&m);
	return r;
}
