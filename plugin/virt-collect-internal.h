/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the facts collector share: virt-collect.c, virt-disks.c, virt-caps.c. */
#ifndef VW_VIRT_COLLECT_INTERNAL_H
#define VW_VIRT_COLLECT_INTERNAL_H

#include "virt-collect.h"

/* Look at the disks, and whether they are this host's: beside, if the context is in a
 * hurry and no volume has to be asked for. Until vw_look_join the thread owns
 * g->local, the disks in g->facts, and the context's prober. Return: 0 or -ENOMEM. */
int vw_look_start(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
		  struct vw_err *err);
/* Return: 0 or -ENOMEM, each time. */
int vw_look_join(struct vw_gathered *g);

/* In a hurry, and when the XML names the OS: ask for the capabilities that vw_collect_caps will
 * want first, beside. Until that is called the thread owns the context's capabilities. */
void vw_caps_start(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
		   const xmlNode *root);
void vw_caps_join(struct vw_gathered *g);

/* The capabilities for the machine that the domain will have; where that is the admin's
 * to say, for the one that the template prefers, too. */
void vw_collect_caps(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
		     const xmlNode *root);

#endif
