/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the facts collector share: virt/collect.c, virt/disks.c, virt/caps.c. */
#ifndef VW_VIRT_COLLECT_INTERNAL_H
#define VW_VIRT_COLLECT_INTERNAL_H

#include "virt/collect.h"

/* Look at the disks, and whether they are this host's; of files, when the context has many
 * domains before it, with the first vw_look_join. Return: 0 or -ENOMEM. */
int vw_look_start(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
		  struct vw_err *err);
/* Return: 0 or -ENOMEM, each time; 0 if the look has not been started. */
int vw_look_join(struct vw_gathered *g);

void vw_look_free(struct vw_gathered *g);

/* facts.hostdev_storage: sysfs is asked (virt/hostdevs.c). After vw_look_start. */
void vw_collect_hostdevs(const struct vw_context *c, struct vw_gathered *g, const xmlNode *root);
/* facts.networks: libvirtd is asked; without one, "default" is as libvirt ships it, and all are
 * while a daemon is assumed (virt/networks.c). Return: 0 or -ENOMEM. */
int vw_collect_networks(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
			const xmlNode *root);
/* facts.has_run (virt/past.c). After vw_look_join. */
void vw_collect_past(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
		     struct vw_xml *doc);

/* The capabilities for the machine that the domain will have; where that is the admin's
 * to say, for the one that the template prefers, too. */
void vw_collect_caps(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
		     const xmlNode *root);

#endif
