/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stores a plan as the config of a domain (see virt-apply.h). libvirt's define has no
 * compare-and-swap: the config is compared just before, and read again just after. */
#include "virt-apply.h"

#include <errno.h>
#include <libvirt/virterror.h>

#define CONFIG (VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE)

static int libvirt_err(struct vw_err *err, int code, const char *what)
{
	return vw_err_set(err, code, "%s: %s", what, virGetLastErrorMessage());
}

/* It failed: not for what the XML says, but for a connection that is lost, a disk that is full … */
static bool is_trouble(int code)
{
	return code == VIR_ERR_SYSTEM_ERROR || code == VIR_ERR_RPC || code == VIR_ERR_NO_MEMORY ||
	       code == VIR_ERR_OPERATION_FAILED || /* it is being undefined */
	       code == VIR_ERR_OPERATION_TIMEOUT;
}

static int define(virConnectPtr conn, const char *xml, struct vw_err *err)
{
	virDomainPtr dom = virDomainDefineXML(conn, xml);

	if (!dom && is_trouble(virGetLastErrorCode()))
		return libvirt_err(err, -EIO, "the new XML can't be stored");
	if (!dom)
		return libvirt_err(err, -EPERM, "libvirtd refuses the new XML");
	virDomainFree(dom);
	return 0;
}

static int check_unchanged(virDomainPtr dom, const char *name, const char *original,
			   struct vw_err *err)
{
	VW_AUTOFREE char *now = virDomainGetXMLDesc(dom, CONFIG);

	if (!now)
		return libvirt_err(err, -EIO, name);
	if (strcmp(now, original))
		return vw_err_set(err, -EAGAIN,
				  "%s: another client changed it meanwhile: try again", name);
	return 0;
}

/* It became active while we stored what only a cold boot may bring: the old config again. */
static int put_back(const struct vw_redefine *d, const char *name, struct vw_err *err)
{
	int r = define(d->conn, d->original, err);

	if (r < 0)
		return vw_err_wrap(
			err, r, "%s: started meanwhile, and the old XML can't be put back", name);
	return vw_err_set(err, -EBUSY,
			  "%s: started meanwhile: the old XML was put back; fix it when it is off",
			  name);
}

/* Read back what was stored, and keep that. */
static int keep_stored(struct vw_context *c, const struct vw_redefine *d, const char *uuid,
		       const char *name, char **ret_stored, struct vw_err *err)
{
	VW_AUTOFREE char *rules = vw_plan_rules(d->plan);
	VW_AUTOFREE char *stored = virDomainGetXMLDesc(d->dom, CONFIG);
	struct vw_history *h = vw_context_history(c, NULL);
	int r;

	if (h && d->hurry)
		vw_history_wait(h, false);
	r = rules ? vw_apply_keep(c, uuid, name, stored ? stored : d->plan->xml, d->cause, rules,
				  err)
		  : -ENOMEM;
	if (h && d->hurry)
		vw_history_wait(h, true);
	if (ret_stored)
		*ret_stored = vw_steal(stored);
	if (r < 0)
		return vw_err_wrap(err, r,
				   "%s: fixed, but the new XML can't be kept in the history", name);
	return 0;
}

int vw_apply_redefine(struct vw_context *c, const struct vw_redefine *d, char **ret_stored,
		      struct vw_err *err)
{
	const char *name = virDomainGetName(d->dom);
	bool was_inactive = virDomainGetID(d->dom) == (unsigned)-1;
	char uuid[VIR_UUID_STRING_BUFLEN];
	int r = 0;

	if (!name || virDomainGetUUIDString(d->dom, uuid) < 0)
		return vw_err_set(err, -ENOMEM, "out of memory");
	if (!d->plan->xml)
		return 0;
	if (!d->kept)
		r = vw_apply_keep(c, uuid, name, d->original, VW_CAUSE_SEEN, "", err);
	if (r < 0)
		return vw_err_wrap(err, r, "%s: nothing was changed, for the old XML can't be kept",
				   name);
	/* last, so that least time is left for another client to change it in between */
	r = check_unchanged(d->dom, name, d->original, err);
	if (r < 0)
		return r;
	r = define(d->conn, d->plan->xml, err);
	if (r < 0)
		return vw_err_wrap(err, r, "%s", name);
	if (was_inactive && vw_plan_needs_cold_boot(d->plan) && virDomainIsActive(d->dom) == 1)
		return put_back(d, name, err);
	return keep_stored(c, d, uuid, name, ret_stored, err);
}

int vw_apply_restore(struct vw_context *c, virConnectPtr conn, const char *uuid, const char *name,
		     const char *current, const char *xml, virDomainPtr *ret, struct vw_err *err)
{
	virDomainPtr dom;
	int r = 0;

	if (current)
		r = vw_apply_keep(c, uuid, name, current, VW_CAUSE_UNDO, "", err);
	if (r < 0)
		return vw_err_wrap(err, r, "%s: nothing was changed, for the config can't be kept",
				   name);
	dom = virDomainDefineXML(conn, xml);
	if (!dom)
		return libvirt_err(err, -EPERM, name);
	*ret = dom;
	return 0;
}
