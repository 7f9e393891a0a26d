/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the user reads at the prompt: a summary, a line per fix, the command for the rest. */
#include "plugin/preload/preload.h"

#include "lib/base/text.h"

#include <stdarg.h>
#include <syslog.h>

#define FIX_LINES_MAX 40
#define VALUE_MAX 60

void vw_notes_add(struct vw_notes *n, const char *fmt, ...)
{
	VW_AUTOFREE char *line = NULL;
	VW_AUTOFREE char *clean = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		line = NULL;
	va_end(ap);
	clean = line ? vw_printable(line, 500) : NULL;
	if (clean)
		vw_buf_printf(&n->text, "virt-warden: %s\n", clean);
}

/* "2 fixes", "1 fix" */
static void count(struct vw_buf *b, size_t n, const char *one, const char *many)
{
	vw_buf_printf(b, "%zu %s", n, n == 1 ? one : many);
}

static void add_value(struct vw_buf *b, const char *value)
{
	VW_AUTOFREE char *s = vw_printable(value, VALUE_MAX);

	vw_buf_puts(b, s && *s ? s : "none");
}

/* "  disk-bus vda: ide -> virtio" */
static void add_fix(struct vw_buf *b, const struct vw_finding *f)
{
	bool whole = vw_streq(f->device, "domain") || vw_streq(f->device, f->rule);

	vw_buf_printf(b, "  %s", f->rule);
	if (!whole) {
		vw_buf_puts(b, " ");
		add_value(b, f->device);
	}
	vw_buf_puts(b, ": ");
	add_value(b, f->before);
	vw_buf_puts(b, " -> ");
	add_value(b, f->after);
	vw_buf_puts(b, "\n");
}

static void add_fixes(struct vw_buf *b, const struct vw_plan *plan)
{
	size_t shown = 0, all = vw_plan_count(plan, VW_ACTION_FIX);

	for (size_t i = 0; i < plan->n_findings && shown < FIX_LINES_MAX; i++)
		if (plan->findings[i].action == VW_ACTION_FIX) {
			add_fix(b, &plan->findings[i]);
			shown++;
		}
	if (shown < all)
		vw_buf_printf(b, "  and %zu more\n", all - shown);
}

/* The OS that the choices rest on, or why there is none. */
static void add_os(struct vw_buf *b, const struct vw_plan *plan, const char *os_note)
{
	VW_AUTOFREE char *what = vw_printable(plan->os ? plan->os->name : os_note, 200);

	if (what)
		vw_buf_printf(b, " (%s%s%s)", plan->os ? "" : "OS unknown",
			      plan->os || !*what ? "" : ": ", what);
}

/* "-c URI " if virt-warden, typed without it, would ask another libvirt than this. malloc'ed. */
static char *connect_option(virConnectPtr conn)
{
	VW_AUTOFREE char *uri = virConnectGetURI(conn);
	VW_AUTOFREE char *quoted = NULL;
	const char *usual = getenv("LIBVIRT_DEFAULT_URI");
	char *text = NULL;

	if (!usual || !*usual)
		usual = geteuid() == 0 ? "qemu:///system" : "qemu:///session";
	if (!uri || !strcmp(uri, usual))
		return strdup("");
	quoted = vw_command_text("-c", uri); /* "virt-warden -c 'URI'", or DOMAIN if it is odd */
	if (!quoted || asprintf(&text, "%s ", quoted + strlen("virt-warden ")) < 0)
		return NULL;
	return text;
}

/* "virt-warden -c URI VERB NAME OPTIONS"; malloc'ed. */
static char *command(const char *connect, const char *verb, const char *name, const char *options)
{
	bool dash = *name == '-' && name[1];
	VW_AUTOFREE char *all = NULL;
	VW_AUTOFREE char *first = NULL;
	char *text = NULL;

	if (asprintf(&all, "%s%s%s", connect, verb, dash ? options : "") < 0) {
		all = NULL;
		return NULL;
	}
	first = vw_command_text(all, name);
	return first && asprintf(&text, "%s%s", first, dash ? "" : options) >= 0 ? text : NULL;
}

/* The findings that wait for the admin's word, and those that can't be done. */
static void add_rest(struct vw_buf *b, const struct vw_plan *plan, const char *connect)
{
	VW_AUTOFREE char *check = command(connect, "check", plan->name, "");
	VW_AUTOFREE char *fix = NULL;
	const char *allow;
	size_t word = vw_plan_waiting(plan, &allow);
	size_t left = plan->n_findings - vw_plan_count(plan, VW_ACTION_FIX) - word;

	fix = command(connect, "fix", plan->name,
		      strcmp(allow, "boot") ? " --allow visible" : " --allow boot");
	if (word && fix) {
		vw_buf_puts(b, "  ");
		count(b, word, "change needs", "changes need");
		vw_buf_printf(b, " your word: %s\n", fix);
	}
	if (left && check) {
		vw_buf_puts(b, "  ");
		count(b, left, "finding was", "findings were");
		vw_buf_printf(b, " left as found: %s says why\n", check);
	}
}

void vw_notes_plan(struct vw_notes *n, virConnectPtr conn, const struct vw_plan *plan,
		   const char *os_note, const char *why_not)
{
	VW_AUTOFREE char *name = vw_printable(plan->name, VALUE_MAX);
	VW_AUTOFREE char *connect = plan->n_findings ? connect_option(conn) : NULL;
	VW_AUTOFREE char *check = connect ? command(connect, "check", plan->name, "") : NULL;
	size_t fixes = vw_plan_count(plan, VW_ACTION_FIX);

	if (!name || !check)
		return;
	vw_buf_printf(&n->text, "virt-warden: %s: ", name);
	if (why_not || plan->audit_why) {
		count(&n->text, plan->n_findings, "finding", "findings");
		vw_buf_printf(&n->text, ", nothing was changed (%s): %s\n",
			      why_not ? why_not : plan->audit_why, check);
		return;
	}
	count(&n->text, fixes, "fix", "fixes");
	add_os(&n->text, plan, os_note);
	vw_buf_puts(&n->text, "\n");
	add_fixes(&n->text, plan);
	add_rest(&n->text, plan, connect);
}

void vw_log_refused(const char *uuid, const char *name, const char *why)
{
	VW_AUTOBUF struct vw_buf b = { 0 };

	vw_buf_printf(&b, "kind=fix-refused uuid=%s domain=", *uuid ? uuid : "-");
	vw_text_quote(&b, name, VALUE_MAX);
	vw_buf_puts(&b, " message=");
	vw_text_quote(&b, why, 500);
	if (!b.failed)
		syslog(LOG_DAEMON | LOG_WARNING, "virt-warden: %s", b.p);
}

void vw_notes_flush(struct vw_notes *n)
{
	if (!vw_quiet() && n->text.len && !n->text.failed) {
		fputs(n->text.p, stderr);
		fflush(stderr);
	}
	vw_buf_free(&n->text);
}
