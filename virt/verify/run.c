/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The main thread of a verification: the deadline, and the judge (see verify.h). */
#include "virt/verify/internal.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"

#include <errno.h>
#include <time.h>

#define TICK_MS 200
#define GRACE_MS 400 /* for the agent's thread to put its time limit back */
#define WRITE_MS 3000

void *verify_write(void *arg)
{
	struct verify *v = arg;
	struct vw_err err = { 0 };
	int r = vw_baseline_write(v->dom, &v->now, &err);

	verify_lock(v);
	v->written = r == 0;
	v->write_err = err;
	verify_unlock(v);
	return NULL;
}

static const struct {
	unsigned bit;
	const char *text;
} seen_texts[] = {
	{ VW_EVENT_PANIC, "the guest panicked" },
	{ VW_EVENT_CRASH, "it crashed" },
	{ VW_EVENT_STOP, "it was stopped" },
	{ VW_EVENT_IO_PAUSE, "an I/O error paused it" },
	{ VW_EVENT_IO_REPORT, "an I/O error" },
	{ VW_EVENT_WATCHDOG, "its watchdog fired" },
	{ VW_EVENT_RESET, "the guest was reset" },
	{ VW_EVENT_CONTROL, "libvirt lost QEMU's monitor" },
	{ VW_EVENT_POSTCOPY, "post-copy failed" },
};

static void note_seen(struct verify *v)
{
	char *text = v->s.events.text;

	v->s.events.bits = v->o->seen;
	for (size_t i = 0; i < VW_N_ELEMENTS(seen_texts); i++)
		if (v->o->seen & seen_texts[i].bit) {
			size_t len = strlen(text);

			snprintf(text + len, sizeof(v->s.events.text) - len, "%s%s",
				 len ? "; " : "", seen_texts[i].text);
		}
}

static int prepare(struct verify *v, const struct verify_options *o)
{
	static const char prefix[] = "virt-warden check ";
	VW_AUTOFREE char *command = vw_command_text("check", o->domain);
	pthread_condattr_t attr;

	v->o = o;
	pthread_mutex_init(&v->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&v->wake, &attr);
	pthread_condattr_destroy(&attr);
	snprintf(v->name, sizeof(v->name), "%s", command ? command + strlen(prefix) : "DOMAIN");
	snprintf(v->domain, sizeof(v->domain), "%s", o->domain);
	v->s.name = v->name;
	v->s.before = &v->before;
	v->s.samples = v->samples;
	v->s.started = vw_clock_ms();
	v->s.window = (int64_t)o->window * 1000;
	v->s.migrated = o->migrated;
	v->s.disk_errors = -1;
	for (size_t i = 0; i < o->n_source; i++) {
		struct verify_source *s = &v->sources[i];

		*s = (struct verify_source){ .v = v, .uri = o->source[i], .told.asked = true };
		snprintf(s->told.uri, sizeof(s->told.uri), "%s", s->uri);
		v->s.other = s->told;
	}
	note_seen(v);
	return virInitialize() < 0 || virEventRegisterDefaultImpl() < 0 ? -EIO : 0;
}

static void show(const struct verify *v, const char *what)
{
	FILE *f = v->o->progress;
	long long s = (v->s.now - v->s.started) / 1000;

	if (!f || v->s.now - v->s.started < 500)
		return;
	fprintf(f, "\rwaiting for %s %lld s / %u s\x1b[K", what, s, v->o->window);
	fflush(f);
}

static void show_end(const struct verify *v)
{
	FILE *f = v->o->progress;

	if (f) {
		fputs("\r\x1b[K", f);
		fflush(f);
	}
}

/* Is there nothing to judge: no such domain, or no libvirt? The lock is held. */
static bool hopeless(const struct verify *v)
{
	if (!v->err.code)
		return false;
	return v->err.code != -ENOENT || !(v->o->migrated || v->o->n_source);
}

static bool recorded_enough(const struct verify *v)
{
	bool agent = !v->s.agent.configured || !v->s.agent.connected || v->s.agent.answered_at;

	return v->watch.n >= VW_WATCH_INTERVALS && agent;
}

