/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the XML says of a <disk>, and which facts belong to it. */
#include "lib/engine/rules.h"

#include <errno.h>

bool vw_disk_is(const xmlNode *disk, const char *device)
{
	const char *d = vw_xml_attr(disk, "device");

	return !strcmp(d ? d : "disk", device);
}

const char *vw_disk_target(const xmlNode *disk)
{
	const char *dev = vw_xml_attr(vw_xml_child(disk, "target"), "dev");

	return dev ? dev : "";
}

/* virDomainDiskDefParseXML (libvirt 9.0, conf/domain_conf.c): without bus= the
 * prefix of the name decides. */
const char *vw_disk_bus(const xmlNode *disk)
{
	static const char *const by_prefix[][2] = {
		{ "hd", "ide" },  { "sd", "scsi" }, { "vd", "virtio" },
		{ "xvd", "xen" }, { "fd", "fdc" },  { "ubd", "uml" },
	};
	const char *bus = vw_xml_attr(vw_xml_child(disk, "target"), "bus");
	const char *dev = vw_disk_target(disk);

	if (bus)
		return bus;
	for (size_t i = 0; i < VW_N_ELEMENTS(by_prefix); i++)
		if (vw_startswith(dev, by_prefix[i][0]))
			return by_prefix[i][1];
	return "ide";
}

bool vw_disk_has_source(const xmlNode *disk)
{
	static const char *const attrs[] = {
		"file", "dev", "dir", "name", "pool", "volume", "path"
	};
	const xmlNode *s = vw_xml_child(disk, "source");

	for (size_t i = 0; s && i < VW_N_ELEMENTS(attrs); i++) {
		const char *v = vw_xml_attr(s, attrs[i]);

		if (v && *v)
			return true;
	}
	return vw_streq(vw_xml_attr(s, "type"), "pci") || vw_streq(vw_xml_attr(s, "type"), "unix");
}

const struct vw_disk_facts *vw_ctx_disk(const struct vw_ctx *c, size_t i)
{
	return i < c->n_disks ? c->disk_facts[i] : NULL;
}

int vw_ctx_map_disks(struct vw_ctx *c)
{
	size_t i = 0;

	for (xmlNode *d = vw_xml_child(c->devices, "disk"); d; d = vw_xml_next(d, "disk"))
		c->n_disks++;
	if (!c->n_disks)
		return 0;
	c->disk_facts = calloc(c->n_disks, sizeof(*c->disk_facts));
	if (!c->disk_facts)
		return -ENOMEM;
	for (xmlNode *d = vw_xml_child(c->devices, "disk"); d; d = vw_xml_next(d, "disk"), i++) {
		const char *target = vw_disk_target(d);

		if (i < c->facts->n_disks && !strcmp(c->facts->disks[i].target, target))
			c->disk_facts[i] = &c->facts->disks[i];
		else
			c->disk_facts[i] = vw_facts_disk(c->facts, target);
	}
	return 0;
}
