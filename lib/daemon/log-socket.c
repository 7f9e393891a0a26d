/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The socket of the system's log (see log-socket.h). */
#include "lib/daemon/log-socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#define JOURNAL "/run/systemd/journal/socket"
#define SYSLOG "/dev/log"

static int connect_to(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int log_socket_open(bool *ret_journal)
{
	int fd = connect_to(JOURNAL);

	*ret_journal = fd >= 0;
	return fd >= 0 ? fd : connect_to(SYSLOG);
}

bool log_socket_is_there(void)
{
	return access(JOURNAL, F_OK) == 0 || access(SYSLOG, F_OK) == 0;
}

void log_socket_head(struct vw_buf *b, int priority, const char *name)
{
	const time_t now = time(NULL);
	char when[32] = "";
	struct tm tm;

	if (localtime_r(&now, &tm))
		strftime(when, sizeof(when), "%b %e %T ", &tm);
	vw_buf_printf(b, "<%d>%s%s[%d]: ", priority, when, name, (int)getpid());
}

int log_socket_send(int fd, const struct vw_buf *b)
{
	return send(fd, b->p, b->len, MSG_NOSIGNAL) < 0 ? -1 : 0;
}
