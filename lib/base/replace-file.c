/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes a small file for others to read (see replace-file.h). */
#include "lib/base/replace-file.h"

#include "lib/base/private-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int agent_replace_file(const char *path, const char *text, size_t len, unsigned mode, bool sync)
{
	VW_AUTOFREE char *temp = NULL;
	VW_AUTOCLOSE int fd = -1;
	int r = 0;

	if (asprintf(&temp, "%s.%d", path, (int)getpid()) < 0) {
		temp = NULL;
		return -ENOMEM;
	}
	vw_private_remove(AT_FDCWD, temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	errno = ENOSPC; /* a short write sets none */
	if (write(fd, text, len) != (ssize_t)len || fchmod(fd, mode) < 0 ||
	    (sync && fsync(fd) < 0) || vw_private_make_way(AT_FDCWD, path) < 0 ||
	    rename(temp, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temp);
	return r;
}
