/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* May a host device that the guest is given hold a system? sysfs tells the class of PCI
 * devices, and of the interfaces of USB devices. */
#include "virt/collect-internal.h"

#include <dirent.h>
#include <fcntl.h>

/* PCI base classes (PCI Code and ID Assignment): a mass storage controller; a serial bus
 * controller (USB, FireWire, Fibre Channel), behind which anything may hang. */
#define PCI_STORAGE 0x01
#define PCI_SERIAL_BUS 0x0c
#define USB_STORAGE 0x08 /* USB interface class "mass storage" */

/* The number in a small file of sysfs, -1 = there is none. */
static long read_number(int dirfd, const char *path, int base)
{
	VW_AUTOCLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char text[32], *end;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	long v;

	if (n <= 0)
		return -1;
	text[n] = 0;
	v = strtol(text, &end, base);
	return end == text ? -1 : v;
}

static long number_of(const xmlNode *n, const char *attr)
{
	const char *s = vw_xml_attr(n, attr);
	char *end;
	long v = s ? strtol(s, &end, 0) : 0;

	return s && (end == s || *end) ? -1 : v;
}

static int open_sysfs(const struct vw_context *c, const char *bus)
{
	VW_AUTOFREE char *path = NULL;

	if (asprintf(&path, "%s/sys/bus/%s/devices", vw_context_paths(c)->sysroot, bus) < 0)
		return -1;
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static enum vw_known pci_storage(const struct vw_context *c, const xmlNode *source)
{
	const xmlNode *a = vw_xml_child(source, "address");
	VW_AUTOCLOSE int dir = open_sysfs(c, "pci");
	char path[64];
	long cls;

	snprintf(path, sizeof(path), "%04lx:%02lx:%02lx.%lx/class", number_of(a, "domain"),
		 number_of(a, "bus"), number_of(a, "slot"), number_of(a, "function"));
	cls = dir < 0 || !a ? -1 : read_number(dir, path, 16);
	if (cls < 0)
		return VW_UNKNOWN;
	cls = cls >> 16 & 0xff;
	return cls == PCI_STORAGE || cls == PCI_SERIAL_BUS ? VW_YES : VW_NO;
}

static bool file_says(int dir, const char *device, const char *file, int base, long want)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", device, file);
	return read_number(dir, path, base) == want;
}

/* Is this the device that the XML means? By vendor and product, or bus and device number. */
static bool usb_matches(int dir, const char *device, const xmlNode *source)
{
	const xmlNode *vendor = vw_xml_child(source, "vendor");
	const xmlNode *product = vw_xml_child(source, "product");
	const xmlNode *a = vw_xml_child(source, "address");

	if (!a && (!vendor || !product))
		return false;
	return (!vendor || file_says(dir, device, "idVendor", 16, number_of(vendor, "id"))) &&
	       (!product || file_says(dir, device, "idProduct", 16, number_of(product, "id"))) &&
	       (!a || (file_says(dir, device, "busnum", 10, number_of(a, "bus")) &&
		       file_says(dir, device, "devnum", 10, number_of(a, "device"))));
}

/* Interfaces stand beside their device: "1-2:1.0" belongs to "1-2". */
static enum vw_known usb_interface(int dir, const char *name, const xmlNode *source)
{
	const char *colon = strchr(name, ':');
	VW_AUTOFREE char *device = colon ? strndup(name, (size_t)(colon - name)) : NULL;

	if (!device || !usb_matches(dir, device, source))
		return VW_UNKNOWN;
	return file_says(dir, name, "bInterfaceClass", 16, USB_STORAGE) ? VW_YES : VW_NO;
}

/* Of all interfaces of all devices that it may mean. */
static enum vw_known usb_storage(const struct vw_context *c, const xmlNode *source)
{
	int dir = open_sysfs(c, "usb");
	DIR *d = dir < 0 ? NULL : fdopendir(dir);
	enum vw_known storage = VW_UNKNOWN;

	if (!d && dir >= 0)
		close(dir);
	for (struct dirent *e; d && storage != VW_YES && (e = readdir(d));) {
		enum vw_known k = usb_interface(dir, e->d_name, source);

		storage = k == VW_UNKNOWN ? storage : k;
	}
	if (d)
		closedir(d);
	return storage;
}

void vw_collect_hostdevs(const struct vw_context *c, struct vw_gathered *g, const xmlNode *root)
{
	enum vw_known all = VW_NO;

	for (xmlNode *h = vw_xml_path(root, "devices/hostdev"); h && all == VW_NO;
	     h = vw_xml_next(h, "hostdev")) {
		const char *type = vw_xml_attr(h, "type");
		const xmlNode *source = vw_xml_child(h, "source");

		if (!g->local)
			all = VW_UNKNOWN;
		else if (vw_streq(type, "pci"))
			all = pci_storage(c, source);
		else if (vw_streq(type, "usb"))
			all = usb_storage(c, source);
	}
	g->facts.hostdev_storage = all;
}
