/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check, of a guest that runs: the disks that it has cached now, whatever is stored. */
#include "lib/engine/cache-policy.h"
#include "plugin/cmd/check.h"

#include "lib/base/buf.h"
#include "plugin/cmd/cmd.h"

static bool is_cached(const struct cmd *cmd, const struct cmd_audit *a, const xmlNode *disk)
{
	const char *target = vw_xml_attr(vw_xml_child(disk, "target"), "dev");

	return !vw_streq(vw_xml_attr(disk, "type"), "network") &&
	       vw_cache_judge(disk, vw_facts_disk(&a->facts->facts, target ? target : ""),
			      vw_context_policy(cmd->ctx), "", NULL) == VW_CACHE_FIX;
}

void cmd_check_live(const struct cmd *cmd, const struct cmd_audit *a)
{
	const struct vw_facts *facts = &a->facts->facts;
	VW_AUTOXML struct vw_xml *live = NULL;
	VW_AUTOBUF struct vw_buf disks = { 0 };
	const xmlNode *d;

	if (facts->active != VW_YES || !facts->active_xml || a->plan->mode == VW_MODE_OFF ||
	    vw_xml_parse(facts->active_xml, strlen(facts->active_xml), "live", "domain", &live,
			 NULL) < 0)
		return;
	d = vw_xml_path(vw_xml_root(live), "devices/disk");
	for (; d; d = vw_xml_next(d, "disk")) {
		const char *cache = vw_xml_attr(vw_xml_child(d, "driver"), "cache");
		const char *target = vw_xml_attr(vw_xml_child(d, "target"), "dev");

		if (is_cached(cmd, a, d))
			vw_buf_printf(&disks, "%s%s (%s)", disks.len ? ", " : "",
				      target ? target : "?", cache ? cache : "default");
	}
	if (disks.len && !disks.failed)
		out_print(&cmd->out, OUT_WARN,
			  "  runs with the cache of %s: one live migration to a host with "
			  "virt-warden's hook ends that, or a cold start\n",
			  disks.p);
}
