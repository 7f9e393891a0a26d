/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of filesystems, by magic number. It decides about files that are
 * not there yet; an existing file is asked itself.
 *
 * odirect: open(2), "O_DIRECT": a filesystem without it fails with EINVAL. Yes = it
 *   sets FMODE_CAN_ODIRECT or a direct_IO operation for every regular file (Linux
 *   6.1 sources). Left out (unknown) is what depends on mount options or on what lies
 *   below: FUSE, overlayfs, 9p, CIFS, ZFS.
 * discard: fallocate(2), "FALLOC_FL_PUNCH_HOLE": XFS, ext4, Btrfs, tmpfs, gfs2; in the
 *   sources also f2fs, ocfs2, ceph. NFS can from 4.2 on if the server does: unknown. */
#include "lib/diskprobe/probe-internal.h"

#include <linux/magic.h>
#include <sys/utsname.h>

/* Those that older kernel headers lack (from the kernel's sources). */
#define FS_XFS 0x58465342u
#define FS_CEPH 0x00c36400u
#define FS_GFS2 0x01161970u
#define FS_OCFS2 0x7461636fu
#define FS_F2FS 0xf2f52010u
#define FS_JFS 0x3153464au
#define FS_EXFAT 0x2011bab0u
#define FS_GPFS 0x47504653u

static const struct vw_fs table[] = {
	{ EXT4_SUPER_MAGIC, VW_YES, VW_YES }, /* ext2, ext3 too: all by the ext4 driver */
	{ FS_XFS, VW_YES, VW_YES },
	{ BTRFS_SUPER_MAGIC, VW_YES, VW_YES },
	{ TMPFS_MAGIC, VW_UNKNOWN, VW_YES }, /* odirect: vw_fs_odirect */
	{ RAMFS_MAGIC, VW_NO, VW_NO },
	{ HUGETLBFS_MAGIC, VW_NO, VW_UNKNOWN },
	{ NFS_SUPER_MAGIC, VW_YES, VW_UNKNOWN },
	{ FS_GFS2, VW_YES, VW_YES },
	{ FS_OCFS2, VW_YES, VW_YES },
	{ FS_CEPH, VW_YES, VW_YES },
	{ FS_F2FS, VW_YES, VW_YES },
	{ FS_GPFS, VW_YES,
	  VW_UNKNOWN }, /* IBM Storage Scale: "Considerations for the use of direct I/O" */
	{ FS_JFS, VW_YES, VW_NO },
	{ MSDOS_SUPER_MAGIC, VW_YES, VW_NO },
	{ FS_EXFAT, VW_YES, VW_NO },
};

static const struct vw_fs unknown = { 0, VW_UNKNOWN, VW_UNKNOWN };

const struct vw_fs *vw_fs_find(uint32_t magic)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(table); i++)
		if (table[i].magic == magic)
			return &table[i];
	return &unknown;
}

/* tmpfs takes O_DIRECT from Linux 6.6 on ("tmpfs: trivial support for direct IO"). */
static enum vw_known tmpfs_odirect(void)
{
	struct utsname u;
	unsigned long major, minor;
	char *end;

	if (uname(&u) < 0)
		return VW_UNKNOWN;
	major = strtoul(u.release, &end, 10);
	if (*end != '.')
		return VW_UNKNOWN;
	minor = strtoul(end + 1, NULL, 10);
	return major > 6 || (major == 6 && minor >= 6) ? VW_YES : VW_NO;
}

enum vw_known vw_fs_odirect(const struct vw_fs *fs)
{
	return fs->magic == TMPFS_MAGIC ? tmpfs_odirect() : fs->odirect;
}
