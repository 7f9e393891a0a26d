/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* machine, firmware, acpi, pm, pcie-ports: the board that the guest sits on. */
#include "lib/engine/rules.h"

static bool is_pci_address(const xmlNode *a)
{
	return vw_streq(vw_xml_attr(a, "type"), "pci");
}

static bool goes_with_board(const xmlNode *d)
{
	const char *type = vw_xml_attr(d, "type");

	return !strcmp((char *)d->name, "controller") &&
	       (vw_streq(type, "pci") || vw_streq(type, "ide"));
}

/* Another board: PCI controllers and the addresses on them belong to the old one. */
static void leave_old_board(struct vw_ctx *c)
{
	xmlNode *next;

	for (xmlNode *d = vw_xml_first(c->devices); d; d = next) {
		xmlNode *address = vw_xml_child(d, "address");

		next = vw_xml_next(d, NULL);
		if (goes_with_board(d))
			vw_xml_remove(c->doc, d);
		else if (address && is_pci_address(address))
			vw_xml_remove(c->doc, address);
	}
	c->new_board = true;
}

static bool is_host_device(const xmlNode *d)
{
	return !strcmp((char *)d->name, "hostdev") || (!strcmp((char *)d->name, "interface") &&
						       vw_streq(vw_xml_attr(d, "type"), "hostdev"));
}

/* A card of a network that may be one of host devices: which device it is libvirt tells at the start. */
static bool may_be_hosts(const struct vw_ctx *c, const xmlNode *d)
{
	const char *network = vw_xml_attr(vw_xml_child(d, "source"), "network");

	return !strcmp((char *)d->name, "interface") &&
	       vw_streq(vw_xml_attr(d, "type"), "network") &&
	       vw_facts_network(c->facts, network ? network : "") != VW_NO;
}

/* Intel's graphics: 0000:00:02.0 on every host, and in a guest that is to find it. */
static bool is_igd(const xmlNode *d)
{
	const xmlNode *a = vw_xml_path(d, "source/address");
	const char *bus = vw_xml_attr(a, "bus"), *slot = vw_xml_attr(a, "slot");

	return vw_streq(vw_xml_attr(d, "type"), "pci") && bus && slot && !strtol(bus, NULL, 0) &&
	       strtol(slot, NULL, 0) == 2;
}

/* What somebody set up for this very board: it can't be carried over. NULL = nothing. */
static const char *made_for_board(const struct vw_ctx *c)
{
	for (xmlNode *d = vw_xml_first(c->devices); d; d = vw_xml_next(d, NULL)) {
		const char *model = vw_xml_attr(d, "model");

		if (is_host_device(d) && is_pci_address(vw_xml_child(d, "address")))
			return "a host device has its place on the PCI bus";
		if (may_be_hosts(c, d) && is_pci_address(vw_xml_child(d, "address")))
			return "a card has its place on the PCI bus, and its network may give out host devices (SR-IOV)";
		if (is_host_device(d) && is_igd(d))
			return "the host's graphics (0000:00:02.0) need their place on the PCI bus";
		/* an ISA card: libvirt 11.3 refuses it on q35 (9.0 did not) */
		if (!strcmp((char *)d->name, "watchdog") && vw_streq(model, "ib700"))
			return "its watchdog ib700 sits on the ISA bus of the old board";
		if (strcmp((char *)d->name, "controller") != 0)
			continue;
		if (model && strstr(model, "expander-bus"))
			return "a PCI expander bus (NUMA) belongs to the board";
		if (vw_xml_child(d, "pcihole64"))
			return "its pcihole64 belongs to the board";
	}
	return NULL;
}

/* What leave_old_board takes out, in words. */
static void say_dropped(const struct vw_ctx *c, char *buf, size_t size)
{
	size_t addresses = 0;

	snprintf(buf, size, "q35 is the board with PCI Express that this OS is at home on");
	for (xmlNode *d = vw_xml_first(c->devices); d; d = vw_xml_next(d, NULL)) {
		addresses += !goes_with_board(d) && is_pci_address(vw_xml_child(d, "address"));
		if (goes_with_board(d))
			vw_say_controller(buf, size, d);
	}
	if (addresses)
		vw_say_dropped(buf, size, "%zu PCI addresses", addresses);
}

