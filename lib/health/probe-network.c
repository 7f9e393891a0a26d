/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe "network-counters": does it send and receive as it did before? */
#include "lib/health/verify-probe.h"

#define ENOUGH_TX 5
#define ENOUGH_RX 20
#define NOISE 6 /* packets that are received whatever happens: our own probes, the host's bridge */

/* A tenth of what came before, and the noise, is nothing. */
static bool deaf(const struct vw_baseline *b, const struct vw_delta *d)
{
	double expected = vw_expected(b->rx, d->ms);

	return expected >= ENOUGH_RX && (double)d->rx <= expected / 10 + NOISE;
}

/* It receives what a deaf one would not, now or however long one waits; or nothing can be told of it,
 * for it never received enough. */
static bool hears(const struct vw_view *v)
{
	const struct vw_signals *s = v->s;
	double whole = vw_expected(s->before->rx, vw_late_ms(s));
	struct vw_delta d;

	if (whole < ENOUGH_RX || (vw_since(s, VW_HAVE_NET, VW_RECENT_MS, &d) && d.rx > 2 * NOISE))
		return true;
	return vw_late(s, VW_HAVE_NET, &d) && (double)d.rx > whole / 10 + NOISE;
}

static void judge_steady(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;
	const struct vw_baseline *b = s->before;
	struct vw_delta d;

	if (!vw_since(s, VW_HAVE_NET, VW_RECENT_MS, &d)) {
		vw_result_wait(v, r, VW_SKIP, "no figures yet");
		return;
	}
	if ((!b->tx || d.tx) && hears(v)) {
		vw_result(r, VW_PASS, "%.1f packets a second out, %.1f in",
			  (double)d.tx * 1000 / (double)d.ms, (double)d.rx * 1000 / (double)d.ms);
		return;
	}
	if (!vw_late(s, VW_HAVE_NET, &d))
		vw_result_wait(v, r, VW_SKIP, "too few figures");
	else if (!d.tx && vw_expected(b->tx, d.ms) >= ENOUGH_TX)
		vw_result_wait(v, r, VW_FAIL,
			       "it has sent nothing for %lld s (before: %.1f packets a second)",
			       (long long)d.ms / 1000, b->tx / 60.0);
	else if (deaf(b, &d))
		vw_result_wait(
			v, r, VW_FAIL,
			"it receives %.1f packets a second (before: %.1f): does its bridge or "
			"network lead anywhere on this host? virsh domiflist %s",
			(double)d.rx * 1000 / (double)d.ms, b->rx / 60.0, s->name);
	else
		vw_result_wait(v, r, VW_PASS, "%.1f packets a second out, %.1f in",
			       (double)d.tx * 1000 / (double)d.ms,
			       (double)d.rx * 1000 / (double)d.ms);
}

/* It lives, but nobody beside the guests of this host can reach it. */
static void judge_bridge(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;
	bool before = s->before->known && (s->before->rx || s->before->reachable);

	if (!*s->reach.isolated || r->status == VW_FAIL || r->pending || !before)
		return;
	vw_result(r, VW_WARN, "its bridge %s leads nowhere on this host: ip link show master %s",
		  s->reach.isolated, s->reach.isolated);
}

static void judge(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;
	struct vw_delta d;

	if (s->before->known && (s->before->tx || s->before->rx))
		judge_steady(v, r);
	else if (!vw_since(s, VW_HAVE_NET, VW_RECENT_MS, &d))
		vw_result(r, VW_SKIP, "no figures");
	else if (d.tx)
		vw_result(r, VW_PASS, "%llu packets sent", (unsigned long long)d.tx);
	else
		vw_result(r, VW_SKIP, "it sends nothing; %s",
			  s->before->known ? "nor did it before" : "what is normal is not known");
}

void vw_probe_network(const struct vw_view *v, struct vw_probe_result *r)
{
	if (v->s->state != VW_DOM_RUNNING) {
		vw_result(r, VW_SKIP, "it does not run");
		return;
	}
	judge(v, r);
	judge_bridge(v, r);
}
