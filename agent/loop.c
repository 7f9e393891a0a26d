/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The agent's two threads, and what they wait for.
 *
 * The main thread does the work: it waits for descriptors, for news and for time (agent_loop_wait),
 * and in calls of libvirt. A second one runs libvirt's event loop and never calls libvirtd: so
 * keepalive goes on while the main thread waits in a call, which then fails when libvirtd is
 * silent (a call that waits alone waits for ever). The second thread also hears signals, and ends
 * the process if the main thread can't: a disk may hang, too. */
#include "agent/agent.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#define STOP_MS 1000      /* so long the main thread may take to end; then … */
#define LAST_S 1          /* … the kernel ends us if removing two files takes so long */
#define STACK (128 << 10) /* bytes, of the second thread */

/* What the main thread waits for. A place whose fd is -1 is free. */
struct watches {
	struct pollfd *polled;
	struct agent_watch {
		agent_watch_fn *fn;
		void *opaque;
	} * v;
	size_t n;
};

struct agent_loop {
	struct watches w;
	int wake_fd;
	pthread_t thread; /* of libvirt's loop */
	bool has_thread;
	_Atomic bool over;
	char *state, *pidfile; /* files to remove if the main thread can't; may be NULL */
};

static int more_places(struct watches *w)
{
	size_t n = w->n ? w->n * 2 : 8;
	struct pollfd *polled = reallocarray(w->polled, n, sizeof(*polled));
	struct agent_watch *v;

	if (!polled)
		return -ENOMEM;
	w->polled = polled;
	v = reallocarray(w->v, n, sizeof(*v));
	if (!v)
		return -ENOMEM;
	w->v = v;
	for (; w->n < n; w->n++)
		w->polled[w->n] = (struct pollfd){ .fd = -1 };
	return 0;
}

int agent_watch(struct agent *a, int fd, agent_watch_fn *fn, void *opaque)
{
	struct watches *w = &a->loop->w;
	size_t i = 0;

	while (i < w->n && w->polled[i].fd >= 0)
		i++;
	if (i == w->n && more_places(w) < 0)
		return -1;
	w->polled[i] = (struct pollfd){ .fd = fd, .events = POLLIN };
	w->v[i] = (struct agent_watch){ .fn = fn, .opaque = opaque };
	return (int)i;
}

void agent_unwatch(struct agent *a, int watch)
{
	a->loop->w.polled[watch] = (struct pollfd){ .fd = -1 };
}

void agent_wake(struct agent *a)
{
	(void)!write(a->loop->wake_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

static void on_wake(int watch, int fd, void *opaque)
{
	uint64_t n;

	(void)watch, (void)opaque;
	(void)!read(fd, &n, sizeof(n));
}

void agent_loop_wait(struct agent *a, int64_t ms)
{
	struct watches *w = &a->loop->w;
	int n = poll(w->polled, w->n, ms > 3600000 ? 3600000 : (int)ms);

	for (size_t i = 0; n > 0 && i < w->n; i++) {
		if (w->polled[i].fd < 0 || !w->polled[i].revents)
			continue;
		w->polled[i].revents = 0; /* fn may give the place to another */
		w->v[i].fn((int)i, w->polled[i].fd, w->v[i].opaque);
	}
}

/* The main thread did not end: it waits for a disk or for libvirtd. What it was doing is looked
 * at by the next agent, as after a crash. */
static void end_now(int timer, void *opaque)
{
	const struct agent_loop *l = opaque;

	(void)timer;
	alarm(LAST_S);
	if (l->state)
		unlink(l->state);
	if (l->pidfile)
		unlink(l->pidfile);
	_exit(EXIT_SUCCESS);
}

static void on_signal(int watch, int fd, int events, void *opaque)
{
	struct agent *a = opaque;
	struct signalfd_siginfo info;

	(void)watch, (void)events;
	if (read(fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo == SIGHUP)
		a->reload = true;
	else if (!a->stop && virEventAddTimeout(STOP_MS, end_now, a->loop, NULL) < 0)
		end_now(-1, a->loop);
	else
		a->stop = true;
	agent_wake(a);
}

static int watch_signals(struct agent *a)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGALRM, SIG_DFL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -1 : virEventAddHandle(fd, VIR_EVENT_HANDLE_READABLE, on_signal, a, NULL);
}

static void *run_libvirts_loop(void *opaque)
{
	const struct agent_loop *l = opaque;

	while (!l->over && virEventRunDefaultImpl() == 0)
		continue;
	return NULL;
}

/* Return: 0 or a positive errno, as pthread_create(3). */
static int start_thread(struct agent_loop *l)
{
	pthread_attr_t attr;
	int r = pthread_attr_init(&attr);

	if (r)
		return r;
	pthread_attr_setstacksize(&attr, STACK);
	r = pthread_create(&l->thread, &attr, run_libvirts_loop, l);
	pthread_attr_destroy(&attr);
	l->has_thread = r == 0;
	return r;
}

int agent_loop_open(struct agent *a, const char *pidfile, struct vw_err *err)
{
	struct agent_loop *l = calloc(1, sizeof(*l));

	a->loop = l;
	if (!l)
		return vw_err_set(err, -ENOMEM, "out of memory");
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (asprintf(&l->state, "%s/agent", vw_context_paths(a->ctx)->rundir) < 0)
		l->state = NULL;
	l->pidfile = pidfile ? strdup(pidfile) : NULL;
	if (l->wake_fd < 0 || agent_watch(a, l->wake_fd, on_wake, NULL) < 0)
		return vw_err_set(err, -EIO, "no event descriptor: %s", strerror(errno));
	if (watch_signals(a) < 0)
		return vw_err_set(err, -EIO, "signals can't be watched: %s", strerror(errno));
	if (start_thread(l))
		return vw_err_set(err, -EAGAIN, "no thread could be started");
	return 0;
}

static void on_over(int timer, void *opaque)
{
	(void)opaque;
	virEventRemoveTimeout(timer);
}

void agent_loop_close(struct agent *a)
{
	struct agent_loop *l = a->loop;

	if (!l || !l->has_thread)
		return;
	l->over = true;
	if (virEventAddTimeout(0, on_over, NULL, NULL) >= 0)
		pthread_join(l->thread, NULL);
}
