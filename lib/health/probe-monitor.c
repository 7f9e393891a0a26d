/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe "monitor": does QEMU answer libvirt? */
#include "lib/health/verify-probe.h"

static bool hangs(const struct vw_signals *s, int64_t since)
{
	return since && s->now - since >= VW_HANGS_MS;
}

void vw_probe_monitor(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;

	if (s->state != VW_DOM_RUNNING && s->state != VW_DOM_PAUSED && s->state != VW_DOM_UNKNOWN)
		vw_result(r, VW_SKIP, "it does not run");
	else if (s->control == VW_CONTROL_ERROR)
		vw_result(r, VW_FAIL,
			  "libvirt has lost QEMU's monitor: virsh destroy %s, then start it",
			  s->name);
	else if (hangs(s, s->monitor_since))
		vw_result_wait(
			v, r, VW_FAIL,
			"QEMU has not answered for %lld s: its process stands still (stopped, or "
			"stuck in storage)",
			(long long)(s->now - s->monitor_since) / 1000);
	else if (s->control == VW_CONTROL_BUSY && s->control_ms >= VW_HANGS_MS)
		vw_result_wait(v, r, VW_FAIL,
			       "QEMU has not answered another client's call for %lld s",
			       (long long)s->control_ms / 1000);
	else if (hangs(s, s->libvirt_since))
		vw_result_wait(v, r, s->asked ? VW_WARN : VW_SKIP,
			       "libvirt has not answered for %lld s",
			       (long long)(s->now - s->libvirt_since) / 1000);
	else if (s->control == VW_CONTROL_UNKNOWN)
		vw_result_wait(v, r, VW_SKIP, "not asked");
	else
		vw_result(r, VW_PASS, "QEMU answers");
}
