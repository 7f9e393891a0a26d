/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden preflight: what the verb and its outputs share. */
#ifndef VW_PREFLIGHT_H
#define VW_PREFLIGHT_H

#include "plugin/cmd/cmd.h"
#include "virt/hostfacts/host.h"

struct preflight {
	struct host_domain dom, given; /* given: only doc, of --xml */
	struct vw_xml *persistent;     /* of --persistent-xml */
	struct host hosts[2];          /* source, destination */
	struct vw_words paths, copied;
	struct vw_features table;
	struct vw_judgement ways[2]; /* there, back */
	bool one_way;
	bool for_virsh; /* in front of virsh migrate: see preflight_print_virsh */
	unsigned flags;
	const char *dest, *dname, *xml, *persistent_xml;
};

/* The host as the user knows it. i: 0 source, 1 destination. */
const char *preflight_host(const struct preflight *p, size_t i);
void preflight_print_text(const struct cmd *cmd, const struct preflight *p);
int preflight_print_json(struct cmd *cmd, const struct preflight *p);
/* For the user of virsh migrate: nothing if all is well, else what is not, in few lines.
 * Return: exit code: CMD_FINDINGS only if the way there is blocked and the domain's mode
 * lets us judge it, CMD_UNKNOWN if that could not be told. */
int preflight_print_virsh(const struct cmd *cmd, const struct preflight *p);

#endif
