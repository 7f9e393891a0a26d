/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The first version of a domain that is yet to be defined, written before it is known whether
 * it will be: a directory as the domain's will be, .ahead/PID, which one rename puts into its
 * place. What a killed process left there is removed by the next. */
#include "lib/history/history-store.h"
#include "lib/base/private-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#define AHEAD ".ahead"

struct vw_prepared {
	struct vw_history *h;
	int aheadfd, dirfd, fd;
	uint64_t reserved;
	char name[16]; /* of the directory, "" = it is no longer there */
	char uuid[37];
};

static void remove_dir(int aheadfd, const char *name)
{
	VW_AUTOCLOSE int fd = openat(aheadfd, name,
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	VW_AUTOFREE struct vw_slot *slots = NULL;
	char file[VW_SLOT_NAME_MAX];
	size_t n = 0;

	if (fd < 0 || vw_store_scan(fd, true, &slots, &n) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		vw_store_slot_name(&slots[i], file);
		unlinkat(fd, file, 0);
	}
	unlinkat(aheadfd, name, AT_REMOVEDIR);
}

/* Remove what processes left that are no more. */
static void sweep(int aheadfd)
{
	int fd = openat(aheadfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	VW_CLEANUP(vw_store_closedir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir))) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (pid > 0 && pid <= INT32_MAX && !*end &&
		    (pid == getpid() || (kill((pid_t)pid, 0) < 0 && errno == ESRCH)))
			remove_dir(aheadfd, entry->d_name);
	}
}

static int write_ahead(struct vw_prepared *p, const struct vw_version *v, const char *xml)
{
	int r;

	if (faccessat(p->h->dirfd, p->uuid, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	r = vw_store_reserve(p->h, v->size, true, v->time, &p->reserved);
	if (r < 0)
		return r;
	p->aheadfd = vw_private_dir(p->h->dirfd, AHEAD, true, false);
	if (p->aheadfd < 0)
		return p->aheadfd;
	sweep(p->aheadfd);
	snprintf(p->name, sizeof(p->name), "%d", (int)getpid());
	p->dirfd = vw_private_dir(p->aheadfd, p->name, true, false);
	if (p->dirfd < 0)
		return p->dirfd;
	p->fd = vw_store_write(p->dirfd, v, xml);
	return p->fd < 0 ? p->fd : 0;
}

int vw_history_prepare(struct vw_history *h, const char *uuid, const char *name, const char *xml,
		       size_t len, enum vw_cause cause, const char *who, int64_t now,
		       struct vw_prepared **ret, struct vw_err *err)
{
	struct vw_version v = { .n = 1,
				.time = now,
				.cause = cause,
				.size = len,
				.name = (char *)(uintptr_t)name,
				.who = (char *)(uintptr_t)who,
				.rules = (char *)(uintptr_t) "" };
	struct vw_prepared *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return vw_err_set(err, -ENOMEM, "out of memory");
	p->h = h;
	p->aheadfd = p->dirfd = p->fd = -1;
	r = vw_store_uuid(uuid, p->uuid, err);
	if (r == 0)
		r = vw_store_bounds(&v, p->uuid, err);
	if (r < 0) {
		vw_history_abandon(p);
		return r;
	}
	vw_trailer_hash(xml, len, v.hash);
	r = write_ahead(p, &v, xml);
	if (r < 0) {
		vw_history_abandon(p);
		return vw_store_error(h, uuid, r, "cannot prepare a version", err);
	}
	*ret = p;
	return 0;
}

int vw_history_use(struct vw_prepared *p)
{
	/* An empty directory is somebody's who is about to write: that, too, stays. */
	if (renameat2(p->aheadfd, p->name, p->h->dirfd, p->uuid, RENAME_NOREPLACE) < 0)
		return -errno;
	*p->name = '\0';
	p->reserved = 0;
	return vw_store_sync(p->h, p->fd, p->dirfd, true);
}

void vw_history_abandon(struct vw_prepared *p)
{
	if (!p)
		return;
	if (*p->name)
		remove_dir(p->aheadfd, p->name);
	vw_store_release(p->h, p->reserved);
	vw_cleanup_close(&p->fd);
	vw_cleanup_close(&p->dirfd);
	vw_cleanup_close(&p->aheadfd);
	free(p);
}
