/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* After a live migration the guest is proved alive, or somebody is told (agent-verify.h).
 *
 *   STARTED_MIGRATED ── incoming ── RESUMED_MIGRATED ── queued ── running ── verdict
 *                                                          ▲                    │
 *                                                          └── not healthy: later, until it is
 *
 * A RESUMED_MIGRATED without an incoming guest is the source's: the migration failed, and
 * the guest goes on here. That is looked at, too. */
#include "agent/agent-verify.h"

#include "lib/base/clock.h"
#include "lib/health/health.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <syslog.h>

#define SECONDS 25     /* a verifier's own window is 10 s; then it is ended */
#define SOON_MS 5000   /* of one that offered no sign, at first: it may be slow to come up */
#define RETRY_MS 60000 /* of a guest that is not healthy: 1, 2, 4 … 15 minutes */
#define RETRY_MAX_MS 900000
#define LOOKS_MAX 200 /* some two days; then it is left alone */
#define REAP_MS 200

/* How a detail of libvirt's event counts. */
static unsigned seen_bit(int event, int detail)
{
	switch (event) {
	case VIR_DOMAIN_EVENT_CRASHED: return VW_EVENT_PANIC;
	case VIR_DOMAIN_EVENT_STOPPED:
		return detail == VIR_DOMAIN_EVENT_STOPPED_CRASHED ||
				       detail == VIR_DOMAIN_EVENT_STOPPED_FAILED
			       ? VW_EVENT_CRASH
			       : VW_EVENT_STOP;
	case VIR_DOMAIN_EVENT_SUSPENDED:
		return detail == VIR_DOMAIN_EVENT_SUSPENDED_IOERROR           ? VW_EVENT_IO_PAUSE
		       : detail == VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY_FAILED ? VW_EVENT_POSTCOPY
									      : 0;
	default: return 0;
	}
}

static const struct {
	unsigned bit;
	const char *name;
} seen_names[] = {
	{ VW_EVENT_PANIC, "panic" },
	{ VW_EVENT_CRASH, "crash" },
	{ VW_EVENT_STOP, "stop" },
	{ VW_EVENT_IO_PAUSE, "io-pause" },
	{ VW_EVENT_POSTCOPY, "postcopy-failed" },
};

static struct agent_guest *find(const struct agent_conn *c, const char *uuid)
{
	struct agent_guest *g = c->agent->guests;

	while (g && (g->conn != c || !vw_streq(g->uuid, uuid)))
		g = g->next;
	return g;
}

static void on_output(struct agent_guest *g);

static struct agent_guest *add(struct agent_conn *c, const char *uuid, const char *name)
{
	struct agent *a = c->agent;
	struct agent_guest *g = NULL;

	if (a->n_guests < VERIFY_GUESTS)
		g = calloc(1, sizeof(*g));
	if (!g) {
		agent_log(a, LOG_ERR, "verify", name, uuid, "not verified after its migration: %s",
			  a->n_guests < VERIFY_GUESTS ? "out of memory" : "too many at once");
		return NULL;
	}
	g->conn = c;
	g->fd = g->watch = -1;
	g->output = on_output;
	snprintf(g->uuid, sizeof(g->uuid), "%s", uuid);
	snprintf(g->name, sizeof(g->name), "%s", name);
	g->next = a->guests;
	a->guests = g;
	a->n_guests++;
	return g;
}

static void forget(struct agent *a, struct agent_guest *g)
{
	struct agent_guest **at = &a->guests;

	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	a->n_guests--;
	agent_verify_end(g);
	free(g);
}

/* Look at it now; or, if somebody is at it, once more. */
static void queue(struct agent_guest *g)
{
	g->looks = 0;
	if (has_child(g)) {
		g->again = true;
		return;
	}
	g->phase = VERIFY_QUEUED;
	g->due = vw_clock_ms();
	agent_wake(g->conn->agent);
}

/* It is gone from here: nothing more to prove, and nobody need worry. */
static void left(struct agent_guest *g)
{
	agent_tell_over(g->conn->agent, NULL, g->uuid);
	g->migrated = g->again = false;
	g->looks = LOOKS_MAX;
	if (has_child(g))
		agent_verify_end(g);
	g->phase = VERIFY_ENDING;
	agent_wake(g->conn->agent);
}

static bool arrives(int event, int detail)
{
	return (event == VIR_DOMAIN_EVENT_RESUMED &&
		(detail == VIR_DOMAIN_EVENT_RESUMED_MIGRATED ||
		 detail == VIR_DOMAIN_EVENT_RESUMED_POSTCOPY)) ||
	       (event == VIR_DOMAIN_EVENT_SUSPENDED && detail == VIR_DOMAIN_EVENT_SUSPENDED_PAUSED);
}

