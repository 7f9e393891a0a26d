/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts: look-ups in the plain data of facts.h, and its contract names. */
#include "lib/engine/facts.h"

#include <errno.h>

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

/* How many places of by_target come before target; with `equal`: before or equal. An XML may
 * hold thousands of disks, with names of its choice: so neither a walk nor a hash. */
static size_t places_before(const struct vw_facts *f, const char *target, bool equal)
{
	size_t low = 0, high = f->n_disks;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(f->disks[f->by_target[middle]].target, target);

		if (order < 0 || (equal && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct vw_disk_facts *vw_facts_disk(const struct vw_facts *f, const char *target)
{
	size_t at = target ? places_before(f, target, false) : f->n_disks;
	const struct vw_disk_facts *d = at < f->n_disks ? &f->disks[f->by_target[at]] : NULL;

	return d && !strcmp(d->target, target) ? d : NULL;
}

/* Room for one more disk: both arrays have room for the next power of two. */
static bool grow(struct vw_facts *f)
{
	size_t n = f->n_disks ? 2 * f->n_disks : 1;
	struct vw_disk_facts *disks;
	size_t *places;

	if (f->n_disks & (f->n_disks - 1))
		return true;
	disks = reallocarray(f->disks, n, sizeof(*disks));
	if (!disks)
		return false;
	f->disks = disks;
	places = reallocarray(f->by_target, n, sizeof(*places));
	if (!places)
		return false;
	f->by_target = places;
	return true;
}

struct vw_disk_facts *vw_facts_add_disk(struct vw_facts *f, const char *target)
{
	VW_AUTOFREE char *name = strdup(target);
	struct vw_disk_facts *d;
	size_t at;

	if (!name || !grow(f))
		return NULL;
	at = places_before(f, name, true);
	memmove(f->by_target + at + 1, f->by_target + at,
		(f->n_disks - at) * sizeof(*f->by_target));
	f->by_target[at] = f->n_disks;
	d = &f->disks[f->n_disks++];
	memset(d, 0, sizeof(*d));
	d->target = vw_steal(name);
	return d;
}

static const struct vw_network_facts *find_network(const struct vw_facts *f, const char *name)
{
	for (size_t i = 0; i < f->n_networks; i++)
		if (!strcmp(f->networks[i].name, name))
			return &f->networks[i];
	return NULL;
}

int vw_facts_add_network(struct vw_facts *f, const char *name, enum vw_known hostdev)
{
	VW_AUTOFREE char *copy = strdup(name);

	if (!f->networks)
		f->networks = calloc(VW_NETWORKS_MAX, sizeof(*f->networks));
	if (!copy || !f->networks)
		return -ENOMEM;
	if (find_network(f, name))
		return 0;
	if (f->n_networks == VW_NETWORKS_MAX)
		return -E2BIG;
	f->networks[f->n_networks++] = (struct vw_network_facts){ .name = vw_steal(copy),
								  .hostdev = hostdev };
	return 0;
}

enum vw_known vw_facts_network(const struct vw_facts *f, const char *name)
{
	const struct vw_network_facts *n = find_network(f, name);

	return n ? n->hostdev : VW_UNKNOWN;
}

void vw_facts_clear_networks(struct vw_facts *f)
{
	for (size_t i = 0; i < f->n_networks; i++)
		free(f->networks[i].name);
	free(f->networks);
	f->networks = NULL;
	f->n_networks = 0;
}

void vw_facts_clear(struct vw_facts *f)
{
	vw_facts_clear_networks(f);
	for (size_t i = 0; i < f->n_disks; i++)
		free(f->disks[i].target);
	free(f->disks);
	free(f->by_target);
	f->disks = NULL;
	f->by_target = NULL;
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

const char *vw_magic_name(enum vw_magic m)
{
	static const char *const names[] = {
		[VW_MAGIC_UNKNOWN] = "",  [VW_MAGIC_NONE] = "raw",
		[VW_MAGIC_QCOW] = "qcow", [VW_MAGIC_QCOW2] = "qcow2",
		[VW_MAGIC_QED] = "qed",   [VW_MAGIC_VMDK] = "vmdk",
		[VW_MAGIC_VDI] = "vdi",   [VW_MAGIC_VHDX] = "vhdx",
		[VW_MAGIC_VPC] = "vpc",   [VW_MAGIC_PARALLELS] = "parallels",
	};

	return (size_t)m < VW_N_ELEMENTS(names) ? names[m] : "";
}

const char *vw_os_source_name(enum vw_os_source s)
{
	static const char *const names[] = {
		[VW_OS_NONE] = "unknown", [VW_OS_METADATA] = "metadata",    [VW_OS_ADMIN] = "admin",
		[VW_OS_MEDIA] = "media",  [VW_OS_INSPECTED] = "inspection",
	};

	return (size_t)s < VW_N_ELEMENTS(names) ? names[s] : "unknown";
}
