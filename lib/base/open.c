/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at a path before it opens it (see open.h). */
#include "lib/base/open.h"

#include <errno.h>
#include <linux/magic.h>
#include <sys/statfs.h>

/* Those that older kernel headers lack (from the kernel's sources). */
#define FS_CONFIGFS 0x62656570u
#define FS_FUSECTL 0x65735543u
#define FS_MQUEUE 0x19800202u
#define FS_RPC_PIPEFS 0x67596969u
#define FS_NFSD 0x6e667364u
#define FS_EFIVARFS 0xde5e81e4u
#define FS_RDTGROUP 0x07655821u
#define FS_BPF 0xcafe4a11u
#define FS_BINDER 0x6c6f6f70u
#define FS_DLM 0x76a9f425u
#define FS_FUNCTIONFS 0x0a647361u
#define FS_GADGETFS 0xaee71ee7u
#define FS_SECRETMEM 0x5345434du
#define FS_PIDFS 0x50494446u
#define FS_APPARMOR 0x5a3c69f0u
#define FS_SMACK 0x43415d53u

/* Filesystems without data: their files are made by the kernel, and to read one may do things. */
static const uint32_t made_by_kernel[] = {
	PROC_SUPER_MAGIC, SYSFS_MAGIC,    DEBUGFS_MAGIC,       TRACEFS_MAGIC,
	SECURITYFS_MAGIC, SELINUX_MAGIC,  CGROUP_SUPER_MAGIC,  CGROUP2_SUPER_MAGIC,
	PSTOREFS_MAGIC,   BINFMTFS_MAGIC, DEVPTS_SUPER_MAGIC,  NSFS_MAGIC,
	PIPEFS_MAGIC,     SOCKFS_MAGIC,   ANON_INODE_FS_MAGIC, XENFS_SUPER_MAGIC,
	FS_CONFIGFS,      FS_FUSECTL,     FS_MQUEUE,           FS_RPC_PIPEFS,
	FS_NFSD,          FS_EFIVARFS,    FS_RDTGROUP,         FS_BPF,
	FS_BINDER,        FS_DLM,         FS_FUNCTIONFS,       FS_GADGETFS,
	FS_SECRETMEM,     FS_PIDFS,       FS_APPARMOR,         FS_SMACK,
};

bool vw_open_fs_is_kernel(uint32_t magic)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(made_by_kernel); i++)
		if (made_by_kernel[i] == magic)
			return true;
	return false;
}

static const char *odd_type(mode_t mode, unsigned may)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return NULL;
	case S_IFBLK: return may & VW_OPEN_BLOCK ? NULL : "it is a block device";
	case S_IFIFO: return may & VW_OPEN_FIFO ? NULL : "it is a FIFO";
	case S_IFDIR: return "it is a directory";
	case S_IFSOCK: return "it is a socket";
	case S_IFLNK: return "it is a symbolic link";
	default: return "it is a character device";
	}
}

int vw_open_look(int dirfd, const char *path, unsigned may, struct vw_seen *ret)
{
	struct vw_seen seen = { 0 };
	VW_AUTOCLOSE int fd = openat(dirfd, path,
				     O_PATH | O_CLOEXEC | (may & VW_OPEN_NOLINK ? O_NOFOLLOW : 0));
	struct statfs fs;

	if (fd < 0 || fstat(fd, &seen.st) < 0)
		return -errno;
	seen.odd = odd_type(seen.st.st_mode, may);
	if (S_ISREG(seen.st.st_mode)) {
		if (fstatfs(fd, &fs) < 0)
			return -errno;
		seen.fs = (uint32_t)fs.f_type;
		if (vw_open_fs_is_kernel(seen.fs))
			seen.odd = "it is a file that the kernel makes (/proc, /sys …)";
	}
	seen.fd = fd;
	fd = -1;
	*ret = seen;
	return 0;
}

int vw_open_again(int path_fd, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", path_fd);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);
	if (fd < 0) /* not ENOENT, which says that the file is not there */
		return errno == ENOENT ? -ENOTSUP : -errno;
	return fd;
}

int vw_open(int dirfd, const char *path, unsigned may, struct stat *ret_st, struct vw_err *err)
{
	struct vw_seen seen = { .fd = -1 };
	int fd = vw_open_look(dirfd, path, may, &seen);

	if (fd == 0 && seen.odd)
		fd = -EINVAL;
	else if (fd == 0)
		fd = vw_open_again(seen.fd, 0);
	if (seen.fd >= 0)
		close(seen.fd);
	if (fd < 0)
		return !err ? fd
			    : vw_err_set(err, fd, "%s: %s", path,
					 seen.odd ? seen.odd : strerror(-fd));
	if (ret_st)
		*ret_st = seen.st;
	return fd;
}
