/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hook's walk over the disks. A disk whose cache is as it should be costs
 * nothing: only the others are looked at on the host, within the hook's budget. */
#include "hook.h"
#include "metadata.h"
#include "probe.h"
#include "quote.h"

#include <errno.h>

/* The path on this host, NULL if the XML names none (volume, network …). */
static const char *path_of(const xmlNode *disk)
{
	const char *type = vw_xml_attr(disk, "type");
	const xmlNode *source = vw_xml_child(disk, "source");

	if (vw_streq(type, "block"))
		return vw_xml_attr(source, "dev");
	return !type || vw_streq(type, "file") ? vw_xml_attr(source, "file") : NULL;
}

static void look_at(struct hook *h, struct vw_prober **prober, const char *path,
		    struct vw_disk_facts *facts)
{
	const unsigned left = hook_time_left(h);

	if (!left) {
		snprintf(facts->why, sizeof(facts->why), "the hook's %d s were used up",
			 HOOK_BUDGET_MS / 1000);
		return;
	}
	if (!*prober && vw_prober_new(h->paths.sysroot, prober, NULL) < 0)
		return;
	vw_probe_disk(*prober, path, "", false, 0, left < HOOK_PATH_MS ? left : HOOK_PATH_MS,
		      facts);
}

/* As the engine says it of what it would mend otherwise (lib/decide.c). Return: 0 or -ENOMEM. */
static int only_audited(const struct hook *h, struct vw_finding *f)
{
	const char *why = vw_metadata_audit_why(vw_xml_root(h->doc));
	VW_AUTOFREE char *command = why ? vw_command_text("fix", h->name) : NULL;
	VW_AUTOFREE char *message = NULL;

	if (!why || f->action != VW_ACTION_FIX)
		return 0;
	if (!command ||
	    asprintf(&message, "%s; not done, because %s: %s", f->message, why, command) < 0)
		return -ENOMEM;
	free(f->message);
	f->message = vw_steal(message);
	f->action = VW_ACTION_SKIP;
	f->evidence = VW_EV_UNKNOWN;
	return 0;
}

static int judge_disk(struct hook *h, struct vw_prober **prober, xmlNode *disk, hook_disk_fn *fn,
		      void *data)
{
	const char *path = path_of(disk);
	struct vw_disk_facts facts = { 0 };
	struct vw_finding f = { 0 };
	int r;

	if (vw_cache_judge(disk, NULL, &h->policy, h->name, NULL) == VW_CACHE_OK)
		return 0;
	if (path)
		look_at(h, prober, path, &facts);
	if (vw_cache_judge(disk, path ? &facts : NULL, &h->policy, h->name, &f) == VW_CACHE_OK)
		return 0;
	if (!f.rule)
		return -ENOMEM;
	r = only_audited(h, &f);
	if (r == 0)
		fn(h, data, disk, &f);
	vw_finding_clear(&f);
	return r;
}

int hook_judge_disks(struct hook *h, hook_disk_fn *fn, void *data)
{
	const xmlNode *devices = vw_xml_child(vw_xml_root(h->doc), "devices");
	struct vw_prober *prober = NULL;
	int r = 0;

	for (xmlNode *disk = vw_xml_child(devices, "disk"); disk && r == 0;
	     disk = vw_xml_next(disk, "disk"))
		r = judge_disk(h, &prober, disk, fn, data);
	vw_prober_free(prober);
	return r;
}
