/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gathers the facts about one domain XML (see virt-collect.h): as few calls to
 * libvirtd as will do, for a user waits at the prompt meanwhile. */
#include "virt-collect.h"

#include "metadata.h"
#include "virt-run.h"

#include <errno.h>
#include <libvirt/virterror.h>

#define MEDIA_TIMEOUT_MS 3000
#define MEDIA_MAX 2 /* CD-ROMs that are looked into */

static void set_os(struct vw_gathered *g, struct vw_os *os, enum vw_os_source source,
		   enum vw_evidence confidence)
{
	g->os = os;
	g->facts.os = os;
	g->facts.os_source = source;
	g->facts.os_confidence = confidence;
	if (os->like)
		snprintf(g->os_note, sizeof(g->os_note),
			 "osinfo-db does not know %.80s: %.60s stands in", os->id, os->like);
	else
		g->os_note[0] = 0;
}

/* The OS on the install media, as libosinfo recognises it: the helper prints one line,
 * "id=http://debian.org/debian/11 short-id=…". Return: true if it did. */
static bool os_of_media(struct vw_context *c, struct vw_osindex *index, struct vw_gathered *g,
			const char *path)
{
	VW_AUTOFREE char *program = vw_context_program(c, "virt-warden-osinfo");
	struct vw_os *os = NULL;
	char line[512];

	if (!program ||
	    vw_run((char *[]){ program, (char *)"media", (char *)path, NULL }, MEDIA_TIMEOUT_MS,
		   line, sizeof(line), NULL) != 0 ||
	    !vw_startswith(line, "id="))
		return false;
	line[strcspn(line, " \t\n")] = 0;
	if (vw_osindex_find(index, line + strlen("id="), &os, NULL) < 0)
		return false;
	set_os(g, os, VW_OS_MEDIA, VW_EV_ASSUMED);
	return true;
}

static void collect_media(struct vw_context *c, struct vw_osindex *index, struct vw_gathered *g)
{
	unsigned tried = 0;

	for (size_t i = 0; i < g->outline->n_disks && tried < MEDIA_MAX; i++) {
		const struct vw_outline_disk *d = &g->outline->disks[i];
		const struct vw_disk_facts *f = vw_facts_disk(&g->facts, d->target);

		/* The prober saw a file or block device there, and nothing hung. */
		if (strcmp(d->device, "cdrom") || *d->source != '/' || !f || f->exists != VW_YES ||
		    f->block == VW_UNKNOWN)
			continue;
		tried++;
		if (os_of_media(c, index, g, d->source))
			return;
	}
}

/* Drivers that the OS does not ship come on virtio-win's ISO; it keeps its name in practice. */
static void collect_drivers(struct vw_gathered *g)
{
	for (size_t i = 0; i < g->outline->n_disks; i++) {
		const struct vw_outline_disk *d = &g->outline->disks[i];
		const char *slash = strrchr(d->source, '/');

		if (!strcmp(d->device, "cdrom") &&
		    strcasestr(slash ? slash + 1 : d->source, "virtio-win"))
			g->facts.virtio_drivers = VW_YES;
	}
}

static int collect_os(struct vw_context *c, struct vw_gathered *g, const char *admin,
		      struct vw_err *err)
{
	const char *id = admin ? admin : g->outline->os_id;
	struct vw_err why = { 0 };
	struct vw_osindex *index = vw_context_osindex(c, &why);
	struct vw_os *os = NULL;

	if (index && *id && vw_osindex_find(index, id, &os, &why) == 0) {
		set_os(g, os, admin ? VW_OS_ADMIN : VW_OS_METADATA,
		       admin ? VW_EV_PROVEN : VW_EV_ASSUMED);
		return 0;
	}
	if (admin)
		return vw_err_set(err, -ENOENT, "%s", why.text);
	if (!*id)
		snprintf(why.text, sizeof(why.text),
			 "the XML names no OS, and no install media tells it");
	snprintf(g->os_note, sizeof(g->os_note), "%.*s", (int)sizeof(g->os_note) - 1, why.text);
	if (index && g->local)
		collect_media(c, index, g);
	return 0;
}

static enum vw_known known(int r)
{
	return r < 0 ? VW_UNKNOWN : r > 0 ? VW_YES : VW_NO;
}

/* What libvirtd knows of the domain. */
static void collect_state(struct vw_gathered *g, virConnectPtr conn, virDomainPtr dom)
{
	struct vw_facts *f = &g->facts;

	if (!conn) { /* a file, read as a domain that is yet to be defined on this host */
		f->new_here = VW_YES;
		f->active = VW_NO;
		f->managed_save = VW_NO;
		return;
	}
	if (dom) {
		virDomainRef(dom);
		g->known = dom;
	} else {
		if (*g->outline->uuid)
			g->known = virDomainLookupByUUIDString(conn, g->outline->uuid);
		if (!g->known)
			g->known = virDomainLookupByName(conn, g->outline->name);
		if (!g->known) {
			/* "no such domain" is an answer, a broken connection is none */
			f->new_here = virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? VW_YES
										 : VW_UNKNOWN;
			f->active = f->new_here == VW_YES ? VW_NO : VW_UNKNOWN;
			f->managed_save = f->active;
			return;
		}
	}
	f->new_here = VW_NO;
	f->active = known(virDomainIsActive(g->known));
	f->managed_save = known(virDomainHasManagedSaveImage(g->known, 0));
	if (f->managed_save == VW_NO)
		f->managed_save = known(virDomainSnapshotNum(g->known, 0));
	if (f->active == VW_YES)
		g->active_xml = virDomainGetXMLDesc(g->known, 0);
	f->active_xml = g->active_xml;
}

