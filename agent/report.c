/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log lines: to journald with fields of their own (its native protocol: KEY=VALUE lines in
 * one datagram), else to syslog; with --foreground, and no journal behind it, to stderr.
 *
 * The socket does not block: a stuck log daemon must not stop us. What can't be sent is lost
 * to the log, but not to `virt-warden status`. */
#include "agent.h"

#include "buf.h"
#include "log-socket.h"
#include "text.h"

#include <stdarg.h>
#include <syslog.h>
#include <time.h>

#define TEXT_MAX 600 /* bytes of one line's text */

void agent_log_open(struct agent *a)
{
	a->log_fd = log_socket_open(&a->journal);
}

void agent_log_close(struct agent *a)
{
	if (a->log_fd >= 0)
		close(a->log_fd);
	a->log_fd = -1;
}

static void add_field(struct vw_buf *b, const char *key, const char *value)
{
	if (*value)
		vw_buf_printf(b, "%s=%s\n", key, value);
}

static void format_journal(struct vw_buf *b, int priority, const char *kind, const char *name,
			   const char *uuid, const char *text)
{
	vw_buf_printf(b, "MESSAGE=%s%s%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=virt-wardend\n", name,
		      *name ? ": " : "", text, priority);
	add_field(b, "VIRT_WARDEN_KIND", kind);
	add_field(b, "VIRT_WARDEN_DOMAIN", name);
	add_field(b, "VIRT_WARDEN_UUID", uuid);
}

static void format_syslog(struct vw_buf *b, int priority, const char *kind, const char *name,
			  const char *uuid, const char *text)
{
	log_socket_head(b, LOG_DAEMON | priority, "virt-wardend");
	vw_buf_printf(b, "%s%s%s kind=%s%s%s", name, *name ? ": " : "", text, kind,
		      *uuid ? " uuid=" : "", uuid);
}

static void send_line(struct agent *a, int priority, const char *kind, const char *name,
		      const char *uuid, const char *text)
{
	VW_AUTOBUF struct vw_buf b = { 0 };

	if (a->log_fd < 0)
		agent_log_open(a); /* the log daemon may have started anew */
	if (a->log_fd < 0)
		return;
	if (a->journal)
		format_journal(&b, priority, kind, name, uuid, text);
	else
		format_syslog(&b, priority, kind, name, uuid, text);
	if (!b.failed && log_socket_send(a->log_fd, &b) < 0)
		agent_log_close(a);
}

/* What `virt-warden status` shows: the newest stays longest. */
static void remember(struct agent *a, const char *name, const char *text)
{
	struct agent_error *err;

	if (a->n_errors == AGENT_ERRORS)
		memmove(a->errors, a->errors + 1, (--a->n_errors) * sizeof(*a->errors));
	err = &a->errors[a->n_errors++];
	err->time = time(NULL);
	snprintf(err->text, sizeof(err->text), "%s%s%s", name, *name ? ": " : "", text);
	a->dirty = true;
}

void agent_log(struct agent *a, int priority, const char *kind, const char *name, const char *uuid,
	       const char *fmt, ...)
{
	VW_AUTOFREE char *raw = NULL;
	VW_AUTOFREE char *text = NULL;
	VW_AUTOFREE char *safe = vw_printable(name, 128);
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&raw, fmt, ap) < 0)
		raw = NULL;
	va_end(ap);
	text = raw ? vw_printable(raw, TEXT_MAX) : NULL;
	if (!text || !safe)
		return;
	if (priority <= LOG_WARNING)
		remember(a, safe, text);
	if (a->foreground && !a->journal && priority < LOG_DEBUG)
		fprintf(stderr, "%s%s%s\n", safe, *safe ? ": " : "", text);
	else if (!a->foreground || a->journal)
		send_line(a, priority, kind, safe, uuid ? uuid : "", text);
}