/* A guest has stopped: was that meant? It went to another host, or somebody who was told of it
 * has dealt with it. */
static bool is_over(const struct agent_guest *g, int detail)
{
	return detail == VIR_DOMAIN_EVENT_STOPPED_MIGRATED ||
	       (g->looks && detail != VIR_DOMAIN_EVENT_STOPPED_CRASHED &&
		detail != VIR_DOMAIN_EVENT_STOPPED_FAILED);
}

/* An event of a guest that is known here. */
static void on_known(struct agent_guest *g, int event, int detail)
{
	bool waits = g->phase == VERIFY_INCOMING;

	if (event == VIR_DOMAIN_EVENT_STOPPED && is_over(g, detail)) {
		left(g);
	} else if (waits && event == VIR_DOMAIN_EVENT_STOPPED) {
		/* The migration failed before the guest was ours: the source keeps it. */
		g->phase = VERIFY_ENDING;
	} else if (waits && arrives(event, detail)) {
		g->migrated = true;
		queue(g);
	} else if (event == VIR_DOMAIN_EVENT_STARTED) { /* anew: what was is over */
		g->seen = 0;
		g->acted = false;
		if (detail == VIR_DOMAIN_EVENT_STARTED_MIGRATED && !has_child(g))
			g->phase = VERIFY_INCOMING;
		else if (detail != VIR_DOMAIN_EVENT_STARTED_MIGRATED)
			queue(g);
	} else if (!waits) {
		unsigned bit = seen_bit(event, detail);

		g->seen |= bit;
		if (bit || arrives(event, detail))
			queue(g);
	}
}

void agent_verify_event(struct agent_conn *c, virDomainPtr dom, int event, int detail)
{
	char uuid[VIR_UUID_STRING_BUFLEN];
	struct agent_guest *g;

	if (vw_context_policy(c->agent->ctx)->verify == VW_VERIFY_OFF ||
	    virDomainGetUUIDString(dom, uuid) < 0)
		return;
	g = find(c, uuid);
	if (g) {
		on_known(g, event, detail);
		agent_wake(c->agent);
	} else if (event == VIR_DOMAIN_EVENT_STARTED &&
		   detail == VIR_DOMAIN_EVENT_STARTED_MIGRATED) {
		add(c, uuid, virDomainGetName(dom)); /* incoming */
	} else if (event == VIR_DOMAIN_EVENT_RESUMED &&
		   detail == VIR_DOMAIN_EVENT_RESUMED_MIGRATED &&
		   (g = add(c, uuid, virDomainGetName(dom)))) {
		agent_log(c->agent, LOG_WARNING, "migration-failed", g->name, uuid,
			  "a migration away from here failed; the guest goes on here");
		queue(g);
	} else if (event == VIR_DOMAIN_EVENT_SUSPENDED &&
		   detail == VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY_FAILED &&
		   (g = add(c, uuid, virDomainGetName(dom)))) {
		g->seen = VW_EVENT_POSTCOPY;
		queue(g);
	}
}

void agent_verify_again(struct agent_conn *c, const char *uuid, const char *name)
{
	struct agent_guest *g = find(c, uuid);

	if (!g)
		g = add(c, uuid, name);
	if (!g)
		return;
	queue(g);
	g->looks = 1; /* if it is stopped, that is meant */
}

void agent_verify_reconnected(struct agent_conn *c)
{
	if (vw_context_policy(c->agent->ctx)->verify == VW_VERIFY_OFF)
		return;
	for (struct agent_guest *g = c->agent->guests; g; g = g->next)
		if (g->conn == c && g->phase == VERIFY_INCOMING) {
			g->migrated = true;
			queue(g); /* what became of it was not heard */
		}
	agent_verify_resume(c);
}

/* "--seen a,b" of what was seen before the verifier came. */
static bool seen_text(const struct agent_guest *g, char *buf, size_t size)
{
	size_t len = 0;

	*buf = '\0';
	for (size_t i = 0; i < VW_N_ELEMENTS(seen_names); i++)
		if (g->seen & seen_names[i].bit)
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? "," : "",
						seen_names[i].name);
	return *buf;
}

