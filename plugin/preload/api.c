/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The functions of libvirt's API that we stand before: each hands the program's call on. */
#include "plugin/preload/preload.h"

static virDomainPtr define_xml(const struct vw_define_call *c, const char *xml)
{
	return VW_NEXT(virDomainDefineXML)(c->conn, xml);
}

virDomainPtr virDomainDefineXML(virConnectPtr conn, const char *xml)
{
	return vw_define(&(struct vw_define_call){
		.conn = conn, .xml = xml, .persistent = true, .real = define_xml });
}

static virDomainPtr define_xml_flags(const struct vw_define_call *c, const char *xml)
{
	return VW_NEXT(virDomainDefineXMLFlags)(c->conn, xml, c->flags);
}

virDomainPtr virDomainDefineXMLFlags(virConnectPtr conn, const char *xml, unsigned int flags)
{
	return vw_define(&(struct vw_define_call){ .conn = conn,
						   .xml = xml,
						   .flags = flags,
						   .persistent = true,
						   .real = define_xml_flags });
}

static virDomainPtr create_xml(const struct vw_define_call *c, const char *xml)
{
	return VW_NEXT(virDomainCreateXML)(c->conn, xml, c->flags);
}

virDomainPtr virDomainCreateXML(virConnectPtr conn, const char *xmlDesc, unsigned int flags)
{
	return vw_define(&(struct vw_define_call){
		.conn = conn, .xml = xmlDesc, .flags = flags, .real = create_xml });
}

static virDomainPtr create_xml_files(const struct vw_define_call *c, const char *xml)
{
	return VW_NEXT(virDomainCreateXMLWithFiles)(c->conn, xml, c->n_files, c->files, c->flags);
}

virDomainPtr virDomainCreateXMLWithFiles(virConnectPtr conn, const char *xmlDesc,
					 unsigned int nfiles, int *files, unsigned int flags)
{
	return vw_define(&(struct vw_define_call){ .conn = conn,
						   .xml = xmlDesc,
						   .flags = flags,
						   .n_files = nfiles,
						   .files = files,
						   .real = create_xml_files });
}

int virDomainCreate(virDomainPtr domain)
{
	vw_warn_at_start(domain);
	return VW_NEXT(virDomainCreate)(domain);
}

int virDomainCreateWithFlags(virDomainPtr domain, unsigned int flags)
{
	vw_warn_at_start(domain);
	return VW_NEXT(virDomainCreateWithFlags)(domain, flags);
}

int virDomainCreateWithFiles(virDomainPtr domain, unsigned int nfiles, int *files,
			     unsigned int flags)
{
	vw_warn_at_start(domain);
	return VW_NEXT(virDomainCreateWithFiles)(domain, nfiles, files, flags);
}

static int attach(const struct vw_device_call *c, const char *xml)
{
	return VW_NEXT(virDomainAttachDevice)(c->dom, xml);
}

int virDomainAttachDevice(virDomainPtr domain, const char *xml)
{
	return vw_device(&(struct vw_device_call){
		.dom = domain, .xml = xml, .flags = VIR_DOMAIN_AFFECT_LIVE, .real = attach });
}

static int attach_flags(const struct vw_device_call *c, const char *xml)
{
	return VW_NEXT(virDomainAttachDeviceFlags)(c->dom, xml, c->flags);
}

int virDomainAttachDeviceFlags(virDomainPtr domain, const char *xml, unsigned int flags)
{
	return vw_device(&(struct vw_device_call){
		.dom = domain, .xml = xml, .flags = flags, .real = attach_flags });
}

static int update_flags(const struct vw_device_call *c, const char *xml)
{
	return VW_NEXT(virDomainUpdateDeviceFlags)(c->dom, xml, c->flags);
}

int virDomainUpdateDeviceFlags(virDomainPtr domain, const char *xml, unsigned int flags)
{
	return vw_device(&(struct vw_device_call){
		.dom = domain, .xml = xml, .flags = flags, .update = true, .real = update_flags });
}

int virDomainFree(virDomainPtr domain)
{
	int r = VW_NEXT(virDomainFree)(domain);

	vw_verify_now();
	return r;
}

static int migrate(struct vw_migrate_call *c)
{
	c->moved = VW_NEXT(virDomainMigrate3)(c->dom, c->dconn, c->params, c->nparams, c->flags);
	return c->moved ? 0 : -1;
}

virDomainPtr virDomainMigrate3(virDomainPtr domain, virConnectPtr dconn,
			       virTypedParameterPtr params, unsigned int nparams,
			       unsigned int flags)
{
	struct vw_migrate_call c = { .dom = domain,
				     .dconn = dconn,
				     .params = params,
				     .nparams = nparams,
				     .flags = flags,
				     .real = migrate };

	vw_migrate(&c);
	return c.moved;
}

static int migrate_to_uri(struct vw_migrate_call *c)
{
	return VW_NEXT(virDomainMigrateToURI3)(c->dom, c->desturi, c->params, c->nparams, c->flags);
}

int virDomainMigrateToURI3(virDomainPtr domain, const char *dconnuri, virTypedParameterPtr params,
			   unsigned int nparams, unsigned int flags)
{
	return vw_migrate(&(struct vw_migrate_call){ .dom = domain,
						     .desturi = dconnuri,
						     .params = params,
						     .nparams = nparams,
						     .flags = flags,
						     .real = migrate_to_uri });
}
