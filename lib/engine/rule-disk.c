/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* disk-bus and cdrom-bus: the controller that a disk hangs on, with all that hangs on it:
 * the target's name, its address, the controller that nobody uses any more. */
#include "lib/engine/rules.h"

#include <ctype.h>
#include <libxml/hash.h>

/* What libvirt refuses to show on that bus (virDomainDiskDefValidate, 9.0): a WWN goes with
 * IDE and SCSI only, vendor and product with SCSI, geometry translation with IDE.
 * Return: its name, NULL = the disk can go there. */
static const char *obstacle_to(const xmlNode *disk, const char *bus)
{
	static const char *const identity[] = { "wwn", "vendor", "product" };
	bool ide = !strcmp(bus, "ide");
	bool scsi = !strcmp(bus, "scsi");

	for (size_t i = 0; i < VW_N_ELEMENTS(identity); i++)
		if (vw_xml_child(disk, identity[i]) && !scsi && !(ide && i == 0))
			return identity[i];
	if (vw_xml_attr(vw_xml_child(disk, "geometry"), "trans") && !ide)
		return "geometry trans";
	if (vw_xml_attr(vw_xml_child(disk, "target"), "removable") && !scsi &&
	    strcmp(bus, "usb") != 0)
		return "removable";
	return NULL;
}

const char *vw_disks_cling_to_ide(struct vw_ctx *c)
{
	const char *obstacle = NULL;

	for (xmlNode *d = vw_xml_child(c->devices, "disk"); d && !obstacle;
	     d = vw_xml_next(d, "disk")) {
		if (strcmp(vw_disk_bus(d), "ide") != 0)
			continue;
		obstacle = *vw_disk_target(d) ? obstacle_to(d, "sata") : "missing target";
		if (!obstacle && vw_disk_is(d, "disk") && vw_kernel_names_disk(c))
			obstacle =
				"name on the kernel's command line (write root=UUID=... there first)";
	}
	return obstacle;
}

static const char *prefix_of_bus(const char *bus)
{
	if (!strcmp(bus, "virtio"))
		return "vd";
	return !strcmp(bus, "ide") ? "hd" : "sd";
}

/* libxml2 lets a table grow by its longest chain only, and late. */
static int table_size(const struct vw_ctx *c)
{
	return 64 + 2 * (int)c->n_disks;
}

/* All target names in use, looked up in constant time: an XML may hold thousands of disks. */
static bool name_taken(struct vw_ctx *c, const char *name)
{
	if (!c->disk_names) {
		c->disk_names = xmlHashCreate(table_size(c));
		for (xmlNode *d = vw_xml_child(c->devices, "disk"); d; d = vw_xml_next(d, "disk"))
			xmlHashUpdateEntry(c->disk_names, (const xmlChar *)vw_disk_target(d), c,
					   NULL);
	}
	return !c->disk_names || xmlHashLookup(c->disk_names, (const xmlChar *)name);
}

/* "vda", …, "vdz", "vdaa", …: bijective base 26. */
static void disk_name(char *buf, size_t size, const char *prefix, unsigned i)
{
	char letters[8];
	size_t n = 0;

	do {
		letters[n++] = (char)('a' + i % 26);
		i = i / 26;
	} while (i-- > 0 && n < sizeof(letters) - 1);
	snprintf(buf, size, "%s", prefix);
	for (size_t at = strlen(buf); n > 0 && at + 1 < size; at++) {
		buf[at] = letters[--n];
		buf[at + 1] = '\0';
	}
}

/* hdb -> vdb; the next free letter when that name is taken. */
static bool new_name(struct vw_ctx *c, const xmlNode *disk, const char *bus, char *buf, size_t size)
{
	const char *prefix = prefix_of_bus(bus);
	const char *old = vw_disk_target(disk);
	const char *letters = strlen(old) > 2 ? old + 2 : "";
	bool plain = *letters && strlen(letters) <= 2;

	for (const char *p = letters; *p; p++)
		plain &= islower((unsigned char)*p) != 0;
	if (plain) {
		snprintf(buf, size, "%s%s", prefix, letters);
		if (!strcmp(buf, old) || !name_taken(c, buf))
			return true;
	}
	for (; c->next_name < 3 * c->n_disks + 3; c->next_name++) {
		disk_name(buf, size, prefix, c->next_name);
		if (!name_taken(c, buf))
			return true;
	}
	return false;
}

/* The controllers of a bus that disks sit on, by index. NULL: all may be in use (a disk says
 * none, a SCSI device of the host, no memory). */
