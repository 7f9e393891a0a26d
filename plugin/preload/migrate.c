/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virsh migrate: the move is judged before a byte of it goes over the wire.
 *
 * `virt-warden preflight` judges, as a child with a time limit: it asks both hosts on
 * connections of its own, and what it can't say in time does not hold the user up. The
 * XML that virsh was given reaches it through /proc: a file could be read by others. */
#include "plugin/preload/preload.h"

#include "virt/run.h"

#include <errno.h>
#include <sys/mman.h>

#define TIMEOUT_MS 5000
#define ARGS_MAX 20
#define OUTPUT_MAX 16384
#define BLOCKED 1 /* exit codes of preflight --for-virsh */
#define UNKNOWN 3

static const char aborted[] = "operation aborted: the migration was stopped before it began";
static const char refused[] = "migration refused before it began, for the reasons above "
			      "(migrate = enforce in warden.conf; --unsafe passes)";
static const char untold[] =
	"migration refused before it began: whether it will work could not be told "
	"(migrate = enforce, unknown = refuse in warden.conf; --unsafe passes)";

/* The child's command line; it owns its words. */
struct child {
	char *argv[ARGS_MAX + 1];
	size_t n;
	int fds[2]; /* of --xml, --persistent-xml */
	bool failed;
};

static void child_clear(struct child *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->argv[i]);
	for (size_t i = 0; i < VW_N_ELEMENTS(c->fds); i++)
		vw_cleanup_close(&c->fds[i]);
}

/* Takes the word over. */
static void add_own(struct child *c, char *word)
{
	if (word && c->n < ARGS_MAX)
		c->argv[c->n++] = word;
	else
		c->failed = true;
}

static void add(struct child *c, const char *word)
{
	add_own(c, word ? strdup(word) : NULL);
}

static void add_option(struct child *c, const char *option, const char *value)
{
	if (!value)
		return;
	add(c, option);
	add(c, value);
}

static const char *string_param(const struct vw_migrate_call *call, const char *name)
{
	const char *value = NULL;

	virTypedParamsGetString(call->params, (int)call->nparams, name, &value);
	return value;
}

/* The XML of a parameter, as a path that the child can open. */
static void add_xml(struct child *c, const struct vw_migrate_call *call, const char *name,
		    const char *option, int *fd)
{
	const char *xml = string_param(call, name);
	size_t len = xml ? strlen(xml) : 0;
	char path[64];

	if (!xml)
		return;
	*fd = memfd_create("xml", MFD_CLOEXEC);
	while (*fd >= 0 && len) {
		ssize_t n = write(*fd, xml, len);

		if (n < 0 && errno != EINTR)
			break;
		xml += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	c->failed |= *fd < 0 || len;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), *fd);
	add_option(c, option, path);
}

static void add_disks(struct child *c, const struct vw_migrate_call *call)
{
	VW_AUTOBUF struct vw_buf list = { 0 };

	if (!(call->flags & (VIR_MIGRATE_NON_SHARED_DISK | VIR_MIGRATE_NON_SHARED_INC)))
		return;
	add(c, "--copy-storage");
	for (unsigned i = 0; i < call->nparams; i++) {
		const virTypedParameter *p = &call->params[i];

		if (p->type == VIR_TYPED_PARAM_STRING &&
		    !strcmp(p->field, VIR_MIGRATE_PARAM_MIGRATE_DISKS))
			vw_buf_printf(&list, "%s%s", list.len ? "," : "", p->value.s);
	}
	if (list.len && !list.failed)
		add_option(c, "--migrate-disks", list.p);
}

static void child_make(struct child *c, const struct vw_context *ctx,
		       const struct vw_migrate_call *call)
{
	char uuid[VIR_UUID_STRING_BUFLEN] = "";

	add_own(c, vw_context_command(ctx));
	add(c, "--connect");
	add_own(c, virConnectGetURI(virDomainGetConnect(call->dom)));
	add(c, "preflight");
	add(c, "--for-virsh");
	if (call->flags & VIR_MIGRATE_OFFLINE)
		add(c, "--offline");
	add_disks(c, call);
	add_option(c, "--dname", string_param(call, VIR_MIGRATE_PARAM_DEST_NAME));
	add_xml(c, call, VIR_MIGRATE_PARAM_DEST_XML, "--xml", &c->fds[0]);
	add_xml(c, call, VIR_MIGRATE_PARAM_PERSIST_XML, "--persistent-xml", &c->fds[1]);
	add(c, "--");
	c->failed |= virDomainGetUUIDString(call->dom, uuid) < 0;
	add(c, uuid);
	add_own(c, call->dconn ? virConnectGetURI(call->dconn) : strdup(call->desturi));
}

