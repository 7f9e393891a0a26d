/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guests that came from another host, and what becomes of them: one entry per guest, from
 * the moment that libvirtd starts to take it until a verdict needs no more looking after.
 *
 * Each look is a process of its own, `virt-warden verify` (virt/verify/verify.h says why), and so
 * is what may be done to a guest that failed. The agent only waits for their output. */
#ifndef VW_AGENT_VERIFY_H
#define VW_AGENT_VERIFY_H

#include "agent/agent.h"

#include <jansson.h>
#include <sys/types.h>

/* Verifiers at a time: a healthy guest takes four seconds, so 200 that come in a minute need 14.
 * Each may hold one of libvirtd's workers (20 by default, max_workers of libvirtd.conf) for as
 * long as a QEMU stands still. */
#define VERIFY_PARALLEL 16
#define VERIFY_GUESTS 1024 /* entries; beyond, the newest is not verified, and that is said */
#define VERIFY_OUTPUT (64 * 1024)

enum verify_phase {
	VERIFY_INCOMING, /* the migration goes on */
	VERIFY_QUEUED,   /* to be looked at when it is due */
	VERIFY_RUNNING,  /* a verifier is at it */
	VERIFY_ASKING, /* it failed: is it on a peer, too? (before a reset; all are asked at once) */
	VERIFY_ACTING, /* reset or dump */
	VERIFY_ENDING, /* the child closed its output but is not gone */
};

struct agent_guest {
	struct agent_guest *next;
	struct agent_conn *conn;
	char uuid[VIR_UUID_STRING_BUFLEN];
	char name[256];
	enum verify_phase phase;
	bool migrated;                         /* it has just come from another host */
	bool again;                            /* something happened while a verifier was at it */
	unsigned seen;                         /* VW_EVENT_… since it came */
	unsigned looks;                        /* verdicts since it came, or since it failed */
	bool acted;                            /* reset or dumped once: not again */
	int64_t due;                           /* of VERIFY_QUEUED, ms */
	int64_t deadline;                      /* of the child, ms */
	pid_t pid;                             /* 0 = none */
	void (*output)(struct agent_guest *g); /* the child has said all that it will */
	int fd, watch;                         /* its output, -1 = none */
	char *out;
	size_t len;
};

/* verify-child.c. Start `virt-warden -c URI verify UUID ARGUMENT…`; its output comes by
 * g->output. Return: 0 or negative errno. */
int agent_verify_start(struct agent_guest *g, const char *const *arguments, unsigned seconds,
		       struct vw_err *err);
/* End the child and forget its output. */
void agent_verify_end(struct agent_guest *g);
/* Is the child gone? Waits for nothing. */
bool agent_verify_reap(struct agent_guest *g);

static inline bool has_child(const struct agent_guest *g)
{
	return g->phase >= VERIFY_RUNNING;
}

/* verify.c: start a verifier. peers: to be asked, too; n: VW_SOURCES_MAX at most. */
void agent_verify_look(struct agent_guest *g, enum verify_phase phase, const char *const *peers,
		       size_t n);
/* verify.c: look at a guest of which somebody was told before. */
void agent_verify_again(struct agent_conn *c, const char *uuid, const char *name);
/* verify-resume.c: at those of all open alerts. */
void agent_verify_resume(struct agent_conn *c);
/* verify-act.c: a verdict says failed: what warden.conf wants done. Return: true = a child is at it. */
bool agent_verify_act(struct agent_guest *g, bool may_reset);

/* verdict.c. Log, count, raise or resolve. object: what a verifier printed, NULL = nothing
 * that makes sense. Return: "healthy" …, never NULL. */
const char *agent_verdict(struct agent_guest *g, json_t *object);
/* What was done, or not, to a guest that failed: log, and tell those who were told of it. */
void agent_verdict_action(struct agent_guest *g, const char *what, bool done);

#endif
