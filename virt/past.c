/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has a domain ever run? What runs leaves traces beside libvirtd: a command line in QEMU's log,
 * the firmware's variables, a managed save image, snapshots; an arrival in our own history.
 * (The disks may still be empty: what it ran from can be elsewhere.) */
#include "virt/collect-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define PROBE_MS 1000
#define LOG_MAX (8u * 1024 * 1024)   /* of one, its end; virtlogd turns a log over at 2 MiB */
#define LOGS_MAX (64u * 1024 * 1024) /* of all */

/* The logs of QEMU's guests, as they are gone through. */
struct logs {
	int dirfd;
	const char *name; /* of the domain */
	char words[VIR_UUID_STRING_BUFLEN + 8];
	char *text; /* room for LOG_MAX */
	size_t left;
};

/* NAME.log, and what virtlogd (NAME.log.0) and logrotate (NAME.log.2.gz, NAME.log-20260101) make of it. */
static bool is_own(const struct logs *l, const char *file)
{
	return vw_startswith(file, l->name) && vw_startswith(file + strlen(l->name), ".log");
}

static bool is_packed(const char *file)
{
	static const char *const ends[] = { ".gz", ".xz", ".bz2", ".zst", ".lz4" };
	const size_t len = strlen(file);

	for (size_t i = 0; i < VW_N_ELEMENTS(ends); i++)
		if (len > strlen(ends[i]) && !strcmp(file + len - strlen(ends[i]), ends[i]))
			return true;
	return false;
}

/* Does it begin with a start, so that nothing is missing before? (qemuLogOperation, libvirt 9.0) */
static bool begins_with_start(const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);

	return end && memmem(text, (size_t)(end - text), ": starting up ", 14);
}

/* Does a log hold a command line of this very domain? VW_NO: another one had its name, for all of
 * the log. VW_UNKNOWN: it was emptied, turned over while the guest ran, is too long, or can't be read. */
static enum vw_known log_names(struct logs *l, const char *file)
{
	VW_AUTOCLOSE int fd = openat(l->dirfd, file,
				     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;
	size_t len;
	off_t from;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || is_packed(file))
		return VW_UNKNOWN;
	from = st.st_size > (off_t)LOG_MAX ? st.st_size - (off_t)LOG_MAX : 0;
	len = (size_t)(st.st_size - from);
	if (!len || len > l->left || pread(fd, l->text, len, from) != (ssize_t)len)
		return VW_UNKNOWN;
	l->left -= len;
	if (memmem(l->text, len, l->words, strlen(l->words)))
		return VW_YES;
	return !from && begins_with_start(l->text, len) ? VW_NO : VW_UNKNOWN;
}

/* All that are there, for under another name it may have run before it was renamed. */
static enum vw_known in_each_log(struct logs *l, DIR *dir)
{
	enum vw_known ran = VW_NO;
	struct dirent *e;

	while ((e = readdir(dir))) {
		bool own = is_own(l, e->d_name);
		enum vw_known one;

		if (!own && (!strstr(e->d_name, ".log") || is_packed(e->d_name)))
			continue;
		one = log_names(l, e->d_name);
		if (one == VW_YES)
			return one;
		if (one == VW_UNKNOWN && (own || !l->left))
			ran = VW_UNKNOWN;
	}
	return ran;
}

static enum vw_known in_logs(const char *path, const char *name, const char *uuid)
{
	struct logs l = { .name = name, .left = LOGS_MAX };
	DIR *dir = opendir(path);
	enum vw_known ran = VW_UNKNOWN;

	if (!dir)
		return errno == ENOENT ? VW_NO : VW_UNKNOWN;
	l.dirfd = dirfd(dir);
	snprintf(l.words, sizeof(l.words), "-uuid %s", uuid);
	l.text = malloc(LOG_MAX);
	if (l.text)
		ran = in_each_log(&l, dir);
	free(l.text);
	closedir(dir);
	return ran;
}

/* The file of the firmware's variables that the XML names, in whichever way; "" = libvirt chooses one.
 * Return: NULL: it is not one of this host. */
static const char *nvram_path(struct vw_xml *doc)
{
	const xmlNode *nvram = vw_xml_path(vw_xml_root(doc), "os/nvram");
	const xmlNode *source = vw_xml_child(nvram, "source");
	const char *path = vw_xml_attr(source, "file");

	if (!source)
		return vw_xml_content(doc, nvram);
	return path ? path : vw_xml_attr(source, "dev");
}

/* The file of the firmware's variables is made at the first start. Its path comes from the XML, so
 * the prober looks. */
static enum vw_known has_nvram(struct vw_context *c, const struct vw_libvirt_dirs *dirs,
			       const char *name, const char *path)
{
	struct vw_prober *prober = vw_context_prober(c, NULL);
	VW_AUTOFREE char *usual = NULL;
	VW_AUTOFREE char *qcow2 = NULL;
	struct vw_disk_facts found[3] = { 0 };
	enum vw_known all = VW_NO;

	if (!path || !prober || asprintf(&usual, "%s/%s_VARS.fd", dirs->nvram, name) < 0 ||
	    asprintf(&qcow2, "%s/%s_VARS.qcow2", dirs->nvram, name) < 0)
		return VW_UNKNOWN;
	struct vw_probe_ask asks[] = {
		{ .path = *path ? path : NULL, .format = "", .out = &found[0] },
		{ .path = usual, .format = "", .out = &found[1] },
		{ .path = qcow2, .format = "", .out = &found[2] },
	};

	found[0].exists = VW_NO;
	vw_probe_disks(prober, asks, VW_N_ELEMENTS(asks), PROBE_MS, 2 * PROBE_MS);
	for (size_t i = 0; i < VW_N_ELEMENTS(found); i++)
		if (found[i].exists == VW_YES || (all == VW_NO && found[i].exists == VW_UNKNOWN))
			all = found[i].exists;
	return all;
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
	enum vw_known ran;

	if (!uri || !name || virDomainGetUUIDString(g->known, uuid) < 0 ||
	    vw_libvirt_dirs_init(&dirs, strstr(uri, ":///session")) < 0)
		return VW_UNKNOWN;
	ran = in_history(c, uuid) ? VW_YES : in_logs(dirs.log, name, uuid);
	if (ran != VW_YES) {
		enum vw_known vars = has_nvram(c, &dirs, name, nvram_path(doc));

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
