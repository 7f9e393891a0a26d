/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What of this host a domain can't start without, and udev tells of: LUNs, passthrough devices,
 * bridges and network interfaces.
 *
 * A need is a text, its kind and a name: "block /dev/disk/by-id/wwn-0x5…", "net br0",
 * "pci 0000:03:00.0", "usb 046d:c52b" (vendor and product), "usb-at 1.4" (bus and device),
 * "scsi 2:0:0:1", "mdev UUID". */
#ifndef VW_AGENT_NEEDS_H
#define VW_AGENT_NEEDS_H

#include "lib/diskprobe/probe.h"

#include <libxml/tree.h>
#include <stdint.h>

#define AGENT_NEED_MAX 300 /* bytes; what is longer is left out */
#define AGENT_NEEDS_MAX 64 /* of one domain */

struct agent_needs {
	char *v[AGENT_NEEDS_MAX];
	size_t n;
};

/* May a config have needs at all? Cheap, for configs that libvirt wrote; false is certain. */
bool agent_needs_any(const char *xml);
/* Those of a domain. What its XML marks as optional is none. Return: 0 or -ENOMEM; clear in
 * either case. */
int agent_needs_of(const xmlNode *domain, struct agent_needs *ret);
void agent_needs_clear(struct agent_needs *needs);
/* Which of them are there? sysroot: "" or a fake root of /sys. Paths are the domain's: p looks at
 * them, for one second in all; VW_UNKNOWN: it got no answer. ret: of AGENT_NEEDS_MAX. */
void agent_needs_look(const char *sysroot, struct vw_prober *p, const struct agent_needs *needs,
		      enum vw_known *ret);
/* 32 bits that stand for it. */
uint32_t agent_need_hash(const char *need);

#endif
