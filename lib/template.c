/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The template loader: files -> a checked set, and the choice among them by facts.
 *
 * A template is kept as the parsed file; rules read their <rule> element
 * directly. The loader is strict (an unknown element, attribute or rule id is
 * an error with its line); the values are checked by the RELAX NG schema in
 * `virt-warden doctor`. */
#include "template.h"

#include "plan.h"
#include "template-internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define TEMPLATE_MAX_BYTES (256u * 1024) /* ours are below 8 KiB */
#define TEMPLATES_MAX 256
#define EXTENDS_MAX 16

struct vw_template {
	struct vw_xml *doc;
	char *file;
	const char *id;      /* points into doc, like all below */
	const char *extends; /* or NULL */
	const struct vw_template *base;
	long priority;
	const xmlNode *match; /* or NULL: only to be extended */
	const xmlNode **rules; /* by the order of vw_rule_ids(); NULL = no opinion; bases included */
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
static const char *const match_attrs[] = { "family", "distro", "has", "lacks", "id", "released-from",
					   "released-before", "virtio-drivers", NULL };

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
			if (!id || !one_of(id, vw_rule_ids()))
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
		return bad(err, t, root, "priority must be a number from -1000 to 1000, not", priority);
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
			return bad(err, t, vw_xml_root(t->doc), "extends itself in a circle, or too deep",
				   t->id);
	}
	return 0;
}

static const xmlNode *own_rule(const struct vw_template *t, const char *rule)
{
	xmlNode *n = vw_xml_child(vw_xml_root(t->doc), "rule");

	while (n && strcmp(vw_xml_attr(n, "id"), rule) != 0)
		n = vw_xml_next(n, "rule");
	return n;
}

/* Who has the say in which rule: looked up once, for thousands of domains. */
static int resolve_rules(struct vw_templates *set, struct vw_err *err)
{
	const char *const *ids = vw_rule_ids();
	size_t n = 0;

	while (ids[n])
		n++;
	for (size_t i = 0; i < set->n; i++) {
		struct vw_template *t = set->v[i];

		t->rules = calloc(n, sizeof(*t->rules));
		if (!t->rules)
			return vw_err_set(err, -ENOMEM, "%s: out of memory", t->file);
		for (size_t k = 0; k < n; k++)
			for (const struct vw_template *b = t; b && !t->rules[k]; b = b->base)
				t->rules[k] = own_rule(b, ids[k]);
	}
	return 0;
}

static int read_file(int dirfd, const char *name, const char *path, char **ret, size_t *ret_len,
		     struct vw_err *err)
{
	VW_AUTOCLOSE int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	VW_AUTOFREE char *text = NULL;
	struct stat st;
	size_t len = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return vw_err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode) || st.st_size > TEMPLATE_MAX_BYTES)
		return vw_err_set(err, -EINVAL, "%s: not a regular file of at most %u KiB", path,
				  TEMPLATE_MAX_BYTES >> 10);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return vw_err_set(err, -ENOMEM, "%s: out of memory", path);
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, text + len, (size_t)st.st_size - len);

		if (n < 0)
			return vw_err_set(err, -errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret = vw_steal(text);
	*ret_len = len;
	return 0;
}

static int is_template_file(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > 4 && !strcmp(e->d_name + len - 4, ".xml");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_file(struct vw_templates *set, int dirfd, const char *dir, const char *name,
		     struct vw_err *err)
{
	VW_AUTOFREE char *path = NULL;
	VW_AUTOFREE char *text = NULL;
	struct vw_template *t = NULL;
	size_t len = 0;
	int r;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return vw_err_set(err, -ENOMEM, "%s: out of memory", dir);
	}
	r = read_file(dirfd, name, path, &text, &len, err);
	if (r == 0)
		r = parse_template(text, len, path, &t, err);
	return r < 0 ? r : insert(set, t, err);
}

static int load_dir(struct vw_templates *set, const char *dir, bool must, struct vw_err *err)
{
	VW_AUTOCLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **names = NULL;
	int n, r = 0;

	if (fd < 0 && errno == ENOENT && !must)
		return 0;
	n = fd < 0 ? -1 : scandirat(fd, ".", &names, is_template_file, by_bytes);
	if (n < 0)
		return vw_err_set(err, -errno,
				  "%s: %s (templates; VIRT_WARDEN_DATADIR or a new installation)",
				  dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = load_file(set, fd, dir, names[i]->d_name, err);
		free(names[i]);
	}
	free(names);
	return r;
}

static void cleanup_set(struct vw_templates **t)
{
	vw_templates_free(*t);
}

int vw_templates_load(const char *const *dirs, struct vw_templates **ret, struct vw_err *err)
{
	VW_CLEANUP(cleanup_set) struct vw_templates *set = calloc(1, sizeof(*set));
	int r = set ? 0 : vw_err_set(err, -ENOMEM, "templates: out of memory");

	for (size_t i = 0; r == 0 && dirs[i]; i++)
		r = load_dir(set, dirs[i], i == 0, err);
	if (r == 0)
		r = link_bases(set, err);
	if (r == 0)
		r = resolve_rules(set, err);
	if (r < 0)
		return r;
	*ret = vw_steal(set);
	return 0;
}

int vw_templates_load_text(const char *text, size_t len, const char *name,
			   struct vw_templates **ret, struct vw_err *err)
{
	VW_CLEANUP(cleanup_set) struct vw_templates *set = calloc(1, sizeof(*set));
	struct vw_template *t = NULL;
	int r;

	if (!set)
		return vw_err_set(err, -ENOMEM, "templates: out of memory");
	r = parse_template(text, len, name, &t, err);
	if (r == 0)
		r = insert(set, t, err);
	if (r == 0)
		r = link_bases(set, err);
	if (r == 0)
		r = resolve_rules(set, err);
	if (r < 0)
		return r;
	*ret = vw_steal(set);
	return 0;
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
	for (size_t i = 0; t && vw_rule_ids()[i]; i++)
		if (!strcmp(vw_rule_ids()[i], rule))
			return t->rules[i];
	return NULL;
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
