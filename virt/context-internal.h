/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a context is, for virt/context.c and virt/osindex.c. */
#ifndef VW_VIRT_CONTEXT_INTERNAL_H
#define VW_VIRT_CONTEXT_INTERNAL_H

#include "virt/collect.h"

struct known_caps {
	struct known_caps *next;
	virConnectPtr conn; /* compared, never used */
	char *key;
	struct vw_caps *caps; /* NULL: libvirtd has none */
};

struct vw_context {
	struct vw_paths paths;
	struct vw_policy policy;
	struct vw_templates *templates;
	struct vw_osindex *osindex;
	struct vw_prober *prober;
	struct vw_history *history;
	struct known_caps *caps;
	struct vw_networks_ask *networks_ask; /* a call that was given up, and still runs */
	struct vw_look *looks;
	bool many, single, sure;
	struct {
		virConnectPtr conn; /* compared, never used */
		bool local;
		pid_t daemon;
	} peer;
	bool built; /* the index was rebuilt, or that was tried */
	struct {
		bool on, lacks;
		pid_t daemon;
		char identity[VW_DAEMON_IDENTITY];
	} assumed;
};

#endif
