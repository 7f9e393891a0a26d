/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How far do the rules know this guest? What they don't know they don't touch, and the plan
 * says so: a guest that nobody judged is not conformant. */
#include "lib/engine/metadata.h"
#include "lib/engine/rules.h"
#include "lib/base/text.h"

#include <errno.h>

#define NAME_BYTES 60 /* of a machine or a type in the sentence */

/* Return: 0 or -ENOMEM. */
static int limit(struct vw_ctx *c, enum vw_judged judged, const char *before, const char *name,
		 const char *after)
{
	VW_AUTOFREE char *clean = vw_printable(name, NAME_BYTES);

	c->plan->judged = judged;
	if (clean && asprintf(&c->plan->unjudged, "%s%s%s", before, clean, after) >= 0)
		return 0;
	c->plan->unjudged = NULL;
	return -ENOMEM;
}

int vw_scope_find(struct vw_ctx *c)
{
	const xmlNode *type = vw_xml_path(c->domain, "os/type");
	const char *machine = vw_xml_attr(type, "machine");

	if (!vw_metadata_is_qemu(c->domain))
		return limit(c, VW_JUDGED_NONE, "it is a domain of type ",
			     vw_xml_attr(c->domain, "type"),
			     ", and only those of QEMU (kvm, qemu) can be judged");
	if (!c->devices || !type)
		return limit(c, VW_JUDGED_NONE, "its XML has no ",
			     c->devices ? "<os><type>" : "<devices>",
			     ": nothing of it could be judged");
	if (!c->x86)
		return limit(c, VW_JUDGED_HOST, "the rules know x86 guests only, not ",
			     vw_xml_attr(type, "arch") ? vw_xml_attr(type, "arch") : machine,
			     ": its devices were not judged, only the host's side of its disks");
	if (c->facts->machine_offered == VW_NO)
		return limit(c, VW_JUDGED_HOST, "this host has no machine type ", machine,
			     ": its devices were not judged, only the host's side of its disks");
	if (!vw_ctx_known_board(c))
		return limit(c, VW_JUDGED_HOST, "the rules know the boards pc and q35 only, not ",
			     machine,
			     ": its devices were not judged, only the host's side of its disks");
	return 0;
}
