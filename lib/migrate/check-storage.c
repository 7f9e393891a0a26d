/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Disks: libvirt's own rule (qemuMigrationSrcIsSafe), and what it does not look at:
 * whether the path is there, and whether it is the same LUN.
 *
 * libvirt takes every block device and network disk as shared, skips read-only
 * disks, and asks statfs for files. */
#include "lib/migrate/check.h"

struct disk {
	const xmlNode *node,
		*own; /* own: as it is at the source, which is what libvirt calls safe */
	const char *type, *device, *target, *path; /* path: of a file or block device, or "" */
	bool readonly, shareable, copied, optional;
};

static const char *source_of(const xmlNode *disk)
{
	const xmlNode *s = vw_xml_child(disk, "source");
	const char *path = s ? vw_xml_attr(s, "file") : NULL;

	return vw_or_empty(path ? path : s ? vw_xml_attr(s, "dev") : NULL);
}

static int by_target(const void *a, const void *b)
{
	const struct vw_own_disk *x = a, *y = b;

	return strcmp(x->target, y->target);
}

/* With --xml: the disk of the same target at the source. */
static const xmlNode *own_disk(const struct vw_judge *j, const xmlNode *node, const char *target)
{
	const struct vw_own_disk key = { .target = target }, *own;

	own = j->n_own_disks ? bsearch(&key, j->own_disks, j->n_own_disks, sizeof(key), by_target)
			     : NULL;
	return own ? own->node : node;
}

/* Return: false: no memory. */
static bool list_own_disks(struct vw_judge *j)
{
	const xmlNode *first = j->m->own ? vw_xml_path(vw_xml_root(j->m->own), "devices/disk")
					 : NULL;
	size_t n = 0;

	for (const xmlNode *d = first; d; d = vw_xml_next(d, "disk"))
		n++;
	j->own_disks = calloc(n + 1, sizeof(*j->own_disks));
	if (!j->own_disks)
		return false;
	for (const xmlNode *d = first; d; d = vw_xml_next(d, "disk")) {
		const xmlNode *t = vw_xml_child(d, "target");
		const char *dev = t ? vw_xml_attr(t, "dev") : NULL;

		if (dev)
			j->own_disks[j->n_own_disks++] = (struct vw_own_disk){ dev, d };
	}
	/* libvirt refuses two disks with one target */
	qsort(j->own_disks, j->n_own_disks, sizeof(*j->own_disks), by_target);
	return true;
}

static void read_disk(const struct vw_judge *j, const xmlNode *node, struct disk *d)
{
	const xmlNode *target = vw_xml_child(node, "target");
	const xmlNode *source = vw_xml_child(node, "source");
	const char *policy = source ? vw_xml_attr(source, "startupPolicy") : NULL;

	d->node = node;
	d->type = vw_or_empty(vw_xml_attr(node, "type"));
	d->device = vw_or_empty(vw_xml_attr(node, "device"));
	d->target = vw_or_empty(target ? vw_xml_attr(target, "dev") : NULL);
	d->path = source_of(node);
	d->own = own_disk(j, node, d->target);
	d->readonly = vw_xml_child(node, "readonly") || !strcmp(d->device, "cdrom");
	d->shareable = vw_xml_child(node, "shareable");
	d->optional = vw_streq(policy, "optional") || vw_streq(policy, "requisite");
	d->copied = j->m->flags & VW_MOVE_COPY_STORAGE && source &&
		    (j->m->copied.n ? vw_words_have(&j->m->copied, d->target)
				    : !d->readonly && !d->shareable);
}

static void say(struct vw_judge *j, const struct disk *d, const char *id, enum vw_severity severity,
		const char *remedy, const char *message)
{
	vw_judge_add(j,
		     &(struct vw_found){ .id = id,
					 .severity = severity,
					 .property = d->target,
					 .source = d->path,
					 .remedy = remedy },
		     "%s", message);
}

/* "filer:/export" -> "/export": one filer may go by two names. */
static const char *export_of(const struct vw_host_pool *p)
{
	const char *slash = strstr(p->source, ":/");

	return slash ? slash + 1 : p->source;
}

/* Pools of both hosts over the path: do they mount the same? */
static enum vw_known same_pool(const struct vw_judge *j, const struct disk *d)
{
	const struct vw_host_pool *a = vw_host_pool_over(j->m->src, d->path);
	const struct vw_host_pool *b = vw_host_pool_over(j->m->dst, d->path);

