/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Gathers the facts about one domain XML (see virt/collect.h): as few calls to
 * libvirtd as will do, for a user waits at the prompt meanwhile. */
#include "virt/collect-internal.h"
#include "virt/run.h"

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

/* Of an OS that the index does not know, or for which another stands in, it is asked once more: an
 * admin may have added it. Return: NULL, and why. */
static struct vw_os *os_of_id(struct vw_context *c, const char *id, struct vw_err *why)
{
	struct vw_osindex *index = vw_context_osindex(c, why);
	struct vw_os *os = NULL, *newer = NULL;

	if (!index || (vw_osindex_find(index, id, &os, why) == 0 && !os->like))
		return os;
	index = vw_context_newer_osindex(c);
	if (!index || vw_osindex_find(index, id, &newer, why) < 0)
		return os;
	if (os)
		vw_os_free(os);
	return newer;
}

static int collect_os(struct vw_context *c, struct vw_gathered *g, const char *admin,
		      struct vw_err *err)
{
	const char *id = admin ? admin : g->outline->os_id;
	struct vw_err why = { 0 };
	struct vw_osindex *index;
	struct vw_os *os;

	if (g->os) /* was found without a libvirt */
		return 0;
	os = *id ? os_of_id(c, id, &why) : NULL;
	if (os) {
		set_os(g, os, admin ? VW_OS_ADMIN : VW_OS_METADATA,
		       admin ? VW_EV_PROVEN : VW_EV_ASSUMED);
		return 0;
	}
	if (admin)
		return vw_err_set(err, -ENOENT, "%s", why.text);
	index = vw_context_osindex(c, &why);
	if (!*id)
		snprintf(why.text, sizeof(why.text),
			 "the XML names no OS, and no install media tells it");
	snprintf(g->os_note, sizeof(g->os_note), "%.*s", (int)sizeof(g->os_note) - 1, why.text);
	if (index && vw_look_join(g) == 0 && g->local)
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

void vw_collect_state(struct vw_gathered *g, virConnectPtr conn)
{
	collect_state(g, conn, NULL);
}

/* ask: libvirtd, what it knows of the domain; else what the handle of one that is off says. */
static int begin(struct vw_context *c, virConnectPtr conn, virDomainPtr dom, struct vw_xml *doc,
		 bool ask, struct vw_gathered **ret, struct vw_err *err)
{
	struct vw_gathered *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return vw_err_set(err, -ENOMEM, "out of memory");
	r = vw_outline_make(doc, &g->outline, err);
	if (r == 0 && !conn) /* many files can wait for each other */
		r = vw_look_start(c, g, conn, err);
	if (r < 0) {
		vw_gathered_free(g);
		return r;
	}
	collect_drivers(g);
	if (ask) {
		collect_state(g, conn, dom);
	} else {
		g->facts.new_here = VW_NO;
		g->facts.active = VW_NO;
	}
	*ret = g;
	return 0;
}

int vw_collect_begin(struct vw_context *c, virConnectPtr conn, virDomainPtr dom, struct vw_xml *doc,
		     struct vw_gathered **ret, struct vw_err *err)
{
	return begin(c, conn, dom, doc, true, ret, err);
}

int vw_collect_rest(struct vw_context *c, virConnectPtr conn, struct vw_xml *doc, const char *os,
		    struct vw_gathered *g, struct vw_err *err)
{
	int r = g->look ? 0 : vw_look_start(c, g, conn, err);

	if (r == 0)
		r = collect_os(c, g, os, err);
	if (r < 0)
		return r;
	vw_context_os(c, g->os, g->facts.virtio_drivers);
	vw_collect_hostdevs(c, g, vw_xml_root(doc));
	vw_collect_caps(c, g, conn, vw_xml_root(doc));
	r = vw_collect_networks(c, g, conn, vw_xml_root(doc));
	r = r < 0 ? r : vw_look_join(g);
	if (r < 0)
		return vw_err_set(err, r, "out of memory");
	vw_collect_past(c, g, conn, doc);
	return 0;
}

static int collect(struct vw_context *c, virConnectPtr conn, virDomainPtr dom, struct vw_xml *doc,
		   const char *os, bool ask, struct vw_gathered **ret, struct vw_err *err)
{
	struct vw_gathered *g = NULL;
	int r = begin(c, conn, dom, doc, ask, &g, err);

	if (r == 0)
		r = vw_collect_rest(c, conn, doc, os, g, err);
	if (r < 0) {
		vw_gathered_free(g);
		return r;
	}
	*ret = g;
	return 0;
}

int vw_collect(struct vw_context *c, virConnectPtr conn, virDomainPtr dom, struct vw_xml *doc,
	       const char *os, struct vw_gathered **ret, struct vw_err *err)
{
	return collect(c, conn, dom, doc, os, true, ret, err);
}

int vw_collect_host_class(struct vw_context *c, virConnectPtr conn, virDomainPtr dom,
			  struct vw_xml *doc, struct vw_gathered **ret, struct vw_err *err)
{
	return collect(c, conn, dom, doc, NULL, virDomainGetID(dom) != (unsigned)-1, ret, err);
}

void vw_gathered_free(struct vw_gathered *g)
{
	if (!g)
		return;
	vw_look_free(g);
	vw_outline_free(g->outline);
	vw_facts_clear(&g->facts);
	if (g->os)
		vw_os_free(g->os);
	if (g->known)
		virDomainFree(g->known);
	free(g->active_xml);
	free(g);
}