/* The lock is held. */
static void judge_until_final(struct verify *v, struct vw_verify *ret)
{
	for (;;) {
		v->s.now = vw_clock_ms();
		v->s.over = v->s.now >= v->s.started + v->s.window;
		vw_verify_judge(&v->s, ret);
		if (hopeless(v) || (v->o->record ? v->s.over || recorded_enough(v) : ret->final))
			return;
		show(v, v->o->record ? "figures" : ret->waiting);
		verify_wait_until(v, v->s.now + TICK_MS);
	}
}

/* What is normal, by what was seen. The lock is held. Return: false = too little was seen. */
static bool classify(struct verify *v)
{
	struct vw_baseline *b = &v->now;

	b->paused = v->s.state == VW_DOM_PAUSED;
	b->known = b->paused;
	if (!vw_watch_classify(&v->watch, b) && !b->paused)
		return false;
	b->agent = v->s.agent.configured && v->s.agent.connected ? VW_YES : VW_NO;
	b->skew_known = v->s.agent.skew_known && v->s.agent.skew > -1e9 && v->s.agent.skew < 1e9;
	b->skew = b->skew_known ? (int)v->s.agent.skew : 0;
	b->reachable = v->s.reach.answered > 0;
	for (unsigned i = 0; i < v->addresses.n; i++)
		vw_baseline_add_address(b, v->addresses.text[i]);
	return true;
}

/* The lock is held. */
static void record(struct verify *v)
{
	int64_t until = vw_clock_ms() + WRITE_MS;

	if (v->err.code)
		v->write_err = v->err;
	else if (!classify(v))
		vw_err_set(&v->write_err, -EAGAIN,
			   "%s: too little was seen of it to say what is normal", v->domain);
	else if (verify_thread(v, verify_write) < 0)
		vw_err_set(&v->write_err, -EAGAIN, "no thread could be started");
	while (!v->written && !v->write_err.code) {
		if (vw_clock_ms() >= until)
			vw_err_set(&v->write_err, -ETIME, "%s: libvirt does not answer", v->domain);
		verify_wait_until(v, vw_clock_ms() + TICK_MS);
	}
}

/* The lock is held. */
static void report(struct verify *v, struct verify_report *ret)
{
	memcpy(ret->domain, v->domain, sizeof(ret->domain));
	memcpy(ret->uuid, v->uuid, sizeof(ret->uuid));
	memcpy(ret->host, v->host, sizeof(ret->host));
	ret->seconds = (double)(vw_clock_ms() - v->s.started) / 1000;
	ret->known = !hopeless(v);
	ret->before = v->before;
	ret->now = v->now;
	ret->recorded = v->written;
	ret->err = v->o->record ? v->write_err : v->err;
}

static int start(struct verify *v)
{
	int r = verify_thread(v, verify_loop);

	r = r < 0 ? r : verify_thread(v, verify_open);
	for (size_t i = 0; r == 0 && i < v->o->n_source; i++)
		r = verify_thread(&v->sources[i], verify_source);
	return r;
}

int verify_run(const struct verify_options *o, struct verify_report *ret, struct vw_err *err)
{
	struct verify *v = calloc(1, sizeof(*v)); /* never freed: its threads outlive us */
	int64_t until;

	if (!v || prepare(v, o) < 0)
		return vw_err_set(err, -ENOMEM, "libvirt could not be initialised");
	if (start(v) < 0)
		return vw_err_set(err, -EAGAIN, "no thread could be started");
	pthread_mutex_lock(&v->lock);
	judge_until_final(v, &ret->verdict);
	if (o->record)
		record(v);
	report(v, ret);
	v->stop = true;
	pthread_cond_broadcast(&v->wake);
	until = vw_clock_ms() + GRACE_MS;
	while (v->agent_limited && vw_clock_ms() < until)
		verify_wait_until(v, until);
	show_end(v);
	pthread_mutex_unlock(&v->lock);
	return 0;
}

void verify_exit(int status)
{
	fflush(stdout);
	fflush(stderr);
	_exit(status);
}
