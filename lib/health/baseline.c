/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From samples to what is normal (see sample.h). */
#include "lib/health/sample.h"

#include <arpa/inet.h>

#define LEAST_INTERVAL 1000 /* ms */
#define MOST 1000000000 /* of any figure: what a baseline's text holds; counters may say anything */

static uint64_t ahead(uint64_t a, uint64_t b)
{
	return b > a ? b - a : 0;
}

static void delta_cpu(const struct vw_sample *a, const struct vw_sample *b, struct vw_delta *d)
{
	double ns = (double)d->ms * 1e6, ran = 0;

	for (unsigned i = 0; i < a->n_vcpus && i < b->n_vcpus && i < VW_SAMPLE_VCPUS; i++) {
		uint64_t run = ahead(a->vcpu[i], b->vcpu[i]);
		double want = (double)(run + ahead(a->wait[i], b->wait[i])) / ns;

		ran += (double)run;
		if (want > d->most)
			d->most = want > 1 ? 1 : want;
	}
	d->cpu = ran / ns;
}

void vw_delta(const struct vw_sample *a, const struct vw_sample *b, struct vw_delta *ret)
{
	struct vw_delta d = { .ms = b->t - a->t, .have = a->have & b->have };

	if (d.ms <= 0) {
		*ret = (struct vw_delta){ 0 };
		return;
	}
	if (d.have & VW_HAVE_VCPU)
		delta_cpu(a, b, &d);
	d.n_disks = a->n_disks < b->n_disks ? a->n_disks : b->n_disks;
	for (unsigned i = 0; i < d.n_disks && i < VW_SAMPLE_DISKS && d.have & VW_HAVE_DISK; i++) {
		d.disk[i] = ahead(a->disk[i], b->disk[i]);
		d.disks += d.disk[i];
	}
	if (d.have & VW_HAVE_NET) {
		d.rx = ahead(a->rx, b->rx);
		d.tx = ahead(a->tx, b->tx);
	}
	if (d.have & VW_HAVE_CONSOLE)
		d.console = ahead(a->console, b->console);
	*ret = d;
}

void vw_watch_add(struct vw_watch *w, const struct vw_sample *s, int64_t stale)
{
	if (!w->last.t || s->t < w->last.t || (stale && s->t - w->last.t > stale)) {
		w->n = 0;
		w->last = *s;
		return;
	}
	if (s->t - w->last.t < LEAST_INTERVAL)
		return;
	vw_delta(&w->last, s, &w->deltas[w->n++ % VW_WATCH_INTERVALS]);
	w->last = *s;
}

/* The least rate per minute. */
static void least(unsigned *rate, uint64_t events, int64_t ms, bool first)
{
	double r = (double)events * 60000 / (double)ms;
	unsigned now = r > MOST ? MOST : (unsigned)r;

	if (first || now < *rate)
		*rate = now;
}

static void take_cpu(struct vw_baseline *b, const struct vw_delta *d, bool first)
{
	unsigned permille = d->cpu * 1000 > MOST ? MOST : (unsigned)(d->cpu * 1000);
	enum vw_cpu_class class = d->most >= VW_CPU_SPINS ? VW_CPU_CLASS_BUSY
				  : d->most < VW_CPU_IDLE ? VW_CPU_CLASS_IDLE
							  : VW_CPU_CLASS_MIXED;

	if (!(d->have & VW_HAVE_VCPU))
		class = VW_CPU_CLASS_UNKNOWN;
	if (first) {
		b->cpu = class;
		b->cpu_permille = permille;
		b->wakes = d->cpu > 0;
		return;
	}
	if (class != b->cpu && b->cpu)
		b->cpu = class ? VW_CPU_CLASS_MIXED : VW_CPU_CLASS_UNKNOWN;
	if (permille > b->cpu_permille)
		b->cpu_permille = permille;
	b->wakes = b->wakes && d->cpu > 0;
}

bool vw_spins(const struct vw_delta *d)
{
	return d->have & VW_HAVE_VCPU && d->most >= VW_CPU_SPINS;
}

/* Does it spin while nothing comes of it? */
static bool spins_alone(const struct vw_delta *d)
{
	return vw_spins(d) && !d->disks && !d->console && !d->tx;
}

