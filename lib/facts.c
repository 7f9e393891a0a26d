/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts: look-ups in the plain data of facts.h, and its contract names. */
#include "facts.h"

static int compare_feature(const void *key, const void *element)
{
	return strcmp(key, *(char *const *)element);
}

bool vw_os_has(const struct vw_os *os, const char *feature)
{
	if (!os || !feature || !os->n_features)
		return false;
	return bsearch(feature, os->features, os->n_features, sizeof(os->features[0]),
		       compare_feature) != NULL;
}

const struct vw_disk_facts *vw_facts_disk(const struct vw_facts *f, const char *target)
{
	if (!target)
		return NULL;
	for (size_t i = 0; i < f->n_disks; i++)
		if (vw_streq(f->disks[i].target, target))
			return &f->disks[i];
	return NULL;
}

struct vw_disk_facts *vw_facts_add_disk(struct vw_facts *f, const char *target)
{
	struct vw_disk_facts *grown;
	VW_AUTOFREE char *name = strdup(target);

	if (!name)
		return NULL;
	grown = reallocarray(f->disks, f->n_disks + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	f->disks = grown;
	grown += f->n_disks++;
	memset(grown, 0, sizeof(*grown));
	grown->target = vw_steal(name);
	return grown;
}

void vw_facts_clear(struct vw_facts *f)
{
	for (size_t i = 0; i < f->n_disks; i++)
		free(f->disks[i].target);
	free(f->disks);
	f->disks = NULL;
	f->n_disks = 0;
}

const char *vw_evidence_name(enum vw_evidence e)
{
	static const char *const names[] = {
		[VW_EV_UNKNOWN] = "unknown",
		[VW_EV_ASSUMED] = "assumed",
		[VW_EV_BLANK] = "blank",
		[VW_EV_PROVEN] = "proven",
	};

	return (size_t)e < VW_N_ELEMENTS(names) ? names[e] : "unknown";
}

const char *vw_os_source_name(enum vw_os_source s)
{
	static const char *const names[] = {
		[VW_OS_NONE] = "unknown", [VW_OS_METADATA] = "metadata",    [VW_OS_ADMIN] = "admin",
		[VW_OS_MEDIA] = "media",  [VW_OS_INSPECTED] = "inspection",
	};

	return (size_t)s < VW_N_ELEMENTS(names) ? names[s] : "unknown";
}
