/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Templates: texts -> a checked set, with the rules that hold for each.
 *
 * A template is kept as the parsed file; rules read their <rule> element
 * directly. The loader is strict (an unknown element, attribute or rule id is
 * an error with its line); the values are checked by the RELAX NG schema in
 * `virt-warden doctor`. */
#include "lib/engine/template.h"

#include "lib/engine/plan.h"
#include "lib/engine/template-internal.h"

#include <ctype.h>
#include <errno.h>

#define TEMPLATES_MAX 256
#define EXTENDS_MAX 16

struct vw_template {
	struct vw_xml *doc;
	char *file;
	const char *id;      /* points into doc, like all below */
	const char *extends; /* or NULL */
	const struct vw_template *base;
	long priority;
	const xmlNode *match;  /* or NULL: only to be extended */
	const xmlNode **rules; /* by the number of the rule; NULL = no opinion; bases included */
};

struct vw_templates {
	struct vw_template **v; /* sorted by id */
	size_t n;
};

static void template_free(struct vw_template *t)
{
	if (!t)
		return;
	vw_xml_free(t->doc);
	free(t->rules);
	free(t->file);
	free(t);
}

static void cleanup_template(struct vw_template **t)
{
	template_free(*t);
}

static int bad(struct vw_err *err, const struct vw_template *t, const xmlNode *at, const char *what,
	       const char *which)
{
	return vw_err_set(err, -EINVAL, "%s:%ld: %s '%.60s' (see xml-templates/template.rng)",
			  t->file, xmlGetLineNo((xmlNode *)at), what, which);
}

static bool one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (!strcmp(name, *names))
			return true;
	return false;
}

static int check_attrs(const struct vw_template *t, const xmlNode *n, const char *const *known,
		       struct vw_err *err)
{
	for (const xmlAttr *a = n->properties; a; a = a->next)
		if (a->ns || !one_of((char *)a->name, known))
			return bad(err, t, n, "unknown attribute", (char *)a->name);
	return 0;
}

static const char *const template_attrs[] = { "version", "id", "extends", "priority", NULL };
static const char *const match_attrs[] = {
	"family",          "distro",         "has", "lacks", "id", "released-from",
	"released-before", "virtio-drivers", NULL
};

static int check_children(struct vw_template *t, struct vw_err *err)
{
	for (xmlNode *n = vw_xml_first(vw_xml_root(t->doc)); n; n = vw_xml_next(n, NULL)) {
		const char *name = (char *)n->name;
		const char *id = vw_xml_attr(n, "id");

		if (!strcmp(name, "match")) {
			if (t->match)
				return bad(err, t, n, "a second element", "match");
			t->match = n;
			if (check_attrs(t, n, match_attrs, err) < 0)
				return -EINVAL;
		} else if (!strcmp(name, "rule")) {
			if (!id || vw_rule_number(id) < 0)
				return bad(err, t, n, "unknown rule id", id ? id : "");
		} else if (strcmp(name, "title") != 0) {
			return bad(err, t, n, "unknown element", name);
		}
	}
	return 0;
}

static bool valid_id(const char *s)
{
	size_t len = s ? strlen(s) : 0;

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("-_.", s[i]))
			return false;
	return len > 0 && len < 64;
}

static int check_head(struct vw_template *t, struct vw_err *err)
{
	xmlNode *root = vw_xml_root(t->doc);
	const char *priority = vw_xml_attr(root, "priority");
	const char *version = vw_xml_attr(root, "version");
	char *end;

	if (check_attrs(t, root, template_attrs, err) < 0)
		return -EINVAL;
	if (!vw_streq(version, "1"))
		return bad(err, t, root, "this version reads templates of version='1', not",
			   version ? version : "");
	t->id = vw_xml_attr(root, "id");
	t->extends = vw_xml_attr(root, "extends");
	if (!valid_id(t->id))
		return bad(err, t, root, "a template needs an id of letters, digits, '-', not",
			   t->id ? t->id : "");
	t->priority = priority ? strtol(priority, &end, 10) : 0;
	if (priority && (*end || !*priority || t->priority < -1000 || t->priority > 1000))
		return bad(err, t, root, "priority must be a number from -1000 to 1000, not",
			   priority);
	return 0;
}

static int parse_template(const char *text, size_t len, const char *file, struct vw_template **ret,
			  struct vw_err *err)
{
	VW_CLEANUP(cleanup_template) struct vw_template *t = calloc(1, sizeof(*t));
	int r;

	if (!t || !(t->file = strdup(file)))
		return vw_err_set(err, -ENOMEM, "%s: out of memory", file);
	r = vw_xml_parse(text, len, file, "template", &t->doc, err);
	if (r < 0)
		return r;
	r = check_head(t, err);
	if (r == 0)
		r = check_children(t, err);
	if (r < 0)
		return r;
	*ret = vw_steal(t);
	return 0;
}

