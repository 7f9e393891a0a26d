/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe "disk-errors": what virsh domblkerror says. */
#include "lib/health/verify-probe.h"

void vw_probe_disk_errors(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;

	if (s->disk_errors < 0)
		vw_result(r, VW_SKIP, "not said");
	else if (s->disk_errors == 0)
		vw_result(r, VW_PASS, "none");
	else
		vw_result(r, VW_FAIL, "%s: mend the storage, then virsh resume %s",
			  s->disk_errors_text, s->name);
}
