/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attaching a disk, or updating one in the config: its cache mode, and nothing else. The
 * bus and all that the guest sees stay as they were typed. A LIVE update is never
 * touched: libvirt refuses one that changes the cache, and change-media would fail. */
#include "plugin/preload/preload.h"

#include "lib/engine/cache-policy.h"
#include "lib/engine/metadata.h"

#include <errno.h>

struct change {
	const struct vw_device_call *call;
	struct vw_context *ctx;
	struct vw_xml *fragment, *domain;
	char *previous; /* the stored config, if this call changes it */
	char *fixed;    /* NULL: the call goes through as it is */
	struct vw_finding finding;
	struct vw_notes notes;
};

static void change_clear(struct change *c)
{
	vw_xml_free(c->fragment);
	vw_xml_free(c->domain);
	vw_context_close(c->ctx);
	vw_finding_clear(&c->finding);
	vw_buf_free(&c->notes.text);
	free(c->previous);
	free(c->fixed);
}

/* Is this a call that we may touch? Sets *ret_config: it changes the stored config. */
static bool concerns_us(const struct vw_device_call *call, bool *ret_config)
{
	bool live = call->flags & VIR_DOMAIN_AFFECT_LIVE;
	bool config = call->flags & VIR_DOMAIN_AFFECT_CONFIG;

	if (!live && !config) { /* VIR_DOMAIN_AFFECT_CURRENT */
		int active = virDomainIsActive(call->dom);

		if (active < 0)
			return false;
		live = active;
		config = !active;
	}
	*ret_config = config;
	return !(call->update && live);
}

/* The fragment's disk as the collector wants it. Borrows from the tree. */
static void describe(struct change *c, struct vw_outline_disk *d, char *source, size_t size)
{
	const xmlNode *disk = vw_xml_root(c->fragment);
	const xmlNode *src = vw_xml_child(disk, "source");
	const xmlNode *driver = vw_xml_child(disk, "driver");
	const char *type = vw_xml_attr(disk, "type");
	const char *device = vw_xml_attr(disk, "device");
	const char *format = vw_xml_attr(driver, "type");
	const char *target = vw_xml_attr(vw_xml_child(disk, "target"), "dev");
	const char *path = vw_xml_attr(src, vw_streq(type, "block") ? "dev" : "file");
	const char *pool = vw_xml_attr(src, "pool");
	const char *volume = vw_xml_attr(src, "volume");

	if (vw_streq(type, "volume") && pool && volume)
		snprintf(source, size, "%s/%s", pool, volume);
	else
		snprintf(source, size, "%s", path ? path : "");
	*d = (struct vw_outline_disk){
		.target = (char *)(target ? target : ""),
		.type = (char *)(type ? type : "file"),
		.device = (char *)(device ? device : "disk"),
		.source = source,
		.format = (char *)(format ? format : ""),
		.readonly = vw_xml_child(disk, "readonly") != NULL,
	};
}

/* Judge the disk, and fix the fragment if that is for us to do.
 * Return: 0; 1 = nothing to be said; negative errno. */
static int judge(struct change *c, virConnectPtr conn, struct vw_err *err)
{
	const struct vw_policy *policy = vw_context_policy(c->ctx);
	const xmlNode *root = vw_xml_root(c->domain);
	const enum vw_mode mode = vw_metadata_effective_mode(root);
	xmlNode *disk = vw_xml_root(c->fragment);
	VW_CLEANUP(vw_facts_clear) struct vw_facts facts = { 0 };
	struct vw_outline_disk d;
	struct vw_outline o = { .disks = &d, .n_disks = 1 };
	char source[4096 + 256];
	enum vw_cache_verdict verdict;
	size_t len;
	int r;

	if (mode == VW_MODE_OFF || vw_metadata_skips(root, "disk-cache"))
		return 1;
	describe(c, &d, source, sizeof(source));
	r = vw_collect_disks(c->ctx, conn, vw_conn_is_local(conn), &o, 0, &facts, err);
	if (r < 0)
		return r;
	verdict = vw_cache_judge(disk, facts.disks, policy, virDomainGetName(c->call->dom),
				 &c->finding);
	if (verdict == VW_CACHE_REPORT && !strcmp(d.type, "network"))
		return 1; /* `check` reports those */
	if (verdict != VW_CACHE_FIX || mode == VW_MODE_AUDIT || policy->define == VW_DEFINE_WARN)
		return verdict == VW_CACHE_OK;
	r = vw_cache_apply(c->fragment, disk, policy);
	return r < 0 ? r : vw_xml_text(c->fragment, &c->fixed, &len, err);
}

