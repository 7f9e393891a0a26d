/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* usb, tablet, video: what a person at the console uses. */
#include "lib/engine/rules.h"

static bool is_usb(const xmlNode *controller)
{
	return vw_streq(vw_xml_attr(controller, "type"), "usb");
}

static xmlNode *usb_controller(const struct vw_ctx *c)
{
	for (xmlNode *n = vw_xml_child(c->devices, "controller"); n;
	     n = vw_xml_next(n, "controller"))
		if (is_usb(n))
			return n;
	return NULL;
}

/* A USB 2 set (ich9) is four functions that hang together: each must go. */
static void drop_usb(struct vw_ctx *c)
{
	xmlNode *next;

	for (xmlNode *n = vw_xml_child(c->devices, "controller"); n; n = next) {
		next = vw_xml_next(n, "controller");
		if (is_usb(n))
			vw_xml_remove(c->doc, n);
	}
}

static void say_usb(const struct vw_ctx *c, char *why, size_t size)
{
	for (xmlNode *n = vw_xml_child(c->devices, "controller"); n;
	     n = vw_xml_next(n, "controller"))
		if (is_usb(n))
			vw_say_controller(why, size, n);
}

#define EHCI_PORTS 6 /* fewer than xHCI's 15 */

/* Something that hangs on more than the ports of any first controller: a hub, a second bus, a
 * port that not every model has. */
static bool usb_is_a_tree(const struct vw_ctx *c)
{
	for (xmlNode *d = vw_xml_first(c->devices); d; d = vw_xml_next(d, NULL)) {
		const xmlNode *address = vw_xml_child(d, "address");
		const char *bus = vw_xml_attr(address, "bus");

		if (!strcmp((char *)d->name, "hub"))
			return true;
		if (vw_streq(vw_xml_attr(address, "type"), "usb") &&
		    ((bus && strcmp(bus, "0") != 0) ||
		     (vw_xml_attr(address, "port") &&
		      !vw_number(address, "port", 1, EHCI_PORTS, 0))))
			return true;
	}
	return false;
}

/* EHCI with its three companions on one slot, as QEMU's docs/config/ich9-ehci-uhci.cfg has it. */
static void add_ehci(struct vw_ctx *c)
{
	static const char *const companions[][2] = {
		{ "ich9-uhci1", "0" },
		{ "ich9-uhci2", "2" },
		{ "ich9-uhci3", "4" },
	};

	vw_add_element(c, c->devices, "controller", "type", "usb", "index", "0", "model",
		       "ich9-ehci1", NULL);
	for (size_t i = 0; i < VW_N_ELEMENTS(companions); i++) {
		xmlNode *n = vw_add_element(c, c->devices, "controller", "type", "usb", "index",
					    "0", "model", companions[i][0], NULL);

		if (n)
			vw_add_element(c, n, "master", "startport", companions[i][1], NULL);
	}
}

static void add_usb(struct vw_ctx *c, const char *model, long ports)
{
	char text[24];
	xmlNode *n;

	if (!strcmp(model, "ich9-ehci1")) {
		add_ehci(c);
		return;
	}
	n = vw_add_element(c, c->devices, "controller", "type", "usb", "index", "0", "model", model,
			   NULL);
	snprintf(text, sizeof(text), "%ld", ports);
	if (n && ports)
		vw_try(c, vw_xml_set_attr(c->doc, n, "ports", text));
}

static void usb(struct vw_ctx *c, const xmlNode *data)
{
	const xmlNode *old = usb_controller(c);
	const char *now = vw_xml_attr(old, "model");
	char want[40];
	char why[400];

	if ((old && now && (!strcmp(now, "none") || vw_listed(c, data, "accept", now))) ||
	    (old && usb_is_a_tree(c)) || !vw_choose(c, data, "prefer", NULL, want, sizeof(want)) ||
	    vw_streq(now, want))
		return;
	if (vw_pci_crowded(c)) {
		vw_note(c, "domain", now ? now : "", want, c->blank,
			"%s is better; not done, because the PCI bus is full", want);
		return;
	}
	snprintf(
		why, sizeof(why), "%s",
		now && strstr(now, "xhci")
			? "the install media of this OS have no driver for USB 3: Setup has no pointer"
			: "an emulated USB 1 controller costs host CPU even when idle");
	say_usb(c, why, sizeof(why));
	if (!vw_decide(c, "domain", now ? now : "", want, why))
		return;
	drop_usb(c);
	/* ports is an attribute of the xHCI models only (libvirt 9.0, virDomainControllerDefParseXML) */
	add_usb(c, want, strstr(want, "xhci") ? vw_number(data, "ports", 1, 15, 0) : 0);
}

