/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one decision about disk caches (see cache-policy.h and design.md, "Caches"). */
#include "lib/engine/cache-policy.h"

#include "lib/base/text.h"

#include <errno.h>

/* Which disks are covered, by <disk type>, and where their source's name stands.
 * What is not here (vhostuser, dir, vhostvdpa …) has no cache mode to choose. */
enum kind { KIND_LOCAL, KIND_BLOCK, KIND_NETWORK, KIND_NVME };
static const struct type {
	const char *name, *source_attr;
	enum kind kind;
} types[] = {
	{ "file", "file", KIND_LOCAL },     { "block", "dev", KIND_BLOCK },
	{ "volume", "volume", KIND_LOCAL }, { "network", "protocol", KIND_NETWORK },
	{ "nvme", "type", KIND_NVME },
};

/* The disk's type if it is one that the rule covers: not a CD-ROM, not read-only, not empty. */
static const struct type *covered(const xmlNode *disk)
{
	const char *type = vw_xml_attr(disk, "type");
	const xmlNode *source = vw_xml_child(disk, "source");

	if (vw_streq(vw_xml_attr(disk, "device"), "cdrom") || vw_xml_child(disk, "readonly"))
		return NULL;
	for (size_t i = 0; i < VW_N_ELEMENTS(types); i++) {
		const char *name = vw_xml_attr(source, types[i].source_attr);

		if (vw_streq(type ? type : "file", types[i].name))
			return name && *name ? &types[i] : NULL;
	}
	return NULL;
}

static const char *cache_of(const xmlNode *disk)
{
	const char *mode = vw_xml_attr(vw_xml_child(disk, "driver"), "cache");

	return mode && *mode ? mode : "default";
}

/* No mode, or "default", is QEMU's writeback. */
static bool allowed(const struct vw_policy *policy, const char *mode)
{
	return vw_policy_cache_allowed(policy, mode) ||
	       (vw_streq(mode, "default") && vw_policy_cache_allowed(policy, "writeback"));
}

/* "none, directsync" */
static void list_caches(const struct vw_policy *policy, char *buf, size_t size)
{
	size_t len = 0;

	*buf = '\0';
	for (size_t i = 0; i < policy->n_caches && len < size; i++)
		len += (size_t)snprintf(buf + len, size - len, "%s%s", i ? ", " : "",
					policy->caches[i]);
}

/* What is known of the case, and what the message has to say about it. */
struct judgement {
	enum vw_cache_verdict verdict;
	enum vw_evidence evidence;
	const char *reason; /* REPORT: why nothing is changed */
	const char *detail; /* of the reason, "" = none; hostile */
	bool fix_later;     /* REPORT: the fix would help once the reason has gone */
};

/* A block device takes O_DIRECT whichever it is, also one that can't be seen from here; where the path
 * leads to a file QEMU refuses to start (file-posix.c, hdev_open), and what was seen counts. */
static enum vw_known block_odirect(const struct vw_disk_facts *facts)
{
	return facts && facts->exists == VW_YES && facts->block == VW_NO ? facts->odirect : VW_YES;
}

static struct judgement judge_local(const xmlNode *disk, const struct type *type,
				    const struct vw_disk_facts *facts)
{
	const enum vw_known odirect = type->kind == KIND_BLOCK ? block_odirect(facts)
				      : facts                  ? facts->odirect
							       : VW_UNKNOWN;
	struct judgement j = { .verdict = VW_CACHE_REPORT, .evidence = VW_EV_PROVEN, .detail = "" };

	switch (odirect) {
	case VW_YES: j.verdict = VW_CACHE_FIX; break;
	case VW_NO:
		j.reason = "but there is no O_DIRECT where the image lies, so the cache can't be "
			   "disabled and a live migration is unsafe; move the image";
		j.detail = vw_xml_attr(vw_xml_child(disk, "source"), type->source_attr);
		break;
	case VW_UNKNOWN:
		j.evidence = VW_EV_UNKNOWN;
		j.reason = "but whether O_DIRECT works where the image lies is unknown";
		j.detail = facts && *facts->why             ? facts->why
			   : vw_streq(type->name, "volume") ? "the volume's path is not known here"
							    : "the image was not looked at";
		j.fix_later = true;
		break;
	}
	return j;
}

static struct judgement judge_network(const struct vw_policy *policy)
{
	struct judgement j = { .verdict = VW_CACHE_REPORT, .evidence = VW_EV_PROVEN, .detail = "" };

	if (policy->network_disks == VW_NETDISK_OFF)
		j.verdict = VW_CACHE_OK;
	else if (policy->network_disks == VW_NETDISK_ENFORCE)
		j.verdict = VW_CACHE_FIX;
	j.reason = "but disks on the network are only reported (network-disks in warden.conf)";
	return j;
}