const struct vw_delta *vw_watch_newest(const struct vw_watch *w)
{
	return w->n ? &w->deltas[(w->n - 1) % VW_WATCH_INTERVALS] : NULL;
}

bool vw_watch_lost(const struct vw_watch *w, const struct vw_baseline *old)
{
	const struct vw_delta *d = vw_watch_newest(w);
	bool worked;

	if (!d || !old->known || !vw_spins(d))
		return false;
	worked = old->console && d->have & VW_HAVE_CONSOLE;
	for (unsigned i = 0; i < old->n_disks && d->have & VW_HAVE_DISK; i++)
		worked = worked || old->disk[i];
	if (worked) /* a kernel that panicked may go on to answer pings */
		return !d->disks && !d->console;
	return old->tx && d->have & VW_HAVE_NET && spins_alone(d);
}

bool vw_watch_classify(const struct vw_watch *w, struct vw_baseline *b)
{
	bool alone = true;

	if (w->n < VW_WATCH_INTERVALS)
		return false;
	b->known = true;
	b->n_disks = w->last.n_disks < VW_SAMPLE_DISKS ? w->last.n_disks : VW_SAMPLE_DISKS;
	for (size_t i = 0; i < VW_WATCH_INTERVALS; i++) {
		const struct vw_delta *d = &w->deltas[i];

		take_cpu(b, d, i == 0);
		alone = alone && spins_alone(d);
		for (unsigned k = 0; k < b->n_disks; k++)
			least(&b->disk[k], d->disk[k], d->ms, i == 0);
		least(&b->rx, d->rx, d->ms, i == 0);
		least(&b->tx, d->tx, d->ms, i == 0);
		least(&b->console, d->console, d->ms, i == 0);
	}
	if (alone)
		b->cpu = VW_CPU_CLASS_UNKNOWN;
	return true;
}

/* Of another class: steady or not, or another order of magnitude. */
static bool rate_differs(unsigned a, unsigned b)
{
	if (!a || !b)
		return a != b;
	return a / 8 > b || b / 8 > a;
}

static bool addresses_differ(const struct vw_baseline *a, const struct vw_baseline *b)
{
	if (a->n_addresses != b->n_addresses)
		return true;
	for (unsigned i = 0; i < a->n_addresses; i++)
		if (strcmp(a->address[i], b->address[i]) != 0)
			return true;
	return false;
}

bool vw_baseline_differs(const struct vw_baseline *old, const struct vw_baseline *now)
{
	if (old->known != now->known || old->paused != now->paused || old->cpu != now->cpu ||
	    old->panicked != now->panicked || old->wakes != now->wakes ||
	    old->agent != now->agent || old->reachable != now->reachable ||
	    old->n_disks != now->n_disks || old->skew_known != now->skew_known)
		return true;
	if (old->skew_known && abs(old->skew - now->skew) > 2)
		return true;
	for (unsigned i = 0; i < now->n_disks; i++)
		if (rate_differs(old->disk[i], now->disk[i]))
			return true;
	return rate_differs(old->rx, now->rx) || rate_differs(old->tx, now->tx) ||
	       rate_differs(old->console, now->console) || addresses_differ(old, now);
}

static bool ipv4_ok(const struct in_addr *a)
{
	uint32_t v = ntohl(a->s_addr);

	return v >> 24 != 0 && v >> 24 != 127 && v >> 28 < 0xe;
}

bool vw_address_ok(const char *text)
{
	struct in_addr a;
	struct in6_addr b;

	if (inet_pton(AF_INET, text, &a) == 1)
		return ipv4_ok(&a);
	return inet_pton(AF_INET6, text, &b) == 1 && (b.s6_addr[0] & 0xe0) == 0x20;
}

void vw_baseline_add_address(struct vw_baseline *b, const char *text)
{
	size_t len = strlen(text);

	if (b->n_addresses == VW_ADDRESSES_MAX || len >= sizeof(b->address[0]) ||
	    !vw_address_ok(text))
		return;
	for (unsigned i = 0; i < b->n_addresses; i++)
		if (vw_streq(b->address[i], text))
			return;
	memcpy(b->address[b->n_addresses++], text, len + 1);
}
