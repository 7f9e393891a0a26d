/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hook's walk over the disks. A disk whose cache is as it should be costs
 * nothing: only the others are looked at on the host, within the hook's budget. */
#include "hooks/hook.h"
#include "lib/engine/metadata.h"
#include "lib/diskprobe/probe.h"
#include "lib/base/text.h"

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

/* Disks with a cache to mend, and what the host tells of them. */
struct suspects {
	size_t n, cap;
	struct suspect {
		xmlNode *disk;
		const char *path; /* NULL: none of this host */
		struct vw_disk_facts facts;
	} * v;
};

/* Return: 0 or -ENOMEM. */
static int add_suspect(struct suspects *s, xmlNode *disk)
{
	if (s->n == s->cap) {
		const size_t cap = s->cap ? s->cap * 2 : 8;
		struct suspect *v = reallocarray(s->v, cap, sizeof(*v));

		if (!v)
			return -ENOMEM;
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = (struct suspect){ .disk = disk, .path = path_of(disk) };
	return 0;
}

static int find_suspects(const struct hook *h, struct suspects *s)
{
	const xmlNode *devices = vw_xml_child(vw_xml_root(h->doc), "devices");
	int r = 0;

	for (xmlNode *disk = vw_xml_child(devices, "disk"); disk && r == 0;
	     disk = vw_xml_next(disk, "disk"))
		if (vw_cache_judge(disk, NULL, &h->policy, h->name, NULL) != VW_CACHE_OK)
			r = add_suspect(s, disk);
	return r;
}

/* All at once: each answer of the prober costs two changes of process. What can't be looked at stays
 * unknown. *ret: to be freed, may be NULL. */
static void look_at(const struct hook *h, struct suspects *s, struct vw_prober **ret)
{
	VW_AUTOFREE struct vw_probe_ask *asks = calloc(s->n, sizeof(*asks));
	const unsigned left = hook_time_left(h);

	for (size_t i = 0; i < s->n && !left; i++)
		snprintf(s->v[i].facts.why, sizeof(s->v[i].facts.why),
			 "the hook's %d s were used up", HOOK_BUDGET_MS / 1000);
	if (!left || !asks || vw_prober_new(h->paths.sysroot, ret, NULL) < 0)
		return;
	vw_prober_once(*ret);
	for (size_t i = 0; i < s->n; i++)
		asks[i] = (struct vw_probe_ask){ .path = s->v[i].path,
						 .format = "",
						 .out = &s->v[i].facts };
	vw_probe_disks(*ret, asks, s->n, HOOK_PATH_MS, left);
}

/* As the engine says it of what it would mend otherwise (lib/engine/decide.c). Return: 0 or -ENOMEM. */
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

static int judge_disk(struct hook *h, const struct suspect *s, hook_disk_fn *fn, void *data)
{
	struct vw_finding f = { 0 };
	int r;

	if (vw_cache_judge(s->disk, s->path ? &s->facts : NULL, &h->policy, h->name, &f) ==
	    VW_CACHE_OK)
		return 0;
	if (!f.rule)
		return -ENOMEM;
	r = only_audited(h, &f);
	if (r == 0)
		fn(h, data, s->disk, &f);
	vw_finding_clear(&f);
	return r;
}

int hook_judge_disks(struct hook *h, hook_disk_fn *fn, void *data)
{
	struct suspects s = { 0 };
	struct vw_prober *prober = NULL;
	int r = find_suspects(h, &s);

	if (r == 0 && s.n)
		look_at(h, &s, &prober);
	for (size_t i = 0; i < s.n && r == 0; i++)
		r = judge_disk(h, &s.v[i], fn, data);
	vw_prober_free(prober); /* late: its child ends meanwhile */
	free(s.v);
	return r;
}
