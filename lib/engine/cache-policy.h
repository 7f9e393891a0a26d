/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One decision, used by the hook, the engine and so by every layer: is this
 * disk's cache mode one that the policy allows? (design.md, "Caches") */
#ifndef VW_CACHE_POLICY_H
#define VW_CACHE_POLICY_H

#include "lib/engine/plan.h"

/* What is to be done about one <disk>. */
enum vw_cache_verdict {
	VW_CACHE_OK = 0, /* allowed, or not covered (read-only, empty, no medium, vhost-user …) */
	VW_CACHE_FIX,    /* to be set to policy->caches[0] */
	VW_CACHE_REPORT, /* named only: a network disk, or a file where O_DIRECT is unknown or not offered */
};

/* Judge one <disk> element. facts: of that disk, NULL = all unknown.
 * ret: NULL, or the finding (rule "disk-cache", class host, action fix/skip/refuse;
 * strings malloc'ed, free with vw_finding_clear); filled unless VW_CACHE_OK.
 * Out of memory: ret->rule is NULL. */
enum vw_cache_verdict vw_cache_judge(const xmlNode *disk, const struct vw_disk_facts *facts,
				     const struct vw_policy *policy, const char *domain,
				     struct vw_finding *ret);

/* The same, with the command that the message advises in place of "virt-warden fix DOMAIN". */
enum vw_cache_verdict vw_cache_judge_with(const xmlNode *disk, const struct vw_disk_facts *facts,
					  const struct vw_policy *policy, const char *command,
					  struct vw_finding *ret);

/* Set the cache mode of one <disk> to the policy's first (and drop io='native'
 * where the new mode would not allow it). Return: 0 or -ENOMEM. */
int vw_cache_apply(struct vw_xml *doc, xmlNode *disk, const struct vw_policy *policy);

/* Free the strings of a finding, not the struct, which is zeroed. */
void vw_finding_clear(struct vw_finding *f);

#endif
