/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has a domain ever run? What runs leaves traces beside libvirtd: a command line in QEMU's log,
 * the firmware's variables, a managed save image, snapshots; an arrival in our own history.
 * (The disks may still be empty: what it ran from can be elsewhere.) */
#include "virt-collect-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define PROBE_MS 1000
#define LOG_MAX (8u * 1024 * 1024) /* virtlogd turns a log over at 2 MiB */
#define OLD_LOGS 3                 /* and keeps so many (virtlogd.conf) */

/* Does the log hold a command line of this very domain (another one may have had its name)?
 * Only the last LOG_MAX bytes are looked at. */
static enum vw_known log_names(int fd, const char *uuid)
{
	char words[VIR_UUID_STRING_BUFLEN + 8];
	VW_AUTOFREE char *text = NULL;
	struct stat st;
	size_t len;
	off_t from;

	if (fd < 0)
		return errno == ENOENT ? VW_NO : VW_UNKNOWN;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return VW_UNKNOWN;
	if (!st.st_size)
		return VW_NO;
	from = st.st_size > (off_t)LOG_MAX ? st.st_size - (off_t)LOG_MAX : 0;
	len = (size_t)(st.st_size - from);
	text = malloc(len);
	if (!text || pread(fd, text, len, from) != (ssize_t)len)
		return VW_UNKNOWN;
	snprintf(words, sizeof(words), "-uuid %s", uuid);
	return memmem(text, len, words, strlen(words)) ? VW_YES : VW_NO;
}

/* NAME.log, NAME.log.0 … libvirt has no domain with a slash in its name. */
static enum vw_known in_logs(const char *dir, const char *name, const char *uuid)
{
	VW_AUTOCLOSE int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	enum vw_known ran = VW_NO;

	if (dirfd < 0)
		return errno == ENOENT ? VW_NO : VW_UNKNOWN;
	for (int i = -1; i < OLD_LOGS && ran == VW_NO; i++) {
		VW_AUTOFREE char *file = NULL;
		VW_AUTOCLOSE int fd = -1;

		if (asprintf(&file, i < 0 ? "%s.log" : "%s.log.%d", name, i) < 0)
			return VW_UNKNOWN;
		fd = openat(dirfd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		ran = log_names(fd, uuid);
	}
	return ran;
}

/* The file of the firmware's variables is made at the first start. Its path comes from the XML, so
 * the prober looks. */
static enum vw_known has_nvram(struct vw_context *c, const struct vw_libvirt_dirs *dirs,
			       const char *name, const char *path)
{
	struct vw_prober *prober = vw_context_prober(c, NULL);
	VW_AUTOFREE char *usual = NULL;
	struct vw_disk_facts a = { 0 }, b = { 0 };

	if (!prober || asprintf(&usual, "%s/%s_VARS.fd", dirs->nvram, name) < 0)
		return VW_UNKNOWN;
	struct vw_probe_ask asks[] = { { .path = *path ? path : NULL, .format = "", .out = &a },
				       { .path = usual, .format = "", .out = &b } };

	a.exists = VW_NO;
	vw_probe_disks(prober, asks, VW_N_ELEMENTS(asks), PROBE_MS, 2 * PROBE_MS);
	if (a.exists == VW_YES || b.exists == VW_YES)
		return VW_YES;
	return a.exists == VW_NO && b.exists == VW_NO ? VW_NO : VW_UNKNOWN;
}

/* A version that the hook kept: it came by a migration or from a saved state. */
static bool in_history(struct vw_context *c, const char *uuid)
{
	struct vw_history *h = vw_context_history(c, NULL);
	struct vw_version *v = NULL;
	bool ran = false;
	size_t n = 0;

	if (!h || vw_history_list(h, uuid, &v, &n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		ran |= v[i].cause == VW_CAUSE_HOOK;
	vw_versions_free(v, n);
	return ran;
}

/* (When a disk holds something, nobody asks.) */
static bool disks_are_blank(const struct vw_gathered *g)
{
	for (size_t i = 0; i < g->outline->n_disks; i++)
		if (strcmp(g->outline->disks[i].device, "cdrom") != 0 &&
		    *g->outline->disks[i].source && g->facts.disks[i].blank != VW_YES)
			return false;
	return true;
}

static enum vw_known ran_before(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
				struct vw_xml *doc)
{
	VW_AUTOFREE char *uri = virConnectGetURI(conn);
	struct vw_libvirt_dirs dirs = { 0 };
	char uuid[VIR_UUID_STRING_BUFLEN];
	const char *name = virDomainGetName(g->known);
	const char *nvram = vw_xml_content(doc, vw_xml_path(vw_xml_root(doc), "os/nvram"));
	enum vw_known ran;

	if (!uri || !name || virDomainGetUUIDString(g->known, uuid) < 0 ||
	    vw_libvirt_dirs_init(&dirs, strstr(uri, ":///session")) < 0)
		return VW_UNKNOWN;
	ran = in_history(c, uuid) ? VW_YES : in_logs(dirs.log, name, uuid);
	if (ran != VW_YES) {
		enum vw_known vars = has_nvram(c, &dirs, name, nvram);

		ran = vars == VW_NO ? ran : vars;
	}
	vw_libvirt_dirs_clear(&dirs);
	return ran;
}

void vw_collect_past(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
		     struct vw_xml *doc)
{
	struct vw_facts *f = &g->facts;

	if (f->active == VW_YES || f->managed_save == VW_YES)
		f->has_run = VW_YES;
	else if (!g->known)
		f->has_run = f->new_here == VW_YES ? VW_NO : VW_UNKNOWN;
	else if (conn && g->local && disks_are_blank(g))
		f->has_run = ran_before(c, g, conn, doc);
}
