/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parent's side of a prober: it asks the child, waits no longer than it was
 * told, kills a child that does not answer and starts another for the next path. */
#include "probe-internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

/* A killed child may hang in the kernel for ever (a dead NFS server). So many of
 * them, and nothing more is asked until one has gone. */
#define HUNG_MAX 8
#define FREE_WAIT_MS 50 /* how long vw_prober_free waits for those */

struct vw_prober {
	char *sysroot;
	pid_t pid; /* 0 = no child now */
	int sock;
	pid_t hung[HUNG_MAX]; /* killed, not yet reaped */
	size_t n_hung;
};

int vw_prober_new(const char *sysroot, struct vw_prober **ret, struct vw_err *err)
{
	struct vw_prober *p = calloc(1, sizeof(*p));

	if (p)
		p->sysroot = strdup(sysroot ? sysroot : "");
	if (!p || !p->sysroot) {
		free(p);
		return vw_err_set(err, -ENOMEM, "out of memory");
	}
	p->sock = -1;
	*ret = p;
	return 0;
}

/* __WALL: a child without exit signal is not waited for otherwise (wait(2)). */
static void reap(struct vw_prober *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_hung; i++)
		if (waitpid(p->hung[i], NULL, WNOHANG | __WALL) == 0)
			p->hung[n++] = p->hung[i];
	p->n_hung = n;
}

/* Kill the child, which may hang: it is reaped now if it goes at once, else later. */
static void drop_child(struct vw_prober *p)
{
	close(p->sock);
	p->sock = -1;
	kill(p->pid, SIGKILL);
	p->hung[p->n_hung++] = p->pid;
	p->pid = 0;
	reap(p);
}

void vw_prober_free(struct vw_prober *p)
{
	int64_t until;

	if (!p)
		return;
	if (p->pid) { /* idle, so it goes at once */
		close(p->sock);
		kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	}
	until = vw_clock_ms() + FREE_WAIT_MS;
	for (reap(p); p->n_hung && vw_clock_ms() < until;) {
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
		reap(p);
	}
	free(p->sysroot);
	free(p);
}

/* Return: 0; -EPIPE: the child has died; -ETIMEDOUT; negative errno. */
static int receive(int sock, int64_t until, struct vw_look_reply *ret)
{
	struct vw_look_reply r;
	ssize_t n;

	for (;;) {
		struct pollfd pfd = { .fd = sock, .events = POLLIN };
		int64_t left = until - vw_clock_ms();
		int ready = poll(&pfd, 1, left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left);

		if (ready > 0)
			break;
		if (ready == 0 && left <= 0)
			return -ETIMEDOUT;
		if (ready < 0 && errno != EINTR)
			return -errno;
	}
	n = recv(sock, &r, sizeof(r), MSG_DONTWAIT);
	if (n != (ssize_t)sizeof(r))
		return -EPIPE;
	r.why[sizeof(r.why) - 1] = '\0';
	*ret = r;
	return 0;
}

/* One request to a living child. Return: as receive; -EBUSY: too many hang already. */
static int ask_once(struct vw_prober *p, const struct vw_look_request *q, int64_t until,
		    struct vw_look_reply *ret)
{
	int r;

	reap(p);
	if (p->n_hung == HUNG_MAX)
		return -EBUSY;
	if (!p->pid) {
		r = vw_worker_start(p->sysroot, &p->pid, &p->sock);
		if (r < 0) {
			p->pid = 0;
			return r;
		}
	}
	if (send(p->sock, q, sizeof(*q), MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(*q))
		r = -EPIPE;
	else
		r = receive(p->sock, until, ret);
	if (r < 0)
		drop_child(p);
	return r;
}

/* A child dies with the thread that started it, so one death is no bad omen. */
static int ask(struct vw_prober *p, const struct vw_look_request *q, int64_t until,
	       struct vw_look_reply *ret)
{
	int r = ask_once(p, q, until, ret);

	return r == -EPIPE ? ask_once(p, q, until, ret) : r;
}

static void say(struct vw_disk_facts *out, const char *why)
{
	snprintf(out->why, sizeof(out->why), "%s", why);
}

static enum vw_known known(uint8_t value)
{
	return value <= VW_YES ? (enum vw_known)value : VW_UNKNOWN;
}

static void take_reply(const struct vw_look_reply *r, struct vw_disk_facts *out)
{
	out->exists = known(r->exists);
	out->block = known(r->block);
	out->blank = known(r->blank);
	out->odirect = known(r->odirect);
	out->allocated = known(r->allocated);
	out->discard = known(r->discard);
	if (r->error)
		snprintf(out->why, sizeof(out->why), "%s: %s", r->why, strerror(r->error));
	else
		say(out, r->why);
}

static enum vw_image_format format_of(const char *format)
{
	if (!format || !*format || vw_streq(format, "raw"))
		return VW_IMAGE_RAW;
	return vw_streq(format, "qcow2") ? VW_IMAGE_QCOW2 : VW_IMAGE_OTHER;
}

static void no_answer(int error, unsigned timeout_ms, struct vw_disk_facts *out)
{
	if (error == -EBUSY)
		say(out, "too many looks at other disks hang");
	else if (error == -EPIPE)
		say(out, "the look at it crashed");
	else if (error != -ETIMEDOUT)
		snprintf(out->why, sizeof(out->why), "no process could look at it: %s",
			 strerror(-error));
	else if (timeout_ms % 1000)
		snprintf(out->why, sizeof(out->why), "no answer within %u ms", timeout_ms);
	else
		snprintf(out->why, sizeof(out->why), "no answer within %u s", timeout_ms / 1000);
}

void vw_probe_disk(struct vw_prober *p, const char *path, const char *format, bool has_backing,
		   unsigned want, unsigned timeout_ms, struct vw_disk_facts *out)
{
	struct vw_look_request q = { .want = want, .format = format_of(format) };
	struct vw_look_reply reply = { 0 };
	char *target = out->target;
	int r;

	*out = (struct vw_disk_facts){ .target = target };
	/* What lies in the backing store is data: the image itself need not be read. */
	if (has_backing) {
		out->blank = want & VW_PROBE_BLANK ? VW_NO : VW_UNKNOWN;
		q.want &= ~VW_PROBE_BLANK;
	}
	if (!path || path[0] != '/') {
		say(out, "its path is not absolute");
		return;
	}
	if (strlen(path) >= sizeof(q.path)) {
		say(out, "its path is too long");
		return;
	}
	strcpy(q.path, path);
	/* A quarter of the time for all but reading data, so that what is known then arrives. */
	q.budget_ms = timeout_ms - timeout_ms / 4;
	r = ask(p, &q, vw_clock_ms() + timeout_ms, &reply);
	if (r < 0) {
		no_answer(r, timeout_ms, out);
		return;
	}
	reply.blank = has_backing ? (uint8_t)out->blank : reply.blank;
	take_reply(&reply, out);
}