const struct vw_rule vw_rule_usb = {
	.id = "usb",
	.cls = VW_CLASS_VISIBLE,
	.run = usb,
	.needs_template = true,
};

/* Ports of a controller as libvirt counts them (9.0, virDomainUSBAddressControllerModelToPorts);
 * the UHCI companions of an EHCI share its ports. What is not named here has two, as UHCI. */
static long usb_ports_of(const xmlNode *controller)
{
	static const struct {
		const char *model;
		long ports;
	} known[] = {
		{ "none", 0 },      { "ich9-uhci1", 0 }, { "ich9-uhci2", 0 }, { "ich9-uhci3", 0 },
		{ "pci-ohci", 3 },  { "ehci", 6 },       { "ich9-ehci1", 6 }, { "nec-xhci", 4 },
		{ "qemu-xhci", 4 }, { "qusb1", 8 },      { "qusb2", 8 },
	};
	const char *model = vw_xml_attr(controller, "model");

	for (size_t i = 0; i < VW_N_ELEMENTS(known); i++)
		if (vw_streq(model, known[i].model))
			return vw_number(controller, "ports", 1, 15, known[i].ports);
	return 2;
}

static bool takes_usb_port(const xmlNode *d)
{
	const char *name = (const char *)d->name;

	if (!strcmp(name, "controller"))
		return vw_streq(vw_xml_attr(d, "type"), "ccid");
	if (!strcmp(name, "disk"))
		return !strcmp(vw_disk_bus(d), "usb");
	return !strcmp(name, "hub") || !strcmp(name, "smartcard") ||
	       vw_streq(vw_xml_attr(d, "bus"), "usb") || vw_streq(vw_xml_attr(d, "type"), "usb") ||
	       vw_streq(vw_xml_attr(d, "model"), "usb") ||
	       vw_startswith(vw_xml_attr(vw_xml_child(d, "target"), "type"), "usb");
}

/* libvirt refuses a device when each port of each controller is taken ("No free USB ports"):
 * it adds hubs by itself, but a hub wants a port, too. What hangs on a hub is counted as if it
 * sat on a controller: too many rather than too few. */
static bool usb_port_is_free(const struct vw_ctx *c)
{
	bool any = false;
	long ports = 0;

	for (xmlNode *d = vw_xml_first(c->devices); d; d = vw_xml_next(d, NULL)) {
		if (!strcmp((char *)d->name, "controller") &&
		    vw_streq(vw_xml_attr(d, "type"), "usb")) {
			any = true;
			ports += usb_ports_of(d);
		}
		ports -= takes_usb_port(d);
	}
	/* without a controller in the XML libvirt adds one, UHCI at least */
	return ports + (any ? 0 : 2) > 0;
}

/* A pointer that was chosen: any tablet; a virtio mouse; the host's own (evdev, passthrough);
 * Looking Glass, whose client moves a relative mouse over its shared memory. A tablet beside
 * one of these takes the pointer away from it. */
static bool has_pointer(const struct vw_ctx *c)
{
	for (const xmlNode *i = vw_xml_child(c->devices, "input"); i; i = vw_xml_next(i, "input")) {
		const char *type = vw_xml_attr(i, "type");

		if (type && (vw_has_word("tablet evdev passthrough", type) ||
			     (!strcmp(type, "mouse") && vw_streq(vw_xml_attr(i, "bus"), "virtio"))))
			return true;
	}
	for (const xmlNode *s = vw_xml_child(c->devices, "shmem"); s; s = vw_xml_next(s, "shmem"))
		if (vw_startswith(vw_xml_attr(s, "name"), "looking-glass"))
			return true;
	return false;
}

