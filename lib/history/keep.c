/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeping a version: write, rename, wait for the disk (disk.c); then pruning. */
#include "lib/history/history-store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define SECONDS_PER_DAY 86400
#define OPEN_TRIES 5
#define YOUNG 10 /* versions, whatever their dates */

static int write_all(int fd, struct iovec *iov, int n)
{
	while (n) {
		ssize_t done = writev(fd, iov, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		for (; n && (size_t)done >= iov->iov_len; iov++, n--)
			done -= (ssize_t)iov->iov_len;
		if (n) {
			iov->iov_base = (char *)iov->iov_base + done;
			iov->iov_len -= (size_t)done;
		}
	}
	return 0;
}

/* The whole file, under its temporary name. Return: its descriptor or negative errno. */
static int write_new(int dirfd, const struct vw_version *v, const char *xml)
{
	VW_AUTOCLOSE int fd = -1;
	char trailer[VW_TRAILER_MAX];
	struct iovec iov[3];
	struct stat st;
	int r;

	iov[0] = (struct iovec){ .iov_base = (void *)(uintptr_t)xml, .iov_len = v->size };
	iov[1] = (struct iovec){ .iov_base = (void *)(uintptr_t) "\n", .iov_len = 1 };
	iov[2] = (struct iovec){ .iov_base = trailer, .iov_len = vw_trailer_format(v, trailer) };
	fd = openat(dirfd, VW_STORE_NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	/* whatever the umask is */
	if (fstat(fd, &st) < 0 || ((st.st_mode & 07777) != 0600 && fchmod(fd, 0600) < 0))
		return -errno;
	r = write_all(fd, iov, 3);
	if (r < 0)
		return r;
	r = fd;
	fd = -1;
	return r;
}

int vw_store_write(int dirfd, const struct vw_version *v, const char *xml)
{
	const struct vw_slot slot = { .n = v->n, .time = v->time };
	char name[VW_SLOT_NAME_MAX];
	int fd = write_new(dirfd, v, xml);
	int r = fd;

	vw_store_slot_name(&slot, name);
	if (r >= 0 && renameat(dirfd, VW_STORE_NEW, dirfd, name) < 0)
		r = -errno;
	if (r < 0) {
		unlinkat(dirfd, VW_STORE_NEW, 0);
		vw_cleanup_close(&fd);
	}
	return r;
}

static int commit(struct vw_history *h, int dirfd, const struct vw_version *v, const char *xml)
{
	const struct vw_slot slot = { .n = v->n, .time = v->time };
	VW_AUTOCLOSE int fd = vw_store_write(dirfd, v, xml);
	char name[VW_SLOT_NAME_MAX];
	int r = fd < 0 ? fd : vw_store_sync(h, fd, dirfd, v->n == 1);

	vw_store_slot_name(&slot, name);
	if (r < 0 && fd >= 0)
		unlinkat(dirfd, name, 0); /* not kept is not there */
	return r;
}

int vw_store_bounds(const struct vw_version *v, const char *uuid, struct vw_err *err)
{
	if (v->size > VW_HISTORY_MAX_BYTES)
		return vw_err_set(err, -EFBIG,
				  "the XML of %s has %zu bytes; at most 10 MiB can be kept", uuid,
				  v->size);
	if (v->time < 0)
		return vw_err_set(err, -EINVAL, "the clock stands before 1970; set it");
	return 0;
}

/* Has that version this very XML? A damaged one has not. If it was kept without waiting
 * for the disk, wait now. */
static bool same_xml(struct vw_history *h, int dirfd, const struct vw_slot *slot, const char *xml,
		     size_t len)
{
	VW_AUTOCLOSE int fd = -1;
	VW_AUTOFREE char *old = NULL;
	struct vw_version v = { 0 };
	bool same;

	fd = vw_store_open(dirfd, slot, &v);
	same = fd >= 0 && v.size == len && vw_store_read(fd, &v, &old) == 0 &&
	       memcmp(old, xml, len) == 0;
	if (same)
		same = vw_store_sync(h, fd, dirfd, false) == 0;
	vw_version_clear(&v);
	return same;
}

/* Remove the oldest beyond the bounds. slots: without the newest version.
 *
 * Clocks jump, and what is young must not go for it: a version is too old if it is so even for
 * the earliest date of the YOUNG newest, which stay, and none that is older stays. */
static void prune(struct vw_history *h, int dirfd, const struct vw_slot *slots, size_t n,
		  int64_t now, unsigned max_versions, unsigned max_days)
{
	const size_t room = max_versions ? max_versions - 1 : 0;
	char name[VW_SLOT_NAME_MAX];
	int64_t date = now;
	uint64_t freed = 0;
	bool old = true;
	struct stat st;

	for (size_t i = n < YOUNG ? 0 : n - YOUNG + 1; i < n; i++)
		if (slots[i].time < date)
			date = slots[i].time;
	for (size_t i = 0; i < n; i++) {
		old = old && n - i >= YOUNG &&
		      slots[i].time < date - (int64_t)max_days * SECONDS_PER_DAY;
		if (!old && n - i <= room)
			continue;
		vw_store_slot_name(&slots[i], name);
		if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    unlinkat(dirfd, name, 0) == 0)
			freed += vw_store_cost((uint64_t)st.st_size);
	}
	vw_store_release(h, freed);
}

/* What vw_history_keep does once it has the lock. */
static int keep_locked(struct vw_history *h, int dirfd, struct vw_version *v, const char *xml,
		       unsigned max_versions, unsigned max_days)
{
	VW_AUTOFREE struct vw_slot *slots = NULL;
	uint64_t reserved = 0;
	size_t n = 0;
	int r = vw_store_scan(dirfd, true, &slots, &n);

	if (r < 0)
		return r;
	v->n = 1;
	if (n) {
		const struct vw_slot *newest = &slots[n - 1];

		v->n = newest->n;
		if (same_xml(h, dirfd, newest, xml, v->size))
			return 0;
		if (newest->n == UINT32_MAX)
			return -EOVERFLOW;
		v->n = newest->n + 1;
	}
	r = vw_store_reserve(h, v->size, !n, v->time, &reserved);
	if (r < 0)
		return r;
	vw_trailer_hash(xml, v->size, v->hash);
	r = commit(h, dirfd, v, xml);
	if (r < 0)
		vw_store_release(h, reserved);
	else
		prune(h, dirfd, slots, n, v->time, max_versions, max_days);
	return r;
}

/* The domain's directory, made and locked: the one that has its name, for a sweep may have removed it
 * before it was locked. Return: 0 or negative errno. */
static int open_locked(struct vw_history *h, const char *uuid, int *ret_dir, int *ret_lock,
		       struct vw_err *err)
{
	for (int i = 0; i < OPEN_TRIES; i++) {
		VW_AUTOCLOSE int dirfd = vw_store_dir(h, uuid, true, err);
		VW_AUTOCLOSE int lock = dirfd < 0 ? -1 : vw_store_lock(h, dirfd, uuid, err);
		struct stat named, ours;

		if (dirfd == -ENOENT || lock == -ENOENT) /* removed between two calls */
			continue;
		if (dirfd < 0 || lock < 0)
			return dirfd < 0 ? dirfd : lock;
		if (fstatat(h->dirfd, uuid, &named, AT_SYMLINK_NOFOLLOW) < 0 ||
		    fstat(dirfd, &ours) < 0 || named.st_ino != ours.st_ino ||
		    named.st_dev != ours.st_dev)
			continue;
		*ret_dir = dirfd;
		*ret_lock = lock;
		dirfd = lock = -1;
		return 0;
	}
	return vw_store_error(h, uuid, -EBUSY, "it is removed again and again", err);
}

int vw_history_keep(struct vw_history *h, const char *uuid, const char *name, const char *xml,
		    size_t len, enum vw_cause cause, const char *who, const char *rules,
		    int64_t now, unsigned max_versions, unsigned max_days, unsigned *ret_n,
		    struct vw_err *err)
{
	/* The strings are only read: vw_trailer_format takes them as they are. */
	struct vw_version v = { .time = now,
				.cause = cause,
				.size = len,
				.name = (char *)(uintptr_t)name,
				.who = (char *)(uintptr_t)who,
				.rules = (char *)(uintptr_t)rules };
	VW_AUTOCLOSE int dirfd = -1;
	VW_AUTOCLOSE int lock = -1;
	char canonical[37];
	int r;

	r = vw_store_uuid(uuid, canonical, err);
	if (r == 0)
		r = vw_store_bounds(&v, canonical, err);
	if (r < 0)
		return r;
	r = open_locked(h, canonical, &dirfd, &lock, err);
	if (r < 0)
		return r;
	r = keep_locked(h, dirfd, &v, xml, max_versions, max_days);
	if (r == -EDQUOT && h->max_bytes)
		return vw_store_full(h, canonical, err);
	if (r < 0)
		return vw_store_error(h, canonical, r, "cannot keep a version", err);
	if (ret_n)
		*ret_n = v.n;
	return 0;
}
