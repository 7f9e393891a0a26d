/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By which name should a LUN be used (runs in the child)? One path of a multipath device goes away
 * with its cable or port, and is written to beside the map. A kernel name (/dev/sdb) is another
 * device's after a reboot, and on another host. */
#include "lib/diskprobe/probe-internal.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* getdents64(2); opendir would call malloc. */
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

static int open_below(const char *sysroot, dev_t dev, const char *name, int flags)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/sys/dev/block/%u:%u/%s", sysroot, major(dev),
		     minor(dev), name) >= (int)sizeof(path))
		return -1;
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
}

bool vw_sysfs_attribute(const char *sysroot, dev_t dev, const char *name, char *buf, size_t size)
{
	VW_AUTOCLOSE int fd = open_below(sysroot, dev, name, 0);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return *buf;
}

/* Device mapper's UUIDs of multipath maps begin with mpath- (multipath-tools, UUID_PREFIX). */
static bool find_map(const char *sysroot, dev_t dev, char better[VW_BETTER_SIZE])
{
	VW_AUTOCLOSE int fd = open_below(sysroot, dev, "holders", O_DIRECTORY);
	_Alignas(struct entry) char buf[4096]; /* a path has one holder */
	long n = fd < 0 ? 0 : syscall(SYS_getdents64, fd, buf, sizeof(buf));
	const struct entry *e;

	for (const char *p = buf; n > 0 && p < buf + n; p += e->len) {
		char name[PATH_MAX], text[VW_BETTER_SIZE];

		e = (const struct entry *)p;
		snprintf(name, sizeof(name), "holders/%.200s/dm/uuid", e->name);
		if (!vw_sysfs_attribute(sysroot, dev, name, text, sizeof(text)) ||
		    !vw_startswith(text, "mpath-"))
			continue;
		snprintf(name, sizeof(name), "holders/%.200s/dm/name", e->name);
		if (vw_sysfs_attribute(sysroot, dev, name, text, sizeof(text)) &&
		    snprintf(better, VW_BETTER_SIZE, "/dev/mapper/%s", text) < VW_BETTER_SIZE)
			return true;
	}
	return false;
}

/* udev's name of the WWN (60-persistent-storage.rules), if it is there and is the same device.
 * A partition's attributes are its disk's. */
static bool find_wwn(const char *sysroot, dev_t dev, char better[VW_BETTER_SIZE])
{
	char wwid[64], part[16], path[PATH_MAX];
	bool is_part = vw_sysfs_attribute(sysroot, dev, "partition", part, sizeof(part));
	struct stat st;

	if (!vw_sysfs_attribute(sysroot, dev, is_part ? "../device/wwid" : "device/wwid", wwid,
				sizeof(wwid)) ||
	    !vw_startswith(wwid, "naa.") ||
	    snprintf(better, VW_BETTER_SIZE, "/dev/disk/by-id/wwn-0x%s%s%s", wwid + 4,
		     is_part ? "-part" : "", is_part ? part : "") >= VW_BETTER_SIZE)
		return false;
	return snprintf(path, sizeof(path), "%s%s", sysroot, better) < (int)sizeof(path) &&
	       stat(path, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == dev;
}

/* The name that the kernel gave it: right below /dev. */
static bool is_kernel_name(const char *path)
{
	return vw_startswith(path, "/dev/") && !strchr(path + 5, '/');
}

void vw_look_lun(const char *sysroot, const char *path, dev_t dev, struct vw_look_reply *r)
{
	r->one_path = find_map(sysroot, dev, r->better) ? VW_YES : VW_NO;
	if (r->one_path == VW_NO && !(is_kernel_name(path) && find_wwn(sysroot, dev, r->better)))
		*r->better = '\0';
}
