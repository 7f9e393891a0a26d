/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Did whoever changed the config take back by hand what we had fixed? Then they win. */
#include "agent/agent.h"

#include "lib/engine/metadata.h"
#include "virt/put-back.h"

#include <inttypes.h>

/* The config until now: the version that we dealt with last. Return: malloc'ed or NULL. */
static char *previous_text(const struct vw_put_back *h, uint64_t hash)
{
	char hex[17], *text = NULL;
	size_t len;

	snprintf(hex, sizeof(hex), "%016" PRIx64, hash);
	for (size_t i = h->n_versions; i-- > 0;)
		if (!strcmp(h->versions[i].hash, hex))
			return vw_history_read(h->store, h->uuid, h->versions[i].n, &text, &len,
					       NULL) < 0
				       ? NULL
				       : text;
	return NULL;
}

/* What was taken back once, and skipped in the config since, stays so if a tool writes its
 * config anew, without our metadata. If the admin changed that metadata, it is meant. */
static void recall(struct agent_entry *e, const struct vw_put_back *h, const xmlNode *root,
		   struct vw_buf *rules)
{
	for (unsigned i = 0; vw_rule_id(i); i++) {
		if (!(e->hand & 1u << i) || vw_metadata_skips(root, vw_rule_id(i)))
			continue;
		if (e->flags & AGENT_WORD)
			e->hand &= ~(1u << i);
		else if (h->plan)
			vw_put_back_add(rules, vw_rule_id(i));
	}
}

static void remember(struct agent_entry *e, const char *rules)
{
	for (unsigned i = 0; vw_rule_id(i); i++)
		if (vw_has_word(rules, vw_rule_id(i)))
			e->hand |= 1u << i;
}

/* Every finding counts, also one that has to wait: vw_put_back_rules looks at fixes only. */
static void compare(const struct vw_put_back *h, const xmlNode *root, bool word,
		    struct vw_buf *rules)
{
	for (size_t i = 0; i < h->plan->n_findings; i++) {
		const struct vw_finding *f = &h->plan->findings[i];

		/* mode --unskip: what was skipped until now is wanted again */
		if (word && vw_metadata_skips(vw_xml_root(h->previous_doc), f->rule) &&
		    !vw_metadata_skips(root, f->rule))
			continue;
		if (vw_put_back_carries(h, f))
			vw_put_back_add(rules, f->rule);
	}
}

char *agent_judge(struct vw_context *ctx, struct agent_entry *e, const char *uuid, const char *xml,
		  const struct vw_gathered *facts)
{
	VW_AUTOXML struct vw_xml *doc = NULL;
	VW_AUTOFREE char *previous = NULL;
	struct vw_buf rules = { 0 };
	struct vw_plan *plan = NULL;
	struct vw_put_back h = {
		.ctx = ctx,
		.store = vw_context_history(ctx, NULL),
		.uuid = uuid,
		.typed = xml,
		.facts = facts,
	};

	if (e->hash && h.store && vw_xml_parse(xml, strlen(xml), uuid, "domain", &doc, NULL) == 0 &&
	    vw_put_back_plan(&h, xml, &facts->facts, NULL, true, &plan) == 0) {
		h.plan = plan;
		recall(e, &h, vw_xml_root(doc), &rules);
		if (!(e->flags & AGENT_REVERTED) &&
		    vw_history_list(h.store, uuid, &h.versions, &h.n_versions, NULL) == 0)
			previous = previous_text(&h, e->hash);
		h.previous = previous;
		if (previous && vw_put_back_load(&h) == 0)
			compare(&h, vw_xml_root(doc), e->flags & AGENT_WORD, &rules);
	}
	if (rules.len)
		remember(e, rules.p);
	vw_plan_free(plan);
	vw_put_back_clear(&h);
	return vw_buf_take(&rules);
}
