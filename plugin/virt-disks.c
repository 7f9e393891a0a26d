/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts about a domain's disks: from their source in the XML to the prober. */
#include "virt-ahead.h"
#include "virt-collect-internal.h"

#include <errno.h>
#include <time.h>

#define ONE_DISK_MS 1000  /* design.md, Principles: within a second */
#define ALL_DISKS_MS 3000 /* a domain may have thousands of disks on a dead mount */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

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

	*why = "the disk has no source";
	if (!*d->source)
		return NULL;
	if (vw_streq(d->type, "volume")) {
		*why = "libvirtd does not know the volume";
		return volume_path(conn, d->source);
	}
	*why = "not a file or block device of this host";
	if (strcmp(d->type, "file") && strcmp(d->type, "block"))
		return NULL;
	path = strdup(d->source);
	*why = "out of memory";
	return path;
}

/* Only what the guest may write to can be blank or discard. */
static unsigned wanted(const struct vw_outline_disk *d, unsigned want)
{
	if (d->readonly || (strcmp(d->device, "disk") && strcmp(d->device, "lun")))
		return 0;
	return want;
}

int vw_collect_disks(struct vw_context *c, virConnectPtr conn, bool local,
		     const struct vw_outline *o, unsigned want, struct vw_facts *f,
		     struct vw_err *err)
{
	int64_t until = now_ms() + ALL_DISKS_MS;
	struct vw_prober *prober = NULL;

	for (size_t i = 0; i < o->n_disks; i++) {
		const struct vw_outline_disk *d = &o->disks[i];
		struct vw_disk_facts *fact = vw_facts_add_disk(f, d->target);
		VW_AUTOFREE char *path = NULL;
		const char *why =
			conn ? "libvirtd is not on this host (or not in this mount namespace)"
			     : "no libvirtd was asked";
		int64_t left = until - now_ms();

		if (!fact)
			return vw_err_set(err, -ENOMEM, "out of memory");
		if (local && left > 0)
			path = disk_path(conn, d, &why);
		else if (local)
			why = "the disks before it took too long to look at";
		if (path && !prober && !(prober = vw_context_prober(c, err)))
			return -ENOMEM;
		if (path)
			vw_probe_disk(prober, path, d->format, d->backing, wanted(d, want),
				      left < ONE_DISK_MS ? (unsigned)left : ONE_DISK_MS, fact);
		else
			snprintf(fact->why, sizeof(fact->why), "%s", why);
	}
	return 0;
}

struct vw_look {
	struct vw_ahead ahead;
	struct vw_context *c;
	struct vw_gathered *g;
	virConnectPtr conn;
	int result;
};

static void *look(void *arg)
{
	struct vw_look *l = arg;
	struct vw_gathered *g = l->g;

	g->local = !l->conn || vw_conn_is_local(l->conn);
	l->result = vw_collect_disks(l->c, l->conn, g->local, g->outline,
				     VW_PROBE_BLANK | VW_PROBE_DISCARD, &g->facts, NULL);
	return NULL;
}

int vw_look_start(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
		  struct vw_err *err)
{
	bool beside = conn && vw_context_hurried(c);

	/* Asking for a volume may raise an error, and errors are a matter of the thread. */
	for (size_t i = 0; i < g->outline->n_disks; i++)
		beside = beside && strcmp(g->outline->disks[i].type, "volume");
	g->look = calloc(1, sizeof(*g->look));
	if (!g->look)
		return vw_err_set(err, -ENOMEM, "out of memory");
	*g->look = (struct vw_look){ .c = c, .g = g, .conn = conn };
	if (beside)
		vw_ahead_start(&g->look->ahead, look, g->look);
	else
		look(g->look);
	return g->look->ahead.running || g->look->result == 0
		       ? 0
		       : vw_err_set(err, -ENOMEM, "out of memory");
}

int vw_look_join(struct vw_gathered *g)
{
	if (!g->look)
		return 0;
	vw_ahead_join(&g->look->ahead);
	return g->look->result;
}
