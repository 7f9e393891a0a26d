/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain as a migration sees it: its XML, and what its libvirt says of it (see host.h). */
#include "lib/base/input.h"
#include "lib/json/json.h"
#include "lib/xml/xml.h"
#include "virt/domain.h"
#include "virt/hostfacts/host.h"

#include "virt/collect.h"

#include <errno.h>
#include <linux/magic.h>
#include <mntent.h>
#include <sys/vfs.h>

/* Filesystems that libvirt takes as shared (virfile.c), by their magic numbers in statfs(2). */
#define GFS2_MAGIC 0x01161970
#define OCFS2_MAGIC 0x7461636f
#define GPFS_MAGIC 0x47504653
#define ACFS_MAGIC 0x61636673
static const unsigned long shared_magics[] = { NFS_SUPER_MAGIC,  GFS2_MAGIC,      OCFS2_MAGIC,
					       AFS_FS_MAGIC,     SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC,
					       CEPH_SUPER_MAGIC, GPFS_MAGIC,      ACFS_MAGIC };

static const char *state_name(int state)
{
	static const char *const names[] = { "no state", "running",  "idle",    "paused",
					     "shutdown", "shut off", "crashed", "pmsuspended" };

	return state >= 0 && (size_t)state < VW_N_ELEMENTS(names) ? names[state] : "unknown";
}

/* FUSE: the innermost mount's type tells; libvirt knows two that are shared. */
static bool fuse_is_shared(const char *path)
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	bool shared = false;
	size_t longest = 0;
	struct mntent m;
	char text[8192];

	while (f && getmntent_r(f, &m, text, sizeof(text))) {
		size_t n = strcmp(m.mnt_dir, "/") != 0 ? strlen(m.mnt_dir) : 0;

		if (n < longest || strncmp(m.mnt_dir, path, n) != 0 || path[n] != '/')
			continue;
		longest = n;
		shared = !strcmp(m.mnt_type, "fuse.glusterfs") ||
			 !strcmp(m.mnt_type, "fuse.quobyte");
	}
	if (f)
		endmntent(f);
	return shared;
}

static bool is_shared(const char *path, unsigned long magic)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(shared_magics); i++)
		if (magic == shared_magics[i])
			return true;
	return magic == FUSE_SUPER_MAGIC && fuse_is_shared(path);
}

/* An image that is not there lies where its directory does. Nothing is opened, and a dead mount may
 * hang: this is a child of virt/hostfacts/ask.c, with a deadline. */
static void sort_path(json_t *d, const char *path)
{
	VW_AUTOFREE char *at = strdup(path);
	struct statfs fs;

	while (at && *at && statfs(at, &fs) < 0) {
		char *slash = strrchr(at, '/');

		if (errno != ENOENT || !slash)
			return;
		*slash = '\0';
	}
	if (at && *at)
		json_array_append_new(json_object_get(d, is_shared(path, (unsigned long)fs.f_type)
								 ? "shared"
								 : "local"),
				      vw_json_string(path));
}

static void collect_disks(virDomainPtr dom, json_t *d, struct vw_xml *x, bool local, bool active)
{
	xmlNode *n = vw_xml_path(vw_xml_root(x), "devices/disk");

	for (; n; n = vw_xml_next(n, "disk")) {
		const xmlNode *source = vw_xml_child(n, "source"), *t = vw_xml_child(n, "target");
		const char *file = source ? vw_xml_attr(source, "file") : NULL;
		const char *target = t ? vw_xml_attr(t, "dev") : NULL;
		virDomainBlockJobInfo info;

		if (file && local)
			sort_path(d, file);
		if (active && target && source &&
		    virDomainGetBlockJobInfo(dom, target, &info, 0) > 0)
			json_object_set_new(d, "block_job", json_true());
	}
}

static bool has_agent(struct vw_xml *x)
{
	xmlNode *n = vw_xml_path(vw_xml_root(x), "devices/channel");

	for (; n; n = vw_xml_next(n, "channel")) {
		const xmlNode *t = vw_xml_child(n, "target");

		if (t && vw_streq(vw_xml_attr(t, "name"), "org.qemu.guest_agent.0") &&
		    vw_streq(vw_xml_attr(t, "state"), "connected"))
			return true;
	}
	return false;
}

