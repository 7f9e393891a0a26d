/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* FILE arguments (input.h): told from DOMAINs, and read without harm (a FIFO that nobody
 * writes, a device, a directory, 100 MB). */
#include "lib/base/input.h"

#include "lib/base/open.h"
#include "lib/base/util.h"

#include <errno.h>
#include <poll.h>

#define PIPE_WAIT_MS 5000 /* for a named pipe or /dev/fd/N; stdin is waited for without a limit */

bool vw_input_is_file(const char *arg)
{
	size_t len = strlen(arg);

	if (vw_streq(arg, "-") || strchr(arg, '/') || (len > 4 && vw_streq(arg + len - 4, ".xml")))
		return true;
	return vw_input_is_regular(arg);
}

bool vw_input_is_regular(const char *path)
{
	struct stat st; /* of a word that the user typed; nothing is opened */

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Wait for data of a pipe. Return: 0 or negative errno. */
static int wait_for(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	return n > 0 ? 0 : n == 0 ? -ETIMEDOUT : -errno;
}

static int open_input(const char *path, bool *ret_pipe, size_t *ret_size, struct vw_err *err)
{
	struct stat st;
	int fd = vw_open(AT_FDCWD, path, VW_OPEN_FIFO, &st, err);

	if (fd < 0)
		return fd;
	*ret_pipe = S_ISFIFO(st.st_mode);
	*ret_size = S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : 0;
	return fd;
}

/* Read to the end, or max bytes. */
static int read_all(int fd, int timeout_ms, size_t hint, size_t max, const char *name, char **ret,
		    size_t *ret_len, struct vw_err *err)
{
	size_t len = 0, cap = hint < max ? hint + 2 : max + 1;
	VW_AUTOFREE char *buf = NULL;
	int rc;

	if (cap < 4096)
		cap = 4096;
	buf = malloc(cap);
	while (buf && len < max && (!hint || len != hint)) {
		ssize_t n;
		char *more;

		if (len + 1 == cap) {
			more = realloc(buf, cap * 2);
			if (!more)
				return vw_err_set(err, -ENOMEM, "%s: out of memory", name);
			buf = more;
			cap *= 2;
		}
		n = read(fd, buf + len, cap - len - 1 < max - len ? cap - len - 1 : max - len);
		if (n == 0)
			break;
		if (n > 0) {
			len += (size_t)n;
		} else if (errno == EAGAIN) {
			rc = wait_for(fd, timeout_ms);
			if (rc < 0)
				return vw_err_set(err, rc, "%s: nothing came from the pipe", name);
		} else if (errno != EINTR) {
			return vw_err_set(err, -errno, "%s: %s", name, strerror(errno));
		}
	}
	if (!buf)
		return vw_err_set(err, -ENOMEM, "%s: out of memory", name);
	buf[len] = '\0';
	*ret = vw_steal(buf);
	*ret_len = len;
	return 0;
}

int vw_input_read(const char *path, size_t max, char **ret, size_t *ret_len, struct vw_err *err)
{
	VW_AUTOCLOSE int fd = -1;
	bool pipe = false;
	size_t size = 0;

	if (vw_streq(path, "-"))
		return read_all(STDIN_FILENO, -1, 0, max + 1, "-", ret, ret_len, err);
	fd = open_input(path, &pipe, &size, err);
	if (fd < 0)
		return fd;
	return read_all(fd, pipe ? PIPE_WAIT_MS : 0, size, max + 1, path, ret, ret_len, err);
}
