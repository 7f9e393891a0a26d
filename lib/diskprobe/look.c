/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looking at one path (runs in the child): only a regular file of a real filesystem or a
 * block device is opened (lib/base/open.h). */
#include "lib/base/open.h"
#include "lib/diskprobe/probe-internal.h"
#include "lib/diskprobe/qcow2.h"

#include <errno.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

struct look {
	const char *sysroot;
	char *buf;
	const struct vw_look_request *q;
	struct vw_look_reply *r;
	void (*basic)(void *ctx);
	void *ctx;
	struct stat st;
	const struct vw_fs *fs; /* regular files */
};

void vw_look_why(struct vw_look_reply *r, int error, const char *why)
{
	if (*r->why || !*why)
		return;
	r->error = error < 0 ? -error : error;
	snprintf(r->why, sizeof(r->why), "%s", why);
}

/* Of a directory: nothing is opened. */
static const struct vw_fs *fs_of_path(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) < 0 ? NULL : vw_fs_find((uint32_t)fs.f_type);
}

/* The path is not there: what would a file there be like? */
static void look_absent(struct look *l)
{
	char dir[PATH_MAX];
	char *slash;
	struct stat st;
	const struct vw_fs *fs;

	l->r->exists = VW_NO;
	if (lstat(l->q->path, &st) == 0) {
		vw_look_why(l->r, 0, "it is a symbolic link to nothing");
		return;
	}
	snprintf(dir, sizeof(dir), "%s", l->q->path);
	slash = strrchr(dir, '/');
	slash[slash == dir] = '\0';
	fs = fs_of_path(dir);
	vw_look_why(l->r, 0, fs ? "it is not there" : "its directory is not there");
	if (!fs)
		return;
	l->r->odirect = (uint8_t)vw_fs_odirect(fs);
	if (l->q->want & VW_PROBE_DISCARD)
		l->r->discard = (uint8_t)fs->discard;
}

/* Return: false if there is no such attribute, or it is no number. */
static bool read_attribute(const struct look *l, const char *attribute, unsigned long long *ret)
{
	char text[32], *end;

	if (!vw_sysfs_attribute(l->sysroot, l->st.st_rdev, attribute, text, sizeof(text)))
		return false;
	*ret = strtoull(text, &end, 10);
	return end != text;
}

/* Documentation/ABI/stable/sysfs-block: discard_max_bytes is 0 when the device
 * can't discard. A partition has no queue of its own: its parent's counts. */
static void look_discard(struct look *l)
{
	unsigned long long max = 0;

	if (S_ISREG(l->st.st_mode)) {
		l->r->discard = (uint8_t)l->fs->discard;
		if (l->fs->discard == VW_UNKNOWN)
			vw_look_why(l->r, 0, "its filesystem does not tell whether it can discard");
	} else if (read_attribute(l, "queue/discard_max_bytes", &max) ||
		   read_attribute(l, "../queue/discard_max_bytes", &max)) {
		l->r->discard = max ? VW_YES : VW_NO;
	} else {
		vw_look_why(l->r, 0, "sysfs does not tell whether the device can discard");
	}
}

/* An image that takes as much room as the disk it stands for was preallocated, or is full. */
static void look_room_qcow2(struct look *l, const struct vw_qcow2_answer *answer)
{
	if (answer->disk_size)
		l->r->allocated = (uint64_t)l->st.st_blocks * 512 >= answer->disk_size ? VW_YES
										       : VW_NO;
}

static void look_blank_qcow2(struct look *l, struct vw_source *s)
{
	struct vw_qcow2_answer answer = vw_qcow2_blank(vw_source_read, s, s->size);

	if (S_ISREG(l->st.st_mode))
		look_room_qcow2(l, &answer);
	l->r->blank = (uint8_t)answer.blank;
	if (answer.blank != VW_YES)
		vw_look_why(l->r, answer.error, answer.why);
}

static void look_blank_raw(struct look *l, struct vw_source *s)
{
	int zero = S_ISREG(l->st.st_mode) ? vw_source_zero_file(s) : vw_source_zero_device(s);

	if (zero >= 0)
		l->r->blank = zero ? VW_YES : VW_NO;
	else if (zero == -ETIMEDOUT)
		vw_look_why(l->r, 0, "it is too large to read in time (no data so far)");
	else
		vw_look_why(l->r, zero, "it can't be read");
}

