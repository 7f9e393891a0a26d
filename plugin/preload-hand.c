/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An admin who puts a fixed value back by hand wins the first time (design.md, Rules).
 *
 * By hand is: the typed XML was made from the config that libvirt has (virsh
 * edit, dumpxml and an editor), and undoes one of our fixes that this config
 * still carries. A file that comes from elsewhere (the generic XML that was
 * defined at first, defined again by a script, be it with more memory) never
 * had the fix: it is fixed again. What was typed before, byte for byte, is
 * treated as it was then. */
#include "preload.h"

#include "metadata.h"

#include <errno.h>

/* The lines of a text, trimmed and sorted. */
struct lines {
	char *text;
	char **line;
	size_t n;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void lines_clear(struct lines *l)
{
	free(l->text);
	free(l->line);
}

static int lines_make(struct lines *l, const char *text)
{
	size_t max = 1;
	char *save = NULL;

	for (const char *p = text; (p = strchr(p, '\n')); p++)
		max++;
	*l = (struct lines){ .text = strdup(text), .line = calloc(max, sizeof(char *)) };
	if (!l->text || !l->line)
		return -ENOMEM;
	for (char *s = strtok_r(l->text, "\n", &save); s; s = strtok_r(NULL, "\n", &save)) {
		s += strspn(s, " \t\r");
		if (*s)
			l->line[l->n++] = s;
	}
	if (l->n)
		qsort(l->line, l->n, sizeof(char *), by_text);
	return 0;
}

static size_t lines_in_common(const struct lines *a, const struct lines *b)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += b->n && bsearch(&a->line[i], b->line, b->n, sizeof(char *), by_text);
	return n;
}

/* Was typed made from the config that libvirt had, rather than from what was typed before?
 * Return: 1, 0 or -ENOMEM. */
