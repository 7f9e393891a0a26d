/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What should become of a domain that changed: facts, what was put back, plan. Changes
 * nothing but the history. */
#include "agent/agent-job.h"

#include "lib/base/clock.h"
#include "lib/engine/metadata.h"
#include "lib/base/text.h"
#include "virt/put-back.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <syslog.h>

#define JUDGE_MS 1000 /* libvirtd may be busy; a skip that is recorded stays */

/* Why may we only report? Return: 0 (*j->report_only may be NULL) or -ENOMEM. */
static int find_report_only(struct agent_job *j)
{
	const xmlNode *root = vw_xml_root(j->doc);
	VW_AUTOFREE char *command = NULL;

	if (vw_context_policy(j->ctx)->define == VW_DEFINE_WARN) {
		j->report_only = strdup("define = warn in warden.conf");
	} else if (vw_metadata_effective_mode(root) == VW_MODE_AUDIT) {
		j->report_only = strdup(vw_metadata_audit_why(root));
	} else if (j->e->flags & AGENT_EXISTING && vw_metadata_mode(root) != VW_MODE_ENFORCE) {
		command = vw_command_text("mode", agent_job_name(j));
		if (!command || asprintf(&j->report_only,
					 "it was here before the agent (%s enforce changes that)",
					 command) < 0) {
			j->report_only = NULL;
			return -ENOMEM;
		}
	} else {
		return 0;
	}
	return j->report_only ? 0 : -ENOMEM;
}

static void *keep(void *arg)
{
	struct agent_job *j = arg;

	j->keep_result = vw_apply_keep(j->ctx, j->uuid, agent_job_name(j), j->xml, VW_CAUSE_SEEN,
				       "", &j->keep_err);
	return NULL;
}

/* Every distinct config is kept, whether it is changed or not: beside, for it waits for the
 * disk. Until agent_job_kept the history is the other thread's. */
static void start_keeping(struct agent_job *j)
{
	if (!j->changed)
		return;
	if (vw_context_history(j->ctx, NULL))
		vw_ahead_start(&j->keeping, keep, j);
	else
		keep(j);
}

/* Is it kept? Return: 0, or a negative errno: said, and to be tried again. */
static int wait_until_kept(struct agent_job *j)
{
	vw_ahead_join(&j->keeping);
	j->kept |= j->changed && j->keep_result == 0;
	if (j->keep_result == 0)
		return 0;
	if (!j->a->history_failed)
		agent_log(j->a, LOG_ERR, "history", agent_job_name(j), j->uuid,
			  "the history can't be kept, so nothing is changed until it can: %s",
			  j->keep_err.text);
	j->a->counts.errors += !j->a->history_failed;
	j->a->history_failed = true;
	agent_job_retry(j);
	return j->keep_result;
}

static int make_plan(struct agent_job *j, struct vw_err *err)
{
	struct vw_request req = {
		.doc = j->doc,
		.facts = &j->facts->facts,
		.templates = vw_context_templates(j->ctx, err),
		.policy = vw_context_policy(j->ctx),
		.hold = j->report_only          ? VW_HOLD_GUEST_SIDE | 1u << VW_CLASS_HOST
			: j->held || j->refused ? VW_HOLD_GUEST_SIDE
						: 0,
		.hold_why = j->report_only ? j->report_only
			    : j->refused   ? j->refused
					   : "it was changed a moment ago",
		.findings_only = j->report_only != NULL,
	};

	if (!req.templates)
		return err->code < 0 ? err->code : -ENOENT;
	return vw_plan_make(&req, &j->plan, err);
}

static int collect(struct agent_job *j, struct vw_err *err)
{
	if (j->held && !j->report_only)
		return vw_collect_host_class(j->ctx, j->c->virt, j->dom, j->doc, &j->facts, err);
	return vw_collect(j->ctx, j->c->virt, j->dom, j->doc, NULL, &j->facts, err);
}

/* Who changed it took something back? Then they win. Looked at twice, for it may have been
 * undefined and defined anew, and the events that say so be still on their way. */
static int judge(struct agent_job *j, struct vw_err *err)
{
	const uint32_t hand = j->e->hand;

	if (!j->changed || j->report_only)
		return 0;
	j->hand = agent_judge(j->ctx, j->e, j->uuid, j->xml, j->facts);
	if (j->hand && *j->hand && j->e->suspect != j->hash) {
		j->e->suspect = j->hash;
		j->e->hand = hand;
		j->e->due = vw_clock_ms() + JUDGE_MS;
		return 1;
	}
	if (!j->hand || (*j->hand && vw_record_skips(j->doc, j->hand) < 0))
		return vw_err_set(err, -ENOMEM, "out of memory");
	return 0;
}

int agent_job_think(struct agent_job *j, struct vw_err *err)
{
	int r = vw_xml_parse(j->xml, strlen(j->xml), agent_job_name(j), "domain", &j->doc, err);

	if (r < 0)
		return r;
	if (vw_context_policy(j->ctx)->define == VW_DEFINE_OFF ||
	    vw_metadata_effective_mode(vw_xml_root(j->doc)) == VW_MODE_OFF) {
		j->e->findings = 0;
		agent_job_settle(j);
		return 1;
	}
	start_keeping(j);
	r = find_report_only(j);
	if (r == 0)
		r = collect(j, err);
	if (r < 0)
		return r;
	if (j->facts->facts.active == VW_UNKNOWN ||
	    (!j->held && j->facts->facts.managed_save == VW_UNKNOWN))
		return vw_err_set(err, -EIO, "libvirtd does not tell whether it runs");
	if (j->e->flags & AGENT_NEW)
		j->facts->facts.new_here = VW_YES;
	if (j->e->hash && wait_until_kept(j) < 0) /* the judge reads the history */
		return 1;
	r = judge(j, err);
	if (r == 0)
		r = make_plan(j, err);
	if (r == 0 && !j->e->hash && wait_until_kept(j) < 0)
		return 1;
	return r;
}

int agent_job_plan_host_class(struct agent_job *j, struct vw_err *err)
{
	int r;

	vw_plan_free(vw_steal(j->plan));
	vw_xml_free(vw_steal(j->doc));
	r = vw_xml_parse(j->xml, strlen(j->xml), agent_job_name(j), "domain", &j->doc, err);
	if (r == 0 && j->hand && *j->hand && vw_record_skips(j->doc, j->hand) < 0)
		r = vw_err_set(err, -ENOMEM, "out of memory");
	return r == 0 ? make_plan(j, err) : r;
}

void agent_job_left(struct agent_job *j, bool applied, struct vw_buf *text)
{
	j->e->findings = 0;
	for (size_t i = 0; i < j->plan->n_findings; i++) {
		const struct vw_finding *f = &j->plan->findings[i];

		if (applied && f->action == VW_ACTION_FIX)
			continue;
		j->e->findings |= 1u << vw_rule_number(f->rule);
		if (text)
			vw_put_back_add(text, f->rule);
	}
}

void agent_job_report(struct agent_job *j)
{
	VW_AUTOBUF struct vw_buf left = { 0 };
	VW_AUTOFREE char *command = NULL;

	agent_job_left(j, true, &left);
	if (!left.len || (j->held && !j->report_only))
		return;
	if (j->report_only)
		agent_log(j->a, LOG_INFO, "audit", agent_job_name(j), j->uuid,
			  "not fixed, because %s: %s", j->report_only, left.p);
	else if ((command = vw_command_text("check", agent_job_name(j))))
		agent_log(j->a, LOG_INFO, "left", agent_job_name(j), j->uuid,
			  "not fixed: %s; why says: %s", left.p, command);
}