static void look_data(struct look *l, int fd, int direct)
{
	struct vw_source s = { .fd = fd, .direct = -1, .until = l->q->until, .buf = l->buf };
	off_t end = lseek(fd, 0, SEEK_END);

	if (end < 0) {
		vw_look_why(l->r, errno, "its size is not known");
		return;
	}
	s.size = (uint64_t)end;
	/* Another host may have written to a shared LUN: not from this host's cache. */
	if (S_ISBLK(l->st.st_mode))
		s.direct = direct;
	if (end || S_ISREG(l->st.st_mode))
		l->r->magic = (uint8_t)vw_source_magic(&s);
	if (!end && S_ISBLK(l->st.st_mode)) {
		vw_look_why(l->r, 0, "the device has no medium");
	} else if (!end && l->q->format != VW_IMAGE_QCOW2) {
		l->r->blank = VW_YES;
	} else if (l->q->format == VW_IMAGE_RAW) {
		look_blank_raw(l, &s);
	} else if (l->q->format == VW_IMAGE_QCOW2) {
		look_blank_qcow2(l, &s);
	} else {
		l->r->blank = VW_NO;
		vw_look_why(l->r, 0,
			    "images of its format are not looked into, so it counts as data");
	}
}

/* The slow part, so what is known before it goes ahead. Why it is not blank matters more
 * than why another fact is unknown. */
static void look_blank(struct look *l, int fd, int direct)
{
	struct vw_look_reply before = *l->r;

	l->basic(l->ctx);
	l->r->why[0] = '\0';
	l->r->error = 0;
	look_data(l, fd, direct);
	if (!*l->r->why)
		vw_look_why(l->r, before.error, before.why);
}

/* O_DIRECT by trying it: EINVAL says that the filesystem has none (open(2)). */
static void look_open(struct look *l, int path_fd)
{
	VW_AUTOCLOSE int fd = vw_open_again(path_fd, 0);
	VW_AUTOCLOSE int direct = fd < 0 ? -1 : vw_open_again(path_fd, O_DIRECT);

	if (fd < 0) {
		vw_look_why(l->r, fd, "it can't be opened");
		if (l->fs)
			l->r->odirect = (uint8_t)vw_fs_odirect(l->fs);
	} else if (direct >= 0) {
		l->r->odirect = VW_YES;
	} else if (direct == -EINVAL) {
		l->r->odirect = VW_NO;
	} else {
		vw_look_why(l->r, direct, "it can't be opened with O_DIRECT");
	}
	if (l->q->want & VW_PROBE_DISCARD)
		look_discard(l);
	if ((l->q->want & VW_PROBE_DISCARD) && S_ISBLK(l->st.st_mode))
		vw_look_lun(l->sysroot, l->q->path, l->st.st_rdev, l->r);
	if (fd >= 0 && (l->q->want & VW_PROBE_BLANK))
		look_blank(l, fd, direct);
}

/* What the look tells. Return: may it be opened? */
static bool look_inode(struct look *l, const struct vw_seen *seen)
{
	l->st = seen->st;
	if (seen->odd) {
		vw_look_why(l->r, 0, seen->odd);
		return false;
	}
	if (S_ISBLK(l->st.st_mode)) {
		l->r->block = VW_YES;
		return true;
	}
	l->fs = vw_fs_find(seen->fs);
	l->r->block = VW_NO;
	if (l->q->format == VW_IMAGE_RAW)
		l->r->allocated = VW_NO; /* another format's header tells */
	/* stat(3type): st_blocks counts 512-byte units, whatever st_blksize is. */
	if (l->q->format == VW_IMAGE_RAW && l->st.st_size > 0 &&
	    l->st.st_blocks >= l->st.st_size / 512 + (l->st.st_size % 512 != 0))
		l->r->allocated = VW_YES;
	return true;
}

static void look_exists(struct look *l)
{
	if (access(l->q->path, F_OK) == 0)
		l->r->exists = VW_YES;
	else if (errno == ENOENT || errno == ENOTDIR)
		l->r->exists = VW_NO;
	else
		vw_look_why(l->r, errno, "it can't be looked at");
}

void vw_look(const char *sysroot, char *buf, const struct vw_look_request *q,
	     struct vw_look_reply *r, void (*basic)(void *ctx), void *ctx)
{
	struct look l = {
		.sysroot = sysroot, .buf = buf, .q = q, .r = r, .basic = basic, .ctx = ctx
	};
	struct vw_seen seen;
	int error;

	if (q->want & VW_PROBE_EXISTS) {
		look_exists(&l);
		return;
	}
	error = vw_open_look(AT_FDCWD, q->path, VW_OPEN_BLOCK, &seen);
	if (error == -ENOENT || error == -ENOTDIR) {
		look_absent(&l);
		return;
	}
	if (error < 0) {
		vw_look_why(r, error, "it can't be looked at");
		return;
	}
	r->exists = VW_YES;
	if (look_inode(&l, &seen))
		look_open(&l, seen.fd);
	close(seen.fd);
}
