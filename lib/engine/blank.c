/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is there something to boot yet? (design.md, Rules: blank)
 *
 * Blank is a guest only if it has at least one disk, every disk was read, and none holds
 * anything. What can't be read is unknown, whatever install media, PXE or OS the XML names: an
 * installed guest on storage that is not mounted looks just like a new one. */
#include "lib/engine/rules.h"

#include <stdarg.h>

static void VW_PRINTF(3, 4) say(struct vw_ctx *c, enum vw_evidence evidence, const char *fmt, ...)
{
	va_list ap;

	c->blank = evidence;
	va_start(ap, fmt);
	vsnprintf(c->blank_why, sizeof(c->blank_why), fmt, ap);
	va_end(ap);
}

/* A hostile XML may give it no target. */
static const char *name_of(const xmlNode *disk)
{
	return *vw_disk_target(disk) ? vw_disk_target(disk) : "without target";
}

/* A disk, or a floppy in its drive. */
static bool may_hold_system(const xmlNode *disk)
{
	const xmlNode *source = vw_xml_child(disk, "source");

	if (vw_disk_is(disk, "floppy"))
		return vw_disk_has_source(disk) || vw_xml_attr(source, "protocol");
	return vw_disk_is(disk, "disk") || vw_disk_is(disk, "lun");
}

/* Return: how many disks (floppies not counted) there are; data outweighs what is unknown. */
static size_t judge_disks(struct vw_ctx *c)
{
	size_t disks = 0, i = 0;

	for (xmlNode *d = vw_xml_child(c->devices, "disk"); d; d = vw_xml_next(d, "disk")) {
		const struct vw_disk_facts *f = vw_ctx_disk(c, i++);
		const char *why = f ? f->why : "";

		if (!may_hold_system(d))
			continue;
		disks += !vw_disk_is(d, "floppy");
		if (f && f->blank == VW_NO) {
			say(c, VW_EV_ASSUMED, "a disk holds data (%s)", name_of(d));
			return disks;
		}
		if ((!f || f->blank != VW_YES) && c->blank == VW_EV_BLANK)
			say(c, VW_EV_UNKNOWN, "disk %s could not be looked at%s%s%s", name_of(d),
			    *why ? " (" : "", why, *why ? ")" : "");
	}
	return disks;
}

/* A device of the host, or memory, that may hold a system; network cards apart. */
static bool boots_elsewhere(const struct vw_ctx *c, const xmlNode *d)
{
	const char *name = (char *)d->name;
	const char *type = vw_xml_attr(d, "type");
	const char *model = vw_xml_attr(d, "model");

	if (!strcmp(name, "disk") || !strcmp(name, "interface"))
		return false;
	if (vw_xml_child(d, "boot"))
		return true;
	if (!strcmp(name, "hostdev"))
		return vw_streq(type, "pci") || vw_streq(type, "usb")
			       ? c->facts->hostdev_storage != VW_NO
			       : !vw_streq(type, "mdev");
	if (!strcmp(name, "filesystem"))
		return vw_xml_path(c->domain, "os/kernel");
	return !strcmp(name, "memory") &&
	       (vw_streq(model, "nvdimm") || vw_streq(model, "virtio-pmem"));
}

static void judge_devices(struct vw_ctx *c)
{
	for (xmlNode *d = vw_xml_first(c->devices); d; d = vw_xml_next(d, NULL))
		if (boots_elsewhere(c, d)) {
			say(c, VW_EV_UNKNOWN, "a %s may hold what it boots", (char *)d->name);
			return;
		}
}

static void judge_past(struct vw_ctx *c)
{
	if (c->facts->has_run == VW_YES)
		say(c, VW_EV_ASSUMED, "it has run before");
	else if (c->facts->new_here != VW_YES && c->facts->has_run != VW_NO)
		say(c, VW_EV_UNKNOWN, "whether it has ever run is not known");
}

void vw_judge_blank(struct vw_ctx *c)
{
	say(c, VW_EV_BLANK, "nothing is installed yet");
	if (c->facts->as_new)
		return;
	if (!judge_disks(c) && c->blank == VW_EV_BLANK)
		say(c, VW_EV_UNKNOWN, "it has no disk: what it boots is elsewhere");
	if (c->blank == VW_EV_BLANK)
		judge_devices(c);
	if (c->blank == VW_EV_BLANK)
		judge_past(c);
}
