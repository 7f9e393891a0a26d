/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Older software on the other side: it may not read what the newer one sends. */
#include "check.h"

static void compare(struct vw_judge *j, const char *id, const char *what, long long here,
		    long long there)
{
	char a[32], b[32];

	/* Releases of one minor version fix bugs only. */
	if (!here || !there || there / 1000 >= here / 1000)
		return;
	snprintf(a, sizeof(a), "%lld.%lld.%lld", here / 1000000, here / 1000 % 1000, here % 1000);
	snprintf(b, sizeof(b), "%lld.%lld.%lld", there / 1000000, there / 1000 % 1000,
		 there % 1000);
	vw_judge_add(
		j,
		&(struct vw_found){
			.id = id,
			.severity = VW_SEV_RISK,
			.property = what,
			.source = a,
			.destination = b,
			.remedy = "update the destination first; upstream tests old to new only" },
		"%s is older there", what);
}

void vw_check_versions(struct vw_judge *j)
{
	compare(j, "qemu-older", "QEMU", j->m->src->qemu, j->m->dst->qemu);
	compare(j, "libvirt-older", "libvirt", j->m->src->libvirt, j->m->dst->libvirt);
}