static int find(const struct vw_templates *set, const char *id, size_t *ret_at)
{
	size_t lo = 0, hi = set->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(id, set->v[mid]->id);

		if (c == 0) {
			*ret_at = mid;
			return 1;
		}
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	*ret_at = lo;
	return 0;
}

/* Takes t over, also on failure. */
static int insert(struct vw_templates *set, struct vw_template *t, struct vw_err *err)
{
	struct vw_template **v;
	size_t at;

	if (find(set, t->id, &at)) {
		template_free(set->v[at]);
		set->v[at] = t;
		return 0;
	}
	v = set->n < TEMPLATES_MAX ? reallocarray(set->v, set->n + 1, sizeof(*v)) : NULL;
	if (!v) {
		int r = vw_err_set(err, -E2BIG, "%s: more than %d templates, or out of memory",
				   t->file, TEMPLATES_MAX);

		template_free(t);
		return r;
	}
	set->v = v;
	memmove(v + at + 1, v + at, (set->n - at) * sizeof(*v));
	v[at] = t;
	set->n++;
	return 0;
}

static int link_bases(struct vw_templates *set, struct vw_err *err)
{
	size_t at;

	for (size_t i = 0; i < set->n; i++) {
		struct vw_template *t = set->v[i];

		t->base = NULL;
		if (!t->extends)
			continue;
		if (!find(set, t->extends, &at))
			return bad(err, t, vw_xml_root(t->doc), "extends an unknown template",
				   t->extends);
		t->base = set->v[at];
	}
	for (size_t i = 0; i < set->n; i++) {
		const struct vw_template *t = set->v[i];
		int depth = 0;

		while (t && depth++ <= EXTENDS_MAX)
			t = t->base;
		if (t)
			return bad(err, t, vw_xml_root(t->doc),
				   "extends itself in a circle, or too deep", t->id);
	}
	return 0;
}

/* What the template says itself: of two elements of a rule the first counts. */
static void own_rules(struct vw_template *t)
{
	xmlNode *n = vw_xml_child(vw_xml_root(t->doc), "rule");

	for (; n; n = vw_xml_next(n, "rule")) {
		long k = vw_rule_number(vw_xml_attr(n, "id")); /* there: check_children */

		if (!t->rules[k])
			t->rules[k] = n;
	}
}

/* Resolve inheritance once, so that planning needs no lookups. */
static int resolve_rules(struct vw_templates *set, struct vw_err *err)
{
	const size_t n = vw_rule_count();

	for (size_t i = 0; i < set->n; i++) {
		struct vw_template *t = set->v[i];

		t->rules = calloc(n, sizeof(*t->rules));
		if (!t->rules)
			return vw_err_set(err, -ENOMEM, "%s: out of memory", t->file);
		own_rules(t);
	}
	for (size_t i = 0; i < set->n; i++)
		for (size_t k = 0; k < n; k++)
			for (const struct vw_template *b = set->v[i]; b && !set->v[i]->rules[k];
			     b = b->base)
				set->v[i]->rules[k] = b->rules[k];
	return 0;
}

int vw_templates_add_text(struct vw_templates *set, const char *text, size_t len, const char *name,
			  struct vw_err *err)
{
	struct vw_template *t = NULL;
	int r = parse_template(text, len, name, &t, err);

	return r < 0 ? r : insert(set, t, err);
}

int vw_templates_link(struct vw_templates *set, struct vw_err *err)
{
	int r = link_bases(set, err);

	return r < 0 ? r : resolve_rules(set, err);
}

struct vw_templates *vw_templates_new(void)
{
	return calloc(1, sizeof(struct vw_templates));
}

void vw_templates_free(struct vw_templates *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		template_free(t->v[i]);
	free(t->v);
	free(t);
}

const char *vw_template_id(const struct vw_template *t)
{
	return t ? t->id : "";
}

const char *vw_template_title(const struct vw_template *t)
{
	return t ? vw_xml_content(t->doc, vw_xml_child(vw_xml_root(t->doc), "title")) : "";
}

const xmlNode *vw_template_rule(const struct vw_template *t, const char *rule)
{
	long k = vw_rule_number(rule);

	return t && k >= 0 ? t->rules[k] : NULL;
}

const xmlNode *vw_template_rule_at(const struct vw_template *t, size_t i)
{
	return t ? t->rules[i] : NULL;
}

size_t vw_templates_count(const struct vw_templates *t)
{
	return t->n;
}

const struct vw_template *vw_templates_get(const struct vw_templates *t, size_t i)
{
	return i < t->n ? t->v[i] : NULL;
}

const xmlNode *vw_template_match(const struct vw_template *t, long *ret_priority)
{
	*ret_priority = t->priority;
	return t->match;
}
