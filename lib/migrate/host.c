/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Look-ups in a host's facts, and sets of CPU features (see host.h). */
#include "lib/migrate/host.h"

#include "lib/base/buf.h"

#include <errno.h>

/* Each kind of item that is looked up begins with its name or path. */
static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of equal ones, the first in memory. */
static int by_name_and_place(const void *a, const void *b)
{
	const char *const x = *(const char *const *)a, *const y = *(const char *const *)b;
	const int r = by_name(x, y);

	return r ? r : (x > y) - (x < y);
}

/* Sort, and keep of equal names the first, which a search from the start would find.
 * Return: false: no memory; they are as they were. */
static bool sort(void *items, size_t *n, size_t size)
{
	VW_AUTOFREE const char **order = calloc(*n + 1, sizeof(*order));
	VW_AUTOFREE char *sorted = calloc(*n + 1, size);
	size_t k = 0;

	if (!order || !sorted)
		return false;
	for (size_t i = 0; i < *n; i++)
		order[i] = (const char *)items + i * size;
	qsort(order, *n, sizeof(*order), by_name_and_place);
	for (size_t i = 0; i < *n; i++)
		if (!i || by_name(order[i], order[i - 1]))
			memcpy(sorted + k++ * size, order[i], size);
	if (k)
		memcpy(items, sorted, k * size);
	*n = k;
	return true;
}

/* Return: the item of that name, of equal ones the first if they are not sorted; NULL = none. */
static const void *find(const void *items, size_t n, size_t size, bool sorted, const char *name)
{
	const char *item = items;

	if (!name || !n)
		return NULL;
	if (sorted)
		return bsearch(&name, items, n, size, by_name);
	for (size_t i = 0; i < n; i++, item += size)
		if (!by_name(&name, item))
			return item;
	return NULL;
}

bool vw_words_have(const struct vw_words *w, const char *word)
{
	return find(w->v, w->n, sizeof(*w->v), w->sorted, word);
}

void vw_words_sort(struct vw_words *w)
{
	w->sorted = sort(w->v, &w->n, sizeof(*w->v));
}

void vw_host_sort(struct vw_host_facts *h)
{
	_Static_assert(offsetof(struct vw_host_file, path) == 0, "find, by_name");
	_Static_assert(offsetof(struct vw_host_lun, path) == 0, "find, by_name");
	h->sorted = sort(h->files, &h->n_files, sizeof(*h->files)) &&
		    sort(h->luns, &h->n_luns, sizeof(*h->luns));
	for (size_t i = 0; i < h->n_pools; i++)
		vw_words_sort(&h->pools[i].volumes);
}

int vw_features_intern(struct vw_features *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->names[i], name))
			return (int)i;
	if (t->n == VW_FEATURES_MAX)
		return -E2BIG;
	if (!t->names)
		t->names = calloc(VW_FEATURES_MAX, sizeof(*t->names));
	if (!t->names)
		return -ENOMEM;
	t->names[t->n] = name;
	return (int)t->n++;
}

void vw_features_clear(struct vw_features *t)
{
	free(t->names);
	*t = (struct vw_features){ 0 };
}

void vw_featset_add(struct vw_featset *s, unsigned number)
{
	s->bits[number / 64] |= UINT64_C(1) << number % 64;
}

size_t vw_featset_minus(const struct vw_featset *a, const struct vw_featset *b,
			struct vw_featset *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < VW_N_ELEMENTS(a->bits); i++) {
		ret->bits[i] = a->bits[i] & ~b->bits[i];
		n += (size_t)__builtin_popcountll(ret->bits[i]);
	}
	return n;
}

void vw_featset_and(struct vw_featset *a, const struct vw_featset *b)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(a->bits); i++)
		a->bits[i] &= b->bits[i];
}

char *vw_featset_names(const struct vw_features *t, const struct vw_featset *s)
{
	VW_AUTOBUF struct vw_buf b = { 0 };

	for (size_t i = 0; i < t->n; i++)
		if (s->bits[i / 64] >> i % 64 & 1)
			vw_buf_printf(&b, "%s%s", b.len ? "," : "", t->names[i]);
	return vw_buf_take(&b);
}

const struct vw_host_virt *vw_host_virt(const struct vw_host_facts *h, const char *type)
{
	for (size_t i = 0; i < h->n_virts; i++)
		if (vw_streq(h->virts[i].type, type))
			return &h->virts[i];
	return NULL;
}

const struct vw_host_lun *vw_host_lun(const struct vw_host_facts *h, const char *path)
{
	return find(h->luns, h->n_luns, sizeof(*h->luns), h->sorted, path);
}

const char *vw_host_unasked(const struct vw_host_facts *h, const char *section)
{
	size_t n = strlen(section);

	for (size_t i = 0; i < h->unasked.n; i++)
		if (!strncmp(h->unasked.v[i], section, n) && h->unasked.v[i][n] == ':')
			return h->unasked.v[i];
	return NULL;
}

enum vw_known vw_host_file(const struct vw_host_facts *h, const char *path)
{
	const struct vw_host_file *file = find(h->files, h->n_files, sizeof(*h->files), h->sorted,
					       path);

	if (file)
		return file->there ? VW_YES : VW_NO;
	for (size_t i = 0; i < h->n_pools; i++)
		if (vw_words_have(&h->pools[i].volumes, path))
			return VW_YES;
	return vw_host_lun(h, path) ? VW_YES : VW_UNKNOWN;
}

const struct vw_host_pool *vw_host_pool_of(const struct vw_host_facts *h, const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	for (size_t i = 0; n && i < h->n_pools; i++) {
		const char *dir = h->pools[i].path;

		if (h->pools[i].active && strlen(dir) == n && !strncmp(dir, path, n))
			return &h->pools[i];
	}
	return NULL;
}

const struct vw_host_pool *vw_host_pool_over(const struct vw_host_facts *h, const char *path)
{
	const struct vw_host_pool *best = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < h->n_pools; i++) {
		const struct vw_host_pool *p = &h->pools[i];
		size_t n = strlen(p->path);

		if (p->active && n > longest && !strncmp(p->path, path, n) && path[n] == '/') {
			best = p;
			longest = n;
		}
	}
	return best;
}

enum vw_known vw_host_pool_shared(const struct vw_host_pool *p)
{
	if (!strcmp(p->type, "netfs") || !strcmp(p->type, "vstorage"))
		return VW_YES;
	if (strcmp(p->type, "fs") != 0)
		return VW_UNKNOWN;
	return !strcmp(p->format, "gfs") || !strcmp(p->format, "gfs2") ||
			       !strcmp(p->format, "ocfs2")
		       ? VW_YES
		       : VW_NO;
}