void agent_verify_look(struct agent_guest *g, enum verify_phase phase, const char *const *peers,
		       size_t n_peers)
{
	struct agent *a = g->conn->agent;
	const char *args[10 + 2 * VW_SOURCES_MAX] = { "--json", "--quiet" };
	char seen[100];
	struct vw_err err = { 0 };
	size_t n = 2;

	if (g->migrated)
		args[n++] = "--after-migration";
	if (seen_text(g, seen, sizeof(seen))) {
		args[n++] = "--seen";
		args[n++] = seen;
	}
	for (size_t i = 0; i < n_peers; i++) {
		args[n++] = "--source";
		args[n++] = peers[i];
	}
	g->phase = phase;
	if (agent_verify_start(g, args, SECONDS, &err) == 0)
		return;
	a->counts.errors++;
	agent_log(a, LOG_ERR, "verify", g->name, g->uuid, "not verified: %s", err.text);
	g->phase = VERIFY_QUEUED;
	g->due = vw_clock_ms() + RETRY_MS;
}

/* A verdict was given. */
static void take_verdict(struct agent_guest *g)
{
	json_t *object = json_loadb(g->out, g->len, 0, NULL);
	bool may_reset = json_is_true(json_object_get(object, "may_reset"));
	const char *verdict = agent_verdict(g, object);
	bool failed = vw_streq(verdict, "failed"), healthy = vw_streq(verdict, "healthy");
	int64_t wait = (int64_t)RETRY_MS << (g->looks < 4 ? g->looks : 4);

	if (!failed && !healthy && g->looks == 0)
		wait = SOON_MS;

	json_decref(object);
	if (failed && agent_verify_act(g, may_reset))
		return;
	g->phase = VERIFY_ENDING;
	if (g->again || (!healthy && g->looks < LOOKS_MAX)) {
		g->due = vw_clock_ms() + (g->again ? 0 : wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
		g->looks++;
		g->migrated = g->again && g->migrated;
		g->again = false;
	} else {
		g->due = 0;
	}
}

static void take_action(struct agent_guest *g)
{
	json_t *object = json_loadb(g->out, g->len, 0, NULL);
	const char *text = json_string_value(json_object_get(object, "text"));

	agent_verdict_action(g, text ? text : "it took too long, or broke off",
			     json_is_true(json_object_get(object, "done")));
	json_decref(object);
	g->phase = VERIFY_ENDING;
	g->migrated = false;
	g->due = vw_clock_ms() + RETRY_MS; /* does that help? */
}

static void on_output(struct agent_guest *g)
{
	if (g->phase == VERIFY_ACTING)
		take_action(g);
	else
		take_verdict(g);
	agent_wake(g->conn->agent);
}

/* Who is looked at next: one that has just come before one that is looked at again, then the one
 * that waits longest. NULL = nobody is due. */
static struct agent_guest *most_urgent(const struct agent *a, int64_t now)
{
	struct agent_guest *best = NULL;

	for (struct agent_guest *g = a->guests; g; g = g->next) {
		if (g->phase != VERIFY_QUEUED || now < g->due || !g->conn->virt)
			continue;
		if (!best || (!g->looks && best->looks) ||
		    (!g->looks == !best->looks && g->due < best->due))
			best = g;
	}
	return best;
}

/* Return: when to look again, ms; 0 = when something happens. */
static int64_t tick(struct agent_guest *g, int64_t now)
{
	switch (g->phase) {
	case VERIFY_INCOMING: return 0;
	case VERIFY_QUEUED: /* due, and not begun: the end of a child begins it */
		return now < g->due && g->conn->virt ? g->due : 0;
	case VERIFY_ENDING:
		if (!agent_verify_reap(g))
			return now + REAP_MS;
		agent_verify_end(g);
		if (g->due)
			g->phase = VERIFY_QUEUED;
		else
			forget(g->conn->agent, g);
		return now; /* its place is free */
	default:
		if (now < g->deadline)
			return g->deadline;
		agent_verify_end(g);
		on_output(g);
		return now + REAP_MS;
	}
}

int64_t agent_verify_tick(struct agent *a)
{
	int64_t now = vw_clock_ms(), next = 0;
	struct agent_guest *g, *after;
	size_t running = 0;

	for (g = a->guests; g; g = g->next)
		running += has_child(g);
	while (running < VERIFY_PARALLEL && (g = most_urgent(a, now))) {
		agent_verify_look(g, VERIFY_RUNNING, NULL, 0);
		running += has_child(g);
	}
	for (g = a->guests; g; g = after) {
		int64_t when;

		after = g->next;
		when = tick(g, now);
		if (when > 0 && (next == 0 || when < next))
			next = when;
	}
	return next;
}

void agent_verify_stop(struct agent *a)
{
	while (a->guests)
		forget(a, a->guests);
}