static void tablet(struct vw_ctx *c, const xmlNode *data)
{
	const xmlNode *usb = usb_controller(c);
	char bus[16];

	if (!c->graphics || vw_streq(vw_xml_attr(usb, "model"), "none") || has_pointer(c) ||
	    !vw_choose(c, data, "prefer", NULL, bus, sizeof(bus)))
		return;
	if (!usb_port_is_free(c)) {
		vw_note(c, "domain", "", "tablet", c->blank,
			"the pointer in a console window would follow the mouse; not done, because every USB port may be taken");
		return;
	}
	if (!vw_decide(c, "domain", "", "tablet",
		       "the pointer in a console window follows the mouse"))
		return;
	vw_add_element(c, c->devices, "input", "type", "tablet", "bus", bus, NULL);
}

const struct vw_rule vw_rule_tablet = {
	.id = "tablet",
	.cls = VW_CLASS_ADDITIVE,
	.run = tablet,
	.needs_template = true,
};

/* What of <model> means the same on every model that a template prefers (virDomainVideoDefValidate
 * 9.0, qemuValidateDomainDeviceDefVideo 11.3): blob is virtio's, ram is qxl's … */
static bool stays_with_model(const char *name)
{
	return vw_has_word("type heads primary resolution", name);
}

/* What set_video takes out. */
static void say_video(const xmlNode *model, char *why, size_t size)
{
	for (const xmlAttr *a = model ? model->properties : NULL; a; a = a->next)
		if (!a->ns && !stays_with_model((const char *)a->name))
			vw_say_dropped(why, size, "%s='%s'", (const char *)a->name,
				       vw_xml_attr(model, (const char *)a->name));
	for (const xmlNode *n = vw_xml_first(model); n; n = vw_xml_next(n, NULL))
		if (!stays_with_model((const char *)n->name))
			vw_say_dropped(why, size, "%s", (const char *)n->name);
}

static void set_video(struct vw_ctx *c, xmlNode *video, const char *want)
{
	xmlNode *model = vw_need_child(c, video, "model");
	xmlNode *next;

	if (!model)
		return;
	for (xmlAttr *a = model->properties, *after; a; a = after) {
		after = a->next;
		if (!a->ns && !stays_with_model((const char *)a->name))
			vw_try(c, vw_xml_set_attr(c->doc, model, (const char *)a->name, NULL));
	}
	for (xmlNode *n = vw_xml_first(model); n; n = next) {
		next = vw_xml_next(n, NULL);
		if (!stays_with_model((const char *)n->name))
			vw_xml_remove(c->doc, n);
	}
	vw_try(c, vw_xml_set_attr(c->doc, model, "type", want));
}

static void video(struct vw_ctx *c, const xmlNode *data)
{
	const xmlNode *old = vw_xml_child(c->devices, "video");
	const char *now = vw_xml_attr(vw_xml_child(old, "model"), "type");
	char why[300] = "a display adapter that this OS drives well";
	xmlNode *video;
	char want[32];

	/* <driver>: a vhost-user backend or virtio options, chosen on purpose */
	if (vw_xml_child(old, "driver") || (!old && !c->graphics) ||
	    (now && (!strcmp(now, "none") || vw_listed(c, data, "accept", now))) ||
	    !vw_choose(c, data, "prefer", "video.modelType", want, sizeof(want)) ||
	    vw_streq(now, want))
		return;
	say_video(vw_xml_child(old, "model"), why, sizeof(why));
	if (!vw_decide(c, "domain", now ? now : "", want, why))
		return;
	video = vw_need_child(c, c->devices, "video");
	if (video)
		set_video(c, video, want);
}

const struct vw_rule vw_rule_video = {
	.id = "video",
	.cls = VW_CLASS_VISIBLE,
	.run = video,
	.needs_template = true,
};
