/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The agent's way to the queue of alerts. A queue that can't be written is said in the log,
 * where the line that goes with every alert stands anyway. */
#include "agent/agent.h"

#include <syslog.h>
#include <time.h>

static struct vw_alerts *open_queue(struct agent *a)
{
	struct vw_alerts *q = NULL;
	struct vw_err err = { 0 };

	if (vw_alerts_open(vw_context_paths(a->ctx)->statedir, &q, &err) < 0) {
		a->counts.errors++;
		agent_log(a, LOG_ERR, "alerts", NULL, NULL, "%s", err.text);
	}
	return q;
}

void agent_tell(struct agent *a, const struct vw_alert *alert)
{
	struct vw_alert whole = *alert;
	struct vw_alerts *q = open_queue(a);
	struct vw_err err = { 0 };
	char host[256] = "";

	if (!q)
		return;
	gethostname(host, sizeof(host) - 1);
	whole.host = host;
	if (vw_alert_raise(q, &whole, time(NULL), NULL, &err) < 0) {
		a->counts.errors++;
		agent_log(a, LOG_ERR, "alerts", whole.domain, whole.uuid, "%s", err.text);
	}
	vw_alerts_close(q);
}

void agent_tell_over(struct agent *a, const char *kind, const char *uuid)
{
	struct vw_alerts *q = open_queue(a);
	struct vw_err err = { 0 };
	char host[256] = "";

	if (!q)
		return;
	gethostname(host, sizeof(host) - 1);
	if (vw_alert_resolve(q, kind, uuid, host, time(NULL), &err) < 0)
		agent_log(a, LOG_ERR, "alerts", NULL, uuid, "%s", err.text);
	vw_alerts_close(q);
}