static void ask_caps(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
		     const char *machine)
{
	const struct vw_outline *o = g->outline;
	const struct vw_caps *caps = vw_context_caps(c, conn, o->emulator, o->arch, machine,
						     o->type);

	if (caps && g->facts.n_caps < VW_N_ELEMENTS(g->caps))
		g->caps[g->facts.n_caps++] = caps;
}

/* Is machine ("", "pc", "pc-q35-7.2") of the family that a template names ("pc", "q35")? */
static bool same_machine(const char *machine, const char *family)
{
	static const struct {
		const char *family, *begin;
	} versioned[] = { { "q35", "pc-q35-" }, { "pc", "pc-i440fx-" } };

	if (!*machine)
		machine = "pc"; /* libvirt's default on x86 */
	for (size_t i = 0; i < VW_N_ELEMENTS(versioned); i++)
		if (!strcmp(versioned[i].family, family) &&
		    vw_startswith(machine, versioned[i].begin))
			return true;
	return !strcmp(machine, family);
}

/* Does "has:DEVICE|DEVICE" hold? Other conditions ("kvm", "efi" …) are for the engine:
 * VW_UNKNOWN here. */
static enum vw_known condition(const struct vw_os *os, const char *text, size_t len)
{
	char name[64];

	if (len < 4 || strncmp(text, "has:", 4))
		return VW_UNKNOWN;
	for (size_t i = 4, n; os && i < len; i += n + 1) {
		n = strcspn(text + i, "|");
		n = n < len - i ? n : len - i;
		snprintf(name, sizeof(name), "%.*s", (int)n, text + i);
		if (vw_os_has(os, name))
			return VW_YES;
	}
	return VW_NO;
}

/* The machine that the template prefers, "q35@has:qemu-x86-q35 pc": its first word that may hold.
 * Return: VW_YES if it does, VW_UNKNOWN if it may, VW_NO if there is none. */
static enum vw_known preferred_machine(const struct vw_templates *t, const struct vw_gathered *g,
				       char *buf, size_t size)
{
	const struct vw_template *tpl = vw_templates_pick(t, g->os, g->facts.virtio_drivers);
	const char *s = tpl ? vw_xml_attr(vw_template_rule(tpl, "machine"), "prefer") : NULL;

	for (size_t len; s && (s += strspn(s, " \t\n"), len = strcspn(s, " \t\n")); s += len) {
		const char *at = memchr(s, '@', len);
		size_t word = at ? (size_t)(at - s) : len;
		enum vw_known ok = at ? condition(g->os, at + 1, len - word - 1) : VW_YES;

		if (ok == VW_NO || word >= size)
			continue;
		snprintf(buf, size, "%.*s", (int)word, s);
		return ok;
	}
	return VW_NO;
}

/* Will the plan change the machine type, if anything makes it? New here and all blank. */
static bool is_fresh(const struct vw_gathered *g, const struct vw_policy *policy)
{
	if (g->facts.new_here != VW_YES || policy->boot == VW_BOOT_NEVER)
		return false;
	for (size_t i = 0; i < g->outline->n_disks; i++)
		if (!strcmp(g->outline->disks[i].device, "disk") &&
		    g->facts.disks[i].blank != VW_YES)
			return false;
	return true;
}

/* For the machine that the domain will have; where that is the admin's to say, for both. */
static void collect_caps(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
			 const xmlNode *root)
{
	const struct vw_outline *o = g->outline;
	const struct vw_templates *t = vw_context_templates(c, NULL);
	bool x86 = !*o->arch || !strcmp(o->arch, "x86_64") || !strcmp(o->arch, "i686");
	enum vw_known prefers = VW_NO;
	char machine[64] = "";

	if (!conn)
		return;
	if (t && x86 && !vw_metadata_skips(root, "machine"))
		prefers = preferred_machine(t, g, machine, sizeof(machine));
	if (prefers != VW_NO && same_machine(o->machine, machine))
		prefers = VW_NO;
	if (prefers != VW_NO)
		ask_caps(c, g, conn, machine);
	if (prefers != VW_YES || g->facts.n_caps == 0 || !is_fresh(g, vw_context_policy(c)))
		ask_caps(c, g, conn, o->machine);
	g->facts.caps = g->caps;
}

int vw_collect(struct vw_context *c, virConnectPtr conn, virDomainPtr dom, struct vw_xml *doc,
	       const char *os, struct vw_gathered **ret, struct vw_err *err)
{
	struct vw_gathered *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return vw_err_set(err, -ENOMEM, "out of memory");
	r = vw_outline_make(doc, &g->outline, err);
	if (r == 0) {
		collect_drivers(g);
		collect_state(g, conn, dom);
		g->local = !conn || vw_conn_is_local(conn);
		r = vw_collect_disks(c, conn, g->local, g->outline,
				     VW_PROBE_BLANK | VW_PROBE_DISCARD, &g->facts, err);
	}
	if (r == 0)
		r = collect_os(c, g, os, err);
	if (r < 0) {
		vw_gathered_free(g);
		return r;
	}
	collect_caps(c, g, conn, vw_xml_root(doc));
	*ret = g;
	return 0;
}

void vw_gathered_free(struct vw_gathered *g)
{
	if (!g)
		return;
	vw_outline_free(g->outline);
	vw_facts_clear(&g->facts);
	if (g->os)
		vw_os_free(g->os);
	if (g->known)
		virDomainFree(g->known);
	free(g->active_xml);
	free(g);
}
