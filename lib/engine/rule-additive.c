/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rng, agent-channel, balloon, panic-device, tpm: devices that the guest may ignore. */
#include "lib/engine/rules.h"

static void add_address(struct vw_ctx *c, xmlNode *device, long bus, long slot)
{
	char bus_text[24];
	char slot_text[24];

	snprintf(bus_text, sizeof(bus_text), "0x%02lx", bus);
	snprintf(slot_text, sizeof(slot_text), "0x%02lx", slot);
	vw_add_element(c, device, "address", "type", "pci", "domain", "0x0000", "bus", bus_text,
		       "slot", slot_text, "function", "0x0", NULL);
}

xmlNode *vw_add_pci_device(struct vw_ctx *c, const char *name, const char *after, const char *why)
{
	bool open = vw_ctx_places_open(c);
	const char *obstacle = NULL;
	long bus = 0, slot = 0;
	xmlNode *n;

	if (!open && !c->audit && !vw_pci_free_slot(c, &bus, &slot, &obstacle)) {
		vw_note(c, "domain", "", after, c->blank,
			"%s; not done, because %s: an installed guest's addresses must not move",
			why, obstacle);
		return NULL;
	}
	if (open && vw_pci_crowded(c)) {
		vw_note(c, "domain", "", after, c->blank,
			"%s; not done, because the PCI bus is full", why);
		return NULL;
	}
	if (!vw_decide(c, "domain", "", after, why))
		return NULL;
	n = vw_add_element(c, c->devices, name, NULL);
	if (n && !open)
		add_address(c, n, bus, slot);
	return n;
}

static void rng(struct vw_ctx *c, const xmlNode *data)
{
	char model[32];
	xmlNode *rng, *backend;

	if (vw_xml_child(c->devices, "rng") ||
	    !vw_choose(c, data, "prefer", "rng.model", model, sizeof(model)))
		return;
	rng = vw_add_pci_device(
		c, "rng", model,
		"a new guest has little entropy of its own: services wait for it at boot");
	if (!rng)
		return;
	vw_try(c, vw_xml_set_attr(c->doc, rng, "model", model));
	backend = vw_add_element(c, rng, "backend", "model", "random", NULL);
	if (backend)
		vw_try(c, vw_xml_set_content(c->doc, backend, "/dev/urandom"));
}

const struct vw_rule vw_rule_rng = {
	.id = "rng",
	.cls = VW_CLASS_ADDITIVE,
	.run = rng,
	.needs_template = true,
};

static bool has_channel(const struct vw_ctx *c, const char *name)
{
	for (xmlNode *n = vw_xml_child(c->devices, "channel"); n; n = vw_xml_next(n, "channel"))
		if (vw_streq(vw_xml_attr(vw_xml_child(n, "target"), "name"), name))
			return true;
	return false;
}

/* Is there a virtio-serial controller already, or a port that makes libvirt add one? */
static bool has_virtio_serial(const struct vw_ctx *c)
{
	for (xmlNode *n = vw_xml_child(c->devices, "controller"); n;
	     n = vw_xml_next(n, "controller"))
		if (vw_streq(vw_xml_attr(n, "type"), "virtio-serial"))
			return true;
	return false;
}

static void add_channel(struct vw_ctx *c, const char *name)
{
	xmlNode *channel = vw_add_element(c, c->devices, "channel", "type", "unix", NULL);

	if (channel)
		vw_add_element(c, channel, "target", "type", "virtio", "name", name, NULL);
}

static void agent_channel(struct vw_ctx *c, const xmlNode *data)
{
	static const char agent[] = "org.qemu.guest_agent.0";
	static const char why[] =
		"with the guest agent the host can freeze filesystems, shut down cleanly and see that the guest lives";
	xmlNode *controller;
	char type[16];

	if (has_channel(c, agent) || !vw_choose(c, data, "prefer", NULL, type, sizeof(type)))
		return;
	if ((vw_ctx_places_open(c) && !vw_pci_crowded(c)) || has_virtio_serial(c)) {
		if (vw_decide(c, "domain", "", agent, why))
			add_channel(c, agent);
		return;
	}
	controller = vw_add_pci_device(c, "controller", agent, why);
	if (!controller)
		return;
	vw_try(c, vw_xml_set_attr(c->doc, controller, "type", "virtio-serial"));
	vw_try(c, vw_xml_set_attr(c->doc, controller, "index", "0"));
	add_channel(c, agent);
}

