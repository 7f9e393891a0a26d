/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs all probes and draws the verdict (see health.h). */
#include "lib/health/verify-probe.h"

#define AGENT_SLOW_MS 1500 /* it is asked once a second, and takes its time */
#define SOURCE_MS 5000     /* so long is the source waited for */

static const struct {
	const char *name;
	vw_probe *probe;
	bool reset; /* what it finds may be mended by a reset */
} table[] = {
	{ "source-host", vw_probe_source, false }, /* first: it knows best why a guest is gone */
	{ "state", vw_probe_state, false },
	{ "events", vw_probe_events, true },
	{ "monitor", vw_probe_monitor, false },
	{ "console", vw_probe_console, true },
	{ "vcpu", vw_probe_vcpu, true },
	{ "disk-errors", vw_probe_disk_errors, false },
	{ "disk-progress", vw_probe_disk_progress, false },
	{ "network-counters", vw_probe_network, false },
	{ "reachability", vw_probe_reach, false },
	{ "guest-agent", vw_probe_agent, false },
	{ "clock", vw_probe_clock, false },
	{ "declared", vw_probe_declared, false },
	{ "job-stats", vw_probe_job, false },
};
_Static_assert(VW_N_ELEMENTS(table) <= VW_PROBES_MAX, "struct vw_verify has room for each");

const char *vw_health_name(enum vw_health h)
{
	static const char *const names[] = { "healthy", "degraded", "failed", "unknown" };

	return names[h];
}

const char *vw_status_name(enum vw_status s)
{
	static const char *const names[] = { "pass", "warn", "fail", "skip" };

	return names[s];
}

static bool recently(const struct vw_signals *s, int64_t t, int64_t ms)
{
	return t && s->now - t <= ms;
}

static unsigned declared_life(const struct vw_signals *s)
{
	unsigned life = 0;

	for (size_t i = 0; i < s->n_declared; i++)
		if (s->declared[i].done && s->declared[i].ok)
			life |= s->declared[i].kernel ? VW_LIFE_KERNEL : VW_LIFE_USER;
	return life;
}

/* Since when does a sign of life count? */
static int64_t recent_ms(const struct vw_signals *s)
{
	struct vw_delta d;

	if (s->before->known && s->before->cpu == VW_CPU_CLASS_IDLE &&
	    vw_since(s, VW_HAVE_VCPU, VW_SUDDEN_MS, &d) && d.most >= VW_CPU_SPINS)
		return VW_SUDDEN_MS;
	return VW_RECENT_MS;
}

static void look(const struct vw_signals *s, struct vw_view *v)
{
	int64_t ms = recent_ms(s);
	struct vw_delta d;

	*v = (struct vw_view){ .s = s, .life = declared_life(s) };
	if (s->state != VW_DOM_RUNNING && s->state != VW_DOM_UNKNOWN) {
		v->life = 0;
		return;
	}
	if (recently(s, s->agent.answered_at, ms + AGENT_SLOW_MS))
		v->life |= VW_LIFE_USER;
	if (vw_since(s, VW_HAVE_DISK, ms, &d) && d.disks)
		v->life |= VW_LIFE_USER;
	if ((!s->console.panic || s->console.old) && vw_since(s, VW_HAVE_CONSOLE, ms, &d) &&
	    d.console)
		v->life |= VW_LIFE_USER;
	if (vw_since(s, VW_HAVE_NET, VW_RECENT_MS, &d) && d.tx)
		v->life |= VW_LIFE_KERNEL;
	if (recently(s, s->reach.answered_at, VW_RECENT_MS + AGENT_SLOW_MS))
		v->life |= VW_LIFE_KERNEL;
	if (vw_since(s, VW_HAVE_VCPU, ms, &d)) {
		v->spins = d.most >= VW_CPU_SPINS;
		if (d.cpu > 0 && !v->spins)
			v->life |= VW_LIFE_WAKE;
	}
}

/* Does it live? A spinning vCPU of a guest whose normal is not known may be a kernel that
 * panicked and still answers pings. */
static bool lives(const struct vw_view *v)
{
	const struct vw_baseline *b = v->s->before;

	if (v->life & VW_LIFE_USER)
		return true;
	if (v->life & VW_LIFE_KERNEL)
		return !v->spins || b->cpu == VW_CPU_CLASS_BUSY || b->cpu == VW_CPU_CLASS_MIXED;
	return v->life & VW_LIFE_WAKE && b->known && b->cpu == VW_CPU_CLASS_IDLE;
}

static bool other_host_clear(const struct vw_signals *s)
{
	if (!s->other.asked)
		return !s->migrated;
	return s->other.at && s->other.state != VW_DOM_RUNNING && s->other.state != VW_DOM_PAUSED;
}

static void conclude(const struct vw_view *v, bool fail, bool warn, bool reset, bool pending,
		     struct vw_verify *ret)
{
	const struct vw_signals *s = v->s;
	bool watched = s->now - s->started >= VW_LEAST_MS;
	bool waited = s->now - s->started >= SOURCE_MS;

	ret->verdict = fail       ? VW_FAILED
		       : warn     ? VW_DEGRADED
		       : lives(v) ? VW_HEALTHY
				  : VW_HEALTH_UNKNOWN;
	ret->final = s->over || (fail && (!ret->probes[0].pending || waited)) ||
		     (watched && !pending && ret->verdict != VW_HEALTH_UNKNOWN);
	ret->may_reset = reset && other_host_clear(s) &&
			 (s->state == VW_DOM_RUNNING || s->state == VW_DOM_CRASHED);
}

void vw_verify_judge(const struct vw_signals *s, struct vw_verify *ret)
{
	bool fail = false, warn = false, reset = false, pending = false, other = false;
	struct vw_view v;

	look(s, &v);
	*ret = (struct vw_verify){ .waiting = "" };
	for (size_t i = 0; i < VW_N_ELEMENTS(table); i++) {
		struct vw_probe_result *r = &ret->probes[ret->n++];

		r->probe = table[i].name;
		table[i].probe(&v, r);
		fail |= r->status == VW_FAIL;
		warn |= r->status == VW_WARN;
		reset |= r->status == VW_FAIL && table[i].reset;
		other |= r->status == VW_FAIL && i == 0;
		if (r->pending && !pending)
			ret->waiting = r->probe;
		pending |= r->pending;
	}
	conclude(&v, fail, warn, reset && !other, pending, ret);
	if (!*ret->waiting && !ret->final)
		ret->waiting = "a sign of life";
}

const struct vw_probe_result *vw_verify_worst(const struct vw_verify *v)
{
	static const enum vw_status order[] = { VW_FAIL, VW_WARN };

	for (size_t k = 0; k < VW_N_ELEMENTS(order); k++)
		for (size_t i = 0; i < v->n; i++)
			if (v->probes[i].status == order[k])
				return &v->probes[i];
	return NULL;
}
