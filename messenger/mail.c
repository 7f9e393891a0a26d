/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sink mail: sendmail(1), run without a shell; it queues, or says "try again" (75).
 *
 * What comes from a guest stands in two places only, and both can hold no newline: the subject,
 * as an RFC 2047 encoded word where it is not plain ASCII, and the body, as base64. */
#include "messenger/messenger.h"
#include "lib/base/text.h"
#include "lib/base/trust.h"
#include "plugin/out/alert.h"

#include <errno.h>
#include <time.h>

#define MAIL_SECONDS 60
#define RECIPIENTS_MAX 16
#define SUBJECT_MAX 160 /* bytes of text */
#define WORD_BYTES 42   /* in one encoded word of at most 75 (RFC 2047, 2) */

static bool wanted(const struct sink_context *c)
{
	return *c->policy->mail_to && *c->policy->sendmail;
}

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || (unsigned char)*s >= 0x7f)
			return false;
	return true;
}

static void add_subject(struct vw_buf *b, const char *text)
{
	const size_t len = vw_utf8_prefix(text, SUBJECT_MAX);

	vw_buf_puts(b, "Subject: ");
	if (is_ascii(text) && !strstr(text, "=?")) {
		vw_buf_add(b, text, len);
	} else {
		for (size_t at = 0, n; at < len; at += n) {
			VW_AUTOFREE char *code = NULL;

			n = vw_utf8_prefix(text + at,
					   len - at < WORD_BYTES ? len - at : WORD_BYTES);
			code = alert_base64(text + at, n);
			vw_buf_printf(b, "%s=?UTF-8?B?%s?=", at ? "\n " : "", code ? code : "");
			if (!n)
				break;
		}
	}
	vw_buf_puts(b, "\n");
}

static char *body_text(const struct message *m)
{
	const struct vw_alert *a = m->alert;
	struct vw_buf b = { 0 };
	char when[OUT_ALERT_TIME];

	out_alert_time(a->time, when);
	vw_buf_printf(&b, "%s\n\n", a->summary);
	vw_buf_printf(&b, "State:    %s\nSeverity: %s\nKind:     %s\nRaised:   %s%s\n",
		      m->resolved ? "over" : "raised", vw_alert_severity_name(a->severity), a->kind,
		      when, a->count > 1 ? ", and again since" : "");
	if (m->resolved && a->resolved) {
		out_alert_time(a->resolved, when);
		vw_buf_printf(&b, "Over:     %s\n", when);
	}
	vw_buf_printf(&b, "Host:     %s\n", a->host);
	if (*a->domain)
		vw_buf_printf(&b, "Domain:   %s\nUUID:     %s\n", a->domain, a->uuid);
	vw_buf_printf(&b, "Alert:    %s\n", a->id);
	for (size_t i = 0; i < a->n_details; i++)
		vw_buf_printf(&b, "%s%s: %s\n", i ? "" : "\n", a->details[i].key,
			      a->details[i].value);
	return vw_buf_take(&b);
}

static void add_body(struct vw_buf *b, const char *text)
{
	VW_AUTOFREE char *code = text ? alert_base64(text, strlen(text)) : NULL;
	const size_t len = code ? strlen(code) : 0;

	b->failed = b->failed || !code;
	for (size_t at = 0; at < len; at += 76) {
		vw_buf_add(b, code + at, len - at < 76 ? len - at : 76);
		vw_buf_puts(b, "\n");
	}
}

/* The host in a Message-ID and an address: only what a host's name may hold. */
static void clean_host(const char *host, char ret[65])
{
	size_t n = 0;

	for (; *host && n < 64; host++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-",
			   *host))
			ret[n++] = *host;
	ret[n] = '\0';
	if (!n)
		strcpy(ret, "localhost");
}

static char *format(const struct sink_context *c, const struct message *m, const char *from)
{
	const struct vw_alert *a = m->alert;
	VW_AUTOFREE char *subject = NULL;
	VW_AUTOFREE char *body = body_text(m);
	const time_t now = (time_t)c->now;
	struct vw_buf b = { 0 };
	char date[64] = "", host[65];
	struct tm tm;

	clean_host(c->host, host);
	if (asprintf(&subject, "[%s] %s%s%s%s",
		     m->resolved ? "over" : vw_alert_severity_name(a->severity), a->domain,
		     *a->domain ? ": " : "", a->summary, "") < 0) {
		subject = NULL;
		return NULL;
	}
	if (gmtime_r(&now, &tm))
		strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	vw_buf_printf(&b, "Date: %s\nFrom: %s\nTo: %s\n", date, from, c->policy->mail_to);
	add_subject(&b, subject);
	vw_buf_printf(&b, "Message-ID: <%s.%s@%s>\n", a->id, m->resolved ? "over" : "raised", host);
	if (m->resolved)
		vw_buf_printf(&b, "In-Reply-To: <%s.raised@%s>\nReferences: <%s.raised@%s>\n",
			      a->id, host, a->id, host);
	vw_buf_puts(&b, "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n"
			"Content-Type: text/plain; charset=utf-8\n"
			"Content-Transfer-Encoding: base64\n\n");
	add_body(&b, body);
	return vw_buf_take(&b);
}

/* argv: sendmail -i -f FROM -- ADDRESS…; to is cut into its addresses. */
static void make_argv(char *argv[RECIPIENTS_MAX + 6], char *program, char *from, char *to)
{
	static char ignore_dots[] = "-i", sender[] = "-f", end[] = "--";
	char *save = NULL;
	size_t n = 0;

	argv[n++] = program;
	argv[n++] = ignore_dots;
	argv[n++] = sender;
	argv[n++] = from;
	argv[n++] = end;
	for (char *word = strtok_r(to, ", ", &save); word && n < RECIPIENTS_MAX + 5;
	     word = strtok_r(NULL, ", ", &save))
		argv[n++] = word;
	argv[n] = NULL;
}

static int send_one(const struct sink_context *c, struct message *m, size_t n, struct vw_err *err)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", lang[] = "LANG=C";
	char *argv[RECIPIENTS_MAX + 6], *env[] = { path, lang, NULL };
	VW_AUTOFREE char *program = strdup(c->policy->sendmail);
	VW_AUTOFREE char *to = strdup(c->policy->mail_to);
	VW_AUTOFREE char *from = NULL;
	VW_AUTOFREE char *text = NULL;
	char why[160], host[65];
	int r;

	(void)n;
	clean_host(c->host, host);
	if (*c->policy->mail_from)
		from = strdup(c->policy->mail_from);
	else if (asprintf(&from, "root@%s", host) < 0)
		from = NULL;
	text = from ? format(c, m, from) : NULL;
	if (!program || !to || !text)
		return vw_err_set(err, -EAGAIN, "out of memory");
	if (vw_trust(program, err) < 0)
		return -EAGAIN;
	make_argv(argv, program, from, to);
	r = alert_run(argv, env, text, strlen(text), MAIL_SECONDS, why, sizeof(why));
	if (r == -ETIME)
		return vw_err_set(err, -EAGAIN, "%s: took longer than %d s and was ended", program,
				  MAIL_SECONDS);
	if (r < 0)
		return vw_err_set(err, -EAGAIN, "%s: %s", program, strerror(-r));
	if (r > 0)
		return vw_err_set(err, -EAGAIN, "%s: exit %d%s%s", program, r, *why ? ": " : "",
				  why);
	return 0;
}

const struct sink sink_mail = {
	.name = "mail",
	.runs_programs = true,
	.limited = true,
	.wanted = wanted,
	.send = send_one,
};