static struct judgement judge(const xmlNode *disk, const struct vw_disk_facts *facts,
			      const struct vw_policy *policy)
{
	const struct type *type = covered(disk);
	struct judgement j = { .verdict = VW_CACHE_OK };

	if (!type || !policy->n_caches || allowed(policy, cache_of(disk)))
		return j;
	switch (type->kind) {
	case KIND_LOCAL:
	case KIND_BLOCK: return judge_local(disk, type, facts);
	case KIND_NETWORK: return judge_network(policy);
	case KIND_NVME:
		j = (struct judgement){ .verdict = VW_CACHE_REPORT,
					.evidence = VW_EV_PROVEN,
					.detail = "" };
		j.reason = "but an NVMe device belongs to its host: no live migration is possible";
		break;
	}
	return j;
}

/* One sentence for the user. Return: malloc'ed, or NULL (no memory). */
static char *make_message(const struct judgement *j, const char *before,
			  const struct vw_policy *policy, const char *command)
{
	VW_AUTOFREE char *detail = vw_printable(j->detail, 160);
	char modes[VW_CACHES_MAX * 18];
	char *message = NULL;
	int r;

	if (!command || !detail)
		return NULL;
	list_caches(policy, modes, sizeof(modes));
	if (j->verdict == VW_CACHE_FIX)
		r = asprintf(&message,
			     "cache '%s'%s is not one of those allowed (%s): `%s` sets '%s'",
			     before, vw_streq(before, "default") ? " (QEMU's writeback)" : "",
			     modes, command, policy->caches[0]);
	else
		r = asprintf(&message,
			     "cache '%s'%s is not one of those allowed (%s), %s%s%s%s%s%s%s",
			     before, vw_streq(before, "default") ? " (QEMU's writeback)" : "",
			     modes, j->reason, *detail ? " (" : "", detail, *detail ? ")" : "",
			     j->fix_later ? ": `" : "", j->fix_later ? command : "",
			     j->fix_later ? "` once that has changed" : "");
	return r < 0 ? NULL : message;
}

enum vw_cache_verdict vw_cache_judge_with(const xmlNode *disk, const struct vw_disk_facts *facts,
					  const struct vw_policy *policy, const char *command,
					  struct vw_finding *ret)
{
	const struct judgement j = judge(disk, facts, policy);
	const char *target = vw_xml_attr(vw_xml_child(disk, "target"), "dev");

	if (j.verdict == VW_CACHE_OK || !ret)
		return j.verdict;
	*ret = (struct vw_finding){
		.rule = "disk-cache",
		.cls = VW_CLASS_HOST,
		.action = j.verdict == VW_CACHE_FIX ? VW_ACTION_FIX : VW_ACTION_SKIP,
		.evidence = j.evidence,
		.device = vw_printable(target && *target ? target : "disk", 64),
		.before = vw_printable(cache_of(disk), 32),
		.after = strdup(policy->caches[0]),
	};
	ret->message = ret->before ? make_message(&j, ret->before, policy, command) : NULL;
	if (!ret->device || !ret->before || !ret->after || !ret->message)
		vw_finding_clear(ret);
	return j.verdict;
}

enum vw_cache_verdict vw_cache_judge(const xmlNode *disk, const struct vw_disk_facts *facts,
				     const struct vw_policy *policy, const char *domain,
				     struct vw_finding *ret)
{
	VW_AUTOFREE char *command = ret ? vw_command_text("fix", domain) : NULL;

	return vw_cache_judge_with(disk, facts, policy, command, ret);
}

int vw_cache_apply(struct vw_xml *doc, xmlNode *disk, const struct vw_policy *policy)
{
	/* libvirt's "default" is to say nothing. */
	const bool clear = vw_streq(policy->caches[0], "default");
	const bool direct = vw_streq(policy->caches[0], "none") ||
			    vw_streq(policy->caches[0], "directsync");
	xmlNode *driver = vw_xml_child(disk, "driver");
	int r;

	if (!driver) {
		if (clear)
			return 0;
		r = vw_xml_add(doc, disk, vw_xml_child(disk, "source"), "driver", &driver);
		if (r == 0)
			r = vw_xml_set_attr(doc, driver, "name", "qemu");
		if (r < 0)
			return r;
	}
	r = vw_xml_set_attr(doc, driver, "cache", clear ? NULL : policy->caches[0]);
	/* io='native' needs one of the two (libvirt 9.0.0, qemu_validate.c:3043). */
	if (r == 0 && !direct && vw_streq(vw_xml_attr(driver, "io"), "native"))
		r = vw_xml_set_attr(doc, driver, "io", NULL);
	return r;
}

void vw_finding_clear(struct vw_finding *f)
{
	free(f->device);
	free(f->before);
	free(f->after);
	free(f->message);
	*f = (struct vw_finding){ 0 };
}
