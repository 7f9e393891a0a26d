/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe "declared": what the domain's <w:health> metadata asks for. */
#include "lib/health/verify-probe.h"

void vw_probe_declared(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;
	const struct vw_declared *open = NULL, *unasked = NULL;

	for (size_t i = 0; i < s->n_declared; i++) {
		const struct vw_declared *d = &s->declared[i];

		if (d->done && !d->ok) {
			vw_result(r, VW_FAIL, "%s: %s", d->what, d->detail);
			return;
		}
		if (!d->done && d->unasked && !unasked)
			unasked = d;
		else if (!d->done && !d->unasked && !open)
			open = d;
	}
	if (open)
		vw_result_wait(v, r, VW_FAIL, "%s: %s", open->what,
			       *open->detail ? open->detail : "no result in time");
	else if (unasked) /* no word about the guest */
		vw_result_wait(v, r, VW_SKIP, "%s: %s", unasked->what, unasked->detail);
	else if (s->n_declared)
		vw_result(r, VW_PASS, "%zu of %zu passed, %s: %s", s->n_declared, s->n_declared,
			  s->declared[0].what, s->declared[0].detail);
	else
		vw_result(r, VW_SKIP, "the metadata declares none");
}