	if (!a || !b || vw_host_pool_shared(a) != VW_YES || vw_host_pool_shared(b) == VW_UNKNOWN)
		return VW_UNKNOWN;
	return vw_host_pool_shared(b) == VW_YES && !strcmp(export_of(a), export_of(b)) ? VW_YES
										       : VW_NO;
}

static void compare_pools(struct vw_judge *j, const struct disk *d)
{
	const struct vw_host_pool *a = vw_host_pool_over(j->m->src, d->path);
	const struct vw_host_pool *b = vw_host_pool_over(j->m->dst, d->path);

	if (same_pool(j, d) == VW_NO)
		vw_judge_add(j,
			     &(struct vw_found){
				     .id = "disk-other-lun",
				     .severity = VW_SEV_RISK,
				     .property = d->target,
				     .source = a->source,
				     .destination = b->source,
				     .remedy = "give the pool the same source on both hosts" },
			     "the pool %s is another filesystem there", b->name);
}

/* Does libvirt take the filesystem as one that both hosts see? It asks statfs on the host where
 * the guest runs; from afar a pool that mounts it says the same. */
static enum vw_known is_shared(const struct vw_judge *j, const struct disk *d)
{
	const struct vw_live *l = j->m->live;
	const struct vw_host_pool *p;

	if (l && vw_words_have(&l->shared, d->path))
		return VW_YES;
	if (l && vw_words_have(&l->local, d->path))
		return VW_NO;
	p = vw_host_pool_over(j->m->src, d->path);
	return p ? vw_host_pool_shared(p) : VW_UNKNOWN;
}

static void check_shared(struct vw_judge *j, const struct disk *d)
{
	VW_AUTOFREE char *remedy = NULL;
	enum vw_known shared = is_shared(j, d);

	if (d->copied || d->readonly || strcmp(d->type, "file"))
		return;
	if (shared == VW_YES) {
		compare_pools(j, d);
		return;
	}
	if (asprintf(
		    &remedy,
		    "virsh migrate --live --copy-storage-all %s %s, or move the image to shared storage",
		    j->name, *vw_or_empty(j->m->desturi) ? j->m->desturi : "DESTURI") < 0)
		remedy = NULL;
	if (shared == VW_NO) {
		say(j, d, "disk-not-shared", VW_SEV_BLOCKER, remedy,
		    "the image lies on a local filesystem: libvirt refuses this as unsafe");
		return;
	}
	j->unknown = true;
	say(j, d, "unasked", VW_SEV_INFO, remedy,
	    "whether the image lies on a shared filesystem can be asked on its own host only");
}

/* A copied disk that is not there is made by libvirt, if a pool holds its directory. */
static void check_target(struct vw_judge *j, const struct disk *d)
{
	bool file = !strcmp(d->type, "file");

	if (vw_host_file(j->m->dst, d->path) != VW_NO ||
	    (file && vw_host_pool_of(j->m->dst, d->path)))
		return;
	say(j, d, "disk-target-missing", VW_SEV_BLOCKER,
	    file ? "create an image of the same size there, or a storage pool over its directory"
		 : "create a volume of the same size there",
	    "there is nothing to copy onto, and libvirt can't create it");
}

static void say_absent(struct vw_judge *j, const struct disk *d, const char *id,
		       enum vw_severity severity, const char *remedy, const char *message)
{
	vw_judge_add(j,
		     &(struct vw_found){ .id = id,
					 .severity = severity,
					 .property = d->target,
					 .source = d->path,
					 .destination = "not there",
					 .remedy = remedy },
		     "%s", message);
}

static void check_there(struct vw_judge *j, const struct disk *d)
{
	bool cdrom = !strcmp(d->device, "cdrom") || !strcmp(d->device, "floppy");
	enum vw_known there = vw_host_file(j->m->dst, d->path);
	VW_AUTOFREE char *remedy = NULL, *target = vw_judge_word(d->target);

	/* The way back: its host has it, until it is taken away. */
	if (there == VW_YES || (j->m->flags & VW_MOVE_BACK && !j->m->dst->n_files))
		return;
	if (there == VW_UNKNOWN && same_pool(j, d) == VW_YES)
		return;
	if (cdrom && asprintf(&remedy, "virsh change-media %s %s --eject, or put the medium there",
			      j->name, vw_or_empty(target)) < 0)
		remedy = NULL;
	if (there == VW_NO && d->optional)
		say_absent(j, d, "media-missing", VW_SEV_RISK, remedy,
			   "the medium is not there: the guest finds the drive empty");
	else if (there == VW_NO)
		say_absent(j, d, cdrom ? "media-missing" : "disk-missing", VW_SEV_BLOCKER,
			   cdrom ? remedy
				 : "give the destination access to it (zoning, mount, pool)",
			   "it is not there on the destination");
	else
		vw_judge_unseen(j, d->target, d->path);
}

