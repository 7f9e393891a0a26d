/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a document says (see lib/xml/says.h).
 *
 * Theory: matching each child of one tree with the most similar child of the other is quadratic.
 * So each item becomes a hash of what it is and where it stands: of the names of the elements
 * above it and, where a device has one, of its target (disk) or MAC address, which is its identity.
 * Order does not count: libvirtd sorts devices. Two documents are then two sorted lists. */
#include "lib/xml/says.h"

#include <errno.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* FNV-1a, 64 bit; the NUL counts, so that "ab" "c" is not "a" "bc". */
static uint64_t add(uint64_t h, const char *s)
{
	do
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	while (*s++);
	return h;
}

struct list {
	struct vw_xml_says s;
	size_t room;
	bool failed;
};

static void put(struct list *l, uint64_t item)
{
	if (l->s.n == l->room && !l->failed) {
		const size_t room = l->room ? l->room * 2 : 1024;
		uint64_t *v = reallocarray(l->s.v, room, sizeof(*v));

		l->failed = !v;
		l->s.v = v ? v : l->s.v;
		l->room = v ? room : l->room;
	}
	if (!l->failed)
		l->s.v[l->s.n++] = item;
}

static uint64_t add_attr(uint64_t h, const xmlAttr *a)
{
	h = add(h, (const char *)a->name);
	return add(h,
		   a->children && a->children->content ? (const char *)a->children->content : "");
}

/* Which of its kind is this element? Its first <target> or <mac>, with all attributes that every
 * libvirt leaves as they are. */
static uint64_t add_identity(uint64_t h, const xmlNode *n)
{
	for (const xmlNode *c = n->children; c; c = c->next) {
		if (c->type != XML_ELEMENT_NODE)
			continue;
		for (const xmlAttr *a = c->properties; a; a = a->next)
			if ((vw_streq((char *)c->name, "target") &&
			     vw_streq((char *)a->name, "dev")) ||
			    (vw_streq((char *)c->name, "mac") &&
			     vw_streq((char *)a->name, "address")))
				return add_attr(h, a);
	}
	return h;
}

/* An element, and all below it. place: of its parent. The depth is bounded (xml.h). */
static void put_element(struct list *l, const xmlNode *n, uint64_t place)
{
	place = add_identity(add(add(place, "element"), (const char *)n->name), n);
	put(l, place);
	for (const xmlAttr *a = n->properties; a; a = a->next)
		put(l, add_attr(add(place, "attribute"), a));
	for (const xmlNode *c = n->children; c; c = c->next) {
		if (c->type == XML_ELEMENT_NODE)
			put_element(l, c, place);
		else if (c->type == XML_TEXT_NODE && !xmlIsBlankNode(c))
			put(l, add(add(place, "text"), (const char *)c->content));
	}
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int vw_xml_says(const xmlNode *root, struct vw_xml_says *ret)
{
	struct list l = { .room = 0 };

	put_element(&l, root, HASH_START);
	if (l.failed) {
		free(l.s.v);
		return -ENOMEM;
	}
	qsort(l.s.v, l.s.n, sizeof(*l.s.v), compare);
	*ret = l.s;
	return 0;
}

void vw_xml_says_clear(struct vw_xml_says *s)
{
	free(s->v);
	*s = (struct vw_xml_says){ 0 };
}

size_t vw_xml_missing(const struct vw_xml_says *a, const struct vw_xml_says *b)
{
	size_t missing = 0, j = 0;

	for (size_t i = 0; i < a->n; i++) {
		while (j < b->n && b->v[j] < a->v[i])
			j++;
		if (j < b->n && b->v[j] == a->v[i])
			j++;
		else
			missing++;
	}
	return missing;
}

/* Return: 0 or negative errno. */
static int says_of(const char *text, struct vw_xml_says *ret)
{
	VW_AUTOXML struct vw_xml *doc = NULL;
	int r = vw_xml_parse(text, strlen(text), "config", "domain", &doc, NULL);

	return r < 0 ? r : vw_xml_says(vw_xml_root(doc), ret);
}

size_t vw_xml_nearest(const char *sent, char *const *texts, size_t n)
{
	VW_AUTOXMLSAYS struct vw_xml_says ours = { 0 };
	size_t least = SIZE_MAX, nearest = n - 1;

	if (says_of(sent, &ours) < 0)
		return nearest;
	for (size_t i = 0; i < n && least; i++) {
		VW_AUTOXMLSAYS struct vw_xml_says theirs = { 0 };
		size_t missing;

		if (!texts[i] || says_of(texts[i], &theirs) < 0)
			continue;
		missing = vw_xml_missing(&ours, &theirs);
		if (missing < least) {
			least = missing;
			nearest = i;
		}
	}
	return nearest;
}
