/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `new`: the generic XML, which has no opinions: those are the templates'. Built as
 * a tree, so that every name and path is escaped. */
#include "plugin/cmd/new.h"
#include "lib/engine/metadata.h"

#include <libxml/tree.h>

/* <name key="value">; NULL value: without. */
static xmlNode *add(xmlNode *parent, const char *name, const char *key, const char *value)
{
	xmlNode *n = xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);

	if (n && value)
		xmlNewProp(n, (const xmlChar *)key, (const xmlChar *)value);
	return n;
}

static xmlNode *add_text(xmlNode *parent, const char *name, const char *text)
{
	return xmlNewTextChild(parent, NULL, (const xmlChar *)name, (const xmlChar *)text);
}

static void set(xmlNode *n, const char *key, const char *value)
{
	if (n)
		xmlNewProp(n, (const xmlChar *)key, (const xmlChar *)value);
}

static void add_number(xmlNode *parent, const char *name, unsigned long value, const char *unit)
{
	char text[32];
	xmlNode *n;

	snprintf(text, sizeof(text), "%lu", value);
	n = add_text(parent, name, text);
	if (unit)
		set(n, "unit", unit);
}

/* "hd" and 27 -> "hdab" */
static void target_name(const char *prefix, unsigned i, char *buf, size_t size)
{
	if (i < 26)
		snprintf(buf, size, "%s%c", prefix, 'a' + (char)i);
	else
		snprintf(buf, size, "%s%c%c", prefix, 'a' + (char)(i / 26 - 1),
			 'a' + (char)(i % 26));
}

/* Targets given so far: hdX, sdX, vdX. */
struct targets {
	unsigned hd, sd, vd;
	bool x86;
};

/* The bus and the next target on it. bus "": what every guest boots on. */
static const char *next_target(struct targets *t, const char *bus, bool cdrom, char *target,
			       size_t size)
{
	if (!*bus)
		bus = !t->x86 ? (cdrom ? "scsi" : "virtio") : t->hd < 4 ? "ide" : "sata";
	if (vw_streq(bus, "ide"))
		target_name("hd", t->hd++, target, size);
	else if (vw_streq(bus, "virtio"))
		target_name("vd", t->vd++, target, size);
	else
		target_name("sd", t->sd++, target, size);
	return bus;
}

static void add_disk(xmlNode *devices, struct targets *t, const struct new_disk *d, const char *bus)
{
	xmlNode *disk = add(devices, "disk", "type", d->block ? "block" : "file"), *n;
	char target[16];

	set(disk, "device", "disk");
	n = add(disk, "driver", "name", "qemu");
	set(n, "type", d->format);
	add(disk, "source", d->block ? "dev" : "file", d->path);
	bus = next_target(t, bus, false, target, sizeof(target));
	n = add(disk, "target", "dev", target);
	set(n, "bus", bus);
}

static void add_cdrom(xmlNode *devices, struct targets *t, const char *path)
{
	xmlNode *disk = add(devices, "disk", "type", "file"), *n;
	char target[16];
	const char *bus;

	set(disk, "device", "cdrom");
	n = add(disk, "driver", "name", "qemu");
	set(n, "type", "raw");
	add(disk, "source", "file", path);
	bus = next_target(t, "", true, target, sizeof(target));
	n = add(disk, "target", "dev", target);
	set(n, "bus", bus);
	add(disk, "readonly", "", NULL);
}

static void add_nic(xmlNode *devices, const struct new_nic *nic)
{
	xmlNode *n = add(devices, "interface", "type", nic->type);

	if (*nic->mac)
		add(n, "mac", "address", nic->mac);
	if (nic->name)
		add(n, "source", nic->type, nic->name);
}

/* A bus that the admin named is his word: no rule changes it (ide needs its machine, too). */
static const char *add_admins_word(xmlNode *root, const struct new_domain *d)
{
	const char *bus = "";
	xmlNode *warden;
	xmlNs *ns;
	size_t i;

	for (i = 0; i < d->n_disks && !*bus; i++)
		bus = d->disks[i].bus;
	if (!*bus)
		return bus;
	warden = add(add(root, "metadata", "", NULL), "warden", "", NULL);
	ns = warden ? xmlNewNs(warden, (const xmlChar *)VW_METADATA_NS, (const xmlChar *)"w")
		    : NULL;
	xmlSetNs(warden, ns);
	xmlSetNs(add(warden, "skip", "rule", "disk-bus"), ns);
	if (vw_streq(bus, "ide"))
		xmlSetNs(add(warden, "skip", "rule", "machine"), ns);
	return bus;
}

static void add_os(xmlNode *root, const struct new_domain *d)
{
	xmlNode *os = add(root, "os", "", NULL);

	set(add_text(os, "type", "hvm"), "arch", d->arch);
	add(os, "boot", "dev", "hd");
	if (d->cdrom)
		add(os, "boot", "dev", "cdrom");
	else if (d->n_nics)
		add(os, "boot", "dev", "network");
}

static void add_devices(xmlNode *root, const struct new_domain *d, const char *bus)
{
	xmlNode *devices = add(root, "devices", "", NULL);
	struct targets t = { .x86 = vw_streq(d->arch, "x86_64") || vw_streq(d->arch, "i686") };
	size_t i;

	for (i = 0; i < d->n_disks; i++)
		add_disk(devices, &t, &d->disks[i], *d->disks[i].bus ? d->disks[i].bus : bus);
	if (d->cdrom)
		add_cdrom(devices, &t, d->cdrom);
	for (i = 0; i < d->n_nics; i++)
		add_nic(devices, &d->nics[i]);
	add(devices, "serial", "type", "pty");
	add(devices, "console", "type", "pty");
	if (strcmp(d->graphics, "none")) {
		add(devices, "graphics", "type", d->graphics);
		/* on x86 the template knows which model the OS drives */
		if (!t.x86)
			add(add(devices, "video", "", NULL), "model", "type", "virtio");
	}
}

char *new_generic_xml(const struct new_domain *d)
{
	xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
	xmlNode *root = doc ? xmlNewDocNode(doc, NULL, (const xmlChar *)"domain", NULL) : NULL;
	xmlBuffer *buf = xmlBufferCreate();
	char *text = NULL;
	const char *bus;

	if (root && buf) {
		xmlDocSetRootElement(doc, root);
		set(root, "type", d->virttype);
		add_text(root, "name", d->name);
		bus = add_admins_word(root, d);
		add_number(root, "memory", d->memory_mib, "MiB");
		add_number(root, "vcpu", d->vcpus, NULL);
		add_os(root, d);
		add_devices(root, d, bus);
		if (xmlNodeDump(buf, doc, root, 0, 1) > 0 &&
		    asprintf(&text, "%s\n", (const char *)xmlBufferContent(buf)) < 0)
			text = NULL;
	}
	if (buf)
		xmlBufferFree(buf);
	xmlFreeDoc(doc);
	return text;
}
