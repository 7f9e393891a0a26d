/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of this host a domain can't start without (see needs.h). */
#include "agent/needs.h"

#include "agent/agent-table.h"
#include "lib/xml/xml.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>

#define LOOK_MS 1000 /* at all paths of one domain */

void agent_needs_clear(struct agent_needs *needs)
{
	while (needs->n)
		free(needs->v[--needs->n]);
}

uint32_t agent_need_hash(const char *need)
{
	uint64_t h = agent_hash(need, strlen(need));

	return (uint32_t)(h ^ h >> 32);
}

bool agent_needs_any(const char *xml)
{
	static const char *const signs[] = { "<hostdev ", "<disk type='block'",
					     "<interface type='bridge'", "<interface type='direct'",
					     "<interface type='hostdev'" };

	for (size_t i = 0; i < VW_N_ELEMENTS(signs); i++)
		if (strstr(xml, signs[i]))
			return true;
	return false;
}

static int VW_PRINTF(2, 3) add(struct agent_needs *needs, const char *fmt, ...)
{
	VW_AUTOFREE char *text = NULL;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0) {
		text = NULL;
		return -ENOMEM;
	}
	if (len < AGENT_NEED_MAX && needs->n < AGENT_NEEDS_MAX)
		needs->v[needs->n++] = vw_steal(text);
	return 0;
}

/* A number of an attribute, decimal or 0x. Return: -1 = none. */
static long number(const xmlNode *n, const char *name)
{
	const char *s = vw_xml_attr(n, name);
	char *end;
	long v = s ? strtol(s, &end, 0) : -1;

	return s && *s && !*end && v >= 0 && v <= 0xffff ? v : -1;
}

static int add_pci(struct agent_needs *needs, const xmlNode *address)
{
	long domain = number(address, "domain"), bus = number(address, "bus");
	long slot = number(address, "slot"), function = number(address, "function");

	if (bus < 0 || slot < 0 || function < 0)
		return 0;
	return add(needs, "pci %04lx:%02lx:%02lx.%lx", domain < 0 ? 0 : domain, bus, slot,
		   function);
}

static int add_usb(struct agent_needs *needs, const xmlNode *source)
{
	const xmlNode *address = vw_xml_child(source, "address");
	long vendor = number(vw_xml_child(source, "vendor"), "id");
	long product = number(vw_xml_child(source, "product"), "id");

	if (vw_streq(vw_xml_attr(source, "startupPolicy"), "optional"))
		return 0;
	if (vendor >= 0 && product >= 0)
		return add(needs, "usb %04lx:%04lx", vendor, product);
	if (number(address, "bus") < 0 || number(address, "device") < 0)
		return 0;
	return add(needs, "usb-at %ld.%ld", number(address, "bus"), number(address, "device"));
}

static int add_scsi(struct agent_needs *needs, const xmlNode *source)
{
	const char *adapter = vw_xml_attr(vw_xml_child(source, "adapter"), "name");
	const xmlNode *a = vw_xml_child(source, "address");
	long bus = number(a, "bus"), target = number(a, "target"), unit = number(a, "unit");

	if (!adapter || !vw_startswith(adapter, "scsi_host") || bus < 0 || target < 0 || unit < 0)
		return 0;
	return add(needs, "scsi %s:%ld:%ld:%ld", adapter + strlen("scsi_host"), bus, target, unit);
}

static int add_hostdev(struct agent_needs *needs, const xmlNode *device)
{
	const char *type = vw_xml_attr(device, "type");
	const xmlNode *source = vw_xml_child(device, "source");
	const xmlNode *address = vw_xml_child(source, "address");
	const char *uuid = vw_xml_attr(address, "uuid");

	if (vw_streq(type, "pci"))
		return add_pci(needs, address);
	if (vw_streq(type, "usb"))
		return add_usb(needs, source);
	if (vw_streq(type, "scsi"))
		return add_scsi(needs, source);
	return vw_streq(type, "mdev") && uuid ? add(needs, "mdev %s", uuid) : 0;
}

static int add_disk(struct agent_needs *needs, const xmlNode *disk)
{
	const xmlNode *source = vw_xml_child(disk, "source");
	const char *dev = vw_xml_attr(source, "dev");

	/* another path is no device of udev's, and hostile, perhaps */
	if (!vw_streq(vw_xml_attr(disk, "type"), "block") || !dev || !vw_startswith(dev, "/dev/") ||
	    strstr(dev, "/../") || vw_streq(vw_xml_attr(source, "startupPolicy"), "optional"))
		return 0;
	return add(needs, "block %s", dev);
}