/* Is there anything to judge? A direct migration is none of QEMU's, and libvirt refuses it;
 * a post-copy that is taken up again has begun long ago. */
static bool is_ours(const struct vw_migrate_call *call)
{
	return call->dom && !(call->flags & (VIR_MIGRATE_UNSAFE | VIR_MIGRATE_POSTCOPY_RESUME)) &&
	       (call->dconn || (call->desturi && strstr(call->desturi, "://") &&
				call->flags & VIR_MIGRATE_PEER2PEER));
}

/* Run it and note what it says. Return: its exit code, or negative errno. */
static int judge(const struct vw_context *ctx, const struct vw_migrate_call *call,
		 struct vw_notes *notes)
{
	VW_CLEANUP(child_clear) struct child c = { .fds = { -1, -1 } };
	VW_AUTOFREE char *out = malloc(OUTPUT_MAX);
	struct vw_err err = { 0 };
	int r;

	child_make(&c, ctx, call);
	if (c.failed || !out)
		r = vw_err_set(&err, -ENOMEM, "the preflight could not be started");
	else
		r = vw_run(c.argv, TIMEOUT_MS, out, OUTPUT_MAX, &err);
	if (r >= 0 && *out)
		vw_buf_puts(&notes->text, out);
	else if (r == UNKNOWN || (r < 0 && r != -EINTR))
		vw_notes_add(notes, "whether this migration will work could not be told: %s",
			     r < 0 ? err.text : "virt-warden preflight says why");
	return r;
}

/* The reasons of a refusal are said with --quiet, too. */
static void print(struct vw_notes *notes, bool always)
{
	if (always && vw_quiet() && notes->text.len && !notes->text.failed)
		fputs(notes->text.p, stderr);
	vw_notes_flush(notes);
}

/* What an exit code of the preflight (or a negative errno) means under this policy. Return: NULL if
 * the migration may start, else why it may not. */
static const char *decide(int r, const struct vw_policy *p, struct vw_notes *notes)
{
	if (r == -EINTR)
		return aborted;
	if (p->migrate != VW_MIGRATE_ENFORCE)
		return NULL;
	if (r == BLOCKED)
		return refused;
	if (r != UNKNOWN && r >= 0)
		return NULL;
	if (p->unknown == VW_UNKNOWN_REFUSE)
		return untold;
	vw_notes_add(notes, "it passes all the same: unknown = pass in warden.conf");
	return NULL;
}

/* Return: NULL if it may start, else why not: one of the texts above. */
static const char *ask(const struct vw_migrate_call *call)
{
	struct vw_context *ctx = NULL;
	struct vw_notes notes = { 0 };
	struct vw_err err = { 0 };
	const struct vw_policy *policy = NULL;
	const char *why = NULL;

	if (vw_context_open(&ctx, &err) < 0)
		vw_notes_add(&notes, "%s (nothing was judged)", err.text);
	else
		policy = vw_context_policy(ctx);
	if (policy &&
	    (policy->migrate == VW_MIGRATE_ENFORCE ||
	     (policy->migrate == VW_MIGRATE_WARN && !vw_quiet())) &&
	    vw_conn_is_qemu(virDomainGetConnect(call->dom)))
		why = decide(judge(ctx, call, &notes), policy, &notes);
	print(&notes, why != NULL);
	vw_context_close(ctx);
	return why;
}

/* The move itself; that it succeeded is noted. */
static int move(struct vw_migrate_call *call)
{
	int r = call->real(call);

	if (r == 0 && vw_enter()) {
		vw_verify_later(call);
		vw_leave(true);
	}
	return r;
}

int vw_migrate(struct vw_migrate_call *call)
{
	const char *why;

	if (!is_ours(call) || !vw_enter())
		return move(call);
	why = ask(call);
	vw_leave(true);
	if (!why)
		return move(call);
	vw_raise(why == aborted ? VIR_ERR_OPERATION_ABORTED : VIR_ERR_OPERATION_DENIED, why);
	return -1;
}
