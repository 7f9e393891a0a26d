/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe "reachability": does one of its addresses answer this host? */
#include "lib/health/verify-probe.h"

void vw_probe_reach(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;

	if (s->state != VW_DOM_RUNNING)
		vw_result(r, VW_SKIP, "it does not run");
	else if (!s->reach.tried)
		vw_result(r, VW_SKIP, "none of its addresses is known, or can be asked from here");
	else if (s->reach.answered)
		vw_result(r, VW_PASS, "%s answered", s->reach.text);
	else if (s->before->known && s->before->reachable)
		vw_result_wait(v, r, VW_FAIL, "no answer from %s, which answered before",
			       s->reach.text);
	else if (!s->reach.finished)
		vw_result_wait(v, r, VW_SKIP, "no answer from %s", s->reach.text);
	else
		vw_result(r, VW_SKIP, "no answer from %s; whether it answered before is not known",
			  s->reach.text);
}
