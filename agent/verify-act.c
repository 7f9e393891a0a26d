/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What warden.conf wants done to a guest that failed after a migration (on-failed): a dump of its
 * memory at once; a reset only when every peer has said that the guest does not run there, and
 * looked for itself that it is dead. Once per arrival. */
#include "agent-verify.h"

#define ACT_SECONDS 600 /* a dump of a big guest */

/* The peer of that number, in buf. Return: false = there are no more. */
static bool peer(const struct vw_policy *p, unsigned number, char *buf, size_t size)
{
	const char *at = p->peers + strspn(p->peers, " \t");

	for (; *at; at += strspn(at, " \t")) {
		size_t len = strcspn(at, " \t");

		if (number-- == 0) {
			snprintf(buf, size, "%.*s", (int)len, at);
			return len < size;
		}
		at += len;
	}
	return false;
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

bool agent_verify_act(struct agent_guest *g, bool may_reset)
{
	const struct vw_policy *p = vw_context_policy(g->conn->agent->ctx);
	char uri[VW_PEERS_MAX];

	if (g->acted || p->on_failed == VW_FAILED_ALERT)
		return false;
	if (p->on_failed == VW_FAILED_DUMP) {
		act(g, "dump");
		return true;
	}
	if (g->phase == VERIFY_RUNNING)
		g->peer = 0;
	else if (!may_reset) {
		agent_verdict_action(g, "not reset: a peer has it, too, or can't be asked", false);
		return false;
	}
	if (peer(p, g->peer, uri, sizeof(uri))) {
		g->peer++;
		agent_verify_look(g, VERIFY_ASKING, uri);
		return has_child(g);
	}
	if (g->peer == 0) {
		agent_verdict_action(g, "not reset: warden.conf names no peers to ask first",
				     false);
		g->acted = true;
		return false;
	}
	act(g, "reset");
	return true;
}
