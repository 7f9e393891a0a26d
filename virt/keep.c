/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps a domain XML in the history, with when, who and why (see virt/apply.h). */
#include "virt/apply.h"

#include <errno.h>
#include <pwd.h>
#include <time.h>

/* "root@virsh[1234]" */
static void who_am_i(char *buf, size_t size)
{
	char strings[1024];
	struct passwd pw, *found = NULL;

	if (getuid() == 0) /* no question for NSS, 0.1 ms of a virsh define */
		snprintf(buf, size, "root@%.64s[%d]", program_invocation_short_name, (int)getpid());
	else if (getpwuid_r(getuid(), &pw, strings, sizeof(strings), &found) == 0 && found)
		snprintf(buf, size, "%.64s@%.64s[%d]", pw.pw_name, program_invocation_short_name,
			 (int)getpid());
	else
		snprintf(buf, size, "%u@%.64s[%d]", (unsigned)getuid(),
			 program_invocation_short_name, (int)getpid());
}

int vw_apply_keep(struct vw_context *c, const char *uuid, const char *name, const char *xml,
		  enum vw_cause cause, const char *rules, struct vw_err *err)
{
	const struct vw_policy *p = vw_context_policy(c);
	struct vw_history *h = vw_context_history(c, err);
	char who[160];

	if (!h)
		return err && err->code < 0 ? err->code : -EIO;
	who_am_i(who, sizeof(who));
	return vw_history_keep(h, uuid, name, xml, strlen(xml), cause, who, rules ? rules : "",
			       time(NULL), p->history_versions, p->history_days, NULL, err);
}

int vw_apply_prepare(struct vw_context *c, const char *uuid, const char *name, const char *xml,
		     struct vw_prepared **ret)
{
	struct vw_history *h = vw_context_history(c, NULL);
	char who[160];

	if (!h)
		return -EIO;
	who_am_i(who, sizeof(who));
	return vw_history_prepare(h, uuid, name, xml, strlen(xml), VW_CAUSE_CLIENT, who, time(NULL),
				  ret, NULL);
}

char *vw_plan_rules(const struct vw_plan *plan)
{
	size_t size = 1, len = 0;
	char *rules;

	for (size_t i = 0; i < plan->n_findings; i++)
		size += strlen(plan->findings[i].rule) + 1;
	rules = malloc(size);
	if (!rules)
		return NULL;
	*rules = 0;
	for (size_t i = 0; i < plan->n_findings; i++) {
		const struct vw_finding *f = &plan->findings[i];

		if (f->action == VW_ACTION_FIX && !vw_has_word(rules, f->rule))
			len += (size_t)snprintf(rules + len, size - len, "%s%s", len ? " " : "",
						f->rule);
	}
	return rules;
}

bool vw_plan_needs_cold_boot(const struct vw_plan *plan)
{
	for (size_t i = 0; i < plan->n_findings; i++)
		if (plan->findings[i].action == VW_ACTION_FIX &&
		    (plan->findings[i].cls == VW_CLASS_VISIBLE ||
		     plan->findings[i].cls == VW_CLASS_BOOT))
			return true;
	return false;
}
