/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A free PCI address for a new device of an installed guest.
 *
 * Without addresses libvirt hands out slots by the order of device classes, so
 * a new device would renumber others and the guest would find its disks and
 * cards elsewhere. So: only if every PCI device of the XML has its address,
 * and then on a slot that nobody has: on q35 a root port that carries nothing,
 * on i440fx a slot of bus 0. */
#include "rules.h"

#define SLOTS 32 /* per bus */
#define BUSES 256
#define SLOTS_EASY 26 /* of the 29 free ones; libvirt fills some by itself (balloon, USB, serial) */

/* Devices that sit on PCI unless they say otherwise (qemuDomainDeviceCalculatePCIConnectFlags, 9.0). */
static bool sits_on_pci(const xmlNode *d)
{
	const char *name = (char *)d->name;
	const char *type = vw_xml_attr(d, "type");
	const char *model = vw_xml_attr(d, "model");
	const char *bus = vw_xml_attr(d, "bus");

	if (!strcmp(name, "disk"))
		return !strcmp(vw_disk_bus(d), "virtio");
	if (!strcmp(name, "controller"))
		return !(vw_streq(type, "pci") && model && strstr(model, "-root") &&
			 !strstr(model, "port")) &&
		       !vw_streq(type, "fdc") && !vw_streq(type, "ccid") &&
		       !vw_streq(type, "ide") && !vw_streq(type, "sata") &&
		       !(vw_streq(type, "usb") && vw_streq(model, "none"));
	if (!strcmp(name, "memballoon") || !strcmp(name, "sound"))
		return !vw_streq(model, "none") && !vw_streq(model, "sb16") &&
		       !vw_streq(model, "pcspk") && !vw_streq(model, "usb");
	if (!strcmp(name, "input"))
		return vw_streq(bus, "virtio");
	if (!strcmp(name, "watchdog"))
		return vw_streq(model, "i6300esb");
	if (!strcmp(name, "hostdev"))
		return vw_streq(type, "pci");
	return !strcmp(name, "interface") || !strcmp(name, "video") || !strcmp(name, "rng") ||
	       !strcmp(name, "vsock") || !strcmp(name, "filesystem") || !strcmp(name, "shmem") ||
	       !strcmp(name, "iommu") || !strcmp(name, "crypto");
}

static long number_of(const xmlNode *n, const char *attr)
{
	const char *s = vw_xml_attr(n, attr);
	char *end;
	long v = s ? strtol(s, &end, 0) : 0;

	return s && *end ? -1 : v;
}

/* Note all addresses, and how many PCI devices have none. Return: false if one isn't understood. */
static bool mark_used(const struct vw_ctx *c, bool used[BUSES][SLOTS], size_t *ret_without)
{
	*ret_without = 0;
	for (xmlNode *d = vw_xml_first(c->devices); d; d = vw_xml_next(d, NULL)) {
		const xmlNode *a = vw_xml_child(d, "address");
		long bus, slot;

		if (!vw_streq(vw_xml_attr(a, "type"), "pci")) {
			*ret_without += !a && sits_on_pci(d);
			continue;
		}
		bus = number_of(a, "bus");
		slot = number_of(a, "slot");
		if (bus < 0 || bus >= BUSES || slot < 0 || slot >= SLOTS ||
		    number_of(a, "domain") != 0)
			return false;
		used[bus][slot] = true;
	}
	return true;
}

static long free_root_port(const struct vw_ctx *c, bool used[BUSES][SLOTS])
{
	for (xmlNode *n = vw_xml_child(c->devices, "controller"); n;
	     n = vw_xml_next(n, "controller")) {
		long index = number_of(n, "index");
		bool taken = false;

		if (!vw_streq(vw_xml_attr(n, "type"), "pci") ||
		    !vw_streq(vw_xml_attr(n, "model"), "pcie-root-port") || index <= 0 ||
		    index >= BUSES)
			continue;
		for (int s = 0; s < SLOTS; s++)
			taken |= used[index][s];
		if (!taken)
			return index;
	}
	return -1;
}

/* Slot 0 is the host bridge, 1 the PIIX3, 2 the first video card (QEMU, hw/i386/pc_piix.c).
 * more: so many others are to stay free, too. */
static long free_slot(bool used[BUSES][SLOTS], size_t more)
{
	long first = -1;
	size_t n = 0;

	for (long s = SLOTS - 1; s >= 3; s--)
		if (!used[0][s]) {
			first = s;
			n++;
		}
	return n > more ? first : -1;
}

bool vw_pci_addressed(const struct vw_ctx *c)
{
	bool used[BUSES][SLOTS] = { 0 };
	size_t without;

	return mark_used(c, used, &without) && !without;
}

bool vw_pci_free_slot(struct vw_ctx *c, long *ret_bus, long *ret_slot, const char **ret_why)
{
	bool used[BUSES][SLOTS] = { 0 };
	bool q35 = vw_ctx_q35(c);
	long bus = 0, slot = 0;
	size_t without;

	if (!q35 && !vw_ctx_pc(c)) {
		*ret_why = "this board's slots are not known";
		return false;
	}
	/* what has none now, though all had one, our own rules moved: libvirt places it */
	if (!mark_used(c, used, &without) || (without && !c->addressed)) {
		*ret_why = "not every device in the XML has a fixed PCI address";
		return false;
	}
	if (q35)
		bus = free_root_port(c, used);
	else
		slot = free_slot(used, without);
	if (bus < 0 || slot < 0) {
		*ret_why = q35 ? "no PCI Express root port is free" : "no PCI slot is free";
		return false;
	}
	*ret_bus = bus;
	*ret_slot = slot;
	return true;
}

bool vw_pci_crowded(const struct vw_ctx *c)
{
	size_t n = 0;

	if (!vw_ctx_pc(c))
		return false;
	for (xmlNode *d = vw_xml_first(c->devices); d; d = vw_xml_next(d, NULL)) {
		const xmlNode *a = vw_xml_child(d, "address");

		if (vw_streq(vw_xml_attr(a, "type"), "pci"))
			n += number_of(a, "bus") == 0;
		else if (!a)
			n += sits_on_pci(d);
	}
	return n >= SLOTS_EASY;
}
