/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A free PCI address for a new device of an installed guest.
 *
 * Without addresses libvirt hands out slots by the order of device classes, so
 * a new device would renumber others and the guest would find its disks and
 * cards elsewhere. So: only if every PCI device of the XML has its address,
 * and then on a slot that nobody has: on q35 a root port that carries nothing,
 * on i440fx a slot of bus 0. */
#include "lib/engine/rules.h"

#define SLOTS 32 /* per bus */
#define BUSES 256
#define SLOTS_EASY 26 /* of the 29 free ones; libvirt fills some by itself (balloon, USB, serial) */

static bool any_of(const char *s, const char *const *words)
{
	for (; s && *words; words++)
		if (!strcmp(s, *words))
			return true;
	return false;
}

static bool controller_on_pci(const struct vw_ctx *c, const xmlNode *d)
{
	static const char *const elsewhere[] = { "fdc", "ccid", "isa", "xenbus", "ide", NULL };
	const char *type = vw_xml_attr(d, "type");
	const char *model = vw_xml_attr(d, "model");
	const char *index = vw_xml_attr(d, "index");

	if (vw_streq(type, "pci"))
		return !vw_streq(model, "pci-root") && !vw_streq(model, "pcie-root");
	if (vw_streq(type, "usb"))
		return !vw_streq(model, "none");
	/* the first one is part of the board */
	if (vw_streq(type, "sata"))
		return !vw_ctx_q35(c) || (index && strcmp(index, "0") != 0);
	return !any_of(type, elsewhere);
}

static bool serial_on_pci(const xmlNode *d)
{
	return vw_streq(vw_xml_attr(vw_xml_child(d, "target"), "type"), "pci-serial");
}

/* By the model alone. */
static bool model_on_pci(const char *name, const char *model)
{
	static const struct {
		const char *name;
		const char *const on[4];
	} models[] = {
		{ "watchdog", { "i6300esb" } },
		{ "memory", { "virtio-pmem", "virtio-mem" } },
		{ "panic", { "pvpanic" } },
		{ "iommu", { "virtio" } },
	};

	for (size_t i = 0; i < VW_N_ELEMENTS(models); i++)
		if (!strcmp(name, models[i].name))
			return any_of(model, models[i].on);
	return false;
}

static bool hostdev_on_pci(const xmlNode *d)
{
	static const char *const types[] = { "pci", "scsi_host", "mdev", NULL };

	return any_of(vw_xml_attr(d, "type"), types);
}

/* Devices that sit on PCI unless they say otherwise (qemuDomainDeviceCalculatePCIConnectFlags, 9.0). */
static bool sits_on_pci(const struct vw_ctx *c, const xmlNode *d)
{
	static const char *const always[] = { "interface",  "rng",    "vsock", "shmem",
					      "filesystem", "crypto", NULL };
	static const char *const no_sound[] = { "sb16", "pcspk", "usb", NULL };
	const char *name = (char *)d->name;
	const char *model = vw_xml_attr(d, "model");

	if (!strcmp(name, "disk"))
		return !strcmp(vw_disk_bus(d), "virtio");
	if (!strcmp(name, "controller"))
		return controller_on_pci(c, d);
	if (!strcmp(name, "memballoon"))
		return !vw_streq(model, "none");
	if (!strcmp(name, "sound"))
		return !any_of(model, no_sound);
	if (!strcmp(name, "input"))
		return vw_streq(vw_xml_attr(d, "bus"), "virtio");
	if (!strcmp(name, "serial"))
		return serial_on_pci(d);
	if (!strcmp(name, "hostdev"))
		return hostdev_on_pci(d);
	if (!strcmp(name, "video"))
		return !vw_streq(vw_xml_attr(vw_xml_child(d, "model"), "type"), "none");
	return any_of(name, always) || model_on_pci(name, model);
}

static long number_of(const xmlNode *n, const char *attr)
{
	const char *s = vw_xml_attr(n, attr);
	char *end;
	long v = s ? strtol(s, &end, 0) : 0;

	return s && *end ? -1 : v;
}

/* Controllers that libvirt adds by itself when a device hangs on one that is not there. */
static const char *const added[] = { "scsi", "sata", "virtio-serial" };
#define INDEXES 256
struct controllers {
	bool there[VW_N_ELEMENTS(added)][INDEXES];
};

static void find_controllers(const struct vw_ctx *c, struct controllers *found)
{
	for (xmlNode *n = vw_xml_child(c->devices, "controller"); n;
	     n = vw_xml_next(n, "controller")) {
		long index = number_of(n, "index");

		for (size_t i = 0; i < VW_N_ELEMENTS(added); i++)
			if (vw_streq(vw_xml_attr(n, "type"), added[i]) && index >= 0 &&
			    index < INDEXES)
				found->there[i][index] = true;
	}
	found->there[1][0] |= vw_ctx_q35(c); /* the board's own */
}

/* The type of the controller that a device hangs on, if that is one of these. */
static const char *hangs_on(const xmlNode *d)
{
	const char *name = (char *)d->name;

	if (!strcmp(name, "disk"))
		return vw_disk_bus(d);
	if (!strcmp(name, "hostdev"))
		return vw_xml_attr(d, "type");
	if ((!strcmp(name, "channel") || !strcmp(name, "console")) &&
	    vw_streq(vw_xml_attr(vw_xml_child(d, "target"), "type"), "virtio"))
		return "virtio-serial";
	return NULL;
}

static bool lacks_controller(const xmlNode *d, const struct controllers *found)
{
	const char *type = hangs_on(d);
	long index = number_of(vw_xml_child(d, "address"), "controller");

	for (size_t i = 0; type && i < VW_N_ELEMENTS(added); i++)
		if (!strcmp(type, added[i]))
			return index < 0 || index >= INDEXES || !found->there[i][index];
	return false;
}

/* How many PCI devices libvirt adds by itself, and places: a balloon, USB (the old board has its
 * place for that), a display adapter where there are graphics, controllers. */
static size_t count_implicit(const struct vw_ctx *c)
{
	struct controllers found = { 0 };
	bool usb = !vw_ctx_q35(c);
	size_t n = 0;

	find_controllers(c, &found);
	for (xmlNode *d = vw_xml_first(c->devices); d; d = vw_xml_next(d, NULL)) {
		usb |= !strcmp((char *)d->name, "controller") &&
		       vw_streq(vw_xml_attr(d, "type"), "usb");
		n += lacks_controller(d, &found);
	}
	return n + !usb + !vw_xml_child(c->devices, "memballoon") +
	       (c->graphics && !vw_xml_child(c->devices, "video"));
}

/* Note all addresses, and how many PCI devices have none. Return: false if one isn't understood. */
static bool mark_used(const struct vw_ctx *c, bool used[BUSES][SLOTS], size_t *ret_without)
{
	*ret_without = count_implicit(c);
	for (xmlNode *d = vw_xml_first(c->devices); d; d = vw_xml_next(d, NULL)) {
		const xmlNode *a = vw_xml_child(d, "address");
		long bus, slot;

		if (!vw_streq(vw_xml_attr(a, "type"), "pci")) {
			*ret_without += !a && sits_on_pci(c, d);
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
			n += sits_on_pci(c, d);
	}
	return n >= SLOTS_EASY;
}
