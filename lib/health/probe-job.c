/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe "job-stats": how long the migration took, and how long the guest stood still. */
#include "lib/health/verify-probe.h"

void vw_probe_job(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;

	if (!s->job.known)
		vw_result(r, VW_SKIP, "libvirt keeps none");
	else if (s->job.downtime >= 0)
		vw_result(r, VW_PASS,
			  "the migration took %.1f s, the guest stood still for %lld ms",
			  (double)s->job.total / 1000, s->job.downtime);
	else
		vw_result(r, VW_PASS, "the migration took %.1f s", (double)s->job.total / 1000);
}
