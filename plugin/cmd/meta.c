/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One element of a domain's <metadata> (see plugin/cmd/meta.h). */
#include "plugin/cmd/meta.h"

#include "plugin/cmd/cmd.h"
#include "virt/apply.h"
#include "virt/domain.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>

#define META VIR_DOMAIN_METADATA_ELEMENT

static xmlNode *find(xmlNode *n, const char *name)
{
	while (n && (n->type != XML_ELEMENT_NODE || !vw_streq((const char *)n->name, name)))
		n = n->next;
	return n;
}

xmlNode *cmd_meta_child(const xmlNode *root, const char *name)
{
	return find(root->children, name);
}

xmlNode *cmd_meta_next(const xmlNode *node, const char *name)
{
	return find(node->next, name);
}

static xmlDoc *new_doc(const char *name)
{
	CMD_AUTODOC xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
	xmlNode *root = doc ? xmlNewDocNode(doc, NULL, (const xmlChar *)name, NULL) : NULL;

	if (!root)
		return NULL;
	xmlDocSetRootElement(doc, root);
	return vw_steal(doc);
}

/* libvirt takes the prefix off the elements but leaves its declaration, and
 * refuses to take that back: it declares the prefix anew. */
static void drop_namespace(xmlNode *root, const char *ns)
{
	xmlNs **p = &root->nsDef;

	while (*p) {
		xmlNs *def = *p;

		if (vw_streq((const char *)def->href, ns) && root->ns != def) {
			*p = def->next;
			xmlFreeNs(def);
		} else {
			p = &def->next;
		}
	}
}

/* A transient domain has no stored config. */
static unsigned where(virDomainPtr dom)
{
	return virDomainIsPersistent(dom) == 0 ? VIR_DOMAIN_AFFECT_LIVE : VIR_DOMAIN_AFFECT_CONFIG;
}

int cmd_meta_read(virDomainPtr dom, const char *ns, const char *name, xmlDoc **ret,
		  struct vw_err *err)
{
	VW_AUTOFREE char *text = virDomainGetMetadata(dom, META, ns, where(dom));
	xmlDoc *doc;

	if (!text && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_METADATA)
		return vw_virt_error(err, virDomainGetName(dom));
	doc = text ? xmlReadMemory(text, (int)strlen(text), "metadata", NULL, XML_PARSE_NONET)
		   : new_doc(name);
	if (!doc || !xmlDocGetRootElement(doc))
		return vw_err_set(err, -EINVAL, "%s: its metadata can't be read",
				  virDomainGetName(dom));
	drop_namespace(xmlDocGetRootElement(doc), ns);
	*ret = doc;
	return 0;
}

/* Keep the config as it is now. */
static int keep(struct cmd *cmd, virDomainPtr dom, enum vw_cause cause, const char *rules,
		struct vw_err *err)
{
	char uuid[VIR_UUID_STRING_BUFLEN] = "";
	VW_AUTOFREE char *xml = NULL;
	int rc = vw_domain_xml(dom, &xml, err);

	if (rc < 0)
		return rc;
	if (virDomainGetUUIDString(dom, uuid) < 0)
		return vw_virt_error(err, virDomainGetName(dom));
	return vw_apply_keep(cmd->ctx, uuid, virDomainGetName(dom), xml, cause, rules, err);
}

int cmd_meta_write(struct cmd *cmd, virDomainPtr dom, const char *ns, const char *key, xmlDoc *doc,
		   bool live, const char *rules, struct vw_err *err)
{
	unsigned flags = where(dom);
	xmlBuffer *buf;
	int rc = keep(cmd, dom, VW_CAUSE_SEEN, "", err);

	if (rc < 0)
		return vw_err_wrap(err, rc,
				   "nothing was changed, for the old config can't be kept");
	if (live && virDomainIsActive(dom) == 1)
		flags |= VIR_DOMAIN_AFFECT_LIVE;
	buf = xmlBufferCreate();
	if (!buf || xmlNodeDump(buf, doc, xmlDocGetRootElement(doc), 0, 0) < 0)
		rc = vw_err_set(err, -ENOMEM, "out of memory");
	else if (virDomainSetMetadata(dom, META, (const char *)xmlBufferContent(buf), key, ns,
				      flags) < 0)
		rc = vw_apply_error(err, -EIO, virDomainGetName(dom), virDomainGetName(dom));
	if (buf)
		xmlBufferFree(buf);
	return rc < 0 ? rc : keep(cmd, dom, VW_CAUSE_CLIENT, rules, err);
}
