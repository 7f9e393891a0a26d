/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The outline of a domain: what a collector must know before it can gather facts. */
#include "lib/engine/metadata.h"
#include "lib/engine/rules.h"

#include <errno.h>

static char *copy(const char *s, bool *failed)
{
	char *p = strdup(s ? s : "");

	if (!p)
		*failed = true;
	return p;
}

static char *source_of(const xmlNode *disk, bool *failed)
{
	const xmlNode *s = vw_xml_child(disk, "source");
	const char *pool = vw_xml_attr(s, "pool");
	const char *volume = vw_xml_attr(s, "volume");
	const char *path = vw_xml_attr(s, "file");
	char *both = NULL;

	if (pool && volume) {
		if (asprintf(&both, "%s/%s", pool, volume) >= 0)
			return both;
		*failed = true;
		return NULL;
	}
	return copy(path ? path : vw_xml_attr(s, "dev"), failed);
}

static void outline_disk(const xmlNode *disk, struct vw_outline_disk *d, bool *failed)
{
	const char *type = vw_xml_attr(disk, "type");
	const char *device = vw_xml_attr(disk, "device");

	d->target = copy(vw_disk_target(disk), failed);
	d->type = copy(type ? type : "file", failed);
	d->device = copy(device ? device : "disk", failed);
	d->source = source_of(disk, failed);
	d->format = copy(vw_xml_attr(vw_xml_child(disk, "driver"), "type"), failed);
	d->backing = vw_xml_first(vw_xml_child(disk, "backingStore"));
	d->readonly = vw_xml_child(disk, "readonly");
}

static bool outline_disks(const xmlNode *devices, struct vw_outline *o)
{
	bool failed = false;
	size_t n = 0;

	for (xmlNode *d = vw_xml_child(devices, "disk"); d; d = vw_xml_next(d, "disk"))
		n++;
	if (!n)
		return true;
	o->disks = calloc(n, sizeof(*o->disks));
	if (!o->disks)
		return false;
	for (xmlNode *d = vw_xml_child(devices, "disk"); d; d = vw_xml_next(d, "disk"))
		outline_disk(d, &o->disks[o->n_disks++], &failed);
	return !failed;
}

int vw_outline_make(struct vw_xml *doc, struct vw_outline **ret, struct vw_err *err)
{
	const xmlNode *domain = vw_xml_root(doc);
	const xmlNode *type = vw_xml_path(domain, "os/type");
	const xmlNode *devices = vw_xml_child(domain, "devices");
	struct vw_outline *o = calloc(1, sizeof(*o));
	bool failed = false;

	if (!o)
		return vw_err_set(err, -ENOMEM, "outline: out of memory");
	o->name = copy(vw_xml_content(doc, vw_xml_child(domain, "name")), &failed);
	o->uuid = copy(vw_xml_content(doc, vw_xml_child(domain, "uuid")), &failed);
	o->type = copy(vw_xml_attr(domain, "type"), &failed);
	o->arch = copy(vw_xml_attr(type, "arch"), &failed);
	o->machine = copy(vw_xml_attr(type, "machine"), &failed);
	o->emulator = copy(vw_xml_content(doc, vw_xml_child(devices, "emulator")), &failed);
	o->os_id = copy(vw_metadata_os_id(domain), &failed);
	o->mode = vw_metadata_mode(domain);
	o->foreign_owner = vw_metadata_foreign_owner(domain);
	if (failed || !outline_disks(devices, o)) {
		vw_outline_free(o);
		return vw_err_set(err, -ENOMEM, "outline: out of memory");
	}
	*ret = o;
	return 0;
}

void vw_outline_free(struct vw_outline *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < o->n_disks; i++) {
		free(o->disks[i].target);
		free(o->disks[i].type);
		free(o->disks[i].device);
		free(o->disks[i].source);
		free(o->disks[i].format);
	}
	free(o->disks);
	free(o->name);
	free(o->uuid);
	free(o->type);
	free(o->arch);
	free(o->machine);
	free(o->emulator);
	free(o->os_id);
	free(o);
}
