/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories of ours below the state directory (private-dir.h). */
#include "lib/base/private-dir.h"

#include "lib/base/clock.h"
#include "lib/base/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif
#define LOCK_WAIT_MS 2000

const char *vw_private_remedy(int code)
{
	switch (-code) {
	case ENOSPC:
	case EDQUOT: return "free some space there";
	case EACCES:
	case EPERM: return "run as its owner";
	case EROFS: return "make that filesystem writable";
	case EBUSY: return "another program holds its lock; try again";
	case ENOTDIR:
	case ELOOP: return "it must be a directory, not a link; move it away";
	default: return "check that directory";
	}
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

int vw_private_dir(int parent, const char *name, bool create, bool sync)
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

int vw_private_open(const char *statedir, const char *name)
{
	VW_AUTOCLOSE int state = open_statedir(statedir);

	return state < 0 ? state : vw_private_dir(state, name, true, true);
}

/* A folder: removed, or moved away if something is in it. */
static int move_away(int dirfd, const char *name)
{
	VW_AUTOFREE char *odd = NULL;

	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (asprintf(&odd, "%s.odd", name) < 0) {
		odd = NULL;
		return -ENOMEM;
	}
	/* by its number: musl knows no renameat2 */
	return syscall(SYS_renameat2, dirfd, name, dirfd, odd, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

static int make_way(int dirfd, const char *name, bool also_regular)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISREG(st.st_mode) && !also_regular)
		return 0;
	if (S_ISDIR(st.st_mode))
		return move_away(dirfd, name);
	return unlinkat(dirfd, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}

int vw_private_make_way(int dirfd, const char *name)
{
	return make_way(dirfd, name, false);
}

int vw_private_remove(int dirfd, const char *name)
{
	return make_way(dirfd, name, true);
}

int vw_private_file(int dirfd, const char *name)
{
	int r = vw_private_make_way(dirfd, name);
	int fd = r < 0 ? r
		       : openat(dirfd, name,
				O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
				0600);

	return fd < 0 && r == 0 ? -errno : fd;
}

/* Return: 0 or negative errno. */
static int lock(int fd, int wait_ms)
{
	struct timespec pause = { .tv_nsec = 1000000 };
	const int64_t end = vw_clock_ms() + wait_ms;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (vw_clock_ms() >= end)
			return -EBUSY;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 4000000)
			pause.tv_nsec *= 2;
	}
	return 0;
}

static int lock_file(int dirfd, const char *name, int wait_ms)
{
	VW_AUTOCLOSE int fd = vw_private_file(dirfd, name);
	int r = fd < 0 ? fd : lock(fd, wait_ms);

	if (r < 0)
		return r;
	r = fd;
	fd = -1;
	return r;
}

int vw_private_lock(int dirfd, const char *name)
{
	return lock_file(dirfd, name, LOCK_WAIT_MS);
}

static int lock_dir(int dirfd, const char *name, int wait_ms)
{
	VW_AUTOCLOSE int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : lock(fd, wait_ms);

	/* NFS makes a lock for writing of it (flock(2)), for which a directory can't be opened. */
	if (r == -EBADF || r == -EOPNOTSUPP)
		return lock_file(dirfd, name, wait_ms);
	if (r < 0)
		return r;
	r = fd;
	fd = -1;
	return r;
}

int vw_private_lock_dir(int dirfd, const char *name)
{
	return lock_dir(dirfd, name, LOCK_WAIT_MS);
}

int vw_private_try_lock_dir(int dirfd, const char *name)
{
	return lock_dir(dirfd, name, 0);
}
