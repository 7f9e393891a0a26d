/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which rules of ours does a config undo (see virt-put-back.h)? The history knows what we
 * did, the config until now whether it was still so. */
#include "virt-put-back.h"

bool vw_version_is(const struct vw_version *v, enum vw_cause a, enum vw_cause b)
{
	return v->cause == a || v->cause == b;
}

/* Did we (define, fix, or the agent) ever set this rule in this domain? */
static bool was_ours(const struct vw_put_back *h, const char *rule)
{
	for (size_t i = 0; i < h->n_versions; i++)
		if (vw_version_is(&h->versions[i], VW_CAUSE_FIX, VW_CAUSE_AGENT) &&
		    vw_has_word(h->versions[i].rules, rule))
			return true;
	return false;
}

/* The disk of the config until now that has the same source as this one of the typed
 * XML (another bus renames it). Return: its target, NULL = it is new. */
static const char *old_target(const struct vw_put_back *h, const struct vw_outline_disk *d)
{
	const struct vw_outline *o = h->previous_outline;

	for (size_t i = 0; i < o->n_disks; i++)
		if (!strcmp(*d->source ? o->disks[i].source : o->disks[i].target,
			    *d->source ? d->source : d->target))
			return o->disks[i].target;
	return NULL;
}

static bool has_nic(const struct vw_put_back *h, const char *mac)
{
	xmlNode *nic = vw_xml_path(vw_xml_root(h->previous_doc), "devices/interface");

	for (; nic; nic = vw_xml_next(nic, "interface")) {
		const char *m = vw_xml_attr(vw_xml_child(nic, "mac"), "address");

		if (m && !strcasecmp(m, mac))
			return true;
	}
	return false;
}

/* device NULL = any */
static bool previous_needs(const struct vw_put_back *h, const char *rule, const char *device)
{
	for (size_t i = 0; i < h->previous_plan->n_findings; i++) {
		const struct vw_finding *f = &h->previous_plan->findings[i];

		if (!strcmp(f->rule, rule) && (!device || !strcmp(f->device, device)))
			return true;
	}
	return false;
}

bool vw_put_back_carries(const struct vw_put_back *h, const struct vw_finding *f)
{
	const struct vw_outline *o = h->facts->outline;

	if (!was_ours(h, f->rule))
		return false;
	for (size_t i = 0; i < o->n_disks; i++)
		if (!strcmp(o->disks[i].target, f->device)) {
			const char *target = old_target(h, &o->disks[i]);

			return target && !previous_needs(h, f->rule, target);
		}
	if (strlen(f->device) == 17 && strspn(f->device, "0123456789abcdefABCDEF:") == 17 &&
	    !has_nic(h, f->device))
		return false;
	return !previous_needs(h, f->rule, NULL);
}

int vw_put_back_plan(const struct vw_put_back *h, const char *text, const struct vw_facts *facts,
		     const char *leave_out, bool findings_only, struct vw_plan **ret)
{
	VW_AUTOXML struct vw_xml *doc = NULL;
	struct vw_request req = {
		.facts = facts,
		.templates = vw_context_templates(h->ctx, NULL),
		.policy = vw_context_policy(h->ctx),
		.leave_out = leave_out,
		.findings_only = findings_only,
	};
	int r = vw_xml_parse(text, strlen(text), "the XML", "domain", &doc, NULL);

	if (r < 0)
		return r;
	req.doc = doc;
	return vw_plan_make(&req, ret, NULL);
}

void vw_put_back_add(struct vw_buf *b, const char *rule)
{
	if (!b->len || !vw_has_word(b->p, rule))
		vw_buf_printf(b, "%s%s", b->len ? " " : "", rule);
}

void vw_put_back_rules(const struct vw_put_back *h, struct vw_buf *rules)
{
	for (size_t i = 0; i < h->plan->n_findings; i++)
		if (h->plan->findings[i].action == VW_ACTION_FIX &&
		    vw_put_back_carries(h, &h->plan->findings[i]))
			vw_put_back_add(rules, h->plan->findings[i].rule);
}

int vw_put_back_load(struct vw_put_back *h)
{
	size_t len = strlen(h->previous);
	int r = vw_xml_parse(h->previous, len, "the config", "domain", &h->previous_doc, NULL);

	r = r ? r : vw_outline_make(h->previous_doc, &h->previous_outline, NULL);
	return r ? r
		 : vw_put_back_plan(h, h->previous, &h->facts->facts, NULL, true,
				    &h->previous_plan);
}

void vw_put_back_clear(struct vw_put_back *h)
{
	vw_plan_free(h->previous_plan);
	vw_outline_free(h->previous_outline);
	vw_xml_free(h->previous_doc);
	vw_versions_free(h->versions, h->n_versions);
}