static bool differ(const char *a, const char *b)
{
	return *a && *b && strcmp(a, b) != 0;
}

/* The same path can be another device: by WWN, serial, size. libvirt does not look. */
static void check_lun(struct vw_judge *j, const struct disk *d)
{
	const struct vw_host_lun *a = vw_host_lun(j->m->src, d->path);
	const struct vw_host_lun *b = vw_host_lun(j->m->dst, d->path);

	/* udev makes these names of WWN or serial number. */
	if (vw_startswith(d->path, "/dev/disk/by-id/"))
		return;
	if (a && b &&
	    (differ(a->wwn, b->wwn) || differ(a->serial, b->serial) ||
	     (a->bytes && b->bytes && a->bytes != b->bytes))) {
		vw_judge_add(
			j,
			&(struct vw_found){
				.id = "disk-other-lun",
				.severity = VW_SEV_RISK,
				.property = d->target,
				.source = *a->wwn ? a->wwn : a->serial,
				.destination = *b->wwn ? b->wwn : b->serial,
				.remedy = "name the LUN by /dev/disk/by-id/wwn-... on both hosts" },
			"%s is another device there: the guest would write over it", d->path);
		return;
	}
	if (!a || !b || (!(*a->wwn && *b->wwn) && !(*a->serial && *b->serial)))
		say(j, d, "disk-unproved", VW_SEV_INFO, "compare lsblk -o NAME,WWN,SERIAL,SIZE",
		    "no WWN or serial number proves that both hosts have the same device behind it");
}

static void check_cache(struct vw_judge *j, const struct disk *d)
{
	const xmlNode *driver = vw_xml_child(d->own, "driver");
	const char *cache = vw_or_empty(driver ? vw_xml_attr(driver, "cache") : NULL);
	VW_AUTOFREE char *remedy = NULL;

	if (d->copied || d->readonly || d->shareable || !strcmp(cache, "none") ||
	    !strcmp(cache, "directsync"))
		return;
	if (asprintf(&remedy, "virt-warden fix %s", j->name) < 0)
		remedy = NULL;
	vw_judge_add(j,
		     &(struct vw_found){ .id = "disk-cache",
					 /* without drop-cache (QEMU 3.0) libvirt refuses it */
					 .severity = j->m->src->qemu && j->m->src->qemu < 3000000
							     ? VW_SEV_BLOCKER
							     : VW_SEV_RISK,
					 .property = d->target,
					 .source = *cache ? cache : "default",
					 .remedy = remedy },
		     "the host caches it: what the destination reads may be old");
}

static void check_disk(struct vw_judge *j, const struct disk *d)
{
	if (vw_xml_child(d->node, "transient")) {
		say(j, d, "disk-transient", VW_SEV_BLOCKER, "shut it down and drop <transient/>",
		    "libvirt migrates no transient disk");
		return; /* what lies below it is its own */
	}
	if (!strcmp(d->type, "nvme"))
		say(j, d, "disk-nvme", VW_SEV_BLOCKER, "use shared storage",
		    "a disk of a local NVMe controller is never shared");
	if (!strcmp(d->type, "vhostuser"))
		say(j, d, "vhost-user", VW_SEV_RISK, "run its back-end on both hosts",
		    "its back-end must run on the destination, on the same socket");
	if (!*d->path || (strcmp(d->type, "file") && strcmp(d->type, "block")))
		return;
	check_shared(j, d);
	if (d->copied)
		check_target(j, d);
	else
		check_there(j, d);
	if (!d->copied && !strcmp(d->type, "block") && strcmp(d->device, "cdrom"))
		check_lun(j, d);
	check_cache(j, d);
}

void vw_check_storage(struct vw_judge *j)
{
	const xmlNode *devices = j->root ? vw_xml_child(j->root, "devices") : NULL;
	const xmlNode *n = devices ? vw_xml_child(devices, "disk") : NULL;

	if (j->m->flags & VW_MOVE_OFFLINE)
		return;
	if (!list_own_disks(j)) {
		j->failed = true;
		return;
	}
	for (; n; n = vw_xml_next(n, "disk")) {
		struct disk d;

		read_disk(j, n, &d);
		check_disk(j, &d);
	}
	free(j->own_disks);
}