/* Can the emulator be that machine? With capabilities of any machine at hand, one of them must be of it. */
static bool offered(const struct vw_ctx *c, const char *machine)
{
	if (strcmp(machine, "q35") != 0 || !c->facts->n_caps)
		return true;
	for (size_t i = 0; i < c->facts->n_caps; i++)
		if (strstr(vw_caps_machine(c->facts->caps[i]), "q35"))
			return true;
	return false;
}

/* Which board stands in for it only the admin can tell: what is installed knows the old one. */
static void note_absent(struct vw_ctx *c, const char *now)
{
	if (c->blank == VW_EV_BLANK)
		vw_note(c, "domain", now, "q35", c->blank,
			"this host's QEMU has no such machine type, so libvirt refuses the domain; write machine='q35' or 'pc' (virsh capabilities lists all)");
	else
		vw_note(c, "domain", now, "pc", c->blank,
			"this host's QEMU has no such machine type, so the domain can't start here; the nearest for what was installed on it is the newest of its family (pc, or q35 if it was a pc-q35), tried on a copy of the disk first; or move it to a host that has the type (virsh capabilities lists all)");
}

static void machine(struct vw_ctx *c, const xmlNode *data)
{
	xmlNode *type = vw_xml_path(c->domain, "os/type");
	const char *now = vw_xml_attr(type, "machine");
	const char *obstacle;
	char why[400];
	char want[32];

	if (c->facts->machine_offered == VW_NO) {
		note_absent(c, now);
		return;
	}
	/* from pc to q35 only: other boards (microvm, xenfv, isapc) were chosen on purpose */
	if (!type || !vw_ctx_pc(c) || !vw_choose(c, data, "prefer", NULL, want, sizeof(want)) ||
	    strcmp(want, "q35") != 0 || !offered(c, want))
		return;
	obstacle = vw_disks_cling_to_ide(c);
	if (obstacle) {
		vw_note(c, "domain", now ? now : "", want, c->blank,
			"q35 suits this OS better; not done, because it has no IDE, and a disk can't leave that for its %s",
			obstacle);
		return;
	}
	obstacle = made_for_board(c);
	if (obstacle) {
		vw_note(c, "domain", now ? now : "", want, c->blank,
			"q35 suits this OS better; not done, because %s: if you want it, write it by hand (virsh edit)",
			obstacle);
		return;
	}
	say_dropped(c, why, sizeof(why));
	if (!vw_decide(c, "domain", now ? now : "", want, why))
		return;
	vw_try(c, vw_xml_set_attr(c->doc, type, "machine", want));
	leave_old_board(c);
}

const struct vw_rule vw_rule_machine = {
	.id = "machine",
	.cls = VW_CLASS_BOOT,
	.run = machine,
};

static void firmware(struct vw_ctx *c, const xmlNode *data)
{
	xmlNode *os = vw_xml_child(c->domain, "os");
	char want[16];

	if (!os || vw_ctx_efi(c) || vw_xml_child(os, "loader") || vw_xml_attr(os, "firmware") ||
	    vw_xml_child(os, "kernel"))
		return;
	if (!vw_choose(c, data, "prefer", NULL, want, sizeof(want)) || strcmp(want, "efi") != 0)
		return;
	if (!vw_ctx_efi_arch(c)) {
		vw_note(c, "domain", "bios", "efi", VW_EV_UNKNOWN,
			"this OS boots from EFI only; not done, because whether the host has an EFI firmware for the guest's architecture is not known: write arch='x86_64' (virsh edit), if the guest is of that");
		return;
	}
	if (vw_caps_has(c->caps, "os.firmware", "efi") == VW_NO) {
		vw_note(c, "domain", "bios", "efi", VW_EV_UNKNOWN,
			"this OS boots from EFI only, and the host has no EFI firmware: install OVMF (Debian: apt install ovmf)");
		return;
	}
	/* no word of the admin puts an EFI boot loader onto a disk that was installed for BIOS */
	if (c->blank != VW_EV_BLANK) {
		vw_note(c, "domain", "bios", "efi", c->blank,
			"this OS boots from EFI only; not done, because %s: what is installed boots with the firmware that it was installed with%s",
			c->blank_why,
			c->blank == VW_EV_UNKNOWN
				? "; if nothing is: make the disk, then virsh undefine and virsh define"
				: "");
		return;
	}
	if (vw_decide(c, "domain", "bios", "efi", "this OS boots from EFI only"))
		vw_try(c, vw_xml_set_attr(c->doc, os, "firmware", "efi"));
}

