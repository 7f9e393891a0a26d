/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domains and errors of libvirt (domain.h). */
#include "virt/domain.h"

#include <errno.h>
#include <libvirt/virterror.h>

/* What is wrong with the socket itself is an internal error of libvirt's RPC, in any language:
 * keepalive had no answer, or the socket was closed for that before. */
bool vw_virt_is_silent(void)
{
	const virError *e = virGetLastError();

	return e && e->domain == VIR_FROM_RPC && e->code == VIR_ERR_INTERNAL_ERROR;
}

int vw_virt_error(struct vw_err *err, const char *what)
{
	const char *message = virGetLastErrorMessage();
	int code = virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? -ENOENT : -EIO;

	if (vw_virt_is_silent())
		return vw_err_set(err, -ETIME, "%s: libvirtd does not answer (for %d s)", what,
				  VW_SILENT_S);
	return vw_err_set(err, code, "%s: %s", what, message ? message : "unknown error");
}

static bool is_no_domain(void)
{
	int code = virGetLastErrorCode();

	return code == VIR_ERR_NO_DOMAIN || code == VIR_ERR_INVALID_ARG || code == VIR_ERR_OK;
}

int vw_domain_find(virConnectPtr conn, const char *name, virDomainPtr *ret, struct vw_err *err)
{
	virDomainPtr dom = virDomainLookupByName(conn, name);
	char *end;
	long id;

	if (!dom && is_no_domain() && strlen(name) >= 32 && strlen(name) <= 36)
		dom = virDomainLookupByUUIDString(conn, name);
	if (!dom && is_no_domain() && *name >= '0' && *name <= '9') {
		id = strtol(name, &end, 10);
		if (!*end && id >= 0 && id < 0x7fffffff)
			dom = virDomainLookupByID(conn, (int)id);
	}
	if (!dom && is_no_domain())
		return vw_err_set(err, -ENOENT, "%s: no such domain (virsh list --all names them)",
				  name);
	if (!dom)
		return vw_virt_error(err, name);
	*ret = dom;
	return 0;
}

int vw_domain_xml(virDomainPtr dom, char **ret, struct vw_err *err)
{
	char *xml = virDomainGetXMLDesc(dom, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);

	if (!xml && virGetLastErrorCode() == VIR_ERR_OPERATION_DENIED)
		xml = virDomainGetXMLDesc(dom, VIR_DOMAIN_XML_INACTIVE);
	if (!xml)
		return vw_virt_error(err, virDomainGetName(dom));
	*ret = xml;
	return 0;
}