/* The live CPU, as the features that it has. */
static void collect_cpu(virConnectPtr conn, json_t *d, struct vw_xml *x)
{
	const xmlNode *root = vw_xml_root(x), *cpu = vw_xml_child(root, "cpu");
	const xmlNode *type = vw_xml_path(root, "os/type");
	const xmlNode *emulator = vw_xml_path(root, "devices/emulator");
	json_t *features;

	if (!cpu || !vw_streq(vw_xml_attr(cpu, "mode"), "custom") || !type || !emulator)
		return;
	features = host_expand_cpu(conn, vw_xml_content(x, emulator), vw_xml_attr(type, "arch"),
				   vw_xml_attr(root, "type"), x, cpu);
	if (features)
		json_object_set_new(d, "features", features);
}

static char *get_xml(virDomainPtr dom, unsigned flags)
{
	char *xml = virDomainGetXMLDesc(dom, flags | VIR_DOMAIN_XML_SECURE);

	return xml ? xml : virDomainGetXMLDesc(dom, flags);
}

static void collect_state(virDomainPtr dom, json_t *d, bool active)
{
	virDomainCheckpointPtr *points = NULL;
	int state = 0, reason = 0, n;
	virDomainJobInfo job;

	virDomainGetState(dom, &state, &reason, 0);
	json_object_set_new(d, "state", json_string(state_name(state)));
	json_object_set_new(
		d, "io_error",
		json_boolean(state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_IOERROR));
	n = virDomainSnapshotNum(dom, 0);
	json_object_set_new(d, "snapshots", json_integer(n > 0 ? n : 0));
	n = virDomainListAllCheckpoints(dom, &points, 0);
	json_object_set_new(d, "checkpoints", json_integer(n > 0 ? n : 0));
	for (int i = 0; i < n; i++)
		virDomainCheckpointFree(points[i]);
	free(points);
	if (active && virDomainGetJobInfo(dom, &job) == 0)
		json_object_set_new(d, "job",
				    json_boolean(job.type == VIR_DOMAIN_JOB_BOUNDED ||
						 job.type == VIR_DOMAIN_JOB_UNBOUNDED));
}

json_t *host_collect_domain(virConnectPtr conn, const char *name, struct vw_err *err)
{
	VW_AUTODOMAIN virDomainPtr dom = NULL;
	VW_AUTOFREE char *xml = NULL;
	VW_AUTOFREE char *sent = NULL;
	VW_AUTOXML struct vw_xml *x = NULL;
	bool active;
	json_t *d;

	if (vw_domain_find(conn, name, &dom, err) < 0)
		return NULL;
	active = virDomainIsActive(dom) == 1;
	xml = get_xml(dom, 0);
	if (!xml) {
		vw_virt_error(err, name);
		return NULL;
	}
	if (vw_xml_parse(xml, strlen(xml), name, "domain", &x, err) < 0)
		return NULL;
	sent = get_xml(dom, VIR_DOMAIN_XML_MIGRATABLE);
	d = json_pack("{s:o, s:o, s:b, s:b, s:b, s:b, s:[], s:[], s:[]}", "xml",
		      vw_json_string(xml), "sent", vw_json_string(sent), "active", active,
		      "block_job", 0, "job", 0, "agent", has_agent(x), "features", "shared",
		      "local");
	collect_state(dom, d, active);
	collect_disks(dom, d, x, vw_conn_is_local(conn), active);
	if (active)
		collect_cpu(conn, d, x);
	return d;
}

static int words(const json_t *array, struct vw_words *ret)
{
	size_t n = json_array_size(array);

	ret->v = calloc(n + 1, sizeof(*ret->v));
	if (!ret->v)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *s = json_string_value(json_array_get(array, i));

		if (s)
			ret->v[ret->n++] = s;
	}
	return 0;
}

static int fill_live(struct host_domain *d, struct vw_err *err)
{
	const json_t *j = d->json;
	struct vw_live *l = &d->live;

	l->active = json_is_true(json_object_get(j, "active"));
	l->state = json_string_value(json_object_get(j, "state"));
	l->io_error = json_is_true(json_object_get(j, "io_error"));
	l->snapshots = json_integer_value(json_object_get(j, "snapshots"));
	l->checkpoints = json_integer_value(json_object_get(j, "checkpoints"));
	l->block_job = json_is_true(json_object_get(j, "block_job"));
	l->job = json_is_true(json_object_get(j, "job"));
	l->agent = json_is_true(json_object_get(j, "agent"));
	d->has_live = true;
	if (words(json_object_get(j, "features"), &l->features) < 0 ||
	    words(json_object_get(j, "shared"), &l->shared) < 0 ||
	    words(json_object_get(j, "local"), &l->local) < 0)
		return vw_err_set(err, -ENOMEM, "out of memory");
	vw_words_sort(&l->shared);
	vw_words_sort(&l->local);
	return 0;
}

