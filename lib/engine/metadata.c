/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a domain's <metadata> tells us (see metadata.h). */
#include "lib/engine/metadata.h"

/* Return: the next element in the namespace at or behind n; name NULL = any. */
static const xmlNode *in_namespace(const xmlNode *n, const char *ns, const char *name)
{
	for (; n; n = n->next)
		if (n->type == XML_ELEMENT_NODE && n->ns && vw_streq((char *)n->ns->href, ns) &&
		    (!name || vw_streq((char *)n->name, name)))
			return n;
	return NULL;
}

static const xmlNode *metadata(const xmlNode *root, const char *ns, const char *name)
{
	const xmlNode *m = vw_xml_child(root, "metadata");

	return m ? in_namespace(m->children, ns, name) : NULL;
}

enum vw_mode vw_metadata_mode(const xmlNode *root)
{
	const char *mode = vw_xml_attr(metadata(root, VW_METADATA_NS, "warden"), "mode");

	if (!mode)
		return VW_MODE_DEFAULT;
	if (vw_streq(mode, "enforce"))
		return VW_MODE_ENFORCE;
	return vw_streq(mode, "off") ? VW_MODE_OFF : VW_MODE_AUDIT;
}

enum vw_mode vw_metadata_effective_mode(const xmlNode *root)
{
	const enum vw_mode mode = vw_metadata_mode(root);

	if (mode != VW_MODE_DEFAULT)
		return mode;
	return vw_metadata_foreign_owner(root) ? VW_MODE_AUDIT : VW_MODE_ENFORCE;
}

bool vw_metadata_skips(const xmlNode *root, const char *rule)
{
	const xmlNode *w = metadata(root, VW_METADATA_NS, "warden");
	const xmlNode *skip = w ? in_namespace(w->children, VW_METADATA_NS, "skip") : NULL;

	while (skip && !vw_streq(vw_xml_attr(skip, "rule"), rule))
		skip = in_namespace(skip->next, VW_METADATA_NS, "skip");
	return skip != NULL;
}

/* Managers that make domains anew from a database of their own: what we change is lost, or
 * in their way. */
static const struct owner {
	const char *ns, *why;
} owners[] = {
	{ "http://openstack.org/xmlns/libvirt/nova/1.0", "OpenStack owns it" },
	{ "http://openstack.org/xmlns/libvirt/nova/1.1", "OpenStack owns it" },
	{ "http://ovirt.org/vm/1.0", "oVirt owns it" },
	{ "http://ovirt.org/vm/tune/1.0", "oVirt owns it" },
	{ "http://kubevirt.io", "KubeVirt owns it" },
	{ "http://opennebula.org/xmlns/libvirt/1.0", "OpenNebula owns it" },
};

/* CloudStack leaves no metadata, but tells the guest who made it: the product in its SMBIOS
 * is "CloudStack KVM Hypervisor". */
static bool is_cloudstack(const xmlNode *root)
{
	const xmlNode *e = vw_xml_child(vw_xml_path(root, "sysinfo/system"), "entry");

	for (; e; e = vw_xml_next(e, "entry"))
		if (vw_streq(vw_xml_attr(e, "name"), "product") && e->children &&
		    vw_startswith((const char *)e->children->content, "CloudStack"))
			return true;
	return false;
}

/* Return: "OpenStack owns it" …, NULL = nobody that we know. */
static const char *owned_by(const xmlNode *root)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(owners); i++)
		if (metadata(root, owners[i].ns, NULL))
			return owners[i].why;
	return is_cloudstack(root) ? "CloudStack owns it" : NULL;
}

bool vw_metadata_foreign_owner(const xmlNode *root)
{
	return owned_by(root) != NULL;
}

const char *vw_metadata_audit_why(const xmlNode *root)
{
	const enum vw_mode mode = vw_metadata_mode(root);

	if (mode == VW_MODE_AUDIT)
		return "its mode is audit";
	return mode == VW_MODE_DEFAULT ? owned_by(root) : NULL;
}

bool vw_metadata_is_qemu(const xmlNode *root)
{
	const char *type = vw_xml_attr(root, "type");

	return !type || !strcmp(type, "kvm") || !strcmp(type, "qemu");
}

const char *vw_metadata_os_id(const xmlNode *root)
{
	const xmlNode *info = metadata(root, VW_METADATA_OS_NS, "libosinfo");
	const xmlNode *os = info ? in_namespace(info->children, VW_METADATA_OS_NS, "os") : NULL;
	const char *id = os ? vw_xml_attr(os, "id") : NULL;

	return id && *id ? id : NULL;
}

static bool take_tcp(const xmlNode *n, struct vw_health_wish *h)
{
	const char *port = vw_xml_attr(n, "port");
	size_t digits = port ? strspn(port, "0123456789") : 0;
	unsigned long value = digits && digits <= 5 && !port[digits] ? strtoul(port, NULL, 10) : 0;

	if (value < 1 || value > 65535 || h->n_tcp == VW_HEALTH_MAX)
		return false;
	h->tcp[h->n_tcp++] = (unsigned)value;
	return true;
}

static bool take_check(const xmlNode *n, struct vw_health_wish *h)
{
	const char *name = vw_xml_attr(n, "name");
	size_t len = name ? strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;

	if (!len || len > 32 || name[len] || *name == '-' || h->n_check == VW_HEALTH_MAX)
		return false;
	h->check[h->n_check++] = name;
	return true;
}

static bool take_address(const xmlNode *n, struct vw_health_wish *h)
{
	const char *ip = vw_xml_attr(n, "ip");

	if (!ip || h->n_address == VW_HEALTH_MAX)
		return false;
	h->address[h->n_address++] = ip;
	return true;
}

void vw_metadata_health(const xmlNode *root, struct vw_health_wish *ret)
{
	static const struct {
		const char *name;
		bool (*take)(const xmlNode *n, struct vw_health_wish *h);
	} words[] = { { "tcp", take_tcp }, { "check", take_check }, { "address", take_address } };
	const xmlNode *w = metadata(root, VW_METADATA_NS, "warden");
	const xmlNode *health = w ? in_namespace(w->children, VW_METADATA_NS, "health") : NULL;
	const xmlNode *n = health ? in_namespace(health->children, VW_METADATA_NS, NULL) : NULL;

	*ret = (struct vw_health_wish){ .agent = health && vw_streq(vw_xml_attr(health, "agent"),
								    "required") };
	for (; n; n = in_namespace(n->next, VW_METADATA_NS, NULL)) {
		bool ok = false;

		for (size_t i = 0; i < VW_N_ELEMENTS(words); i++)
			if (vw_streq((const char *)n->name, words[i].name))
				ok = words[i].take(n, ret);
		if (!ok)
			ret->bad = (const char *)n->name;
	}
}