const struct vw_rule vw_rule_agent_channel = {
	.id = "agent-channel",
	.cls = VW_CLASS_ADDITIVE,
	.run = agent_channel,
	.needs_template = true,
};

static void balloon(struct vw_ctx *c, const xmlNode *data)
{
	xmlNode *balloon = vw_xml_child(c->devices, "memballoon");
	const char *model = vw_xml_attr(balloon, "model");
	long period = vw_number(data, "period", 1, 3600, 0);
	char text[16];
	xmlNode *stats;

	if (!period || vw_streq(model, "none") || vw_xml_child(balloon, "stats"))
		return;
	/* a board without PCI has none, unless the XML says so */
	if (!balloon && !vw_ctx_known_board(c))
		return;
	/* model xen has no statistics; without the element libvirt adds a virtio one by itself */
	if (model && !vw_startswith(model, "virtio"))
		return;
	snprintf(text, sizeof(text), "%ld", period);
	if (!vw_decide(c, "domain", "", text,
		       "memory use can be seen from the host (virsh dommemstat)"))
		return;
	if (!balloon)
		balloon = vw_add_element(c, c->devices, "memballoon", "model", "virtio", NULL);
	stats = balloon ? vw_need_child(c, balloon, "stats") : NULL;
	if (stats)
		vw_try(c, vw_xml_set_attr(c->doc, stats, "period", text));
}

const struct vw_rule vw_rule_balloon = {
	.id = "balloon",
	.cls = VW_CLASS_HOST,
	.run = balloon,
	.needs_template = true,
};

static void panic_device(struct vw_ctx *c, const xmlNode *data)
{
	const xmlNode *crash = vw_xml_child(c->domain, "on_crash");
	const char *action = vw_xml_content(c->doc, crash);
	char model[24];
	xmlNode *n = NULL;

	if (vw_xml_child(c->devices, "panic") || !vw_ctx_fresh(c) ||
	    !vw_choose(c, data, "prefer", "panic.model", model, sizeof(model)))
		return;
	/* with the device, an on_crash that destroys would kill a guest that reboots itself */
	if (crash && (!strcmp(action, "destroy") || !strcmp(action, "coredump-destroy")))
		return;
	if (!vw_decide(c, "domain", "", model,
		       "a panic of the guest's kernel is seen from outside at once"))
		return;
	vw_add_element(c, c->devices, "panic", "model", model, NULL);
	if (crash)
		return;
	vw_try(c, vw_xml_add(c->doc, c->domain, NULL, "on_crash", &n));
	if (n)
		vw_try(c, vw_xml_set_content(c->doc, n, "restart"));
}

const struct vw_rule vw_rule_panic_device = {
	.id = "panic-device",
	.cls = VW_CLASS_ADDITIVE,
	.run = panic_device,
	.needs_template = true,
};

static void tpm(struct vw_ctx *c, const xmlNode *data)
{
	char model[24];
	xmlNode *tpm;

	/* a TPM has state of its own: never added to a guest that exists */
	if (vw_xml_child(c->devices, "tpm") || !vw_ctx_fresh(c))
		return;
	if (!vw_ctx_efi_arch(c)) {
		vw_note(c, "domain", "", "tpm-crb", VW_EV_UNKNOWN,
			"this OS asks for a TPM 2.0; not done, because that goes with EFI, and whether the host has an EFI firmware for the guest's architecture is not known");
		return;
	}
	if (!vw_choose(c, data, "prefer", "tpm.model", model, sizeof(model)) ||
	    vw_caps_has(c->caps, "tpm.backendModel", "emulator") == VW_NO) {
		vw_note(c, "domain", "", "tpm-crb", VW_EV_UNKNOWN,
			"this OS asks for a TPM 2.0, and the host can't emulate one: install swtpm (Debian: apt install swtpm-tools)");
		return;
	}
	if (!vw_decide(c, "domain", "", model, "this OS asks for a TPM 2.0"))
		return;
	tpm = vw_add_element(c, c->devices, "tpm", "model", model, NULL);
	if (tpm)
		vw_add_element(c, tpm, "backend", "type", "emulator", "version", "2.0", NULL);
}

const struct vw_rule vw_rule_tpm = {
	.id = "tpm",
	.cls = VW_CLASS_ADDITIVE,
	.run = tpm,
	.needs_template = true,
};