static xmlHashTable *used_controllers(const struct vw_ctx *c, const char *bus)
{
	xmlHashTable *used = xmlHashCreate(table_size(c));

	for (xmlNode *d = vw_xml_child(c->devices, "disk"); d && used; d = vw_xml_next(d, "disk")) {
		const char *number = vw_xml_attr(vw_xml_child(d, "address"), "controller");

		if (strcmp(vw_disk_bus(d), bus) != 0)
			continue;
		if (!number || xmlHashUpdateEntry(used, (const xmlChar *)number, d, NULL) < 0) {
			xmlHashFree(used, NULL);
			used = NULL;
		}
	}
	for (xmlNode *h = vw_xml_child(c->devices, "hostdev"); h && used;
	     h = vw_xml_next(h, "hostdev"))
		if (!strcmp(bus, "scsi") && vw_streq(vw_xml_attr(h, "type"), "scsi")) {
			xmlHashFree(used, NULL);
			used = NULL;
		}
	return used;
}

static void say_orphan(struct vw_ctx *c, const char *rule, const xmlNode *controller)
{
	char text[160] = "";

	vw_say_controller(text, sizeof(text), controller);
	if (*text)
		vw_add_dropped(c, rule, "%s", text + strlen("; drops "));
}

/* Take out controllers of a bus that the last disk has left; that rule's finding says so. */
static void drop_orphans(struct vw_ctx *c, const char *rule, const char *bus)
{
	xmlHashTable *used = used_controllers(c, bus);
	xmlNode *next;

	for (xmlNode *n = vw_xml_child(c->devices, "controller"); n && used; n = next) {
		const char *index = vw_xml_attr(n, "index");

		next = vw_xml_next(n, "controller");
		if (vw_streq(vw_xml_attr(n, "type"), bus) &&
		    !xmlHashLookup(used, (const xmlChar *)(index ? index : "0"))) {
			say_orphan(c, rule, n);
			vw_xml_remove(c->doc, n);
		}
	}
	xmlHashFree(used, NULL);
	xmlHashFree(c->scsi, NULL);
	c->scsi = NULL;
}

static void move(struct vw_ctx *c, xmlNode *disk, const char *bus)
{
	xmlNode *target = vw_xml_child(disk, "target");
	xmlNode *address = vw_xml_child(disk, "address");
	char name[40];

	if (!new_name(c, disk, bus, name, sizeof(name)))
		return;
	xmlHashRemoveEntry(c->disk_names, (const xmlChar *)vw_disk_target(disk), NULL);
	xmlHashUpdateEntry(c->disk_names, (const xmlChar *)name, c, NULL);
	vw_try(c, vw_xml_set_attr(c->doc, target, "dev", name));
	vw_try(c, vw_xml_set_attr(c->doc, target, "bus", bus));
	if (!strcmp(bus, "virtio"))
		vw_try(c, vw_xml_set_attr(c->doc, target, "rotation_rate", NULL));
	if (address)
		vw_xml_remove(c->doc, address);
}

void vw_disks_leave_ide(struct vw_ctx *c)
{
	for (xmlNode *d = vw_xml_child(c->devices, "disk"); d; d = vw_xml_next(d, "disk"))
		if (!strcmp(vw_disk_bus(d), "ide") && *vw_disk_target(d)) {
			vw_add_dropped(c, "machine", "the place of %s on IDE (it goes to sata)",
				       vw_disk_target(d));
			move(c, d, "sata");
		}
	drop_orphans(c, "machine", "ide");
}

/* The model of the SCSI controller that a disk is on: "" = none in the XML. */
static const char *scsi_model(struct vw_ctx *c, const xmlNode *disk)
{
	const char *number = vw_xml_attr(vw_xml_child(disk, "address"), "controller");
	const char *model;

	if (!c->scsi) {
		c->scsi = xmlHashCreate(table_size(c));
		for (xmlNode *n = vw_xml_child(c->devices, "controller"); n;
		     n = vw_xml_next(n, "controller")) {
			const char *index = vw_xml_attr(n, "index");

			if (vw_streq(vw_xml_attr(n, "type"), "scsi")) /* the first one counts */
				xmlHashAddEntry(c->scsi, (const xmlChar *)(index ? index : "0"), n);
		}
	}
	model = vw_xml_attr(xmlHashLookup(c->scsi, (const xmlChar *)(number ? number : "0")),
			    "model");
	return model ? model : "";
}

/* What a template calls the bus: SCSI behind virtio is another thing than an emulated HBA. */
static const char *bus_kind(struct vw_ctx *c, const xmlNode *disk)
{
	const char *bus = vw_disk_bus(disk);

	return !strcmp(bus, "scsi") && vw_startswith(scsi_model(c, disk), "virtio") ? "virtio-scsi"
										    : bus;
}

/* Buses that disks have left, as bits of this table. */
static const char *const emulated[] = { "ide", "sata", "scsi" };

/* What the template says of the disk as it is. A SCSI controller may be named by its model
 * ("lsilogic"), for a driver is for that. NVMe is a fast bus, and chosen by hand. */
static bool is_fine(struct vw_ctx *c, const xmlNode *disk, const xmlNode *data, const char *kind)
{
	return vw_listed(c, data, "accept", kind) || !strcmp(kind, "nvme") ||
	       (!strcmp(kind, "scsi") && *scsi_model(c, disk) &&
		vw_listed(c, data, "accept", scsi_model(c, disk)));
}