static int add_interface(struct agent_needs *needs, const xmlNode *interface)
{
	const char *type = vw_xml_attr(interface, "type");
	const xmlNode *source = vw_xml_child(interface, "source");
	const char *name = vw_xml_attr(source, vw_streq(type, "bridge") ? "bridge" : "dev");

	if (vw_streq(type, "hostdev"))
		return add_pci(needs, vw_xml_child(source, "address"));
	if ((!vw_streq(type, "bridge") && !vw_streq(type, "direct")) || !name || strchr(name, '/'))
		return 0;
	return add(needs, "net %s", name);
}

int agent_needs_of(const xmlNode *domain, struct agent_needs *ret)
{
	const xmlNode *devices = vw_xml_child(domain, "devices");
	int r = 0;

	for (const xmlNode *d = vw_xml_first(devices); d && r == 0; d = vw_xml_next(d, NULL)) {
		if (!strcmp((const char *)d->name, "disk"))
			r = add_disk(ret, d);
		else if (!strcmp((const char *)d->name, "interface"))
			r = add_interface(ret, d);
		else if (!strcmp((const char *)d->name, "hostdev"))
			r = add_hostdev(ret, d);
	}
	return r;
}

static bool sys_has(const char *sysroot, const char *dir, const char *name)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/sys/%s/%s", sysroot, dir, name) <
		       (int)sizeof(path) &&
	       access(path, F_OK) == 0;
}

/* A number of a USB device's attribute file. Return: -1 = none. */
static long usb_number(const char *dir, const char *device, const char *attribute, int base)
{
	char path[PATH_MAX], text[16] = "";
	VW_AUTOCLOSE int fd = -1;

	if (snprintf(path, sizeof(path), "%s/%s/%s", dir, device, attribute) >= (int)sizeof(path))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 ? strtol(text, NULL, base) : -1;
}

/* Is there a USB device with these numbers in these two attributes? */
static bool usb_has(const char *sysroot, const char *first, long a, const char *second, long b,
		    int base)
{
	char dir[PATH_MAX];
	struct dirent *e;
	bool found = false;
	DIR *d;

	if (snprintf(dir, sizeof(dir), "%s/sys/bus/usb/devices", sysroot) >= (int)sizeof(dir) ||
	    !(d = opendir(dir)))
		return false;
	while (!found && (e = readdir(d)))
		found = *e->d_name != '.' && usb_number(dir, e->d_name, first, base) == a &&
			usb_number(dir, e->d_name, second, base) == b;
	closedir(d);
	return found;
}

/* Is it there? Of what the kernel lists in /sys. */
static bool is_met(const char *sysroot, const char *need)
{
	static const struct {
		const char *kind, *dir;
	} dirs[] = {
		{ "net ", "class/net" },
		{ "pci ", "bus/pci/devices" },
		{ "scsi ", "bus/scsi/devices" },
		{ "mdev ", "bus/mdev/devices" },
	};
	unsigned a, b;

	for (size_t i = 0; i < VW_N_ELEMENTS(dirs); i++)
		if (vw_startswith(need, dirs[i].kind))
			return sys_has(sysroot, dirs[i].dir, need + strlen(dirs[i].kind));
	if (sscanf(need, "usb %x:%x", &a, &b) == 2)
		return usb_has(sysroot, "idVendor", a, "idProduct", b, 16);
	if (sscanf(need, "usb-at %u.%u", &a, &b) == 2)
		return usb_has(sysroot, "busnum", a, "devnum", b, 10);
	return true;
}

void agent_needs_look(const char *sysroot, struct vw_prober *p, const struct agent_needs *needs,
		      enum vw_known *ret)
{
	struct vw_probe_ask asks[AGENT_NEEDS_MAX] = { 0 };
	struct vw_disk_facts facts[AGENT_NEEDS_MAX] = { 0 };

	for (size_t i = 0; i < needs->n; i++)
		if (vw_startswith(needs->v[i], "block "))
			asks[i] = (struct vw_probe_ask){ .path = needs->v[i] + strlen("block "),
							 .format = "",
							 .want = VW_PROBE_EXISTS,
							 .out = &facts[i] };
		else
			ret[i] = is_met(sysroot, needs->v[i]) ? VW_YES : VW_NO;
	if (p)
		vw_probe_disks(p, asks, needs->n, LOOK_MS, LOOK_MS);
	for (size_t i = 0; i < needs->n; i++)
		if (asks[i].path)
			ret[i] = facts[i].exists;
}
