/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parent's side of a prober: it hands the child a batch of paths, waits no longer than
 * it was told for each, kills a child that gets stuck and starts another for the rest. */
#include "lib/diskprobe/probe-internal.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define FREE_WAIT_MS 50 /* how long vw_prober_free waits for those */

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
	munmap(p->batch, sizeof(*p->batch));
	p->batch = NULL;
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
		munmap(p->batch, sizeof(*p->batch));
		kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, __WALL) < 0 && errno == EINTR)
			;
	}
	until = vw_clock_ms() + FREE_WAIT_MS;
	for (reap(p); p->n_hung && vw_clock_ms() < until;) {
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
		reap(p);
	}
	free(p->program);
	free(p->sysroot);
	free(p);
}

void vw_prober_once(struct vw_prober *p)
{
	p->once = true;
}

static void forget_program(struct vw_prober *p)
{
	free(vw_steal(p->program));
}

static int start_child(struct vw_prober *p)
{
	int r;

	if (p->program &&
	    p->start_program(p->program, p->sysroot, &p->batch, &p->pid, &p->sock) == 0)
		return 0;
	forget_program(p);
	p->batch = mmap(NULL, sizeof(*p->batch), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (p->batch == MAP_FAILED) {
		p->batch = NULL;
		return -errno;
	}
	r = vw_worker_start(p->sysroot, p->batch, &p->pid, &p->sock);
	if (r < 0) {
		munmap(p->batch, sizeof(*p->batch));
		p->batch = NULL;
		p->pid = 0;
	}
	return r;
}

/* How many paths of the batch, from its start, are done; and when was the next one begun? */
static uint32_t progress(const struct vw_batch *b, int64_t *ret_began)
{
	uint32_t i = 0;

	while (i < b->n && __atomic_load_n(&b->replies[i].state, __ATOMIC_ACQUIRE) == VW_BATCH_DONE)
		i++;
	*ret_began = i < b->n ? __atomic_load_n(&b->replies[i].began, __ATOMIC_ACQUIRE) : 0;
	return i;
}

/* Wait for the child. Return: 0; -EPIPE: it has died; -ETIMEDOUT: the path that it is at
 * takes too long, or all of them; negative errno. */
static int wait_for(const struct vw_prober *p, int64_t all_until)
{
	const int64_t asked = vw_clock_ms();
	char byte;

	for (;;) {
		struct pollfd pfd = { .fd = p->sock, .events = POLLIN };
		int64_t until, began;
		int ready;

		progress(p->batch, &began);
		until = (began ? began : asked) + p->batch->timeout_ms;
		until = (until < all_until ? until : all_until) - vw_clock_ms();
		ready = poll(&pfd, 1, until < 0 ? 0 : until > INT_MAX ? INT_MAX : (int)until);
		if (ready > 0)
			break;
		if (ready == 0 && until <= 0)
			return -ETIMEDOUT;
		if (ready < 0 && errno != EINTR)
			return -errno;
	}
	return recv(p->sock, &byte, 1, MSG_DONTWAIT) == 1 ? 0 : -EPIPE;
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
	/* the backing store has said so */
	out->blank = out->blank == VW_NO ? VW_NO : known(r->blank);
	out->odirect = known(r->odirect);
	out->allocated = known(r->allocated);
	out->discard = known(r->discard);
	out->one_path = known(r->one_path);
	out->magic = r->magic <= VW_MAGIC_PARALLELS ? (enum vw_magic)r->magic : VW_MAGIC_UNKNOWN;
	snprintf(out->better, sizeof(out->better), "%.*s", VW_BETTER_SIZE - 1, r->better);
	if (r->error)
		snprintf(out->why, sizeof(out->why), "%.*s: %s", (int)sizeof(r->why) - 1, r->why,
			 strerror(r->error));
	else
		snprintf(out->why, sizeof(out->why), "%.*s", (int)sizeof(r->why) - 1, r->why);
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

/* What is known without looking. Return: false: no more is to be known. */
static bool begin_facts(const struct vw_probe_ask *ask)
{
	if (!ask->path)
		return false;
	*ask->out = (struct vw_disk_facts){ .target = ask->out->target };
	/* What lies in the backing store is data; the image is read for its format and its room. */
	if (ask->has_backing && (ask->want & VW_PROBE_BLANK))
		ask->out->blank = VW_NO;
	if (ask->path[0] != '/')
		say(ask->out, "its path is not absolute");
	else if (strlen(ask->path) >= PATH_MAX)
		say(ask->out, "its path is too long");
	return !*ask->out->why;
}

static bool add(struct vw_filling *f, const struct vw_probe_ask *ask)
{
	const size_t len = strlen(ask->path) + 1;

	if (f->n == VW_BATCH_MAX || len > VW_BATCH_PATHS - f->used)
		return false;
	f->used += len;
	f->asks[f->n++] = ask;
	return true;
}

/* Write the entries from `from` on into the batch of the child. */
static void fill(struct vw_batch *b, const struct vw_filling *f, uint32_t from, bool last,
		 unsigned timeout_ms, int64_t until)
{
	uint32_t used = 0;

	b->n = 0;
	b->last = last;
	b->timeout_ms = timeout_ms;
	/* A quarter of the time is for all but reading data. */
	b->budget_ms = timeout_ms - timeout_ms / 4;
	b->until = until - timeout_ms / 4;
	for (uint32_t i = from; i < f->n; i++, b->n++) {
		const struct vw_probe_ask *ask = f->asks[i];

		b->asks[b->n].want = ask->want;
		b->asks[b->n].format = format_of(ask->format);
		b->asks[b->n].path = used;
		b->replies[b->n].state = VW_BATCH_NONE;
		b->replies[b->n].began = 0;
		used += (uint32_t)(stpcpy(b->paths + used, ask->path) - (b->paths + used)) + 1;
	}
}

/* Give the entries from `from` on to the child. Return: 0; -EPIPE: it has died; -ETIME: it is too
 * late; -EBUSY: too many hang already; negative errno: there is no child. */
static int send_batch(struct vw_prober *p, const struct vw_filling *f, uint32_t from,
		      unsigned timeout_ms, int64_t until)
{
	int r;

	if (vw_clock_ms() >= until)
		return -ETIME;
	reap(p);
	if (p->n_hung == HUNG_MAX)
		return -EBUSY;
	if (!p->pid && (r = start_child(p)) < 0)
		return r;
	fill(p->batch, f, from, p->once && p->probing.next == p->probing.n, timeout_ms, until);
	return send(p->sock, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1 ? 0 : -EPIPE;
}

/* Take what it answers to them, of the path at which it got stuck, too. sent: what send_batch
 * returned. Return: as that, or as wait_for; *ret_done: how many were answered wholly. */
static int take_batch(struct vw_prober *p, const struct vw_filling *f, uint32_t from, int sent,
		      int64_t until, uint32_t *ret_done)
{
	int64_t began;
	int r = sent;

	*ret_done = 0;
	if (sent < 0 && sent != -EPIPE)
		return sent;
	if (sent == 0)
		r = wait_for(p, until);
	*ret_done = progress(p->batch, &began);
	for (uint32_t i = 0; i < *ret_done; i++)
		take_reply(&p->batch->replies[i].whole, f->asks[from + i]->out);
	if (*ret_done < p->batch->n && __atomic_load_n(&p->batch->replies[*ret_done].state,
						       __ATOMIC_ACQUIRE) == VW_BATCH_BASIC)
		take_reply(&p->batch->replies[*ret_done].basic, f->asks[from + *ret_done]->out);
	if (r == 0)
		p->works = true;
	else
		drop_child(p);
	if (r == -EPIPE && !p->works)
		forget_program(p);
	return r;
}

/* sent: what send_batch returned for all of them. */
static void ask_all(struct vw_prober *p, const struct vw_filling *f, int sent, unsigned timeout_ms,
		    int64_t until)
{
	bool again = false;
	uint32_t at = 0, done;

	while (at < f->n && sent != -ETIME) {
		int r = take_batch(p, f, at, sent, until, &done);

		at += done;
		if (r == 0)
			return;
		/* A child dies with the thread that started it, so one death is no bad omen. */
		if (r == -EPIPE && (done || !again)) {
			again = !done;
		} else {
			again = false;
			if (at < f->n)
				no_answer(r, timeout_ms, f->asks[at++]->out);
		}
		if (at < f->n)
			sent = send_batch(p, f, at, timeout_ms, until);
	}
	for (; at < f->n; at++)
		say(f->asks[at]->out, "the disks before it took too long to look at");
}

/* Fill a batch with the next ones and send it. Return: false: none is left. */
static bool send_next(struct vw_prober *p)
{
	struct vw_probing *run = &p->probing;
	struct vw_filling *f = &run->filling;

	f->n = 0;
	f->used = 0;
	for (; run->next < run->n; run->next++) {
		const struct vw_probe_ask *ask = &run->asks[run->next];

		if (begin_facts(ask) && !add(f, ask))
			break;
	}
	if (!f->n)
		return false;
	run->sent = send_batch(p, f, 0, run->timeout_ms, run->until);
	return true;
}

void vw_probe_start(struct vw_prober *p, const struct vw_probe_ask *asks, size_t n,
		    unsigned timeout_ms, unsigned total_ms)
{
	vw_probe_finish(p);
	p->probing = (struct vw_probing){
		.asks = asks, .n = n, .timeout_ms = timeout_ms, .until = vw_clock_ms() + total_ms
	};
	p->probing.begun = send_next(p);
}

void vw_probe_finish(struct vw_prober *p)
{
	const struct vw_probing *run = &p->probing;

	for (; run->begun; p->probing.begun = send_next(p))
		ask_all(p, &run->filling, run->sent, run->timeout_ms, run->until);
}

void vw_probe_disks(struct vw_prober *p, const struct vw_probe_ask *asks, size_t n,
		    unsigned timeout_ms, unsigned total_ms)
{
	vw_probe_start(p, asks, n, timeout_ms, total_ms);
	vw_probe_finish(p);
}

void vw_probe_disk(struct vw_prober *p, const char *path, const char *format, bool has_backing,
		   unsigned want, unsigned timeout_ms, struct vw_disk_facts *out)
{
	const struct vw_probe_ask ask = { path ? path : "", format, has_backing, want, out };

	vw_probe_disks(p, &ask, 1, timeout_ms, timeout_ms);
}
