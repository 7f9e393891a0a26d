/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What does a redefine mean? The history knows what we did to this domain before.
 *
 * By hand: the typed XML was made from the config that libvirt has (virsh edit,
 * dumpxml and an editor), and undoes a fix of ours that this config still
 * carries. The admin wins (design.md, Rules): the rule is skipped from now on,
 * and that is recorded.
 *
 * Again: the typed XML is the file from which the domain was defined at first
 * (a script, Terraform), be it with more memory. The guest was installed on the
 * devices that we gave it then, so it gets the same again, though the domain is
 * no longer new or blank: but only those that the config until now has. */
#include "plugin/preload/preload.h"

#include "lib/engine/metadata.h"
#include "virt/put-back.h"

#include <errno.h>

#define OLD_TEXTS_MAX 30 /* how many typed texts are compared with, newest first */

/* The newest version with one of the causes before index `end`. Return: its index, or n_versions. */
static size_t newest(const struct vw_put_back *h, enum vw_cause a, enum vw_cause b, size_t end)
{
	while (end-- > 0)
		if (vw_version_is(&h->versions[end], a, b))
			return end;
	return h->n_versions;
}

static char *version_text(const struct vw_put_back *h, size_t i)
{
	char *text = NULL;
	size_t len;

	if (i >= h->n_versions ||
	    vw_history_read(h->store, h->uuid, h->versions[i].n, &text, &len, NULL) < 0)
		return NULL;
	return text;
}

/* Is the typed XML nearer to the config that libvirt has than to that version? 1, 0 or -ENOMEM. */
static int nearer_to_config(const struct vw_put_back *h, size_t i)
{
	VW_AUTOFREE char *text = version_text(h, i);

	return text ? vw_text_nearer(h->typed, h->previous, text) : 1;
}

/* Was the typed XML made from the config that libvirt has, not from something that was
 * typed before? Return: 1, 0 or -ENOMEM. */
static int made_from_config(const struct vw_put_back *h)
{
	size_t i = h->n_versions, tries = 0;
	int r = 1;

	while (r == 1 && tries++ < OLD_TEXTS_MAX &&
	       (i = newest(h, VW_CAUSE_CLIENT, VW_CAUSE_CLIENT, i)) < h->n_versions)
		r = nearer_to_config(h, i);
	if (tries > 1 || r != 1)
		return r;
	/* Nothing was typed, the agent fixed it: what had it found? */
	i = newest(h, VW_CAUSE_FIX, VW_CAUSE_AGENT, h->n_versions);
	return nearer_to_config(h, newest(h, VW_CAUSE_SEEN, VW_CAUSE_SEEN, i));
}

/* The version with this very text that a client typed. Return: its index, or n_versions. */
static size_t typed_before(const struct vw_put_back *h)
{
	size_t len = strlen(h->typed), i = h->n_versions;

	while ((i = newest(h, VW_CAUSE_CLIENT, VW_CAUSE_CLIENT, i)) < h->n_versions) {
		VW_AUTOFREE char *text = h->versions[i].size == len ? version_text(h, i) : NULL;

		if (vw_streq(text, h->typed) && text)
			break;
	}
	return i;
}

/* The same text once more: what was skipped then is skipped now. */
static void repeat_hand(const struct vw_put_back *h, size_t typed, struct vw_buf *rules)
{
	VW_AUTOFREE char *made = version_text(h, typed + 1);
	VW_AUTOXML struct vw_xml *doc = NULL;

	if (!made || h->versions[typed + 1].cause != VW_CAUSE_FIX ||
	    vw_xml_parse(made, strlen(made), "history", "domain", &doc, NULL) < 0)
		return;
	for (size_t i = 0; i < h->plan->n_findings; i++)
		if (vw_metadata_skips(vw_xml_root(doc), h->plan->findings[i].rule))
			vw_put_back_add(rules, h->plan->findings[i].rule);
}

/* Sort the findings of a plan for a fresh guest: what the config until now carries (or the
 * guest can't see) stays, what it never got is left out. Return: true if anything stays. */
static bool sort_rules(const struct vw_put_back *h, const struct vw_plan *fresh,
		       struct vw_buf *leave_out)
{
	VW_AUTOBUF struct vw_buf stay = { 0 };

	for (size_t i = 0; i < fresh->n_findings; i++) {
		const struct vw_finding *f = &fresh->findings[i];

		if (f->action == VW_ACTION_FIX && f->cls != VW_CLASS_HOST &&
		    vw_put_back_carries(h, f))
			vw_put_back_add(&stay, f->rule);
	}
	for (size_t i = 0; i < fresh->n_findings; i++) {
		const struct vw_finding *f = &fresh->findings[i];

		if (f->action == VW_ACTION_FIX && f->cls != VW_CLASS_HOST &&
		    !(stay.len && vw_has_word(stay.p, f->rule)))
			vw_put_back_add(leave_out, f->rule);
	}
	return stay.len;
}

/* Plan as when the domain was new. Return: 0 (*ret NULL: nothing of it holds) or negative errno. */
static int plan_again(const struct vw_put_back *h, struct vw_plan **ret)
{
	struct vw_facts facts = h->facts->facts;
	VW_AUTOBUF struct vw_buf leave_out = { 0 };
	struct vw_plan *fresh = NULL;
	bool some;
	int r;

	facts.as_new = true;
	facts.new_here = VW_YES;
	facts.active = VW_NO;
	facts.active_xml = NULL;
	facts.managed_save = VW_NO;
	r = vw_put_back_plan(h, h->typed, &facts, NULL, true, &fresh);
	if (r < 0)
		return r;
	some = sort_rules(h, fresh, &leave_out);
	vw_plan_free(fresh);
	return some ? vw_put_back_plan(h, h->typed, &facts, leave_out.len ? leave_out.p : NULL,
				       false, ret)
		    : 0;
}

static int judge(struct vw_put_back *h, struct vw_buf *hand, struct vw_plan **ret_again)
{
	size_t typed = vw_is_edit() ? h->n_versions : typed_before(h);
	int r = typed < h->n_versions ? 0 : vw_is_edit() ? 1 : made_from_config(h);

	if (r < 0)
		return r;
	if (typed < h->n_versions)
		repeat_hand(h, typed, hand);
	if (hand->len || vw_put_back_load(h) < 0)
		return 0;
	if (r == 0)
		return plan_again(h, ret_again);
	vw_put_back_rules(h, hand);
	return 0;
}

int vw_redefine_judge(struct vw_context *c, const char *uuid, const char *typed,
		      const char *previous, const struct vw_gathered *facts,
		      const struct vw_plan *plan_as_is, char **ret_hand, struct vw_plan **ret_again)
{
	struct vw_put_back h = {
		.ctx = c,
		.store = vw_context_history(c, NULL),
		.uuid = uuid,
		.typed = typed,
		.previous = previous,
		.facts = facts,
		.plan = plan_as_is,
	};
	struct vw_buf hand = { 0 };
	int r = 0;

	*ret_hand = NULL;
	*ret_again = NULL;
	if (h.store && vw_history_list(h.store, uuid, &h.versions, &h.n_versions, NULL) == 0 &&
	    newest(&h, VW_CAUSE_FIX, VW_CAUSE_AGENT, h.n_versions) < h.n_versions)
		r = judge(&h, &hand, ret_again);
	vw_put_back_clear(&h);
	*ret_hand = vw_buf_take(&hand);
	return r < 0 || !*ret_hand ? -ENOMEM : 0;
}