const struct vw_rule vw_rule_firmware = {
	.id = "firmware",
	.cls = VW_CLASS_BOOT,
	.run = firmware,
	.needs_template = true,
};

static void acpi(struct vw_ctx *c, const xmlNode *data)
{
	const xmlNode *features = vw_xml_child(c->domain, "features");
	bool acpi = vw_xml_child(features, "acpi");
	bool apic = vw_xml_child(features, "apic");
	xmlNode *f;

	(void)data;
	if (acpi && apic)
		return;
	if (!vw_decide(
		    c, "domain",
		    acpi   ? "acpi"
		    : apic ? "apic"
			   : "",
		    "acpi apic",
		    "without ACPI the guest can't be shut down from outside and has one CPU only"))
		return;
	f = vw_need_child(c, c->domain, "features");
	if (f && !acpi)
		vw_try(c, vw_xml_add(c->doc, f, NULL, "acpi", NULL));
	if (f && !apic)
		vw_try(c, vw_xml_add(c->doc, f, NULL, "apic", NULL));
}

const struct vw_rule vw_rule_acpi = {
	.id = "acpi",
	.cls = VW_CLASS_VISIBLE,
	.run = acpi,
	.needs_template = true,
};

static void pm(struct vw_ctx *c, const xmlNode *data)
{
	static const char *const states[] = { "suspend-to-mem", "suspend-to-disk" };
	const xmlNode *pm = vw_xml_child(c->domain, "pm");
	xmlNode *need, *state;

	(void)data;
	/* what the admin wrote stays: only a domain that says nothing gets our word */
	if (pm ||
	    !vw_decide(
		    c, "domain", "", "S3 and S4 off",
		    "a guest that suspends itself looks dead from outside and can't be migrated"))
		return;
	need = vw_need_child(c, c->domain, "pm");
	for (size_t i = 0; need && i < VW_N_ELEMENTS(states); i++) {
		state = vw_need_child(c, need, states[i]);
		if (state)
			vw_try(c, vw_xml_set_attr(c->doc, state, "enabled", "no"));
	}
}

const struct vw_rule vw_rule_pm = {
	.id = "pm",
	.cls = VW_CLASS_VISIBLE,
	.run = pm,
	.needs_template = true,
};

static void pcie_ports(struct vw_ctx *c, const xmlNode *data)
{
	long count = vw_number(data, "count", 1, 28, 0);
	char after[32];
	xmlNode *n = NULL;

	if (!count || !vw_ctx_q35(c) || !vw_ctx_fresh(c))
		return;
	for (n = vw_xml_child(c->devices, "controller"); n; n = vw_xml_next(n, "controller"))
		if (vw_streq(vw_xml_attr(n, "type"), "pci"))
			return;
	snprintf(after, sizeof(after), "%ld root ports", count);
	if (!vw_decide(c, "domain", "", after,
		       "devices can be plugged in only where a root port is free"))
		return;
	vw_add_element(c, c->devices, "controller", "type", "pci", "index", "0", "model",
		       "pcie-root", NULL);
	for (long i = 0; i < count; i++)
		vw_add_element(c, c->devices, "controller", "type", "pci", "model",
			       "pcie-root-port", NULL);
}

const struct vw_rule vw_rule_pcie_ports = {
	.id = "pcie-ports",
	.cls = VW_CLASS_VISIBLE,
	.run = pcie_ports,
	.needs_template = true,
};
