/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the libvirt side opens once (see virt/context.h). */
#include "virt/context-internal.h"

#include "virt/cache/caps-cache.h"
#include "virt/cache/template-cache.h"

#include <errno.h>

int vw_context_new(struct vw_context **ret, struct vw_err *err)
{
	struct vw_context *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return vw_err_set(err, -ENOMEM, "out of memory");
	r = vw_paths_init(&c->paths, err);
	if (r < 0) {
		vw_context_close(c);
		return r;
	}
	*ret = c;
	return 0;
}

int vw_context_load(struct vw_context *c, struct vw_err *err)
{
	return vw_conf_load(c->paths.conf, &c->policy, err);
}

int vw_context_open(struct vw_context **ret, struct vw_err *err)
{
	struct vw_context *c = NULL;
	int r = vw_context_new(&c, err);

	if (r == 0)
		r = vw_context_load(c, err);
	if (r < 0) {
		vw_context_close(c);
		return r;
	}
	*ret = c;
	return 0;
}

void vw_context_close(struct vw_context *c)
{
	if (!c)
		return;
	if (c->templates)
		vw_templates_free(c->templates);
	if (c->osindex)
		vw_osindex_close(c->osindex);
	if (c->prober)
		vw_prober_free(c->prober);
	if (c->history)
		vw_history_close(c->history);
	while (c->caps) {
		struct known_caps *next = c->caps->next;

		vw_caps_free(c->caps->caps);
		free(c->caps->key);
		free(c->caps);
		c->caps = next;
	}
	vw_networks_forget(c->networks_ask);
	vw_paths_clear(&c->paths);
	free(c);
}

void vw_context_many(struct vw_context *c, bool many)
{
	c->many = many;
}

struct vw_look **vw_context_looks(struct vw_context *c)
{
	return c->many ? &c->looks : NULL;
}

struct vw_networks_ask **vw_context_networks_ask(struct vw_context *c)
{
	return &c->networks_ask;
}

const struct vw_paths *vw_context_paths(const struct vw_context *c)
{
	return &c->paths;
}

const struct vw_policy *vw_context_policy(const struct vw_context *c)
{
	return &c->policy;
}

void vw_context_single(struct vw_context *c, bool single)
{
	c->single = single;
}

/* The directories of the templates; [0] malloc'ed, NULL without memory. */
struct template_dirs {
	char *v[3];
};

static void template_dirs_clear(struct template_dirs *d)
{
	free(d->v[0]);
}

static struct template_dirs template_dirs(const struct vw_context *c)
{
	struct template_dirs d = { .v = { NULL, c->paths.templates_d, NULL } };

	if (asprintf(&d.v[0], "%s/xml-templates", c->paths.datadir) < 0)
		d.v[0] = NULL;
	return d;
}

struct vw_templates *vw_context_templates(struct vw_context *c, struct vw_err *err)
{
	VW_CLEANUP(template_dirs_clear) struct template_dirs dirs = { 0 };

	if (c->templates)
		return c->templates;
	dirs = template_dirs(c);
	if (!dirs.v[0]) {
		vw_err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	if (vw_templates_load((const char *const *)dirs.v, &c->templates, err) < 0)
		return NULL;
	return c->templates;
}

void vw_context_os(struct vw_context *c, const struct vw_os *os, enum vw_known virtio_drivers)
{
	VW_CLEANUP(template_dirs_clear) struct template_dirs dirs = { 0 };

	if (!c->single || c->templates || geteuid() != 0)
		return;
	dirs = template_dirs(c);
	if (dirs.v[0])
		c->templates = vw_template_cache(c->paths.cachedir, (const char *const *)dirs.v, os,
						 virtio_drivers);
}

struct vw_prober *vw_context_prober(struct vw_context *c, struct vw_err *err)
{
	if (!c->prober && vw_prober_new(c->paths.sysroot, &c->prober, err) < 0)
		return NULL;
	return c->prober;
}

bool vw_context_peer(struct vw_context *c, virConnectPtr conn, pid_t *ret_daemon)
{
	if (!c->single || c->peer.conn != conn) {
		c->peer.conn = conn;
		c->peer.local = vw_conn_peer(conn, &c->peer.daemon);
	}
	*ret_daemon = c->peer.daemon;
	return c->peer.local;
}

bool vw_context_assume_daemon(struct vw_context *c)
{
	c->assumed.on = vw_daemon_identity(1, c->assumed.identity, &c->assumed.daemon);
	return c->assumed.on;
}

bool vw_context_assumes(const struct vw_context *c)
{
	return c->assumed.on;
}

bool vw_context_assumed_right(struct vw_context *c, virConnectPtr conn)
{
	const bool whole = c->assumed.on && !c->assumed.lacks;
	char identity[VW_DAEMON_IDENTITY];
	pid_t daemon;

	c->assumed.on = false;
	if (!whole || !vw_context_peer(c, conn, &daemon))
		return false;
	/* It was alive when it was asked for, some ms ago; and who has come after it has another
	 * number. Below systemd there is but the file's word. */
	return daemon == c->assumed.daemon ||
	       (daemon == 1 && vw_daemon_identity(1, identity, &daemon) &&
		!strcmp(identity, c->assumed.identity));
}

struct vw_history *vw_context_history(struct vw_context *c, struct vw_err *err)
{
	if (c->history)
		return c->history;
	if (vw_history_open(c->paths.statedir, &c->history, err) < 0)
		return NULL;
	vw_history_bound(c->history, (uint64_t)c->policy.history_mib << 20, true);
	return c->history;
}

static const char *or_null(const char *s)
{
	return *s ? s : NULL;
}

const struct vw_caps *vw_context_caps(struct vw_context *c, virConnectPtr conn,
				      const char *emulator, const char *arch, const char *machine,
				      const char *type)
{
	char identity[VW_DAEMON_IDENTITY];
	pid_t daemon;
	VW_AUTOFREE char *key = NULL;
	struct known_caps *k;

	if (asprintf(&key, "%s\n%s\n%s\n%s", emulator, arch, machine, type) < 0) {
		key = NULL;
		return NULL;
	}
	for (k = c->caps; k; k = k->next)
		if (k->conn == conn && !strcmp(k->key, key))
			return k->caps;
	k = calloc(1, sizeof(*k));
	if (!k)
		return NULL;
	if (!conn)
		memcpy(identity, c->assumed.identity, sizeof(identity));
	else if (vw_context_peer(c, conn, &daemon), !vw_daemon_identity(daemon, identity, &daemon))
		*identity = 0;
	if (*identity) /* the answer of before */
		k->caps = vw_caps_cache_read(c->paths.cachedir, key, identity);
	if (!k->caps && !conn)
		c->assumed.lacks = true;
	if (!k->caps && conn) {
		VW_AUTOFREE char *xml = virConnectGetDomainCapabilities(
			conn, or_null(emulator), or_null(arch), or_null(machine), or_null(type), 0);

		if (xml && vw_caps_parse(xml, strlen(xml), &k->caps, NULL) < 0)
			k->caps = NULL;
		if (k->caps && *identity)
			vw_caps_cache_write(c->paths.cachedir, key, identity, xml, k->caps);
	}
	k->conn = conn;
	k->key = vw_steal(key);
	k->next = c->caps;
	c->caps = k;
	return k->caps;
}

void vw_context_doubt_caps(struct vw_context *c)
{
	for (const struct known_caps *k = c->caps; k; k = k->next)
		vw_caps_cache_forget(c->paths.cachedir, k->key);
}
