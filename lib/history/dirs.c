/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store's directories and locks (history-store.h). */
#include "history-store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define LOCK_NAME ".lock"
#define LOCK_WAIT_MS 2000

int vw_store_error(const struct vw_history *h, const char *uuid, int code, const char *what,
		   struct vw_err *err)
{
	const char *remedy = "check that directory";

	switch (-code) {
	case ENOSPC:
	case EDQUOT: remedy = "free some space there"; break;
	case EACCES:
	case EPERM: remedy = "run as its owner"; break;
	case EROFS: remedy = "make that filesystem writable"; break;
	case EBUSY: remedy = "another program holds its lock; try again"; break;
	case ENOTDIR:
	case ELOOP: remedy = "it must be a directory, not a link; move it away"; break;
	}
	return vw_err_set(err, code, "%s%s%s: %s: %s; %s", h->path, uuid ? "/" : "",
			  uuid ? uuid : "", what, strerror(-code), remedy);
}

int vw_store_uuid(const char *uuid, char ret[37], struct vw_err *err)
{
	char out[37];
	size_t i = 0;

	for (; uuid && i < 36 && uuid[i]; i++) {
		char c = uuid[i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			break;
		out[i] = c;
	}
	if (i != 36 || uuid[36])
		return vw_err_set(err, -EINVAL,
				  "\"%.40s\" is no UUID (expected 8-4-4-4-12 hex digits)",
				  uuid ? uuid : "");
	out[36] = '\0';
	memcpy(ret, out, sizeof(out));
	return 0;
}

/* Ours, and open to nobody else? Mend the mode. */
static int check_dir(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid())
		return -EPERM;
	if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
		return -errno;
	return 0;
}

/* Open the directory `name` of parent; with create make it, with sync safe on disk. */
static int open_private_dir(int parent, const char *name, bool create, bool sync)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	VW_AUTOCLOSE int fd = openat(parent, name, flags);
	int r;

	if (fd < 0 && errno == ENOENT && create) {
		if (mkdirat(parent, name, 0700) < 0 && errno != EEXIST)
			return -errno;
		fd = openat(parent, name, flags);
		/* An odd umask took the owner's own rights away. */
		if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
			fd = openat(parent, name, flags);
		if (fd >= 0 && sync && fsync(parent) < 0)
			return -errno;
	}
	if (fd < 0)
		return -errno;
	r = check_dir(fd);
	if (r < 0)
		return r;
	r = fd;
	fd = -1;
	return r;
}

/* Open statedir; with each missing part of the way made (0700). */
static int open_statedir(const char *statedir)
{
	VW_AUTOFREE char *path = strdup(statedir);
	int fd;

	if (!path)
		return -ENOMEM;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	for (char *p = path + 1; *path; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return -errno;
		*p = c;
		if (!c)
			break;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int vw_history_open(const char *statedir, struct vw_history **ret, struct vw_err *err)
{
	VW_AUTOCLOSE int state = -1;
	struct vw_history *h = calloc(1, sizeof(*h));
	int r;

	if (!h || asprintf(&h->path, "%s/history", statedir) < 0) {
		free(h);
		return vw_err_set(err, -ENOMEM, "out of memory");
	}
	h->dirfd = -1;
	state = open_statedir(statedir);
	r = state;
	if (state >= 0) {
		h->dirfd = open_private_dir(state, "history", true, true);
		r = h->dirfd;
	}
	if (r < 0) {
		vw_store_error(h, NULL, r, "cannot open the history", err);
		vw_history_close(h);
		return r;
	}
	*ret = h;
	return 0;
}

void vw_history_close(struct vw_history *h)
{
	if (!h)
		return;
	if (h->dirfd >= 0)
		close(h->dirfd);
	free(h->path);
	free(h);
}

void vw_history_wait(struct vw_history *h, bool wait)
{
	h->no_wait = !wait;
}

int vw_store_dir(struct vw_history *h, const char *uuid, bool create, struct vw_err *err)
{
	/* what is put into it waits for the disk: vw_history_keep */
	int fd = open_private_dir(h->dirfd, uuid, create, false);

	if (fd == -ENOENT && !create)
		return fd;
	if (fd < 0)
		return vw_store_error(h, uuid, fd, "cannot open it", err);
	return fd;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int vw_store_lock(struct vw_history *h, int dirfd, const char *uuid, struct vw_err *err)
{
	VW_AUTOCLOSE int fd = -1;
	struct timespec pause = { .tv_nsec = 1000000 };
	int64_t end = now_ms() + LOCK_WAIT_MS;
	int r;

	fd = openat(dirfd, LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd < 0)
		return vw_store_error(h, uuid, -errno, "cannot lock it", err);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return vw_store_error(h, uuid, -errno, "cannot lock it", err);
		if (now_ms() >= end)
			return vw_store_error(h, uuid, -EBUSY, "cannot lock it within 2 s", err);
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 4000000)
			pause.tv_nsec *= 2;
	}
	r = fd;
	fd = -1;
	return r;
}
