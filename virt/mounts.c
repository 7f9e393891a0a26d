/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Do two mount namespaces agree (see virt/mounts.h)?
 *
 * Both trees are the same if each mount of either is what the other shows at that point: the
 * same device, and the same directory of it. What lies between mount points then follows. */
#include "virt/mounts.h"

#define MOUNTS_MAX 8192

struct mount {
	const char *dev, *root, *point; /* parts of a line of the text */
	size_t dev_len, root_len, point_len;
};

struct table {
	struct mount *mounts;
	size_t n;
};

static void table_clear(struct table *t)
{
	free(t->mounts);
}

/* The next word of the line. Return: where it begins, NULL = there is none. */
static const char *word(const char **s, size_t *ret_len)
{
	const char *begin = *s + strspn(*s, " ");

	*ret_len = strcspn(begin, " \n");
	*s = begin + *ret_len;
	return *ret_len ? begin : NULL;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw" */
static bool parse_line(const char *line, struct mount *m)
{
	size_t len;

	if (!word(&line, &len)) /* its number */
		return false;
	if (!word(&line, &len) || !(m->dev = word(&line, &m->dev_len)) ||
	    !(m->root = word(&line, &m->root_len)) || !(m->point = word(&line, &m->point_len)))
		return false;
	if (m->root_len == 1) /* "/" and "" plus a rest are then written alike */
		m->root_len = 0;
	if (m->point_len == 1)
		m->point_len = 0;
	return memchr(m->dev, ':', m->dev_len);
}

static bool parse(const char *text, struct table *t)
{
	size_t lines = 0;

	for (const char *s = text; (s = strchr(s, '\n')); s++)
		lines++;
	if (!lines || lines > MOUNTS_MAX)
		return false;
	t->mounts = calloc(lines, sizeof(*t->mounts));
	for (const char *s = text; t->mounts && *s && t->n < lines; s = strchr(s, '\n') + 1)
		if (!parse_line(s, &t->mounts[t->n++]))
			return false;
	return t->mounts;
}

/* Is the path at or below the directory? Both without a trailing slash. */
static bool is_below(const char *path, size_t len, const char *dir, size_t dir_len)
{
	return len >= dir_len && !strncmp(path, dir, dir_len) &&
	       (len == dir_len || path[dir_len] == '/');
}

/* No disk can lie there: the kernel's own files, systemd's, and what systemd has hidden of
 * them (it mounts a node that gives nothing: ProtectKernelLogs, ProtectKernelModules). */
static bool is_beside_the_point(const struct mount *m)
{
	static const char mask[] = "/systemd/inaccessible/";
	static const struct {
		const char *dir;
		bool masked; /* only if it is */
	} places[] = {
		{ "/proc", false },        { "/sys", false },
		{ "/run/systemd", false }, { "/run/credentials", false },
		{ "/dev/kmsg", true },     { "/usr/lib/modules", true },
		{ "/lib/modules", true },
	};
	bool masked = memmem(m->root, m->root_len, mask, sizeof(mask) - 1);

	for (size_t i = 0; i < VW_N_ELEMENTS(places); i++)
		if (is_below(m->point, m->point_len, places[i].dir, strlen(places[i].dir)) &&
		    (masked || !places[i].masked))
			return true;
	return false;
}

/* The mount that a path lies on: the deepest, and of several at one point the last. */
static const struct mount *mount_of(const struct table *t, const char *path, size_t len)
{
	const struct mount *best = NULL;

	for (size_t i = 0; i < t->n; i++)
		if (is_below(path, len, t->mounts[i].point, t->mounts[i].point_len) &&
		    (!best || t->mounts[i].point_len >= best->point_len))
			best = &t->mounts[i];
	return best;
}

/* Does the other namespace show at this mount's point what the mount does? */
static bool shown(const struct mount *m, const struct table *t)
{
	const struct mount *o = mount_of(t, m->point, m->point_len);
	size_t rest;

	if (!o || o->dev_len != m->dev_len || strncmp(o->dev, m->dev, m->dev_len))
		return false;
	rest = m->point_len - o->point_len;
	return m->root_len == o->root_len + rest && !strncmp(m->root, o->root, o->root_len) &&
	       !strncmp(m->root + o->root_len, m->point + o->point_len, rest);
}

/* Does `other` show all that can be seen of t? A mount under another is seen by nobody. */
static bool all_shown(const struct table *t, const struct table *other)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct mount *m = &t->mounts[i];

		if (!is_beside_the_point(m) && mount_of(t, m->point, m->point_len) == m &&
		    !shown(m, other))
			return false;
	}
	return true;
}

bool vw_mounts_agree(const char *ours, const char *theirs)
{
	VW_CLEANUP(table_clear) struct table a = { 0 };
	VW_CLEANUP(table_clear) struct table b = { 0 };

	return parse(ours, &a) && parse(theirs, &b) && all_shown(&a, &b) && all_shown(&b, &a);
}
