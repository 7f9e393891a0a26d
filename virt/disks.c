/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts about a domain's disks: from their source in the XML to the prober. */
#include "virt/collect-internal.h"

#include <errno.h>

#define ONE_DISK_MS 1000  /* design.md, Principles: within a second */
#define ALL_DISKS_MS 3000 /* a domain may have thousands of disks on a dead mount */

/* The path of "pool/volume". Return: malloc'ed, NULL if libvirtd knows no such volume. */
static char *volume_path(virConnectPtr conn, const char *source)
{
	const char *slash = strchr(source, '/');
	VW_AUTOFREE char *name = slash ? strndup(source, (size_t)(slash - source)) : NULL;
	virStoragePoolPtr pool = conn && name ? virStoragePoolLookupByName(conn, name) : NULL;
	virStorageVolPtr vol = pool ? virStorageVolLookupByName(pool, slash + 1) : NULL;
	char *path = vol ? virStorageVolGetPath(vol) : NULL;

	if (vol)
		virStorageVolFree(vol);
	if (pool)
		virStoragePoolFree(pool);
	return path;
}

/* Where the disk's data is. Return: malloc'ed path, or NULL and why. */
static char *disk_path(virConnectPtr conn, const struct vw_outline_disk *d, const char **why)
{
	char *path;

	*why = "not a file or block device of this host";
	if (strcmp(d->type, "file") && strcmp(d->type, "block") && strcmp(d->type, "volume"))
		return NULL;
	*why = "the disk has no source";
	if (!*d->source)
		return NULL;
	if (vw_streq(d->type, "volume")) {
		*why = "libvirtd does not know the volume";
		return volume_path(conn, d->source);
	}
	path = strdup(d->source);
	*why = "out of memory";
	return path;
}

/* Whatever is no CD-ROM may hold a system; only what the guest may write to can discard. */
static unsigned wanted(const struct vw_outline_disk *d, unsigned want)
{
	if (!strcmp(d->device, "cdrom"))
		return 0;
	return d->readonly || !strcmp(d->device, "floppy") ? want & ~VW_PROBE_DISCARD : want;
}

/* What the prober is to be asked, and the paths. */
struct asking {
	struct vw_probe_ask *asks;
	char **paths;
	size_t n;
};

static void asking_clear(struct asking *a)
{
	for (size_t i = 0; a->paths && i < a->n; i++)
		free(a->paths[i]);
	free(a->paths);
	free(a->asks);
}

/* One entry each in f and a, in the order of the disks. Return: 0 or -ENOMEM. */
static int prepare_asks(virConnectPtr conn, bool local, const struct vw_outline *o, unsigned want,
			struct vw_facts *f, struct asking *a)
{
	const size_t first = f->n_disks;

	a->asks = calloc(o->n_disks + 1, sizeof(*a->asks));
	a->paths = calloc(o->n_disks + 1, sizeof(*a->paths));
	if (!a->asks || !a->paths)
		return -ENOMEM;
	for (a->n = 0; a->n < o->n_disks; a->n++) {
		const struct vw_outline_disk *d = &o->disks[a->n];
		struct vw_disk_facts *fact = vw_facts_add_disk(f, d->target);
		const char *why =
			conn ? "libvirtd is not on this host (or not in this mount namespace)"
			     : "no libvirtd was asked";

		if (!fact)
			return -ENOMEM;
		if (local)
			a->paths[a->n] = disk_path(conn, d, &why);
		if (!a->paths[a->n])
			snprintf(fact->why, sizeof(fact->why), "%s", why);
		a->asks[a->n] = (struct vw_probe_ask){ .path = a->paths[a->n],
						       .format = d->format,
						       .has_backing = d->backing,
						       .want = wanted(d, want) };
	}
	for (size_t i = 0; i < a->n; i++) /* now they stay where they are */
		a->asks[i].out = &f->disks[first + i];
	return 0;
}

static bool any_path(const struct asking *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->paths[i])
			return true;
	return false;
}

int vw_collect_disks(struct vw_context *c, virConnectPtr conn, bool local,
		     const struct vw_outline *o, unsigned want, struct vw_facts *f,
		     struct vw_err *err)
{
	VW_CLEANUP(asking_clear) struct asking a = { 0 };
	struct vw_prober *prober;

