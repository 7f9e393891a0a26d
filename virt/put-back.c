/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which rules of ours does a config undo (see virt/put-back.h)? The history knows what we
 * did, the config until now whether it was still so. */
#include "virt/put-back.h"

#include <ctype.h>
#include <errno.h>

bool vw_version_is(const struct vw_version *v, enum vw_cause a, enum vw_cause b)
{
	return v->cause == a || v->cause == b;
}

/* By key, without case: a MAC address has none; then with it, by value, by place. */
static int compare_items(const void *a, const void *b)
{
	const struct vw_index_item *x = a, *y = b;
	int r = strcasecmp(x->key, y->key);

	r = r ? r : strcmp(x->key, y->key);
	r = r ? r : strcmp(x->value, y->value);
	return r ? r : x->place < y->place ? -1 : x->place > y->place;
}

static bool index_make(struct vw_index *ix, size_t n)
{
	ix->v = calloc(n + 1, sizeof(*ix->v));
	return ix->v;
}

/* Room was made for it. */
static void index_add(struct vw_index *ix, const char *key, const char *value, const void *data)
{
	ix->v[ix->n] = (struct vw_index_item){ key, value, data, ix->n };
	ix->n++;
}

static void index_sort(struct vw_index *ix)
{
	if (ix->n)
		qsort(ix->v, ix->n, sizeof(*ix->v), compare_items);
}

/* The first at or behind `like` in its order. NULL: there is none. */
static const struct vw_index_item *index_from(const struct vw_index *ix,
					      const struct vw_index_item *like)
{
	size_t low = 0, high = ix->n;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (compare_items(&ix->v[middle], like) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ix->n ? &ix->v[low] : NULL;
}

/* The first with that key, and that value (NULL = any). */
static const struct vw_index_item *find(const struct vw_index *ix, const char *key,
					const char *value)
{
	const struct vw_index_item like = { key, value ? value : "", NULL, 0 };
	const struct vw_index_item *found = index_from(ix, &like);

	return found && !strcmp(found->key, key) && (!value || !strcmp(found->value, value)) ? found
											     : NULL;
}

/* MAC addresses are the same in either case. Values are "". */
static bool has_mac(const struct vw_index *ix, const char *mac)
{
	/* "" sorts first: the smallest key that may be equal without case is in capitals */
	char upper[32];
	size_t i = 0;
	struct vw_index_item like = { upper, "", NULL, 0 };
	const struct vw_index_item *found;

	for (; i < sizeof(upper) - 1 && mac[i]; i++)
		upper[i] = (char)toupper((unsigned char)mac[i]);
	upper[i] = '\0';
	found = index_from(ix, &like);
	return found && !strcasecmp(found->key, mac);
}

/* Which rules did we (define, fix, or the agent) ever set in this domain? Those of one version are
 * one key each time: the rules are few. */
static bool index_ours(struct vw_put_back *h)
{
	size_t n = 0;

	while (vw_rule_id(n))
		n++;
	if (!index_make(&h->ours, n))
		return false;
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < h->n_versions; i++)
			if (vw_version_is(&h->versions[i], VW_CAUSE_FIX, VW_CAUSE_AGENT) &&
			    vw_has_word(h->versions[i].rules, vw_rule_id(k))) {
				index_add(&h->ours, vw_rule_id(k), "", NULL);
				break;
			}
	index_sort(&h->ours);
	return true;
}

/* Disks: of the XML that was typed by target; of the config until now by source (another bus
 * renames a disk), and by target for those without. */
static bool index_disks(struct vw_put_back *h)
{
	const struct vw_outline *typed = h->facts->outline, *o = h->previous_outline;

	if (!index_make(&h->typed_disks, typed->n_disks) ||
	    !index_make(&h->by_source, o->n_disks) || !index_make(&h->by_target, o->n_disks))
		return false;
	for (size_t i = 0; i < typed->n_disks; i++)
		index_add(&h->typed_disks, typed->disks[i].target, "", &typed->disks[i]);
	for (size_t i = 0; i < o->n_disks; i++) {
		index_add(&h->by_source, o->disks[i].source, "", &o->disks[i]);
		index_add(&h->by_target, o->disks[i].target, "", &o->disks[i]);
	}
	index_sort(&h->typed_disks);
	index_sort(&h->by_source);
	index_sort(&h->by_target);
	return true;
}

static bool index_nics(struct vw_put_back *h)
{
	xmlNode *first = vw_xml_path(vw_xml_root(h->previous_doc), "devices/interface");
	size_t n = 0;

	for (const xmlNode *i = first; i; i = vw_xml_next(i, "interface"))
		n++;
	if (!index_make(&h->macs, n))
		return false;
	for (const xmlNode *i = first; i; i = vw_xml_next(i, "interface")) {
		const char *m = vw_xml_attr(vw_xml_child(i, "mac"), "address");

		if (m)
			index_add(&h->macs, m, "", NULL);
	}
	index_sort(&h->macs);
	return true;
}

/* What the config until now still needs. */
static bool index_needed(struct vw_put_back *h)
{
	const struct vw_plan *p = h->previous_plan;

	if (!index_make(&h->needed, p->n_findings))
		return false;
	for (size_t i = 0; i < p->n_findings; i++)
		index_add(&h->needed, p->findings[i].rule, p->findings[i].device, NULL);
	index_sort(&h->needed);
	return true;
}

/* The target of the disk of the config until now that has the same source as this one of the
 * typed XML. NULL = it is new. */
static const char *old_target(const struct vw_put_back *h, const struct vw_outline_disk *d)
{
	const struct vw_index_item *found = *d->source ? find(&h->by_source, d->source, NULL)
						       : find(&h->by_target, d->target, NULL);

	return found ? ((const struct vw_outline_disk *)found->data)->target : NULL;
}

bool vw_put_back_carries(const struct vw_put_back *h, const struct vw_finding *f)
{
	const struct vw_index_item *disk;

	if (!find(&h->ours, f->rule, NULL))
		return false;
	disk = find(&h->typed_disks, f->device, NULL);
	if (disk) {
		const char *target = old_target(h, disk->data);

		return target && !find(&h->needed, f->rule, target);
	}
	if (strlen(f->device) == 17 && strspn(f->device, "0123456789abcdefABCDEF:") == 17 &&
	    !has_mac(&h->macs, f->device))
		return false;
	return !find(&h->needed, f->rule, NULL);
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
	r = r ? r
	      : vw_put_back_plan(h, h->previous, &h->facts->facts, NULL, true, &h->previous_plan);
	if (r == 0 && !(index_ours(h) && index_disks(h) && index_nics(h) && index_needed(h)))
		r = -ENOMEM;
	return r;
}

void vw_put_back_clear(struct vw_put_back *h)
{
	struct vw_index *all[] = { &h->ours,      &h->typed_disks, &h->by_source,
				   &h->by_target, &h->macs,        &h->needed };

	for (size_t i = 0; i < VW_N_ELEMENTS(all); i++)
		free(all[i]->v);
	vw_plan_free(h->previous_plan);
	vw_outline_free(h->previous_outline);
	vw_xml_free(h->previous_doc);
	vw_versions_free(h->versions, h->n_versions);
}
