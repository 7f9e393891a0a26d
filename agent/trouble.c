/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Alerts about a domain: raised once, and over when it is. A transient one, of which the table
 * knows nothing, stays open until somebody resolves it. */
#include "agent/agent.h"

#include <libvirt/virterror.h>
#include <syslog.h>

static struct agent_entry *entry_of(struct agent_conn *c, virDomainPtr dom)
{
	unsigned char uuid[VIR_UUID_BUFLEN];

	return virDomainGetUUID(dom, uuid) < 0 ? NULL : agent_table_find(&c->table, uuid);
}

static void tell(struct agent_conn *c, virDomainPtr dom, const char *kind,
		 enum vw_alert_severity severity, const char *summary, const char *detail)
{
	char uuid[VIR_UUID_STRING_BUFLEN] = "", line[400];
	const struct vw_alert_detail details[] = { { "detail", detail } };
	const struct vw_alert alert = {
		.domain = virDomainGetName(dom),
		.uuid = uuid,
		.kind = kind,
		.severity = severity,
		.summary = line,
		.details = details,
		.n_details = *detail ? 1 : 0,
	};

	virDomainGetUUIDString(dom, uuid);
	snprintf(line, sizeof(line), "%.100s: %.250s", virDomainGetName(dom), summary);
	agent_tell(c->agent, &alert);
}

void agent_trouble(struct agent_conn *c, virDomainPtr dom, const char *kind, const char *summary,
		   const char *detail)
{
	struct agent_entry *e = entry_of(c, dom);
	char uuid[VIR_UUID_STRING_BUFLEN] = "";

	virDomainGetUUIDString(dom, uuid);
	agent_log(c->agent, LOG_WARNING, kind, virDomainGetName(dom), uuid, "%s%s%s", summary,
		  *detail ? ": " : "", detail);
	tell(c, dom, kind, VW_ALERT_CRITICAL, summary, detail);
	if (e)
		e->flags |= AGENT_TROUBLE;
	if (e)
		agent_known_add(c, e);
}

void agent_trouble_over(struct agent_conn *c, virDomainPtr dom)
{
	struct agent_entry *e = entry_of(c, dom);
	char uuid[VIR_UUID_STRING_BUFLEN];

	if (!e || !(e->flags & AGENT_TROUBLE))
		return;
	agent_uuid_text(e->uuid, uuid);
	agent_tell_over(c->agent, "io-error", uuid);
	agent_tell_over(c->agent, "watchdog", uuid);
	e->flags &= ~(unsigned)AGENT_TROUBLE;
	agent_known_add(c, e);
}

void agent_refused(struct agent_conn *c, struct agent_entry *e, virDomainPtr dom, const char *why)
{
	tell(c, dom, "fix-refused", VW_ALERT_WARNING,
	     "left as it is, for libvirtd refuses the fixed config", why);
	e->flags |= AGENT_REFUSED;
}

void agent_refused_over(struct agent_conn *c, struct agent_entry *e)
{
	char uuid[VIR_UUID_STRING_BUFLEN];

	if (!(e->flags & AGENT_REFUSED))
		return;
	agent_uuid_text(e->uuid, uuid);
	agent_tell_over(c->agent, "fix-refused", uuid);
	e->flags &= ~(unsigned)AGENT_REFUSED;
}

void agent_forget(struct agent_conn *c, struct agent_entry *e)
{
	char uuid[VIR_UUID_STRING_BUFLEN];
	unsigned char raw[VIR_UUID_BUFLEN];

	memcpy(raw, e->uuid, sizeof(raw));
	agent_uuid_text(e->uuid, uuid);
	if (e->flags & AGENT_TOLD)
		agent_tell_over(c->agent, NULL, uuid);
	agent_table_remove(&c->table, e);
	agent_sweep_gone(c->agent, raw);
}