	if (prepare_asks(conn, local, o, want, f, &a) < 0)
		return vw_err_set(err, -ENOMEM, "out of memory");
	if (!any_path(&a))
		return 0;
	prober = vw_context_prober(c, err);
	if (!prober)
		return -ENOMEM;
	vw_probe_disks(prober, a.asks, a.n, ONE_DISK_MS, ALL_DISKS_MS);
	return 0;
}

struct vw_look {
	struct vw_look *next; /* those that wait to be done at once … */
	bool waits;
	struct asking asking;     /* … and what they ask */
	struct vw_prober *prober; /* is at work for us */
	struct vw_context *c;
	struct vw_gathered *g;
	virConnectPtr conn;
	int result;
};

/* Set the child to work. */
static int look_now(struct vw_look *l)
{
	struct vw_gathered *g = l->g;
	pid_t daemon;

	g->local = !l->conn || vw_context_peer(l->c, l->conn, &daemon);
	if (prepare_asks(l->conn, g->local, g->outline, VW_PROBE_BLANK | VW_PROBE_DISCARD,
			 &g->facts, &l->asking) < 0)
		return -ENOMEM;
	if (!any_path(&l->asking))
		return 0;
	l->prober = vw_context_prober(l->c, NULL);
	if (!l->prober)
		return -ENOMEM;
	vw_probe_start(l->prober, l->asking.asks, l->asking.n, ONE_DISK_MS, ALL_DISKS_MS);
	return 0;
}

/* Prepare the look at the disks of a file. */
static int look_later(struct vw_look *l, struct vw_look **list)
{
	l->g->local = true;
	if (prepare_asks(NULL, true, l->g->outline, VW_PROBE_BLANK | VW_PROBE_DISCARD, &l->g->facts,
			 &l->asking) < 0) {
		asking_clear(&l->asking);
		l->asking = (struct asking){ 0 };
		return -ENOMEM;
	}
	l->waits = true;
	l->next = *list;
	*list = l;
	return 0;
}

/* Do all that wait: the prober's child is woken once for many domains. */
static void look_at_all(struct vw_context *c, struct vw_look **list)
{
	struct vw_prober *prober = vw_context_prober(c, NULL);
	VW_AUTOFREE struct vw_probe_ask *asks = NULL;
	unsigned domains = 0;
	size_t n = 0;

	for (const struct vw_look *l = *list; l; l = l->next)
		n += l->asking.n;
	asks = calloc(n + 1, sizeof(*asks));
	n = 0;
	for (struct vw_look *l = *list; l; l = l->next, domains++) {
		l->waits = false;
		l->result = prober && asks ? 0 : -ENOMEM;
		for (size_t i = 0; asks && i < l->asking.n; i++)
			asks[n++] = l->asking.asks[i];
	}
	if (prober && asks)
		vw_probe_disks(prober, asks, n, ONE_DISK_MS, domains * ALL_DISKS_MS);
	while (*list) {
		struct vw_look *l = *list;

		*list = l->next;
		asking_clear(&l->asking);
		l->asking = (struct asking){ 0 };
	}
}

int vw_look_start(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
		  struct vw_err *err)
{
	g->look = calloc(1, sizeof(*g->look));
	if (!g->look)
		return vw_err_set(err, -ENOMEM, "out of memory");
	*g->look = (struct vw_look){ .c = c, .g = g, .conn = conn };
	if (!conn && vw_context_looks(c))
		g->look->result = look_later(g->look, vw_context_looks(c));
	else
		g->look->result = look_now(g->look);
	return g->look->result == 0 ? 0 : vw_err_set(err, -ENOMEM, "out of memory");
}

int vw_look_join(struct vw_gathered *g)
{
	if (!g->look)
		return 0;
	if (g->look->waits)
		look_at_all(g->look->c, vw_context_looks(g->look->c));
	if (g->look->prober)
		vw_probe_finish(vw_steal(g->look->prober));
	return g->look->result;
}

void vw_look_free(struct vw_gathered *g)
{
	vw_look_join(g);
	if (g->look)
		asking_clear(&g->look->asking);
	free(g->look);
}