static int made_from(const char *typed, const char *previous, const char *typed_before)
{
	struct lines t = { 0 }, p = { 0 }, b = { 0 };
	int r = lines_make(&t, typed);

	r = r ? r : lines_make(&p, previous);
	r = r ? r : lines_make(&b, typed_before);
	if (r == 0)
		r = lines_in_common(&t, &p) >= lines_in_common(&t, &b);
	lines_clear(&t);
	lines_clear(&p);
	lines_clear(&b);
	return r;
}

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; (p = strstr(p, word)); p += n)
		if ((p == words || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
	return false;
}

/* Everything that the question needs, of one domain. */
struct hand {
	struct vw_context *ctx;
	struct vw_history *history;
	const char *uuid, *typed, *previous;
	const struct vw_gathered *facts;
	const struct vw_plan *plan;
	struct vw_version *versions;
	size_t n_versions;
	struct vw_xml *previous_doc; /* as it is */
	struct vw_plan *previous_plan;
	struct vw_buf rules;
};

static void add_rule(struct hand *h, const char *rule)
{
	if (!h->rules.len || !has_word(h->rules.p, rule))
		vw_buf_printf(&h->rules, "%s%s", h->rules.len ? " " : "", rule);
}

/* The newest version with that cause before index `end`. Return: its index, or n_versions. */
static size_t newest(const struct hand *h, enum vw_cause cause, size_t end)
{
	while (end-- > 0)
		if (h->versions[end].cause == cause)
			return end;
	return h->n_versions;
}

/* Was this very text typed before? Then the rules that were skipped then. Return: true if it was. */
static bool typed_before(struct hand *h)
{
	size_t len = strlen(h->typed);

	for (size_t i = newest(h, VW_CAUSE_CLIENT, h->n_versions); i < h->n_versions;
	     i = newest(h, VW_CAUSE_CLIENT, i)) {
		VW_AUTOFREE char *text = NULL;
		VW_AUTOFREE char *made = NULL;
		VW_AUTOXML struct vw_xml *doc = NULL;
		size_t n;

		if (h->versions[i].size != len ||
		    vw_history_read(h->history, h->uuid, h->versions[i].n, &text, &n, NULL) < 0 ||
		    strcmp(text, h->typed))
			continue;
		if (i + 1 < h->n_versions && h->versions[i + 1].cause == VW_CAUSE_FIX &&
		    vw_history_read(h->history, h->uuid, h->versions[i + 1].n, &made, &n, NULL) ==
			    0 &&
		    vw_xml_parse(made, n, "history", "domain", &doc, NULL) == 0)
			for (size_t j = 0; j < h->plan->n_findings; j++)
				if (vw_metadata_skips(vw_xml_root(doc), h->plan->findings[j].rule))
					add_rule(h, h->plan->findings[j].rule);
		return true;
	}
	return false;
}

/* Did we (define, fix, or the agent) ever set this rule in this domain? */
static bool was_ours(const struct hand *h, const char *rule)
{
	for (size_t i = 0; i < h->n_versions; i++)
		if ((h->versions[i].cause == VW_CAUSE_FIX ||
		     h->versions[i].cause == VW_CAUSE_AGENT) &&
		    has_word(h->versions[i].rules, rule))
			return true;
	return false;
}

/* Does the config until now still need the fix? Then nothing was put back. */
static bool still_needed(const struct hand *h, const char *rule)
{
	for (size_t i = 0; i < h->previous_plan->n_findings; i++)
		if (h->previous_plan->findings[i].action == VW_ACTION_FIX &&
		    !strcmp(h->previous_plan->findings[i].rule, rule))
			return true;
	return false;
}

static const char *source_of(const struct vw_outline *o, const char *target)
{
	for (size_t i = 0; i < o->n_disks; i++)
		if (!strcmp(o->disks[i].target, target))
			return o->disks[i].source;
	return NULL;
}

/* Had the config until now that device? A disk goes by its source (a changed bus
 * renames it), a NIC by its MAC; anything else is one of the domain as such. */
static bool had_device(struct hand *h, const char *device)
{
	const char *source = source_of(h->facts->outline, device);
	xmlNode *root = vw_xml_root(h->previous_doc);
	struct vw_outline *o = NULL;
	xmlNode *nic = vw_xml_path(root, "devices/interface");
	bool had = false;

	if (source) {
		if (vw_outline_make(h->previous_doc, &o, NULL) < 0)
			return false;
		for (size_t i = 0; i < o->n_disks && !had; i++)
			had = *source ? !strcmp(o->disks[i].source, source)
				      : !strcmp(o->disks[i].target, device);
		vw_outline_free(o);
		return had;
	}
	if (strlen(device) != 17 || strspn(device, "0123456789abcdefABCDEF:") != 17)
		return true;
	for (; nic && !had; nic = vw_xml_next(nic, "interface")) {
		const char *mac = vw_xml_attr(vw_xml_child(nic, "mac"), "address");

		had = mac && !strcasecmp(mac, device);
	}
	return had;
}

static int plan_previous(struct hand *h)
{
	VW_AUTOXML struct vw_xml *doc = NULL;
	struct vw_request req = {
		.facts = &h->facts->facts,
		.templates = vw_context_templates(h->ctx, NULL),
		.policy = vw_context_policy(h->ctx),
	};
	size_t len = strlen(h->previous);

	if (vw_xml_parse(h->previous, len, "previous", "domain", &h->previous_doc, NULL) < 0 ||
	    vw_xml_parse(h->previous, len, "previous", "domain", &doc, NULL) < 0)
		return -EINVAL;
	req.doc = doc;
	return vw_plan_make(&req, &h->previous_plan, NULL);
}

static int find_rules(struct hand *h)
{
	VW_AUTOFREE char *before = NULL;
	size_t i = newest(h, VW_CAUSE_CLIENT, h->n_versions), len;
	int r = 1;

	if (typed_before(h))
		return 0;
	if (i < h->n_versions &&
	    vw_history_read(h->history, h->uuid, h->versions[i].n, &before, &len, NULL) == 0)
		r = made_from(h->typed, h->previous, before);
	if (r <= 0)
		return r;
	for (i = 0; i < h->plan->n_findings; i++) {
		const struct vw_finding *f = &h->plan->findings[i];

		if (f->action != VW_ACTION_FIX || !was_ours(h, f->rule))
			continue;
		if (!h->previous_plan && plan_previous(h) < 0)
			return 0;
		if (!still_needed(h, f->rule) && had_device(h, f->device))
			add_rule(h, f->rule);
	}
	return 0;
}

char *vw_hand_rules(struct vw_context *c, const char *uuid, const char *typed, const char *previous,
		    const struct vw_gathered *facts, const struct vw_plan *plan)
{
	struct hand h = {
		.ctx = c,
		.history = vw_context_history(c, NULL),
		.uuid = uuid,
		.typed = typed,
		.previous = previous,
		.facts = facts,
		.plan = plan,
	};
	int r = 0;

	if (h.history && vw_history_list(h.history, uuid, &h.versions, &h.n_versions, NULL) == 0)
		r = find_rules(&h);
	vw_plan_free(h.previous_plan);
	vw_xml_free(h.previous_doc);
	vw_versions_free(h.versions, h.n_versions);
	if (r == -ENOMEM) {
		vw_buf_free(&h.rules);
		return NULL;
	}
	return vw_buf_take(&h.rules);
}

/* <w:warden> of the domain's metadata. Return: NULL if it has none. */
static xmlNode *warden_of(xmlNode *metadata)
{
	for (xmlNode *n = metadata ? metadata->children : NULL; n; n = n->next)
		if (n->type == XML_ELEMENT_NODE && n->ns &&
		    vw_streq((char *)n->ns->href, VW_METADATA_NS) &&
		    vw_streq((char *)n->name, "warden"))
			return n;
	return NULL;
}

static int record_one(struct vw_xml *doc, xmlNode *warden, const char *rule)
{
	VW_AUTOFREE char *text = NULL;

	if (asprintf(&text, "<w:skip xmlns:w='%s' rule='%s'/>", VW_METADATA_NS, rule) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return vw_xml_add_text(doc, warden, NULL, text, NULL);
}

int vw_hand_record(struct vw_xml *doc, const char *rules)
{
	xmlNode *root = vw_xml_root(doc);
	xmlNode *metadata = vw_xml_child(root, "metadata");
	xmlNode *warden = warden_of(metadata);
	VW_AUTOFREE char *copy = strdup(rules);
	char *save = NULL;
	int r = copy ? 0 : -ENOMEM;

	if (r == 0 && !metadata)
		r = vw_xml_add(doc, root, vw_xml_child(root, "name"), "metadata", &metadata);
	if (r == 0 && !warden)
		r = vw_xml_add_text(doc, metadata, NULL, "<w:warden xmlns:w='" VW_METADATA_NS "'/>",
				    &warden);
	for (char *rule = copy ? strtok_r(copy, " ", &save) : NULL; rule && r == 0;
	     rule = strtok_r(NULL, " ", &save))
		r = record_one(doc, warden, rule);
	return r;
}
