/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Older software on the other side: it may not read what the newer one sends. */
#include "lib/migrate/check.h"

/* virConnectBaselineHypervisorCPU, which tells what a CPU is made of, came with 4.4. */
#define LIBVIRT_MIN 4004000

static void compare(struct vw_judge *j, const char *id, enum vw_severity severity, const char *what,
		    long long here, long long there)
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
			.severity = severity,
			.property = what,
			.source = a,
			.destination = b,
			.remedy = "update the destination first; upstream tests old to new only" },
		"%s is older there", what);
}

void vw_check_versions(struct vw_judge *j)
{
	const struct vw_host_facts *a = j->m->src, *b = j->m->dst;
	bool old = b->libvirt && b->libvirt < LIBVIRT_MIN;

	if (old) {
		j->unknown = true;
		vw_judge_add(j,
			     &(struct vw_found){ .id = "unasked",
						 .property = "libvirt",
						 .remedy = "update libvirt there" },
			     "%s: its libvirt is too old to say what its CPU gives (needs 4.4)",
			     b->name);
	}
	compare(j, "qemu-older", old ? VW_SEV_INFO : VW_SEV_RISK, "QEMU", a->qemu, b->qemu);
	/* It refuses what it does not know, it does not harm. */
	compare(j, "libvirt-older", VW_SEV_INFO, "libvirt", a->libvirt, b->libvirt);
}