/* Return: 0; 1 = nothing for us to do; negative errno. */
static int consider(struct change *c, virConnectPtr conn, struct vw_err *err)
{
	bool config;
	VW_AUTOFREE char *xml = NULL;
	int r;

	if (!concerns_us(c->call, &config))
		return 1;
	r = vw_context_open(&c->ctx, err);
	if (r < 0)
		return r;
	if (vw_context_policy(c->ctx)->define == VW_DEFINE_OFF)
		return 1;
	if (config)
		c->previous = virDomainGetXMLDesc(c->call->dom,
						  VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
	else
		xml = virDomainGetXMLDesc(c->call->dom, 0);
	if (!c->previous && !xml)
		return vw_err_set(err, -EIO, "%s", virGetLastErrorMessage());
	r = vw_xml_parse(config ? c->previous : xml, strlen(config ? c->previous : xml),
			 "the domain", "domain", &c->domain, err);
	return r < 0 ? r : judge(c, conn, err);
}

static int keep(struct change *c, struct vw_err *err)
{
	char uuid[VIR_UUID_STRING_BUFLEN];

	if (!c->previous || !c->fixed || virDomainGetUUIDString(c->call->dom, uuid) < 0)
		return 0;
	return vw_apply_keep(c->ctx, uuid, virDomainGetName(c->call->dom), c->previous,
			     VW_CAUSE_SEEN, "", err);
}

static void prepare(struct change *c)
{
	virConnectPtr conn = virDomainGetConnect(c->call->dom);
	struct vw_err err = { 0 };
	int r;

	/* Not a disk, or not XML that we read: libvirt's business. */
	if (!c->call->xml || !conn ||
	    vw_xml_parse(c->call->xml, strlen(c->call->xml), "the device", "disk", &c->fragment,
			 NULL) < 0 ||
	    !vw_conn_is_qemu(conn))
		return;
	r = consider(c, conn, &err);
	if (r == 0)
		r = keep(c, &err);
	if (r < 0) {
		free(vw_steal(c->fixed));
		vw_notes_add(&c->notes, "%s (the device was used as it is)", err.text);
	} else if (r == 0 && c->finding.rule) {
		const struct vw_finding *f = &c->finding;

		if (c->fixed)
			vw_notes_add(&c->notes, "%s: disk-cache %s: %s -> %s",
				     virDomainGetName(c->call->dom), f->device, f->before,
				     f->after);
		else
			vw_notes_add(&c->notes, "%s: %s: %s", virDomainGetName(c->call->dom),
				     f->device, f->message);
	}
}

/* libvirt refused the fixed device: the typed one goes through as if we were not there. */
static int fall_back(struct change *c)
{
	VW_AUTOFREE char *why = strdup(virGetLastErrorMessage());
	const char *name = virDomainGetName(c->call->dom);
	char uuid[VIR_UUID_STRING_BUFLEN] = "-";
	int r;

	vw_listen(true);
	r = c->call->real(c->call, c->call->xml);
	vw_listen(false);
	if (r < 0)
		return r;
	vw_buf_free(&c->notes.text);
	vw_notes_add(&c->notes,
		     "%s: libvirt refuses the fixed disk, so it was used as you typed it (%s)",
		     name, why ? why : "");
	virDomainGetUUIDString(c->call->dom, uuid);
	vw_log_refused(uuid, name, why);
	return r;
}

int vw_device(const struct vw_device_call *call)
{
	struct change c = { .call = call };
	int r;

	if (!vw_enter())
		return call->real(call, call->xml);
	prepare(&c);
	if (c.fixed) {
		r = call->real(call, c.fixed);
		if (r < 0)
			r = fall_back(&c);
	} else {
		vw_listen(true);
		r = call->real(call, call->xml);
		vw_listen(false);
	}
	if (r >= 0)
		vw_notes_flush(&c.notes);
	change_clear(&c);
	vw_leave(r >= 0);
	return r;
}
