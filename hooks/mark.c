/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Marks of incoming guests: rundir/incoming/UUID.
 *
 * libvirtd runs `migrate` or `restore` and, within the same call, `prepare`
 * with the same UUID; but prepare can't see why the guest starts. So the first
 * leaves a mark and the second takes it. One that nobody took (the migration
 * failed in between) is stale after ten minutes or a reboot, and goes when the next is written. */
#include "hooks/hook.h"
#include "lib/base/private-dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#define STALE_S (10 * 60)
#define SWEEP_MAX 4096 /* marks looked at in one run, 40 ms */
#define MARK_SIZE 64   /* "BOOT-ID SECONDS\n" */

static int64_t seconds_since_boot(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec;
}

/* Which boot this is: 36 characters, "-" if the kernel doesn't say. */
static void boot_id(const struct vw_paths *paths, char buf[37])
{
	VW_AUTOFREE char *path = NULL;
	VW_AUTOCLOSE int fd = -1;
	ssize_t n = 0;

	if (asprintf(&path, "%s/proc/sys/kernel/random/boot_id", paths->sysroot) < 0)
		path = NULL;
	fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0)
		n = read(fd, buf, 36);
	if (n == 36)
		buf[36] = '\0';
	else
		strcpy(buf, "-");
}

/* mkdir -p */
static int make_dirs(const char *path)
{
	VW_AUTOFREE char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(copy, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* The directory of the marks, if it is ours alone. Return: fd or negative errno. */
static int open_marks(const struct vw_paths *paths, bool create)
{
	VW_AUTOCLOSE int run = -1;
	struct stat sb;
	int fd, r = create ? make_dirs(paths->rundir) : 0;

	if (r < 0)
		return r;
	run = open(paths->rundir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (run < 0)
		return -errno;
	if (create && mkdirat(run, "incoming", 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(run, "incoming", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &sb) == 0 && sb.st_uid == geteuid() && !(sb.st_mode & 077))
		return fd;
	close(fd);
	return -EPERM;
}

/* Write it anew, never into a file that stands there. Return: 0 or negative errno. */
static int write_mark(int dir, const char *uuid, const char *text, size_t len)
{
	VW_AUTOCLOSE int fd = -1;
	ssize_t n;
	int r;

	r = vw_private_remove(dir, uuid);
	if (r < 0)
		return r;
	fd = openat(dir, uuid, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n == (ssize_t)len)
		return 0;
	r = n < 0 ? -errno : -ENOSPC;
	unlinkat(dir, uuid, 0);
	return r;
}

/* Does the mark in fd speak of this boot and the last ten minutes? */
static bool is_fresh(const char *boot, int fd)
{
	char text[MARK_SIZE] = "";
	struct stat sb;
	const int64_t now = seconds_since_boot();
	const size_t len = strlen(boot);
	long long then;
	char *end;

	if (fstat(fd, &sb) < 0 || !S_ISREG(sb.st_mode) || sb.st_uid != geteuid() ||
	    read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	if (!vw_startswith(text, boot) || text[len] != ' ')
		return false;
	then = strtoll(text + len + 1, &end, 10);
	return *end == '\n' && then >= 0 && then <= now && now - then <= STALE_S;
}

static int open_mark(int dir, const char *uuid)
{
	return openat(dir, uuid, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* Remove stale marks: of migrations that failed before `prepare`. Not all of many at once. */
static void sweep(int dirfd, const char *boot)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir && fd >= 0)
		close(fd);
	for (int i = 0; dir && i < SWEEP_MAX && (entry = readdir(dir)); i++) {
		VW_AUTOCLOSE int mark = -1;

		if (strlen(entry->d_name) != 36)
			continue;
		mark = open_mark(dirfd, entry->d_name);
		if (mark < 0 || !is_fresh(boot, mark))
			vw_private_remove(dirfd, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

int hook_mark_write(const struct vw_paths *paths, const char *uuid, struct vw_err *err)
{
	VW_AUTOCLOSE int dir = -1;
	char boot[37], text[MARK_SIZE];
	int len, r;

	if (!*uuid)
		return vw_err_set(err, -EINVAL, "the XML has no proper UUID");
	dir = open_marks(paths, true);
	if (dir < 0)
		return vw_err_set(err, dir, "%s/incoming: %s", paths->rundir, strerror(-dir));
	boot_id(paths, boot);
	len = snprintf(text, sizeof(text), "%s %" PRId64 "\n", boot, seconds_since_boot());
	r = write_mark(dir, uuid, text, (size_t)len);
	sweep(dir, boot);
	return r < 0 ? vw_err_set(err, r, "%s/incoming/%s: %s", paths->rundir, uuid, strerror(-r))
		     : 0;
}

bool hook_mark_take(const struct vw_paths *paths, const char *uuid)
{
	VW_AUTOCLOSE int dir = *uuid ? open_marks(paths, false) : -1;
	VW_AUTOCLOSE int fd = -1;
	char boot[37];
	bool fresh;

	if (dir < 0)
		return false;
	boot_id(paths, boot);
	fd = open_mark(dir, uuid);
	fresh = fd >= 0 && is_fresh(boot, fd);
	unlinkat(dir, uuid, 0);
	return fresh;
}