/* Nothing that this board has suits the OS: Windows XP on q35, which has AHCI only. An
 * installed guest has got its driver, or would not be there. */
static void note_no_driver(struct vw_ctx *c, const xmlNode *disk, const char *kind)
{
	if (c->blank == VW_EV_BLANK)
		vw_note(c, vw_disk_target(disk), kind, "ide", c->blank,
			"the install media of this OS have no driver for a disk there, so Setup finds none; not done, because q35 has no IDE: use machine='pc' with bus='ide', or give Setup a driver floppy");
}

/* What keeps the disk where it is, whatever the admin allows. Return: true if it is said. */
static bool note_obstacle(struct vw_ctx *c, const xmlNode *disk, const char *kind, const char *want,
			  const char *why)
{
	const char *obstacle = obstacle_to(disk, want);
	const char *word = vw_disk_is(disk, "disk") ? vw_kernel_names_disk(c) : NULL;

	if (obstacle)
		vw_note(c, vw_disk_target(disk), kind, want, c->blank,
			"%s; not done, because a disk on %s can't have its %s: take that out, or use a virtio-scsi controller",
			why, want, obstacle);
	else if (word)
		vw_note(c, vw_disk_target(disk), kind, want, c->blank,
			"%s; not done, because the kernel's command line says %s, and on %s the disk has another name: write root=UUID=... in <cmdline> first",
			why, word, want);
	else
		return false;
	return true;
}

/* What the change is good for. */
static const char *why_move(const struct vw_ctx *c, const xmlNode *disk, const char *want)
{
	if (vw_disk_is(disk, "cdrom"))
		return "the CD-ROM sits on the bus that this board and OS have";
	if (!vw_startswith(want, "virtio"))
		return "this board has no such controller, or the install media of this OS no driver for it";
	if (c->blank == VW_EV_BLANK && c->facts->os && vw_streq(c->facts->os->family, "winnt"))
		return "an emulated disk controller is several times slower; Windows Setup shows the disk only after \"Load driver\" (viostor, on the virtio-win CD-ROM)";
	return "an emulated disk controller is several times slower";
}

/* The same, with what move() takes out (a drive's address is just its place on the old bus). */
static void say_move(const struct vw_ctx *c, const xmlNode *disk, const char *want, char *buf,
		     size_t size)
{
	const char *address = vw_xml_attr(vw_xml_child(disk, "address"), "type");
	bool rate = !strcmp(want, "virtio") &&
		    vw_xml_attr(vw_xml_child(disk, "target"), "rotation_rate");
	bool place = address && strcmp(address, "drive") != 0;

	snprintf(buf, size, "%s%s%s", why_move(c, disk, want), place ? "; drops its address" : "",
		 rate ? "; drops its rotation_rate" : "");
}

/* Return: the bit of the bus that the disk has left, 0 if it stays. */
static unsigned one_disk(struct vw_ctx *c, xmlNode *disk, const xmlNode *data)
{
	const char *kind = bus_kind(c, disk);
	const char *bus = vw_disk_bus(disk);
	unsigned left = 0;
	char why[300];
	char old[40];
	char want[24];

	if (!vw_xml_child(disk, "target") || !*vw_disk_target(disk) || is_fine(c, disk, data, kind))
		return 0;
	if (!vw_choose(c, data, "prefer", "disk.bus", want, sizeof(want))) {
		note_no_driver(c, disk, kind);
		return 0;
	}
	if (!strcmp(kind, want))
		return 0;
	snprintf(old, sizeof(old), "%s", vw_disk_target(disk));
	say_move(c, disk, want, why, sizeof(why));
	if (note_obstacle(c, disk, kind, want, why) || !vw_decide(c, old, kind, want, why))
		return 0;
	for (size_t i = 0; i < VW_N_ELEMENTS(emulated); i++)
		left |= strcmp(bus, emulated[i]) ? 0 : 1u << i;
	move(c, disk, want);
	return left;
}

static void all_disks(struct vw_ctx *c, const char *device, const xmlNode *data)
{
	unsigned left = 0;

	for (xmlNode *d = vw_xml_child(c->devices, "disk"); d; d = vw_xml_next(d, "disk"))
		if (vw_disk_is(d, device))
			left |= one_disk(c, d, data);
	for (size_t i = 0; i < VW_N_ELEMENTS(emulated); i++)
		if (left & (1u << i))
			drop_orphans(c, c->rule->id, emulated[i]);
}

static void disk_bus(struct vw_ctx *c, const xmlNode *data)
{
	all_disks(c, "disk", data);
}

const struct vw_rule vw_rule_disk_bus = {
	.id = "disk-bus",
	.cls = VW_CLASS_BOOT,
	.run = disk_bus,
	.needs_template = true,
};

static void cdrom_bus(struct vw_ctx *c, const xmlNode *data)
{
	all_disks(c, "cdrom", data);
}

const struct vw_rule vw_rule_cdrom_bus = {
	.id = "cdrom-bus",
	.cls = VW_CLASS_BOOT,
	.run = cdrom_bus,
	.needs_template = true,
};
