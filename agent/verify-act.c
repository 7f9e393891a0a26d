/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What warden.conf wants done to a guest that failed after a migration (on-failed): a dump of its
 * memory at once; a reset only when every peer has said that the guest does not run there, and
 * looked for itself that it is dead. Once per arrival. */
#include "agent/agent-verify.h"

#include "lib/health/health.h"

#define ACT_SECONDS 600 /* a dump of a big guest */

/* The peers that warden.conf names, in buf. Return: how many; more than max are counted only. */
static size_t split(const struct vw_policy *p, char buf[VW_PEERS_MAX], const char **ret, size_t max)
{
	char *at = memcpy(buf, p->peers, VW_PEERS_MAX), *word;
	size_t n = 0;

	while ((word = strtok_r(n ? NULL : at, " \t", &at)))
		if (n++ < max)
			ret[n - 1] = word;
	return n;
}

static void act(struct agent_guest *g, const char *what)
{
	const char *args[] = { "--act", what, "--json", "--quiet", NULL };
	struct vw_err err = { 0 };

	g->acted = true;
	g->phase = VERIFY_ACTING;
	if (agent_verify_start(g, args, ACT_SECONDS, &err) == 0)
		return;
	agent_verdict_action(g, err.text, false);
	g->phase = VERIFY_ENDING;
}

/* Nothing is to be done to it: why. */
static bool leave(struct agent_guest *g, const char *why)
{
	agent_verdict_action(g, why, false);
	return false;
}

/* All peers at once: the answer comes within a verifier's window, however many do not answer. */
static bool ask_peers(struct agent_guest *g, const struct vw_policy *p)
{
	const char *peers[VW_SOURCES_MAX];
	char buf[VW_PEERS_MAX];
	size_t n = split(p, buf, peers, VW_N_ELEMENTS(peers));

	if (n == 0 || n > VW_N_ELEMENTS(peers)) {
		g->acted = true;
		return leave(g, n ? "not reset: warden.conf names more peers than can be asked (16)"
				  : "not reset: warden.conf names no peers to ask first");
	}
	agent_verify_look(g, VERIFY_ASKING, peers, n);
	return has_child(g);
}

bool agent_verify_act(struct agent_guest *g, bool may_reset)
{
	const struct vw_policy *p = vw_context_policy(g->conn->agent->ctx);

	if (g->acted || p->on_failed == VW_FAILED_ALERT)
		return false;
	if (p->on_failed == VW_FAILED_DUMP) {
		act(g, "dump");
		return true;
	}
	if (g->phase == VERIFY_RUNNING)
		return ask_peers(g, p);
	if (!may_reset)
		return leave(g, "not reset: a peer has it, too, or can't be asked");
	act(g, "reset");
	return true;
}
