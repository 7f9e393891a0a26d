/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe "state": does it run here at all, and if not, why? */
#include "lib/health/verify-probe.h"

static void judge_paused(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;

	switch (s->reason) {
	case VW_REASON_USER:
		if (s->before->known && s->before->paused)
			vw_result(r, VW_WARN, "paused, as it was before: virsh resume %s", s->name);
		else
			vw_result(r, s->migrated ? VW_FAIL : VW_WARN,
				  "paused (%s): virsh resume %s", s->reason_text, s->name);
		return;
	case VW_REASON_IO_ERROR:
		vw_result(r, VW_FAIL,
			  "paused by an I/O error: virsh domblkerror %s; mend the storage, then "
			  "virsh resume %s",
			  s->name, s->name);
		return;
	case VW_REASON_CRASHED:
		vw_result(r, VW_FAIL,
			  "paused, for the guest panicked (%s): virsh reset %s, then "
			  "virsh resume %s",
			  s->reason_text, s->name, s->name);
		return;
	case VW_REASON_POSTCOPY:
		vw_result(r, VW_FAIL,
			  "the post-copy migration broke in the middle, its memory is on two "
			  "hosts: virsh migrate --postcopy --postcopy-resume %s … on the source",
			  s->name);
		return;
	default:
		vw_result_wait(v, r, VW_FAIL,
			       "paused (%s): virsh resume %s, once it is clear that it does not "
			       "run on another host",
			       s->reason_text, s->name);
	}
}

void vw_probe_state(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;

	if (s->events.bits & VW_EVENT_LEFT && s->state != VW_DOM_RUNNING) {
		vw_result(r, VW_SKIP, "it was migrated to another host meanwhile");
		return;
	}
	switch (s->state) {
	case VW_DOM_RUNNING: vw_result(r, VW_PASS, "running (%s)", s->reason_text); return;
	case VW_DOM_PAUSED: judge_paused(v, r); return;
	case VW_DOM_SUSPENDED:
		vw_result(r, VW_WARN, "the guest sleeps: virsh dompmwakeup %s", s->name);
		return;
	case VW_DOM_CRASHED:
		vw_result(r, VW_FAIL, "crashed (%s): virsh reset %s", s->reason_text, s->name);
		return;
	case VW_DOM_SHUTOFF:
		vw_result(r, VW_FAIL, "does not run: shut off (%s): virsh start %s", s->reason_text,
			  s->name);
		return;
	case VW_DOM_GONE:
		vw_result(
			r, VW_FAIL,
			"libvirt here knows no such domain any more (a transient one vanishes when it "
			"stops); virt-warden history %s has its config",
			s->name);
		return;
	default:
		vw_result_wait(v, r, VW_SKIP, "libvirt did not say: %s",
			       *s->libvirt_error ? s->libvirt_error : "no answer yet");
	}
}