static int get_file(const char *name, struct host_domain *ret, struct vw_err *err)
{
	VW_AUTOFREE char *text = NULL;
	size_t len = 0;
	int r = vw_input_read(name, VW_XML_MAX_BYTES, &text, &len, err);

	return r < 0 ? r : vw_xml_parse(text, len, name, "domain", &ret->doc, err);
}

int host_domain_get(const char *uri, const char *name, unsigned deadline_ms,
		    struct host_domain *ret, struct vw_err *err)
{
	struct host_ask a = { .uri = uri, .domain = name };
	const char *xml, *sent;
	int r;

	if (vw_input_is_file(name))
		return get_file(name, ret, err);
	host_ask_all(&a, 1, deadline_ms);
	if (!a.answer) {
		*err = a.err;
		return a.err.code < 0 ? a.err.code : -EIO;
	}
	ret->json = a.answer;
	xml = json_string_value(json_object_get(ret->json, "xml"));
	sent = json_string_value(json_object_get(ret->json, "sent"));
	if (!xml)
		return vw_err_set(err, -EPROTO, "%s: libvirt gave no XML", name);
	r = vw_xml_parse(xml, strlen(xml), name, "domain", &ret->doc, err);
	if (r == 0 && sent && *sent)
		r = vw_xml_parse(sent, strlen(sent), name, "domain", &ret->sent, err);
	return r < 0 ? r : fill_live(ret, err);
}

void host_domain_clear(struct host_domain *d)
{
	if (d->doc)
		vw_xml_free(d->doc);
	if (d->sent)
		vw_xml_free(d->sent);
	free(d->live.features.v);
	free(d->live.shared.v);
	free(d->live.local.v);
	json_decref(d->json);
	*d = (struct host_domain){ 0 };
}

static int add_path(struct vw_words *w, const char *path)
{
	const char **more;

	if (!path || *path != '/')
		return 0;
	more = reallocarray(w->v, w->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	w->v = more;
	w->v[w->n++] = path;
	return 0;
}

static int by_path(const void *a, const void *b)
{
	const char *const *x = *(const char *const *const *)a, *const *y = *(
								       const char *const *const *)b;
	int r = strcmp(*x, *y);

	return r ? r : (x > y) - (x < y);
}

/* Each only once, the first of equal ones where it was. Return: 0 or -ENOMEM. */
static int drop_repeated(struct vw_words *w)
{
	VW_AUTOFREE const char ***sorted = calloc(w->n + 1, sizeof(*sorted));
	size_t n = 0;

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < w->n; i++)
		sorted[i] = &w->v[i];
	qsort(sorted, w->n, sizeof(*sorted), by_path);
	for (size_t i = w->n; i-- > 1;)
		if (!strcmp(*sorted[i], *sorted[i - 1]))
			*sorted[i] = NULL;
	for (size_t i = 0; i < w->n; i++)
		if (w->v[i])
			w->v[n++] = w->v[i];
	w->n = n;
	return 0;
}

int host_domain_paths(const struct host_domain *d, struct vw_words *ret)
{
	static const char *const own[] = { "os/kernel", "os/initrd", "os/dtb", "os/loader",
					   "devices/emulator" };
	const xmlNode *root = vw_xml_root(d->doc), *n = vw_xml_path(root, "os/nvram");
	int r = n ? add_path(ret, vw_xml_attr(n, "template")) : 0;

	for (size_t i = 0; r == 0 && i < VW_N_ELEMENTS(own); i++) {
		n = vw_xml_path(root, own[i]);
		r = n ? add_path(ret, vw_xml_content(d->doc, n)) : 0;
	}
	for (n = vw_xml_path(root, "devices/disk"); r == 0 && n; n = vw_xml_next(n, "disk")) {
		const xmlNode *source = vw_xml_child(n, "source");

		r = source ? add_path(ret, vw_xml_attr(source, "file")) : 0;
		if (r == 0 && source)
			r = add_path(ret, vw_xml_attr(source, "dev"));
	}
	return r < 0 ? r : drop_repeated(ret);
}
