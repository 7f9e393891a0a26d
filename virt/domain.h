/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain as a user names it, and libvirt's errors as ours. */
#ifndef VW_VIRT_DOMAIN_H
#define VW_VIRT_DOMAIN_H

#include "lib/base/err.h"
#include "lib/base/util.h"

#include <libvirt/libvirt.h>

/* Who opens a connection sets its keepalive so that no call waits longer for a silent libvirtd. */
#define VW_SILENT_S 5

/* Did this thread's last call fail because the connection's keepalive had no answer? */
bool vw_virt_is_silent(void);
/* The domain of that name, UUID or id. Free with virDomainFree. */
int vw_domain_find(virConnectPtr conn, const char *name, virDomainPtr *ret, struct vw_err *err);
/* Its stored config, with secrets (a read-only connection: without). malloc'ed. */
int vw_domain_xml(virDomainPtr dom, char **ret, struct vw_err *err);
/* libvirt's last error as ours: "what: message". Return: -EIO; -ENOENT if the domain is gone;
 * -ETIME if libvirtd does not answer. */
int vw_virt_error(struct vw_err *err, const char *what);
#define VW_AUTODOMAIN VW_CLEANUP(vw_cleanup_domain)
static inline void vw_cleanup_domain(virDomainPtr *dom)
{
	if (*dom)
		virDomainFree(*dom);
}

#endif
