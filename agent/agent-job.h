/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One domain that is being worked on: what work.c and think.c share. */
#ifndef VW_AGENT_JOB_H
#define VW_AGENT_JOB_H

#include "agent/agent.h"
#include "lib/base/buf.h"
#include "virt/ahead.h"

struct agent_job {
	struct agent_conn *c;
	struct agent *a;
	struct agent_entry *e;
	struct vw_context *ctx;
	virDomainPtr dom;
	char uuid[VIR_UUID_STRING_BUFLEN];
	char *xml, *hand, *report_only;
	struct vw_xml *doc;
	struct vw_gathered *facts;
	struct vw_plan *plan;
	uint64_t hash;
	struct vw_ahead keeping;
	struct vw_err keep_err;
	int keep_result;
	bool kept;     /* in the history, as it is now */
	bool changed;  /* by somebody else, since we dealt with it */
	bool held;     /* the quiet second is not over: host class only */
	char *refused; /* why libvirtd did not take the whole fix: host class only; NULL = not so */
	int64_t since; /* when it was due */
};

static inline const char *agent_job_name(const struct agent_job *j)
{
	return virDomainGetName(j->dom);
}

/* work.c. Nothing (more) to do until it changes; try again later, twice as late each time. */
void agent_job_settle(struct agent_job *j);
void agent_job_retry(struct agent_job *j);

/* refused.c: libvirtd refused the plan. Is there a plan now for the host class alone, that can be
 * tried in its place? */
bool agent_job_host_class(struct agent_job *j, const struct vw_err *why);
/* It is left as it is: said, with an alert. */
void agent_job_refused(struct agent_job *j, const struct vw_err *err);
/* The error without the domain's name before it. */
const char *agent_job_said(const struct agent_job *j, const struct vw_err *err);

/* think.c: facts, what was put back, plan. Return: 0; 1 = settled, or to be tried again;
 * negative errno. */
int agent_job_think(struct agent_job *j, struct vw_err *err);
/* Plan for the same config once more, with the host class alone, for j->refused. */
int agent_job_plan_host_class(struct agent_job *j, struct vw_err *err);
/* The rules of findings that stay: as bits in the entry, as text (may be NULL). applied: those
 * to be fixed are. */
void agent_job_left(struct agent_job *j, bool applied, struct vw_buf *text);
void agent_job_report(struct agent_job *j);

#endif
