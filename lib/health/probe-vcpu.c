/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe "vcpu": does it spin where it idled, or not run at all? */
#include "lib/health/verify-probe.h"

static void judge_spin(const struct vw_view *v, struct vw_probe_result *r, double want)
{
	const struct vw_baseline *b = v->s->before;
	struct vw_delta d;

	if (b->known && b->cpu == VW_CPU_CLASS_BUSY)
		vw_result(r, VW_PASS, "wants %.0f %% of a CPU; it was busy before, too",
			  want * 100);
	else if (b->known && b->cpu == VW_CPU_CLASS_MIXED)
		vw_result(r, VW_PASS, "wants %.0f %% of a CPU; it was so at times before",
			  want * 100);
	else if (v->life & VW_LIFE_USER)
		vw_result(r, VW_PASS, "wants %.0f %% of a CPU, and programs in it work",
			  want * 100);
	else if (!b->known || !b->cpu)
		vw_result_wait(v, r, VW_SKIP,
			       "wants %.0f %% of a CPU, and no program in it gives a sign; what is "
			       "normal for it is not known",
			       want * 100);
	else if (b->tx && vw_late(v->s, VW_HAVE_NET, &d) &&
		 (double)d.tx * 2 > vw_expected(b->tx, d.ms))
		vw_result_wait(
			v, r, VW_WARN,
			"wants %.0f %% of a CPU where it used %.1f %%; it still sends as before",
			want * 100, b->cpu_permille / 10.0);
	else
		vw_result_wait(
			v, r, VW_FAIL,
			"spins (wants %.0f %% of a CPU) where it used %.1f %%, and no program in it "
			"gives a sign of life: it has probably panicked. virsh screenshot, "
			"virsh console, then virsh reset %s",
			want * 100, b->cpu_permille / 10.0, v->s->name);
}

static void judge_still(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_baseline *b = v->s->before;

	if (v->life & (VW_LIFE_USER | VW_LIFE_KERNEL))
		vw_result(r, VW_PASS, "uses next to nothing");
	else if (b->known && b->wakes)
		vw_result_wait(v, r, VW_FAIL,
			       "its vCPUs do not run any more (they used %.1f %% of a CPU before): "
			       "virsh reset %s",
			       b->cpu_permille / 10.0, v->s->name);
	else
		vw_result_wait(v, r, VW_SKIP, "its vCPUs used no time");
}

void vw_probe_vcpu(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;
	struct vw_delta d;

	if (s->state != VW_DOM_RUNNING)
		vw_result(r, VW_SKIP, "it does not run");
	else if (s->over ? !vw_late(s, VW_HAVE_VCPU, &d)
			 : !vw_since(s, VW_HAVE_VCPU, VW_RECENT_MS, &d))
		vw_result_wait(v, r, VW_SKIP, "no figures");
	else if (d.most >= VW_CPU_SPINS)
		judge_spin(v, r, d.most);
	else if (d.cpu <= 0)
		judge_still(v, r);
	else if (s->before->known && s->before->cpu)
		vw_result(r, VW_PASS, "uses %.1f %% of a CPU (before: %.1f %%)", d.cpu * 100,
			  s->before->cpu_permille / 10.0);
	else
		vw_result(r, VW_PASS, "uses %.1f %% of a CPU", d.cpu * 100);
}
