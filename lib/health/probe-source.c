/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe "source-host": is the guest on the host that it came from, too, or there only? */
#include "lib/health/verify-probe.h"

#define SILENT_MS 5000 /* more is not worth to wait for a host that may be dead */

static bool is_here(const struct vw_signals *s)
{
	return s->state == VW_DOM_RUNNING || s->state == VW_DOM_PAUSED ||
	       s->state == VW_DOM_SUSPENDED;
}

static void judge_running(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;

	if (is_here(s))
		vw_result_wait(
			v, r, VW_FAIL,
			"it runs on both hosts, on the same disks: stop one at once: virsh -c "
			"%s destroy %s, or virsh destroy %s here",
			s->other.uri, s->name, s->name);
	else
		vw_result(r, VW_FAIL,
			  "it runs on the source: the migration was rolled back; virt-warden -c "
			  "%s verify %s",
			  s->other.uri, s->name);
}

static void judge_paused(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;

	if (s->other.reason == VW_REASON_POSTCOPY && !is_here(s))
		vw_result(r, VW_FAIL,
			  "the post-copy migration broke in the middle, and the half of its memory "
			  "that was here is lost: virsh -c %s destroy %s, then start it there",
			  s->other.uri, s->name);
	else if (s->state == VW_DOM_RUNNING)
		vw_result_wait(
			v, r, VW_WARN,
			"it is still there on the source, paused, while it runs here: virsh -c "
			"%s destroy %s",
			s->other.uri, s->name);
	else if (is_here(s))
		vw_result_wait(
			v, r, VW_FAIL,
			"it is paused on both hosts, the migration was not ended: virsh destroy "
			"%s here, then virsh -c %s resume %s",
			s->name, s->other.uri, s->name);
	else
		vw_result(r, VW_FAIL,
			  "it is paused on the source and does not run here (the client died in "
			  "the migration?): virsh -c %s resume %s",
			  s->other.uri, s->name);
}

static void judge_stopped(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;

	if (!is_here(s) && s->state != VW_DOM_UNKNOWN)
		vw_result(r, VW_PASS, "it does not run there either");
	else if (s->other.state == VW_DOM_GONE)
		vw_result(r, VW_PASS, "it is gone from there");
	else if (s->other.persistent && s->persistent)
		vw_result(r, VW_WARN,
			  "it is defined on both hosts, and could be started on both: virsh -c %s "
			  "undefine %s",
			  s->other.uri, s->name);
	else if (s->other.persistent)
		vw_result(r, VW_PASS,
			  "it is shut off there; its config is kept there only: virsh migrate "
			  "--persistent --undefinesource takes it along");
	else
		vw_result(r, VW_PASS, "it does not run there");
}

void vw_probe_source(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;

	if (!s->other.asked) {
		vw_result(r, VW_SKIP, "not known (--source URI)");
		return;
	}
	if (!s->other.at) {
		vw_result(r, VW_SKIP, "%s: %s", s->other.uri,
			  *s->other.error ? s->other.error : "no answer");
		r->pending = !*s->other.error && s->now - s->started < SILENT_MS && !s->over;
		return;
	}
	if (s->state == VW_DOM_UNKNOWN && !s->over) {
		vw_result_wait(v, r, VW_SKIP, "the source has answered, libvirt here has not");
		return;
	}
	switch (s->other.state) {
	case VW_DOM_RUNNING: judge_running(v, r); return;
	case VW_DOM_PAUSED:
	case VW_DOM_SUSPENDED: judge_paused(v, r); return;
	default: judge_stopped(v, r);
	}
}
