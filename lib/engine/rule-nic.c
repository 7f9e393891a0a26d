/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nic-model and nic-queues: the network card, at the PCI address that it has. */
#include "lib/engine/rules.h"

/* What a card is called in findings: its MAC address, else its number. */
static const char *nic_name(const xmlNode *nic, size_t i, char *buf, size_t size)
{
	const char *mac = vw_xml_attr(vw_xml_child(nic, "mac"), "address");

	if (mac)
		return mac;
	snprintf(buf, size, "nic%zu", i);
	return buf;
}

/* Kinds of <interface> whose card QEMU emulates (the others are host devices). */
static bool is_emulated(const xmlNode *nic)
{
	static const char *const kinds[] = { "network", "bridge", "user",   "direct", "ethernet",
					     "udp",     "server", "client", "mcast",  "internal" };
	const char *type = vw_xml_attr(nic, "type");

	for (size_t i = 0; type && i < VW_N_ELEMENTS(kinds); i++)
		if (!strcmp(type, kinds[i]))
			return true;
	return false;
}

/* May this card be the host's own? Of a network with forward mode='hostdev' libvirt gives the guest a
 * host device, which takes no model and no queues. VW_UNKNOWN: nobody could be asked. */
static enum vw_known is_hosts(const struct vw_ctx *c, const xmlNode *nic)
{
	const char *network = vw_xml_attr(vw_xml_child(nic, "source"), "network");

	if (!vw_streq(vw_xml_attr(nic, "type"), "network"))
		return VW_NO;
	return vw_facts_network(c->facts, network ? network : "");
}

/* Of a file libvirtd was not asked, unless -c named one. */
static void note_unknown(struct vw_ctx *c, const char *device, const char *before,
			 const char *after, const char *network)
{
	struct vw_request req = *c->req;
	struct vw_ctx there = *c;
	VW_AUTOFREE char *command = NULL;

	req.connect = "-c qemu:///system ";
	there.req = &req;
	if (c->req->subject && (!c->req->connect || !*c->req->connect))
		command = vw_ctx_command(&there, "check", "");
	vw_note(c, device, before, after, VW_EV_UNKNOWN,
		"not done, because whether the network '%s' gives out host devices (SR-IOV) is not known here: %s%s",
		network,
		command ? "ask the libvirtd that has it: "
			: "libvirtd has no such network, or does not tell (virsh net-list --all)",
		command ? command : "");
}

/* Return: true if it is left alone; said, if only for what is not known. */
static bool leave_hosts(struct vw_ctx *c, const xmlNode *nic, const char *device,
			const char *before, const char *after)
{
	const char *network = vw_xml_attr(vw_xml_child(nic, "source"), "network");
	enum vw_known hosts = is_hosts(c, nic);

	if (hosts == VW_UNKNOWN)
		note_unknown(c, device, before, after, network ? network : "");
	return hosts != VW_NO;
}

/* nic models of virtio: virtio, virtio-transitional, virtio-non-transitional */
static bool is_virtio(const xmlNode *nic)
{
	return vw_startswith(vw_xml_attr(vw_xml_child(nic, "model"), "type"), "virtio");
}

static void set_model(struct vw_ctx *c, xmlNode *nic, const char *want)
{
	xmlNode *model = vw_need_child(c, nic, "model");
	const xmlNode *address = vw_xml_child(nic, "address");

	if (model)
		vw_try(c, vw_xml_set_attr(c->doc, model, "type", want));
	/* a card on an ISA or USB address can't keep it as a PCI card */
	if (address && !vw_streq(vw_xml_attr(address, "type"), "pci"))
		vw_xml_remove(c->doc, (xmlNode *)address);
}

/* What the change is good for; the BSDs name a card by its driver (em0, vtnet0). */
static const char *why_model(const struct vw_ctx *c)
{
	const struct vw_os *os = c->facts->os;

	if (c->blank != VW_EV_BLANK && os && os->family && strstr(os->family, "bsd"))
		return "this card is the fastest that the guest OS has a driver for, but a BSD names its interface by the driver (em0 becomes vtnet0): until its network config has the new name it is offline";
	return "this card is the fastest that the guest OS has a driver for";
}

static void nic_model(struct vw_ctx *c, const xmlNode *data)
{
	size_t i = 0;
	char name[32];
	char want[32];

	for (xmlNode *n = vw_xml_child(c->devices, "interface"); n;
	     n = vw_xml_next(n, "interface"), i++) {
		const char *now = vw_xml_attr(vw_xml_child(n, "model"), "type");

		if (!is_emulated(n) || (now && vw_listed(c, data, "accept", now)) ||
		    !vw_choose(c, data, "prefer", "interface.model", want, sizeof(want)) ||
		    vw_streq(now, want) ||
		    leave_hosts(c, n, nic_name(n, i, name, sizeof(name)), now ? now : "", want))
			continue;
		if (vw_decide(c, nic_name(n, i, name, sizeof(name)), now ? now : "", want,
			      why_model(c)))
			set_model(c, n, want);
	}
}

const struct vw_rule vw_rule_nic_model = {
	.id = "nic-model",
	.cls = VW_CLASS_VISIBLE,
	.run = nic_model,
	.needs_template = true,
};

static long vcpus(struct vw_ctx *c)
{
	long n = strtol(vw_xml_content(c->doc, vw_xml_child(c->domain, "vcpu")), NULL, 10);

	return n > 0 && n < 100000 ? n : 1;
}

/* Kinds that libvirt gives several taps (user has none; an ethernet tap is made by somebody else). */
static bool has_tap(const xmlNode *nic)
{
	const char *type = vw_xml_attr(nic, "type");

	return type &&
	       (!strcmp(type, "network") || !strcmp(type, "bridge") || !strcmp(type, "direct"));
}

static void nic_queues(struct vw_ctx *c, const xmlNode *data)
{
	long max = vw_number(data, "max", 1, 256, 0);
	long queues = vcpus(c) < max ? vcpus(c) : max;
	size_t i = 0;
	char name[32];
	char text[24];

	if (queues < 2)
		return;
	snprintf(text, sizeof(text), "%ld", queues);
	for (xmlNode *n = vw_xml_child(c->devices, "interface"); n;
	     n = vw_xml_next(n, "interface"), i++) {
		xmlNode *driver = vw_xml_child(n, "driver");

		if (!has_tap(n) || !is_virtio(n) || vw_xml_attr(driver, "queues") ||
		    vw_streq(vw_xml_attr(driver, "name"), "qemu") ||
		    leave_hosts(c, n, nic_name(n, i, name, sizeof(name)), "1", text))
			continue;
		if (!vw_decide(c, nic_name(n, i, name, sizeof(name)), "1", text,
			       "one queue per vCPU, so the network is not bound to one of them"))
			continue;
		driver = vw_need_child(c, n, "driver");
		if (driver)
			vw_try(c, vw_xml_set_attr(c->doc, driver, "queues", text));
	}
}

const struct vw_rule vw_rule_nic_queues = {
	.id = "nic-queues",
	.cls = VW_CLASS_VISIBLE,
	.run = nic_queues,
	.needs_template = true,
};
