/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* usb, tablet, video: what a person at the console uses. */
#include "rules.h"

static xmlNode *usb_controller(const struct vw_ctx *c)
{
	for (xmlNode *n = vw_xml_child(c->devices, "controller"); n;
	     n = vw_xml_next(n, "controller"))
		if (vw_streq(vw_xml_attr(n, "type"), "usb"))
			return n;
	return NULL;
}

/* A USB 2 set (ich9) is four functions that hang together: each must go. */
static void drop_usb(struct vw_ctx *c)
{
	xmlNode *next;

	for (xmlNode *n = vw_xml_child(c->devices, "controller"); n; n = next) {
		next = vw_xml_next(n, "controller");
		if (vw_streq(vw_xml_attr(n, "type"), "usb"))
			vw_xml_remove(c->doc, n);
	}
}

/* Something that hangs on more than the ports of the first controller: a hub, a second bus. */
static bool usb_is_a_tree(const struct vw_ctx *c)
{
	for (xmlNode *d = vw_xml_first(c->devices); d; d = vw_xml_next(d, NULL)) {
		const xmlNode *address = vw_xml_child(d, "address");
		const char *bus = vw_xml_attr(address, "bus");

		if (!strcmp((char *)d->name, "hub") ||
		    (vw_streq(vw_xml_attr(address, "type"), "usb") && bus && strcmp(bus, "0")))
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

void vw_rule_usb(struct vw_ctx *c, const xmlNode *data)
{
	const xmlNode *old = usb_controller(c);
	const char *now = vw_xml_attr(old, "model");
	char want[40];

	if ((old && now && (!strcmp(now, "none") || vw_listed(c, data, "accept", now))) ||
	    (old && usb_is_a_tree(c)) || !vw_choose(c, data, "prefer", NULL, want, sizeof(want)) ||
	    vw_streq(now, want))
		return;
	if (vw_pci_crowded(c)) {
		vw_note(c, "domain", now ? now : "", want, c->blank,
			"%s is better; not done, because the PCI bus is full", want);
		return;
	}
	if (!vw_decide(c, "domain", now ? now : "", want,
		       "an emulated USB 1 controller costs host CPU even when idle"))
		return;
	drop_usb(c);
	/* ports is an attribute of the xHCI models only (libvirt 9.0, virDomainControllerDefParseXML) */
	add_usb(c, want, strstr(want, "xhci") ? vw_number(data, "ports", 1, 15, 0) : 0);
}

/* Devices that take a USB port: libvirt refuses one more than the ports of all controllers.
 * The smallest controller, UHCI, has two (virDomainUSBAddressControllerModelToPorts, 9.0). */
#define USB_PORTS_SURE 2

static size_t usb_devices(const struct vw_ctx *c)
{
	size_t n = 0;

	for (xmlNode *d = vw_xml_first(c->devices); d; d = vw_xml_next(d, NULL)) {
		const char *type = vw_xml_attr(d, "type");

		if (!strcmp((char *)d->name, "controller") || !strcmp((char *)d->name, "disk"))
			n += !strcmp((char *)d->name, "disk") && !strcmp(vw_disk_bus(d), "usb");
		else
			n += vw_streq(vw_xml_attr(d, "bus"), "usb") || vw_streq(type, "usb") ||
			     !strcmp((char *)d->name, "hub") ||
			     !strcmp((char *)d->name, "smartcard") ||
			     vw_streq(vw_xml_attr(vw_xml_child(d, "address"), "type"), "usb");
	}
	return n;
}

void vw_rule_tablet(struct vw_ctx *c, const xmlNode *data)
{
	const xmlNode *usb = usb_controller(c);
	char bus[16];

	if (!c->graphics || vw_streq(vw_xml_attr(usb, "model"), "none") ||
	    !vw_choose(c, data, "prefer", NULL, bus, sizeof(bus)))
		return;
	for (xmlNode *i = vw_xml_child(c->devices, "input"); i; i = vw_xml_next(i, "input"))
		if (vw_streq(vw_xml_attr(i, "type"), "tablet"))
			return;
	if (!vw_ctx_fresh(c) && (usb_devices(c) >= USB_PORTS_SURE ||
				 !vw_startswith(vw_xml_attr(usb, "model"), "qemu-xhci"))) {
		vw_note(c, "domain", "", "tablet", c->blank,
			"the pointer in a console window would follow the mouse; not done, because no USB port may be free");
		return;
	}
	if (!vw_decide(c, "domain", "", "tablet",
		       "the pointer in a console window follows the mouse"))
		return;
	vw_add_element(c, c->devices, "input", "type", "tablet", "bus", bus, NULL);
}

/* Attributes that only some models may have (virDomainVideoDefValidate, 9.0). */
static void set_video(struct vw_ctx *c, xmlNode *video, const char *want)
{
	static const char *const qxl_only[] = { "ram", "vram", "vram64", "vgamem" };
	xmlNode *model = vw_need_child(c, video, "model");
	xmlNode *acceleration = vw_xml_child(model, "acceleration");

	if (!model)
		return;
	for (size_t i = 0; i < VW_N_ELEMENTS(qxl_only); i++)
		vw_try(c, vw_xml_set_attr(c->doc, model, qxl_only[i], NULL));
	if (acceleration)
		vw_xml_remove(c->doc, acceleration);
	vw_try(c, vw_xml_set_attr(c->doc, model, "type", want));
}

void vw_rule_video(struct vw_ctx *c, const xmlNode *data)
{
	const xmlNode *old = vw_xml_child(c->devices, "video");
	const char *now = vw_xml_attr(vw_xml_child(old, "model"), "type");
	xmlNode *video;
	char want[32];

	/* <driver>: a vhost-user backend or virtio options, chosen on purpose */
	if (vw_xml_child(old, "driver") || (!old && !c->graphics) ||
	    (now && (!strcmp(now, "none") || vw_listed(c, data, "accept", now))) ||
	    !vw_choose(c, data, "prefer", "video.modelType", want, sizeof(want)) ||
	    vw_streq(now, want))
		return;
	if (!vw_decide(c, "domain", now ? now : "", want,
		       "a display adapter that this OS drives well"))
		return;
	video = vw_need_child(c, c->devices, "video");
	if (video)
		set_video(c, video, want);
}
