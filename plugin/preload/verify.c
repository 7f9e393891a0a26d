/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virsh migrate, afterwards: is the guest alive over there? (policy verify = wait)
 *
 * virsh migrates in a thread while its main thread shows the progress and counts --timeout,
 * so we must not hold that thread up. The move is noted; when virsh gives the domain back at
 * the end of its command (virDomainFree), `virt-warden verify` looks, and says what it saw. */
#include "plugin/preload/preload.h"

#include "virt/run.h"

#include <errno.h>
#include <pthread.h>

#define TIMEOUT_MS 20000 /* the verifier's own window is 10 s */
#define OUTPUT_MAX 16384

struct move {
	char *source, *destination; /* URIs */
	char uuid[VIR_UUID_STRING_BUFLEN];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct move pending; /* uuid "" = none */

static void move_clear(struct move *m)
{
	free(m->source);
	free(m->destination);
	*m = (struct move){ .uuid = "" };
}

/* What is fit to be verified: a live migration of a QEMU guest to a host that we can reach. */
static bool is_ours(const struct vw_migrate_call *call)
{
	const unsigned not = VIR_MIGRATE_OFFLINE | VIR_MIGRATE_PAUSED;

	return !(call->flags & not ) && (call->flags & VIR_MIGRATE_LIVE) && !vw_quiet() &&
	       (call->dconn || (call->desturi && strstr(call->desturi, "://"))) &&
	       vw_conn_is_qemu(virDomainGetConnect(call->dom));
}

void vw_verify_later(const struct vw_migrate_call *call)
{
	struct move m = { .uuid = "" };

	if (!is_ours(call) || virDomainGetUUIDString(call->dom, m.uuid) < 0)
		return;
	m.source = virConnectGetURI(virDomainGetConnect(call->dom));
	m.destination = call->dconn ? virConnectGetURI(call->dconn) : strdup(call->desturi);
	pthread_mutex_lock(&lock);
	move_clear(&pending);
	pending = m;
	pthread_mutex_unlock(&lock);
}

/* `virt-warden verify` reaches the source from where the destination's URI was given: from here. */
static void verify(const struct vw_context *ctx, const struct move *m, struct vw_notes *notes)
{
	VW_AUTOFREE char *program = vw_context_command(ctx);
	VW_AUTOFREE char *out = malloc(OUTPUT_MAX);
	char *argv[] = { program,
			 (char *)"-c",
			 m->destination,
			 (char *)"verify",
			 (char *)"--for-virsh",
			 (char *)"--after-migration",
			 (char *)"--source",
			 m->source,
			 (char *)m->uuid,
			 NULL };
	struct vw_err err = { 0 };
	int r;

	if (!program || !out || !m->source || !m->destination)
		r = vw_err_set(&err, -ENOMEM, "out of memory");
	else
		r = vw_run_shown(argv, TIMEOUT_MS, out, OUTPUT_MAX, &err);
	if (r >= 0 && *out)
		vw_buf_puts(&notes->text, out);
	else if (r != -EINTR)
		vw_notes_add(notes,
			     "whether the guest lives on the destination could not be told%s%s",
			     r < 0 ? ": " : "", r < 0 ? err.text : "");
}

void vw_verify_now(void)
{
	struct vw_context *ctx = NULL;
	struct vw_notes notes = { 0 };
	struct vw_err err = { 0 };
	struct move m;

	pthread_mutex_lock(&lock);
	m = pending;
	pending = (struct move){ .uuid = "" };
	pthread_mutex_unlock(&lock);
	if (!*m.uuid)
		return;
	if (vw_enter()) {
		if (vw_context_open(&ctx, &err) < 0)
			vw_notes_add(&notes, "%s (the guest was not verified)", err.text);
		else if (vw_context_policy(ctx)->verify == VW_VERIFY_WAIT)
			verify(ctx, &m, &notes);
		vw_context_close(ctx);
		vw_notes_flush(&notes);
		vw_leave(true);
	}
	move_clear(&m);
}
