/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marks of domains that libvirtd no longer has: an empty file gone-SECONDS in the domain's directory.
 * Whoever keeps a version takes it away (the domain is defined again). */
#include "lib/history/history-store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#define MARK "gone-"

int64_t vw_store_gone_since(const char *name)
{
	char again[VW_SLOT_NAME_MAX];
	int64_t since;

	if (!vw_startswith(name, MARK))
		return 0;
	since = strtoll(name + strlen(MARK), NULL, 10);
	snprintf(again, sizeof(again), MARK "%" PRId64, since);
	return since > 0 && !strcmp(again, name) ? since : 0;
}

int64_t vw_store_gone(int dirfd, bool forget)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	VW_CLEANUP(vw_store_closedir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int64_t first = 0;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir))) {
		const int64_t since = vw_store_gone_since(entry->d_name);

		if (since && forget)
			unlinkat(dirfd, entry->d_name, 0);
		else if (since && (!first || since < first))
			first = since;
	}
	return first;
}

int vw_store_mark_gone(int dirfd, int64_t since)
{
	char name[VW_SLOT_NAME_MAX];
	int fd;

	snprintf(name, sizeof(name), MARK "%" PRId64, since);
	fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int vw_history_gone(struct vw_history *h, const char *uuid, int64_t since)
{
	VW_AUTOCLOSE int dirfd = -1;
	char canonical[37];
	int r = vw_store_uuid(uuid, canonical, NULL);

	if (r < 0)
		return r;
	dirfd = vw_store_dir(h, canonical, false, NULL);
	if (dirfd < 0)
		return dirfd == -ENOENT ? 0 : dirfd;
	if (since <= 0) {
		vw_store_gone(dirfd, true);
		return 0;
	}
	return vw_store_gone(dirfd, false) ? 0 : vw_store_mark_gone(dirfd, since);
}
