/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The XML that the user gives with the migration: --xml must show the guest the same
 * machine (libvirt compares it, virDomainDefCheckABIStability), --persistent-xml is
 * taken as it is. Only what differs for certain is named: a default that libvirt would
 * fill in is no difference. */
#include "lib/migrate/check.h"

#define VALUE_MAX 100

static const struct {
	const char *path, *attr; /* attr NULL = its text */
	bool needed;             /* without it libvirt makes up another value */
} values[] = {
	{ "uuid", NULL, true },          { "name", NULL, true },       { ".", "type", false },
	{ "memory", NULL, false },       { "vcpu", NULL, false },      { "os/type", NULL, false },
	{ "os/type", "machine", false }, { "os/type", "arch", false }, { "cpu", "mode", false },
	{ "cpu/model", NULL, false },
};

/* libvirt adds none of these on its own. */
static const char *const counted[] = { "disk",     "interface", "hostdev", "filesystem",
				       "redirdev", "rng",       "tpm",     "shmem",
				       "watchdog", "memory",    "vsock",   "panic" };

static const char *value_of(struct vw_xml *x, size_t i)
{
	const xmlNode *root = vw_xml_root(x);
	const xmlNode *n = vw_streq(values[i].path, ".") ? root : vw_xml_path(root, values[i].path);

	if (!n)
		return "";
	return vw_or_empty(values[i].attr ? vw_xml_attr(n, values[i].attr) : vw_xml_content(x, n));
}

static void differs(struct vw_judge *j, const char *what, const char *own, const char *given)
{
	vw_judge_add(j,
		     &(struct vw_found){ .id = "xml-abi",
					 .severity = VW_SEV_BLOCKER,
					 .property = what,
					 .source = own,
					 .destination = given,
					 .remedy = "start from virsh dumpxml --migratable" },
		     "--xml changes what the guest sees (%s): libvirt refuses that", what);
}

/* "q35" stands for the newest pc-q35-…; memory in another unit may be the same. */
static bool comparable(struct vw_judge *j, size_t i, const char *given)
{
	const xmlNode *memory = vw_xml_child(j->root, "memory");

	if (vw_streq(values[i].attr, "machine"))
		return strchr(given, '-');
	if (vw_streq(values[i].path, "memory"))
		return memory && vw_streq(vw_xml_attr(memory, "unit"), "KiB");
	return *given || values[i].needed;
}

static size_t count(const xmlNode *devices, const char *name)
{
	size_t n = 0;

	for (const xmlNode *d = devices ? vw_xml_child(devices, name) : NULL; d;
	     d = vw_xml_next(d, name))
		n++;
	return n;
}

static void compare_counts(struct vw_judge *j, const xmlNode *own, const xmlNode *given)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(counted); i++) {
		size_t a = count(own, counted[i]), b = count(given, counted[i]);
		char was[32], is[32];

		if (a == b)
			continue;
		snprintf(was, sizeof(was), "%zu", a);
		snprintf(is, sizeof(is), "%zu", b);
		differs(j, counted[i], was, is);
	}
}

/* The devices of a kind in their order: child@attr of each, where both say one. */
static void compare_each(struct vw_judge *j, const xmlNode *own, const xmlNode *given,
			 const char *kind, const char *child, const char *attr)
{
	const xmlNode *a = own ? vw_xml_child(own, kind) : NULL;
	const xmlNode *b = given ? vw_xml_child(given, kind) : NULL;

	for (; a && b; a = vw_xml_next(a, kind), b = vw_xml_next(b, kind)) {
		const xmlNode *x = vw_xml_child(a, child), *y = vw_xml_child(b, child);
		const char *was = x ? vw_xml_attr(x, attr) : NULL;
		const char *is = y ? vw_xml_attr(y, attr) : NULL;
		char what[VALUE_MAX];

		if (!was || !is || vw_streq(was, is))
			continue;
		snprintf(what, sizeof(what), "%s %s %s", kind, child, attr);
		differs(j, what, was, is);
	}
}

static void compare(struct vw_judge *j)
{
	const xmlNode *own = vw_xml_child(vw_xml_root(j->m->own), "devices");
	const xmlNode *given = vw_xml_child(j->root, "devices");

	for (size_t i = 0; i < VW_N_ELEMENTS(values); i++) {
		const char *was = value_of(j->m->own, i), *is = value_of(j->m->doc, i);

		if (!vw_streq(was, is) && comparable(j, i, is))
			differs(j, values[i].attr ? values[i].attr : values[i].path, was, is);
	}
	compare_counts(j, own, given);
	compare_each(j, own, given, "disk", "target", "dev");
	compare_each(j, own, given, "disk", "target", "bus");
	compare_each(j, own, given, "interface", "mac", "address");
	compare_each(j, own, given, "interface", "model", "type");
}

static bool same(struct vw_judge *j, const char *path)
{
	const xmlNode *n = vw_xml_path(vw_xml_root(j->m->persistent), path);

	return n && vw_streq(vw_xml_content(j->m->persistent, n), vw_judge_text(j, path));
}

void vw_check_xml(struct vw_judge *j)
{
	if (j->root && j->m->own)
		compare(j);
	if (j->root && j->m->persistent && (!same(j, "uuid") || !same(j, "name")))
		vw_judge_add(
			j,
			&(struct vw_found){
				.id = "xml-persistent",
				.severity = VW_SEV_RISK,
				.property = "--persistent-xml",
				.remedy = "start from virsh dumpxml --inactive --migratable" },
			"--persistent-xml is the config of another domain: it has another name or UUID");
}
