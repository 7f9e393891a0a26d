/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one way to a file whose path somebody else chose: a domain's XML, a configuration, an argument.
 *
 * To open is to act: the open of a device may start it (/dev/watchdog), that of a FIFO lets its
 * writer go on, a file of /proc or /sys may do things when it is read. So the path is looked at
 * first, by O_PATH, which opens nothing. The kernel follows links on the way as it always does; what
 * they lead to is judged. Then the very thing that was judged is opened, by /proc/self/fd.
 *
 * On a dead file server the look itself hangs: call these where that may be given up (a prober's
 * child, a thread of a verification). They call no malloc and take no lock, so that a clone of a
 * process with threads may use them (vw_open only without an error object). */
#ifndef VW_OPEN_H
#define VW_OPEN_H

#include "lib/base/err.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

/* What may be opened beside regular files of a filesystem that holds data. */
#define VW_OPEN_BLOCK 1u  /* block devices */
#define VW_OPEN_FIFO 2u   /* FIFOs and pipes; reading is never waited for: poll(2) */
#define VW_OPEN_NOLINK 4u /* the path's last part must be no symbolic link */

struct vw_seen {
	int fd; /* O_PATH; the caller closes it */
	struct stat st;
	uint32_t fs;     /* of a regular file: its filesystem, f_type of statfs(2) */
	const char *odd; /* why it may not be opened ("it is a FIFO"), NULL = it may. Static. */
};

/* Look at path (below dirfd, or AT_FDCWD) without opening it.
 * Return: 0, also if it is odd; or a negative errno: there is nothing to be seen. */
int vw_open_look(int dirfd, const char *path, unsigned may, struct vw_seen *ret);

/* Open what path_fd (of vw_open_look, not odd) stands for: for reading, non-blocking, with more flags.
 * Return: a descriptor that the caller closes, or a negative errno; -ENOTSUP: /proc is not mounted. */
int vw_open_again(int path_fd, int flags);

/* Both steps. ret_st may be NULL.
 * Return: a descriptor that the caller closes; -EINVAL: it is odd, or a negative errno. err then
 * says "PATH: why". */
int vw_open(int dirfd, const char *path, unsigned may, struct stat *ret_st, struct vw_err *err);

/* Does the kernel make the files of the filesystem with this magic number (/proc, /sys …)? */
bool vw_open_fs_is_kernel(uint32_t magic);

#endif
