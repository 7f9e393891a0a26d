/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the admin wants done to a guest that failed after a migration (warden.conf, on-failed):
 * reset it, or write its memory to a file. A process of its own, as QEMU may not answer.
 * Whether it may be done was settled before (agent/verify.c). */
#include "virt/verify/verify.h"

#include "lib/conf/conf.h"
#include "virt/open.h"

#include <dirent.h>
#include <errno.h>
#include <libvirt/virterror.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#define KEEP 2 /* dumps; older ones go */

static int virt_error(struct vw_err *err, const char *what)
{
	return vw_err_set(err, -EIO, "%s: %s", what, virGetLastErrorMessage());
}

static int reset(virDomainPtr dom, char *text, size_t size, struct vw_err *err)
{
	if (virDomainReset(dom, 0) < 0)
		return virt_error(err, "the guest could not be reset");
	snprintf(text, size, "the guest was reset");
	return 0;
}

static int is_dump(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > 5 && vw_streq(e->d_name + len - 5, ".core");
}

/* All but the newest few go: their names begin with the time, so they sort by it. */
static void remove_old(const char *dir, int keep)
{
	struct dirent **list = NULL;
	int n = scandir(dir, &list, is_dump, alphasort);

	for (int i = 0; i < n; i++) {
		VW_AUTOFREE char *path = NULL;

		if (i < n - keep && asprintf(&path, "%s/%s", dir, list[i]->d_name) >= 0)
			unlink(path);
		free(list[i]);
	}
	free(list);
}

/* Is there room for the guest's memory, and a tenth of the filesystem besides? */
static int check_room(virDomainPtr dom, const char *dir, struct vw_err *err)
{
	unsigned long long need, room;
	virDomainInfo info;
	struct statvfs fs;

	if (virDomainGetInfo(dom, &info) < 0)
		return virt_error(err, "its memory could not be dumped");
	if (statvfs(dir, &fs) < 0)
		return vw_err_set(err, -errno, "%s: %s", dir, strerror(errno));
	need = (unsigned long long)info.maxMem * 1024 +
	       (unsigned long long)fs.f_blocks * fs.f_frsize / 10;
	room = (unsigned long long)fs.f_bavail * fs.f_frsize;
	if (need > room)
		return vw_err_set(err, -ENOSPC,
				  "its memory was not dumped: %s has %llu MiB, and needs %llu", dir,
				  room >> 20, need >> 20);
	return 0;
}

static int dump(virDomainPtr dom, const char *statedir, char *text, size_t size, struct vw_err *err)
{
	char uuid[VIR_UUID_STRING_BUFLEN] = "", when[32];
	VW_AUTOFREE char *dir = NULL;
	VW_AUTOFREE char *path = NULL;
	time_t now = time(NULL);
	struct tm tm;
	int r;

	virDomainGetUUIDString(dom, uuid);
	if (!gmtime_r(&now, &tm) || !strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm) ||
	    asprintf(&dir, "%s/dumps", statedir) < 0 ||
	    asprintf(&path, "%s/%s-%s.core", dir, when, uuid) < 0)
		return vw_err_set(err, -ENOMEM, "out of memory");
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return vw_err_set(err, -errno, "%s: %s", dir, strerror(errno));
	remove_old(dir, KEEP - 1);
	r = check_room(dom, dir, err);
	if (r < 0)
		return r;
	if (virDomainCoreDumpWithFormat(dom, path, VIR_DOMAIN_CORE_DUMP_FORMAT_RAW,
					VIR_DUMP_MEMORY_ONLY | VIR_DUMP_LIVE) < 0) {
		virt_error(err, "its memory could not be dumped");
		unlink(path);
		return -EIO;
	}
	snprintf(text, size, "its memory was written to %s (crash(8) reads it)", path);
	return 0;
}

int verify_act(const char *uri, const char *uuid, const char *what, char *text, size_t size,
	       struct vw_err *err)
{
	struct vw_paths paths = { 0 };
	virConnectPtr conn = NULL;
	virDomainPtr dom = NULL;
	int r = vw_paths_init(&paths, err);

	if (r == 0 && (virInitialize() < 0 || !(conn = vw_open_mute(uri, 0)) ||
		       !(dom = virDomainLookupByUUIDString(conn, uuid))))
		r = virt_error(err, "nothing was done to it");
	if (r == 0)
		r = vw_streq(what, "reset") ? reset(dom, text, size, err)
					    : dump(dom, paths.statedir, text, size, err);
	if (dom)
		virDomainFree(dom);
	if (conn)
		virConnectClose(conn);
	vw_paths_clear(&paths);
	return r;
}
