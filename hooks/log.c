/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hook's lines for the system log.
 *
 * Not syslog(3), which waits for as long as the log daemon is stuck: a socket
 * that does not block, and after the first line that can't be sent, silence.
 * A line is at most 1024 bytes (RFC 3164, 4.1), the message goes last. */
#include "hooks/hook.h"
#include "lib/base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>

#define MAX_LINE 1024
#define MAX_HEADER 64 /* <PRI>, time, ident, pid */
#define SEND_MS 50

enum { LOG_NOT_OPEN = -1, LOG_NONE = -2 };

static int open_log(void)
{
	const struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return LOG_NONE;
}

/* Return: true if the line is out. */
static bool send_line(int fd, const char *line, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	if (send(fd, line, len, MSG_NOSIGNAL) >= 0)
		return true;
	if (errno != EAGAIN || poll(&p, 1, SEND_MS) != 1)
		return false;
	return send(fd, line, len, MSG_NOSIGNAL) >= 0;
}

static void put_line(struct hook *h, int priority, const char *text)
{
	const time_t now = time(NULL);
	char line[MAX_LINE + 1], when[32] = "";
	struct tm tm;
	int len;

	if (h->log_to_stderr) {
		fprintf(stderr, "%s\n", text);
		return;
	}
	if (h->log_fd == LOG_NOT_OPEN)
		h->log_fd = open_log();
	if (h->log_fd == LOG_NONE)
		return;
	if (localtime_r(&now, &tm))
		strftime(when, sizeof(when), "%b %e %T ", &tm);
	len = snprintf(line, sizeof(line), "<%d>%svirt-warden[%d]: %s", LOG_DAEMON | priority, when,
		       (int)getpid(), text);
	if (len < 0 || send_line(h->log_fd, line, len < MAX_LINE ? (size_t)len : MAX_LINE))
		return;
	close(h->log_fd);
	h->log_fd = LOG_NONE;
}

void hook_log(struct hook *h, int priority, const char *fmt, ...)
{
	VW_AUTOFREE char *text = NULL;
	VW_AUTOFREE char *line = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	line = text ? vw_printable(text, MAX_LINE - MAX_HEADER) : NULL;
	if (line)
		put_line(h, priority, line);
}

/* Append ` key="value"`, with at most max bytes of the value. */
static void add_quoted(struct vw_buf *b, const char *key, const char *value, size_t max)
{
	vw_buf_printf(b, " %s=", key);
	vw_text_quote(b, value, max);
}

void hook_log_finding(struct hook *h, const struct vw_finding *f)
{
	static const char message_key[] = " message=\"\"";
	VW_AUTOFREE char *line = NULL;
	VW_AUTOBUF struct vw_buf b = { 0 };
	size_t room;

	vw_buf_printf(&b, "finding op=%s", h->op);
	add_quoted(&b, "domain", h->name, 128);
	vw_buf_printf(&b, " uuid=%s rule=%s class=%s", *h->uuid ? h->uuid : "-", f->rule,
		      vw_class_name(f->cls));
	add_quoted(&b, "device", f->device, 64);
	add_quoted(&b, "before", f->before, 32);
	add_quoted(&b, "after", f->after, 32);
	vw_buf_printf(&b, " action=%s evidence=%s", vw_action_name(f->action),
		      vw_evidence_name(f->evidence));
	room = MAX_LINE - MAX_HEADER - strlen(message_key);
	add_quoted(&b, "message", f->message, b.len + 64 < room ? room - b.len : 64);
	line = vw_buf_take(&b);
	if (line)
		put_line(h, f->action == VW_ACTION_FIX ? LOG_WARNING : LOG_NOTICE, line);
}
