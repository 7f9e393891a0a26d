/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd's readiness protocol, sd_notify(3): a datagram to the socket that $NOTIFY_SOCKET
 * names. Small and documented to be stable: no library is worth it. */
#include "agent/agent.h"

#include "lib/base/clock.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

void agent_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	VW_AUTOCLOSE int fd = -1;
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof(to.sun_path) || (*path != '/' && *path != '@'))
		return;
	memcpy(to.sun_path, path, len);
	if (*path == '@') /* an abstract socket */
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
			      (const struct sockaddr *)&to,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
}

int64_t agent_notify_watchdog(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long n = usec ? strtoll(usec, NULL, 10) : 0;

	if (n <= 0 || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	/* Half of the time that systemd waits; a second at least. */
	return n / 2000 < 1000 ? 1000 : (int64_t)(n / 2000);
}

int64_t agent_notify_tick(struct agent *a)
{
	if (!a->watchdog)
		return 0;
	if (vw_clock_ms() >= a->alive + a->watchdog) {
		agent_notify("WATCHDOG=1");
		a->alive = vw_clock_ms();
	}
	return a->alive + a->watchdog;
}
