/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walk over all domains: what changed while nobody told us? At connect, at SIGHUP, and
 * from time to time, for some changes raise no event. A piece at a time; events go first. */
#include "agent/agent.h"

#include "lib/base/clock.h"

#include <libvirt/virterror.h>
#include <malloc.h>
#include <syslog.h>
#include <time.h>

#define PIECE 64 /* domains; some 10 ms */

void agent_sync_stop(struct agent_conn *c)
{
	struct agent_sync *s = &c->sync;

	for (size_t i = s->pos; i < s->n; i++)
		virDomainFree(s->list[i]);
	free(s->list);
	s->list = NULL;
	s->n = s->pos = 0;
}

static bool begin(struct agent_conn *c)
{
	struct agent_sync *s = &c->sync;
	int n = virConnectListAllDomains(c->virt, &s->list, VIR_CONNECT_LIST_DOMAINS_PERSISTENT);

	if (n < 0) {
		s->list = NULL;
		agent_log(c->agent, LOG_WARNING, "sync", NULL, NULL, "%s: %s", c->uri,
			  virGetLastErrorMessage());
		return false;
	}
	s->n = (size_t)n;
	s->pos = 0;
	s->asked = s->wanted;
	s->wanted = false;
	s->began = vw_clock_ms();
	c->table.mark++;
	return true;
}

/* Does this domain have to be looked at? */
static void compare(struct agent_conn *c, struct agent_entry *e, uint64_t hash)
{
	if (c->rebase && e->flags & AGENT_EXISTING && e->hash)
		e->hash = hash; /* another libvirt writes it in another way: nobody's change */
	if (hash != e->hash || (e->flags & AGENT_UNSETTLED && !e->due))
		agent_entry_due(e, vw_clock_ms());
}

static void look(struct agent_conn *c, virDomainPtr dom)
{
	VW_AUTOFREE char *xml = NULL;
	unsigned char uuid[VIR_UUID_BUFLEN];
	struct agent_entry *e;
	uint64_t hash;
	bool made;

	if (virDomainGetUUID(dom, uuid) < 0 || !(e = agent_table_get(&c->table, uuid, &made)))
		return;
	e->mark = c->table.mark;
	if (virDomainGetID(dom) != (unsigned)-1)
		e->flags |= AGENT_RUNNING;
	else
		e->flags &= ~(unsigned)AGENT_RUNNING;
	if (made)
		e->flags |= !c->first ? AGENT_NEW : c->listed ? 0 : AGENT_EXISTING;
	if (e->due && e->due <= vw_clock_ms())
		return; /* it will be, anyway */
	xml = virDomainGetXMLDesc(dom, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
	if (!xml)
		return;
	hash = agent_hash(xml, strlen(xml));
	compare(c, e, hash);
	if (!agent_host_known(e, hash))
		agent_host_look(c, e, dom, xml);
}

static void finish(struct agent_conn *c)
{
	struct agent_entry *e = agent_table_next(&c->table, NULL), *next;
	unsigned quiet = vw_context_policy(c->agent->ctx)->agent_compare;

	for (; e; e = next) {
		next = agent_table_next(&c->table, e);
		if (e->mark != c->table.mark && !(e->flags & AGENT_GONE))
			agent_forget(c, e);
	}
	if (c->sync.asked)
		agent_log(c->agent, LOG_INFO, "sync", NULL, NULL,
			  "%s: %zu domains compared in %lld ms", c->uri, c->sync.n,
			  (long long)(vw_clock_ms() - c->sync.began));
	agent_sync_stop(c);
	c->sync.next = vw_clock_ms() + (int64_t)quiet * 1000;
	c->first = false;
	c->rebase = false;
	if (!c->sync.ended || c->known_version != c->version ||
	    c->known_lines > 2 * c->table.n + 100)
		agent_known_write(c);
	c->sync.ended = time(NULL);
	c->agent->dirty = true;
	malloc_trim(0);
}

int64_t agent_sync_tick(struct agent_conn *c)
{
	struct agent_sync *s = &c->sync;

	if (!s->list) {
		if (!s->wanted && vw_clock_ms() < s->next)
			return s->next;
		if (!begin(c))
			return s->next = vw_clock_ms() + 5000;
	}
	for (size_t i = 0; i < PIECE && s->pos < s->n && !c->broken; i++) {
		look(c, s->list[s->pos]);
		virDomainFree(s->list[s->pos++]);
	}
	if (s->pos < s->n)
		return vw_clock_ms();
	if (c->broken)
		return -1;
	finish(c);
	return s->next;
}
