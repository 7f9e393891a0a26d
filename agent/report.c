/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Log lines: to journald with fields of their own (its native protocol: KEY=VALUE lines in
 * one datagram), else to syslog; with --foreground, and no journal behind it, to stderr.
 *
 * The socket does not block: a stuck log daemon must not stop us. What can't be sent is lost
 * to the log, but not to `virt-warden status`. */
#include "agent/agent.h"

#include "lib/daemon/log-socket.h"
#include "lib/base/text.h"

#include <stdarg.h>
#include <syslog.h>
#include <time.h>

#define TEXT_MAX 600       /* bytes of one line's text */
#define NAME_MAX_BYTES 128 /* of a domain's name in it */

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

/* "web1: fixed: …", for people. */
static void add_message(struct vw_buf *b, const char *name, const char *text)
{
	if (*name) {
		vw_text_name(b, name, NAME_MAX_BYTES);
		vw_buf_puts(b, ": ");
	}
	vw_buf_puts(b, text);
}

static void format_journal(struct vw_buf *b, int priority, const char *kind, const char *name,
			   const char *uuid, const char *text)
{
	vw_buf_puts(b, "MESSAGE=");
	add_message(b, name, text);
	vw_buf_printf(b, "\nPRIORITY=%d\nSYSLOG_IDENTIFIER=virt-wardend\n", priority);
	add_field(b, "VIRT_WARDEN_KIND", kind);
	add_field(b, "VIRT_WARDEN_DOMAIN", name);
	add_field(b, "VIRT_WARDEN_UUID", uuid);
}

/* Fixed fields first, what others wrote last and quoted: it can't forge a field. */
static void format_syslog(struct vw_buf *b, int priority, const char *kind, const char *name,
			  const char *uuid, const char *text)
{
	log_socket_head(b, LOG_DAEMON | priority, "virt-wardend");
	vw_buf_printf(b, "kind=%s uuid=%s domain=", kind, *uuid ? uuid : "-");
	vw_text_quote(b, name, NAME_MAX_BYTES);
	vw_buf_puts(b, " message=");
	vw_text_quote(b, text, TEXT_MAX);
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
static void remember(struct agent *a, const char *line)
{
	struct agent_error *err;

	if (a->n_errors == AGENT_ERRORS)
		memmove(a->errors, a->errors + 1, (--a->n_errors) * sizeof(*a->errors));
	err = &a->errors[a->n_errors++];
	err->time = time(NULL);
	snprintf(err->text, sizeof(err->text), "%s", line);
	a->dirty = true;
}

void agent_log(struct agent *a, int priority, const char *kind, const char *name, const char *uuid,
	       const char *fmt, ...)
{
	VW_AUTOFREE char *raw = NULL;
	VW_AUTOFREE char *text = NULL;
	VW_AUTOFREE char *safe = vw_printable(name, NAME_MAX_BYTES);
	VW_AUTOBUF struct vw_buf line = { 0 };
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&raw, fmt, ap) < 0)
		raw = NULL;
	va_end(ap);
	text = raw ? vw_printable(raw, TEXT_MAX) : NULL;
	if (!text || !safe)
		return;
	add_message(&line, safe, text);
	if (line.failed || !line.p)
		return;
	if (priority <= LOG_WARNING)
		remember(a, line.p);
	if (a->foreground && !a->journal && priority < LOG_DEBUG)
		fprintf(stderr, "%s\n", line.p);
	else if (!a->foreground || a->journal)
		send_line(a, priority, kind, safe, uuid ? uuid : "", text);
}
