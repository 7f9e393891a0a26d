/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sink log: the journal, each fact a field of its own; where there is none, a line to syslog. */
#include "messenger/messenger.h"
#include "lib/base/text.h"
#include "lib/daemon/log-socket.h"

#include <ctype.h>
#include <errno.h>
#include <syslog.h>

#define NAME_MAX_BYTES 128 /* of a domain's name in a line; its field has it whole */

static bool wanted(const struct sink_context *c)
{
	return c->policy->log;
}

static int priority_of(const struct message *m)
{
	static const int priorities[] = { LOG_NOTICE, LOG_WARNING, LOG_CRIT };

	return m->resolved ? LOG_NOTICE : priorities[m->severity];
}

static void add_field(struct vw_buf *b, const char *key, const char *value)
{
	if (*value) /* one line: lib/alert/text.c */
		vw_buf_printf(b, "%s=%s\n", key, value);
}

/* A detail's key as a field's name: capitals, digits, '_'; 64 bytes at most. */
static void add_detail(struct vw_buf *b, const struct vw_alert_detail *d)
{
	char key[65];

	snprintf(key, sizeof(key), "VIRT_WARDEN_DETAIL_%s", d->key);
	for (char *p = key; *p; p++)
		*p = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p) : '_';
	add_field(b, key, d->value);
}

static void format_journal(struct vw_buf *b, const struct message *m, const char *state)
{
	const struct vw_alert *a = m->alert;

	vw_buf_puts(b, "MESSAGE=");
	if (*a->domain)
		vw_text_name(b, a->domain, NAME_MAX_BYTES);
	vw_buf_printf(b, "%s%s%s\nPRIORITY=%d\nSYSLOG_IDENTIFIER=virt-warden\n",
		      *a->domain ? ": " : "", m->resolved ? "over: " : "", a->summary,
		      priority_of(m));
	add_field(b, "VIRT_WARDEN_KIND", a->kind);
	add_field(b, "VIRT_WARDEN_DOMAIN", a->domain);
	add_field(b, "VIRT_WARDEN_UUID", a->uuid);
	add_field(b, "VIRT_WARDEN_HOST", a->host);
	add_field(b, "VIRT_WARDEN_SEVERITY", vw_alert_severity_name(a->severity));
	add_field(b, "VIRT_WARDEN_STATE", state);
	add_field(b, "VIRT_WARDEN_ALERT", a->id);
	for (size_t i = 0; i < a->n_details; i++)
		add_detail(b, &a->details[i]);
}

static void format_syslog(struct vw_buf *b, const struct message *m, const char *state)
{
	const struct vw_alert *a = m->alert;

	log_socket_head(b, LOG_DAEMON | priority_of(m), "virt-warden");
	/* What others wrote comes last and quoted, so that it can't forge a field. */
	vw_buf_printf(b, "alert=%s state=%s severity=%s kind=%s uuid=%s domain=", a->id, state,
		      vw_alert_severity_name(a->severity), a->kind, *a->uuid ? a->uuid : "-");
	vw_text_quote(b, a->domain, NAME_MAX_BYTES);
	vw_buf_puts(b, " message=");
	vw_text_quote(b, a->summary, VW_ALERT_MAX_TEXT);
}

static int send_one(const struct sink_context *c, struct message *m, size_t n, struct vw_err *err)
{
	const char *state = m->resolved ? "resolved" : "raised";
	VW_AUTOBUF struct vw_buf b = { 0 };
	bool journal = false;
	VW_AUTOCLOSE int fd = log_socket_open(&journal);

	(void)c, (void)n;
	if (fd < 0)
		return vw_err_set(err, -EAGAIN, "neither journald nor syslog listens");
	if (journal)
		format_journal(&b, m, state);
	else
		format_syslog(&b, m, state);
	if (b.failed || log_socket_send(fd, &b) < 0)
		return vw_err_set(err, -EAGAIN, "%s: %s", journal ? "journald" : "syslog",
				  strerror(errno));
	return 0;
}

const struct sink sink_log = {
	.name = "log",
	.wanted = wanted,
	.is_there = log_socket_is_there,
	.send = send_one,
};
