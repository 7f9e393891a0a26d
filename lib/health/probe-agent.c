/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe "guest-agent": it answers if it did before. */
#include "lib/health/verify-probe.h"

#define SILENT_MS 3000

static void judge_closed(const struct vw_view *v, struct vw_probe_result *r, bool expected)
{
	const struct vw_signals *s = v->s;

	if (!expected)
		vw_result(r, VW_SKIP, "it does not run in the guest");
	else if (s->declared_agent || !(v->life & (VW_LIFE_USER | VW_LIFE_KERNEL)))
		vw_result_wait(v, r, VW_FAIL, "it ran before, and has closed its channel");
	else
		vw_result_wait(v, r, VW_WARN,
			       "it ran before, and has closed its channel; the guest lives: start "
			       "qemu-guest-agent there");
}

void vw_probe_agent(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;
	bool expected = s->declared_agent || (s->before->known && s->before->agent == VW_YES);
	bool silent = !s->agent.answered_at || s->now - s->agent.answered_at > SILENT_MS;

	if (s->state != VW_DOM_RUNNING)
		vw_result(r, VW_SKIP, "it does not run");
	else if (!s->agent.configured)
		vw_result(r, expected ? VW_WARN : VW_SKIP, "the domain has no channel for it");
	else if (!silent)
		vw_result(r, VW_PASS, "it answers");
	else if (!s->agent.connected)
		judge_closed(v, r, expected);
	else if (expected || s->agent.answers)
		vw_result_wait(v, r, VW_FAIL, "it answered before, and does not any more%s%s",
			       *s->agent.error ? ": " : "", s->agent.error);
	else
		vw_result_wait(v, r, VW_WARN, "it holds its channel open, but does not answer%s%s",
			       *s->agent.error ? ": " : "", s->agent.error);
}
