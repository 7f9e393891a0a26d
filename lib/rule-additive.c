/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rng, agent-channel, balloon, panic-device, tpm: devices that the guest may ignore. */
#include "rules.h"

xmlNode *vw_add_pci_device(struct vw_ctx *c, const char *device, const char *after, const char *open,
			   const char *body, const char *close, const char *why)
{
	char address[120] = "";
	const char *obstacle = NULL;
	VW_AUTOBUF struct vw_buf b = { 0 };
	xmlNode *n = NULL;

	if (!vw_ctx_fresh(c) && !c->audit && !vw_pci_free_slot(c, address, sizeof(address), &obstacle)) {
		vw_note(c, device, "", after, c->blank,
			"%s; not done, because %s: an installed guest's addresses must not move", why, obstacle);
		return NULL;
	}
	if (!vw_decide(c, device, "", after, why))
		return NULL;
	vw_buf_printf(&b, "%s%s%s%s", open, body, address, close);
	if (!b.p)
		return NULL;
	vw_try(c, vw_xml_add_text(c->doc, c->devices, NULL, b.p, &n));
	return n;
}

void vw_rule_rng(struct vw_ctx *c, const xmlNode *data)
{
	char model[32];
	char open[64];

	if (vw_xml_child(c->devices, "rng") ||
	    !vw_choose(c, data, "prefer", "rng.model", model, sizeof(model)))
		return;
	snprintf(open, sizeof(open), "<rng model='%s'>", model);
	vw_add_pci_device(c, "domain", model, open, "<backend model='random'>/dev/urandom</backend>",
			  "</rng>", "a new guest has little entropy of its own: services wait for it at boot");
}

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
	for (xmlNode *n = vw_xml_child(c->devices, "controller"); n; n = vw_xml_next(n, "controller"))
		if (vw_streq(vw_xml_attr(n, "type"), "virtio-serial"))
			return true;
	return false;
}

void vw_rule_agent_channel(struct vw_ctx *c, const xmlNode *data)
{
	static const char agent[] = "org.qemu.guest_agent.0";
	static const char channel[] =
		"<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>";
	static const char why[] =
		"with the guest agent the host can freeze filesystems, shut down cleanly and see that the guest lives";

	char type[16];

	if (has_channel(c, agent) || !vw_choose(c, data, "prefer", NULL, type, sizeof(type)))
		return;
	if (vw_ctx_fresh(c) || has_virtio_serial(c)) {
		if (vw_decide(c, "domain", "", agent, why))
			vw_try(c, vw_xml_add_text(c->doc, c->devices, NULL, channel, NULL));
		return;
	}
	if (vw_add_pci_device(c, "domain", agent, "<controller type='virtio-serial' index='0'>", "",
			      "</controller>", why))
		vw_try(c, vw_xml_add_text(c->doc, c->devices, NULL, channel, NULL));
}

void vw_rule_balloon(struct vw_ctx *c, const xmlNode *data)
{
	xmlNode *balloon = vw_xml_child(c->devices, "memballoon");
	const char *model = vw_xml_attr(balloon, "model");
	long period = vw_number(data, "period", 1, 3600, 0);
	char text[16];
	xmlNode *stats;

	if (!period || vw_streq(model, "none") || vw_xml_child(balloon, "stats"))
		return;
	/* model xen has no statistics; without the element libvirt adds a virtio one by itself */
	if (model && !vw_startswith(model, "virtio"))
		return;
	snprintf(text, sizeof(text), "%ld", period);
	if (!vw_decide(c, "domain", "", text, "memory use can be seen from the host (virsh dommemstat)"))
		return;
	if (!balloon)
		vw_try(c, vw_xml_add_text(c->doc, c->devices, NULL, "<memballoon model='virtio'/>", &balloon));
	stats = balloon ? vw_need_child(c, balloon, "stats") : NULL;
	if (stats)
		vw_try(c, vw_xml_set_attr(c->doc, stats, "period", text));
}

void vw_rule_panic_device(struct vw_ctx *c, const xmlNode *data)
{
	const xmlNode *crash = vw_xml_child(c->domain, "on_crash");
	const char *action = vw_xml_content(c->doc, crash);
	char model[24];
	char text[64];
	xmlNode *n = NULL;

	if (vw_xml_child(c->devices, "panic") || !vw_ctx_fresh(c) ||
	    !vw_choose(c, data, "prefer", "panic.model", model, sizeof(model)))
		return;
	/* with the device, an on_crash that destroys would kill a guest that reboots itself */
	if (crash && (!strcmp(action, "destroy") || !strcmp(action, "coredump-destroy")))
		return;
	if (!vw_decide(c, "domain", "", model, "a panic of the guest's kernel is seen from outside at once"))
		return;
	snprintf(text, sizeof(text), "<panic model='%s'/>", model);
	vw_try(c, vw_xml_add_text(c->doc, c->devices, NULL, text, NULL));
	if (crash)
		return;
	vw_try(c, vw_xml_add(c->doc, c->domain, NULL, "on_crash", &n));
	if (n)
		vw_try(c, vw_xml_set_content(c->doc, n, "restart"));
}

void vw_rule_tpm(struct vw_ctx *c, const xmlNode *data)
{
	char model[24];
	char text[120];

	/* a TPM has state of its own: never added to a guest that exists */
	if (vw_xml_child(c->devices, "tpm") || !vw_ctx_fresh(c))
		return;
	if (!vw_choose(c, data, "prefer", "tpm.model", model, sizeof(model)) ||
	    vw_caps_has(c->caps, "tpm.backendModel", "emulator") == VW_NO) {
		vw_note(c, "domain", "", "tpm-crb", VW_EV_UNKNOWN,
			"this OS asks for a TPM 2.0, and the host can't emulate one: install swtpm (Debian: apt install swtpm-tools)");
		return;
	}
	if (!vw_decide(c, "domain", "", model, "this OS asks for a TPM 2.0"))
		return;
	snprintf(text, sizeof(text), "<tpm model='%s'><backend type='emulator' version='2.0'/></tpm>", model);
	vw_try(c, vw_xml_add_text(c->doc, c->devices, NULL, text, NULL));
}
