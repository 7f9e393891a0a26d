/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* os-metadata: the guest OS stands where virt-manager and the rest look for it. */
#include "lib/engine/metadata.h"
#include "lib/base/text.h"
#include "lib/engine/rules.h"

#include <errno.h>

static void note_unknown(struct vw_ctx *c)
{
	/* a file has no libvirtd that could note it */
	bool file = c->req->subject;
	VW_AUTOFREE char *command = vw_ctx_command(c, file ? "fix" : "os set",
						   file ? " --os ID" : "");

	vw_note(c, "domain", "", "", VW_EV_UNKNOWN,
		"the guest OS is unknown, so only what suits every guest is done; say which it is (virt-warden os list): %s%s",
		command ? command : "", file ? "" : " ID");
}

static void add_metadata(struct vw_ctx *c, const char *id)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	VW_AUTOFREE char *text = NULL;
	xmlNode *metadata = vw_xml_child(c->domain, "metadata");

	vw_buf_puts(&b, "<libosinfo:libosinfo xmlns:libosinfo='" VW_METADATA_OS_NS
			"'><libosinfo:os id='");
	vw_buf_xml(&b, id, '\'');
	vw_buf_puts(&b, "'/></libosinfo:libosinfo>");
	text = vw_buf_take(&b);
	if (!text) {
		vw_try(c, -ENOMEM);
		return;
	}
	if (!metadata) {
		/* name, uuid and genid come first, in any order (libvirt's domaincommon.rng, "ids") */
		xmlNode *after = NULL;

		for (xmlNode *n = vw_xml_first(c->domain); n; n = vw_xml_next(n, NULL))
			if (vw_has_word("name uuid genid", (char *)n->name))
				after = n;
		vw_try(c, vw_xml_add(c->doc, c->domain, after, "metadata", &metadata));
	}
	if (metadata)
		vw_try(c, vw_xml_add_text(c->doc, metadata, NULL, text, NULL));
}

/* libosinfo's own element with another or no id: its <os> is what is to be changed. */
static xmlNode *existing_os(const struct vw_ctx *c)
{
	const xmlNode *m = vw_xml_child(c->domain, "metadata");

	for (xmlNode *n = m ? m->children : NULL; n; n = n->next) {
		if (n->type != XML_ELEMENT_NODE || !n->ns || !n->ns->href ||
		    strcmp((char *)n->ns->href, VW_METADATA_OS_NS) != 0)
			continue;
		for (xmlNode *os = n->children; os; os = os->next)
			if (os->type == XML_ELEMENT_NODE && !strcmp((char *)os->name, "os"))
				return os;
	}
	return NULL;
}

static void os_metadata(struct vw_ctx *c, const xmlNode *data)
{
	const char *now = vw_metadata_os_id(c->domain);
	const struct vw_os *os = c->facts->os;
	xmlNode *element;

	(void)data;
	if (!os) {
		note_unknown(c);
		return;
	}
	if (vw_streq(now, os->id))
		return;
	if (!vw_decide(c, "domain", now ? now : "", os->id,
		       "other tools, too, look here for the guest OS"))
		return;
	element = existing_os(c);
	if (element)
		vw_try(c, vw_xml_set_attr(c->doc, element, "id", os->id));
	else
		add_metadata(c, os->id);
}

const struct vw_rule vw_rule_os_metadata = {
	.id = "os-metadata",
	.cls = VW_CLASS_HOST,
	.run = os_metadata,
	.any_arch = true,
};
