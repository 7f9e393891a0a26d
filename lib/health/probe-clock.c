/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe "clock": the guest's against this host's, as the agent tells it. */
#include "lib/health/verify-probe.h"

#include <math.h>

#define STEP 5.0 /* s: more than this changed since the baseline is a fault of the move */
#define OFF 60.0 /* s: without a baseline */

void vw_probe_clock(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;
	bool compare = s->before->known && s->before->skew_known;
	double off = compare ? s->agent.skew - s->before->skew : s->agent.skew;

	if (!s->agent.skew_known)
		vw_result(r, VW_SKIP, "needs the guest agent");
	else if (fabs(off) > (compare ? STEP : OFF))
		vw_result(r, VW_WARN,
			  "the guest's clock is %+.1f s off%s%s: virsh domtime %s --sync",
			  s->agent.skew, *s->agent.corrected ? "; setting it: " : "",
			  s->agent.corrected, s->name);
	else
		vw_result(r, VW_PASS, "%+.1f s against this host%s%s", s->agent.skew,
			  *s->agent.corrected ? "; " : "", s->agent.corrected);
}
