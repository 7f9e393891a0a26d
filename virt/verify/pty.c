/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verification's thread that reads a console that is a pty: nobody but who has it sees its text, and
 * it has one reader. So only after a migration, which ended every session of it anyway; by libvirt,
 * which refuses if somebody has it already; nothing is ever written to it; and it is free again with
 * the verdict, for the connection ends with us. `virsh console --force` takes it from us. */
#include "virt/verify/internal.h"

#include <errno.h>
#include <libvirt/virterror.h>

#define PTY_TICK_MS 200
#define PTY_ROUND 4096
#define PTY_ROUNDS 64 /* in a row: a guest that never stops writing holds nobody up */

struct pty {
	virStreamPtr stream; /* NULL = not ours (any more) */
	struct verify_reader reader;
};

static void note_refused(struct verify *v, const char *why)
{
	verify_lock(v);
	snprintf(v->s.console.refused, sizeof(v->s.console.refused),
		 "its console is a pty that was not read: %.100s", why);
	verify_unlock(v);
}

static bool open_pty(struct verify *v, const char *alias, struct pty *ret)
{
	virStreamPtr stream = virStreamNew(v->conn, VIR_STREAM_NONBLOCK);

	if (stream && virDomainOpenConsole(v->dom, alias, stream, VIR_DOMAIN_CONSOLE_SAFE) == 0) {
		*ret = (struct pty){ .stream = stream, .reader = { .fd = -1, .c.began = -1 } };
		return true;
	}
	note_refused(v, virGetLastErrorCode() == VIR_ERR_OPERATION_FAILED
				? "somebody else has it open"
				: virGetLastErrorMessage());
	if (stream)
		virStreamFree(stream);
	return false;
}

/* Take what has come. Return: bytes. */
static uint64_t read_pty(struct verify *v, struct pty *p)
{
	char buf[PTY_ROUND];
	uint64_t bytes = 0;

	for (unsigned i = 0; p->stream && i < PTY_ROUNDS; i++) {
		int n = virStreamRecv(p->stream, buf, sizeof(buf));

		if (n == -2)
			break;
		if (n <= 0) { /* taken from us, or the guest is gone */
			virStreamAbort(p->stream);
			virStreamFree(vw_steal(p->stream));
			break;
		}
		verify_console_take(v, &p->reader, buf, (size_t)n);
		bytes += (uint64_t)n;
	}
	return bytes;
}

void *verify_pty(void *arg)
{
	struct verify *v = arg;
	struct pty ptys[VERIFY_FILES];
	size_t n = 0;

	for (size_t i = 0; v->o->migrated && i < v->d.n_ptys; i++)
		n += open_pty(v, v->d.ptys[i], &ptys[n]);
	while (n) {
		uint64_t bytes = 0;

		for (size_t i = 0; i < n; i++)
			bytes += read_pty(v, &ptys[i]);
		verify_lock(v);
		v->pty += bytes;
		v->has_console = v->s.console.readable = true;
		verify_unlock(v);
		if (!verify_sleep(v, PTY_TICK_MS))
			return NULL;
	}
	return NULL;
}
