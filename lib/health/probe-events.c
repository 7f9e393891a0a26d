/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe "events": what libvirt reported while we watched. */
#include "lib/health/verify-probe.h"

void vw_probe_events(const struct vw_view *v, struct vw_probe_result *r)
{
	static const unsigned bad = VW_EVENT_PANIC | VW_EVENT_CRASH | VW_EVENT_STOP |
				    VW_EVENT_IO_PAUSE | VW_EVENT_WATCHDOG | VW_EVENT_CONTROL |
				    VW_EVENT_POSTCOPY;
	const struct vw_signals *s = v->s;

	if (s->events.bits & bad)
		vw_result(r, VW_FAIL, "%s", s->events.text);
	else if (s->events.bits)
		vw_result(r, VW_WARN, "%s", s->events.text);
	else
		vw_result(r, VW_PASS, "none");
}
