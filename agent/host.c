/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Could a domain start, as far as this host's devices go? Each entry of the table has the
 * hashes of what its domain needs; names are read from its config when they matter. */
#include "agent/agent-host.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/xml/xml.h"

#include <libvirt/virterror.h>
#include <syslog.h>

#define SETTLE_MS 1000 /* a path fails over, a bridge is made anew */
#define CHECKS_MAX 16  /* domains per tick */

void agent_host_changed(struct agent *a, uint32_t need)
{
	bool any = false;

	for (size_t i = 0; i < a->n_conns; i++) {
		struct agent_table *t = &a->conns[i].table;

		for (struct agent_entry *e = agent_table_next(t, NULL); e;
		     e = agent_table_next(t, e))
			for (uint32_t k = 0; e->needs && k < e->needs[0]; k++)
				if (!need || e->needs[k + 1] == need) {
					e->flags |= AGENT_HOST;
					any = true;
				}
	}
	if (any && a->host_due == 0) {
		a->host_due = vw_clock_ms() + SETTLE_MS;
		agent_wake(a);
	}
}

static void remember(struct agent_entry *e, const struct agent_needs *needs)
{
	free(vw_steal(e->needs));
	if (!needs->n || !(e->needs = malloc((needs->n + 1) * sizeof(*e->needs))))
		return;
	e->needs[0] = (uint32_t)needs->n;
	for (size_t i = 0; i < needs->n; i++)
		e->needs[i + 1] = agent_need_hash(needs->v[i]);
}

/* "block /dev/sdb, net br0", "" = nothing is missing. Return: false if that is not known of all
 * (a path on a file server that does not answer). */
static bool list_missing(const struct agent *a, const struct agent_needs *needs,
			 struct vw_buf *missing)
{
	const char *sysroot = vw_context_paths(a->ctx)->sysroot;
	enum vw_known met[AGENT_NEEDS_MAX];
	bool all = true;

	agent_needs_look(sysroot ? sysroot : "", vw_context_prober(a->ctx, NULL), needs, met);
	for (size_t i = 0; i < needs->n; i++) {
		all = all && met[i] != VW_UNKNOWN;
		if (met[i] == VW_NO)
			vw_buf_printf(missing, "%s%s", missing->len ? ", " : "", needs->v[i]);
	}
	return all;
}

static void tell(struct agent_conn *c, struct agent_entry *e, virDomainPtr dom, const char *missing)
{
	struct agent *a = c->agent;
	char uuid[VIR_UUID_STRING_BUFLEN] = "", summary[400];
	const struct vw_alert_detail details[] = { { "missing", missing } };
	const struct vw_alert alert = {
		.domain = virDomainGetName(dom),
		.uuid = uuid,
		.kind = "cannot-start",
		.severity = VW_ALERT_WARNING,
		.summary = summary,
		.details = details,
		.n_details = VW_N_ELEMENTS(details),
	};

	virDomainGetUUIDString(dom, uuid);
	if (*missing) {
		snprintf(summary, sizeof(summary),
			 "%.100s can't start any more: this host has no %.250s",
			 virDomainGetName(dom), missing);
		agent_log(a, LOG_WARNING, alert.kind, virDomainGetName(dom), uuid,
			  "it can't start any more: this host has no %s", missing);
		agent_tell(a, &alert);
		e->flags |= AGENT_CANNOT_START;
	} else {
		agent_log(a, LOG_NOTICE, alert.kind, virDomainGetName(dom), uuid,
			  "it can start again");
		agent_tell_over(a, alert.kind, uuid);
		e->flags &= ~(unsigned)AGENT_CANNOT_START;
	}
	agent_known_add(c, e);
	a->dirty = true;
}

void agent_host_look(struct agent_conn *c, struct agent_entry *e, virDomainPtr dom, const char *xml)
{
	VW_AUTOXML struct vw_xml *doc = NULL;
	VW_AUTOBUF struct vw_buf missing = { 0 };
	VW_CLEANUP(agent_needs_clear) struct agent_needs needs = { .n = 0 };

	e->flags &= ~(unsigned)AGENT_HOST;
	e->needs_of = (uint32_t)agent_hash(xml, strlen(xml));
	if (agent_needs_any(xml) &&
	    (vw_xml_parse(xml, strlen(xml), "the config", "domain", &doc, NULL) < 0 ||
	     agent_needs_of(vw_xml_root(doc), &needs) < 0))
		return;
	remember(e, &needs);
	if (!list_missing(c->agent, &needs, &missing) && !missing.len)
		return; /* as it was, until more is known */
	if ((missing.len > 0) != ((e->flags & AGENT_CANNOT_START) != 0))
		tell(c, e, dom, missing.len ? missing.p : "");
}

bool agent_host_known(const struct agent_entry *e, uint64_t hash)
{
	return e->needs_of == (uint32_t)hash && !(e->flags & AGENT_HOST);
}

static void check(struct agent_conn *c, struct agent_entry *e)
{
	virDomainPtr dom = virDomainLookupByUUID(c->virt, e->uuid);
	VW_AUTOFREE char *xml = dom ? virDomainGetXMLDesc(dom, VIR_DOMAIN_XML_INACTIVE |
								       VIR_DOMAIN_XML_SECURE)
				    : NULL;

	e->flags &= ~(unsigned)AGENT_HOST; /* if it can't be read now: the next walk will */
	if (xml)
		agent_host_look(c, e, dom, xml);
	else
		e->needs_of = 0;
	if (dom)
		virDomainFree(dom);
}

int64_t agent_host_tick(struct agent *a)
{
	size_t n = 0;

	if (!a->host_due || vw_clock_ms() < a->host_due)
		return a->host_due;
	for (size_t i = 0; i < a->n_conns; i++) {
		struct agent_conn *c = &a->conns[i];
		struct agent_entry *e = c->virt && !c->broken ? agent_table_next(&c->table, NULL)
							      : NULL;

		for (; e; e = agent_table_next(&c->table, e)) {
			if (!(e->flags & AGENT_HOST))
				continue;
			if (n++ == CHECKS_MAX)
				return a->host_due = vw_clock_ms();
			check(c, e);
		}
	}
	return a->host_due = 0;
}
