/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe "disk-progress": are requests completed where they were before? A guest with dead
 * storage still answers pings. */
#include "lib/health/verify-probe.h"

#define ENOUGH 5 /* so many should have come before their absence means anything */

/* Of the disks that were always busy: the first that is not; n_disks = all are. */
static unsigned find_idle(const struct vw_baseline *b, const struct vw_delta *d)
{
	unsigned i = 0;

	while (i < b->n_disks && (!b->disk[i] || (i < d->n_disks && d->disk[i])))
		i++;
	return i;
}

static bool any_steady(const struct vw_baseline *b)
{
	for (unsigned i = 0; i < b->n_disks; i++)
		if (b->disk[i])
			return true;
	return false;
}

static void judge_steady(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;
	const struct vw_baseline *b = s->before;
	struct vw_delta d;
	unsigned idle;

	if (vw_since(s, VW_HAVE_DISK, VW_RECENT_MS, &d) && find_idle(b, &d) == b->n_disks) {
		vw_result(r, VW_PASS, "%.1f requests a second",
			  (double)d.disks * 1000 / (double)d.ms);
		return;
	}
	if (!vw_late(s, VW_HAVE_DISK, &d)) {
		vw_result_wait(v, r, VW_SKIP, "no figures");
		return;
	}
	idle = find_idle(b, &d);
	if (idle == b->n_disks)
		vw_result_wait(v, r, VW_PASS, "%.1f requests a second",
			       (double)d.disks * 1000 / (double)d.ms);
	else if (vw_expected(b->disk[idle], d.ms) < ENOUGH)
		vw_result_wait(v, r, VW_SKIP, "disk %u had too few requests before to tell",
			       idle + 1);
	else
		vw_result_wait(
			v, r, VW_FAIL,
			"disk %u has completed no request for %lld s (before: %.1f a second): "
			"look at its storage; virsh domblklist %s",
			idle + 1, (long long)d.ms / 1000, b->disk[idle] / 60.0, s->name);
}

void vw_probe_disk_progress(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;
	struct vw_delta d;

	if (s->state != VW_DOM_RUNNING)
		vw_result(r, VW_SKIP, "it does not run");
	else if (s->before->known && any_steady(s->before))
		judge_steady(v, r);
	else if (!vw_since(s, VW_HAVE_DISK, VW_RECENT_MS, &d))
		vw_result(r, VW_SKIP, "no figures: it has no disk, or is busy with a job");
	else if (d.disks)
		vw_result(r, VW_PASS, "%llu requests completed", (unsigned long long)d.disks);
	else
		vw_result(r, VW_SKIP, "no requests; %s",
			  s->before->known ? "it had none steadily before"
					   : "what is normal is not known");
}
