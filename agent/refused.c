/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirtd refuses what we made of a config: the host class alone, else nothing, and who is told. */
#include "agent/agent-job.h"

#include <errno.h>
#include <syslog.h>

/* Messages of virt-apply begin with the domain's name; so do lines of the log. */
const char *agent_job_said(const struct agent_job *j, const struct vw_err *err)
{
	const char *name = agent_job_name(j);
	size_t n = strlen(name);

	return !strncmp(err->text, name, n) && vw_startswith(err->text + n, ": ")
		       ? err->text + n + 2
		       : err->text;
}

bool agent_job_host_class(struct agent_job *j, const struct vw_err *why)
{
	struct vw_err err = { 0 };

	if (j->refused || j->held ||
	    asprintf(&j->refused, "libvirtd refuses the whole fix (%s)", agent_job_said(j, why)) <
		    0)
		return false;
	return agent_job_plan_host_class(j, &err) == 0 && j->plan->xml &&
	       vw_plan_count(j->plan, VW_ACTION_FIX);
}

void agent_job_refused(struct agent_job *j, const struct vw_err *err)
{
	j->a->counts.refused++;
	agent_log(j->a, LOG_WARNING, "refused", agent_job_name(j), j->uuid,
		  "left as it is, for libvirtd refuses the fixed config: %s",
		  agent_job_said(j, err));
	agent_refused(j->c, j->e, j->dom, agent_job_said(j, err));
	if (j->plan)
		agent_job_left(j, false, NULL);
	agent_job_settle(j);
}
