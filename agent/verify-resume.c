/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guests of which somebody was told before we started, or before libvirtd did: they are looked at
 * again, so that it is told, too, when they are healthy, or gone. */
#include "agent/agent-verify.h"

#include "lib/alert/alert-queue.h"
#include "virt/verdict.h"

#include <libvirt/virterror.h>
#include <syslog.h>

static bool is_verdict(const char *kind)
{
	for (size_t i = 0; i < VW_VERDICTS; i++)
		if (vw_verdict_alerts[i].kind && vw_streq(kind, vw_verdict_alerts[i].kind))
			return true;
	return false;
}

static void resume(struct agent_conn *c, const struct vw_alert *alert)
{
	virDomainPtr dom = virDomainLookupByUUIDString(c->virt, alert->uuid);
	/* A guest that is not here may be another libvirtd's. */
	bool none = !dom && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN && c->agent->n_conns == 1;
	int active = dom ? virDomainIsActive(dom) : -1;

	if (none || active == 0)
		agent_tell_over(c->agent, NULL, alert->uuid);
	else if (active > 0)
		agent_verify_again(c, alert->uuid, virDomainGetName(dom));
	if (dom)
		virDomainFree(dom);
}

void agent_verify_resume(struct agent_conn *c)
{
	VW_AUTOALERTLIST struct vw_alert_list list = { 0 };
	struct vw_alerts *q = NULL;
	struct vw_err err = { 0 };
	char host[256] = "";
	int r = vw_alerts_open(vw_context_paths(c->agent->ctx)->statedir, &q, &err);

	if (r == 0)
		r = vw_alerts_list(q, VW_ALERT_LIST_OPEN, &list, &err);
	vw_alerts_close(q);
	if (r < 0)
		agent_log(c->agent, LOG_ERR, "alerts", NULL, NULL, "%s", err.text);
	gethostname(host, sizeof(host) - 1);
	for (size_t i = 0; i < list.n; i++)
		if (is_verdict(list.v[i]->kind) && vw_streq(list.v[i]->host, host))
			resume(c, list.v[i]);
}
