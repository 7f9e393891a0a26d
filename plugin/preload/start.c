/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The caches of a domain that is about to start, at the user's prompt: the hook judges
 * them, too, but libvirt shows nobody what a successful hook has to say. */
#include "plugin/preload/preload.h"

#include "lib/engine/cache-policy.h"
#include "lib/engine/metadata.h"
#include "lib/base/text.h"

#define LINES_MAX 4

/* Network disks can't be mended here, and libvirt never checks them: not at every start. */
static bool is_told(const xmlNode *disk)
{
	return !vw_streq(vw_xml_attr(disk, "type"), "network");
}

static void judge_disks(struct vw_context *ctx, struct vw_xml *doc, const struct vw_facts *facts,
			const char *domain, struct vw_notes *notes)
{
	xmlNode *disk = vw_xml_path(vw_xml_root(doc), "devices/disk");
	size_t more = 0, told = 0;

	for (; disk; disk = vw_xml_next(disk, "disk")) {
		const char *target = vw_xml_attr(vw_xml_child(disk, "target"), "dev");
		struct vw_finding f = { 0 };

		if (!is_told(disk) ||
		    vw_cache_judge(disk, vw_facts_disk(facts, target ? target : ""),
				   vw_context_policy(ctx), domain, &f) == VW_CACHE_OK)
			continue;
		if (told == LINES_MAX)
			more++;
		else if (f.rule && ++told)
			vw_notes_add(notes, "%s: %s: %s", domain, f.device, f.message);
		vw_finding_clear(&f);
	}
	if (more)
		vw_notes_add(notes, "%s: and %zu more disks", domain, more);
}

static void look(struct vw_context *ctx, virDomainPtr dom, struct vw_notes *notes)
{
	VW_AUTOFREE char *xml = virDomainGetXMLDesc(dom, VIR_DOMAIN_XML_INACTIVE);
	VW_AUTOFREE char *name = vw_printable(virDomainGetName(dom), 60);
	virConnectPtr conn = virDomainGetConnect(dom);
	VW_CLEANUP(vw_facts_clear) struct vw_facts facts = { 0 };
	VW_AUTOXML struct vw_xml *doc = NULL;
	struct vw_outline *o = NULL;

	if (!xml || !name ||
	    vw_xml_parse(xml, strlen(xml), "the domain", "domain", &doc, NULL) < 0 ||
	    vw_metadata_mode(vw_xml_root(doc)) == VW_MODE_OFF ||
	    vw_metadata_skips(vw_xml_root(doc), "disk-cache") || vw_outline_make(doc, &o, NULL) < 0)
		return;
	if (vw_collect_disks(ctx, conn, vw_conn_is_local(conn), o, 0, &facts, NULL) == 0)
		judge_disks(ctx, doc, &facts, name, notes);
	vw_outline_free(o);
}

void vw_warn_at_start(virDomainPtr dom)
{
	struct vw_notes notes = { 0 };
	struct vw_context *ctx = NULL;
	struct vw_err err = { 0 };

	if (vw_quiet() || !dom || !vw_enter())
		return;
	if (vw_context_open(&ctx, &err) < 0)
		vw_notes_add(&notes, "%s (nothing was looked at)", err.text);
	else if (vw_context_policy(ctx)->start == VW_START_WARN &&
		 vw_conn_is_qemu(virDomainGetConnect(dom)))
		look(ctx, dom, &notes);
	vw_notes_flush(&notes);
	vw_context_close(ctx);
	vw_leave(true);
}
