/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verification's thread of monitor calls: counters and disk errors. One call at a time: it
 * hangs with a QEMU that stands still, and since when is what the judge then knows. */
#include "virt/verify/internal.h"

#include "lib/base/clock.h"

#define ERRORS_EVERY 4 /* samples */

void verify_sample(struct verify *v, struct vw_sample *s)
{
	size_t max = VERIFY_SAMPLES;

	verify_lock(v);
	if (v->has_console) {
		s->console = v->console + v->pty;
		s->have |= VW_HAVE_CONSOLE;
	}
	if (v->s.n_samples == max) /* a long window: the older half is thinned out */ {
		for (size_t i = 1; i < max / 4; i++)
			v->samples[i] = v->samples[2 * i];
		memmove(&v->samples[max / 4], &v->samples[max / 2], max / 2 * sizeof(*s));
		v->s.n_samples -= max / 4;
	}
	v->samples[v->s.n_samples++] = *s;
	if (!v->watch.last.t || s->t - v->watch.last.t >= VERIFY_RECORD_MS)
		vw_watch_add(&v->watch, s, 0);
	verify_unlock(v);
}

static void call(struct verify *v, bool begins)
{
	verify_lock(v);
	v->s.monitor_since = begins ? vw_clock_ms() : 0;
	verify_unlock(v);
}

static void ask_stats(struct verify *v)
{
	virDomainPtr one[] = { v->dom, NULL };
	virDomainStatsRecordPtr *records = NULL;
	struct vw_sample s = { 0 };
	int n;

	call(v, true);
	n = virDomainListGetStats(one, VW_SAMPLE_STATS, &records,
				  VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
	call(v, false);
	if (n > 0)
		vw_sample_from_stats(records[0]->params, records[0]->nparams, vw_clock_ms(), &s,
				     NULL, NULL);
	if (n >= 0)
		virDomainStatsRecordListFree(records);
	if (s.t)
		verify_sample(v, &s);
}

static void ask_errors(struct verify *v)
{
	virDomainDiskError errors[VW_SAMPLE_DISKS];
	char text[120] = "";
	int n;

	call(v, true);
	n = virDomainGetDiskErrors(v->dom, errors, VW_SAMPLE_DISKS, 0);
	call(v, false);
	if (n > 0)
		snprintf(text, sizeof(text), "disk %s: %s", errors[0].disk,
			 errors[0].error == VIR_DOMAIN_DISK_ERROR_NO_SPACE ? "no space"
									   : "I/O error");
	for (int i = 0; i < n; i++)
		free(errors[i].disk);
	verify_lock(v);
	v->s.disk_errors = n;
	memcpy(v->s.disk_errors_text, text, sizeof(text));
	verify_unlock(v);
}

void *verify_figures(void *arg)
{
	struct verify *v = arg;
	unsigned tick = v->o->window > VERIFY_SAMPLES / 4 ? v->o->window * 4000 / VERIFY_SAMPLES / 2
							  : VERIFY_TICK_MS;

	if (tick > 1000) /* what is recent needs samples that are recent */
		tick = 1000;
	for (unsigned i = 0;; i++) {
		ask_stats(v);
		if (i % ERRORS_EVERY == 0)
			ask_errors(v);
		if (!verify_sleep(v, tick))
			return NULL;
	}
}
