/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Samples and baselines (lib/health/sample.h) from and to libvirt. For the agent, which looks
 * at all guests of a host with one call, and for the verifier. */
#ifndef VW_VIRT_SAMPLE_H
#define VW_VIRT_SAMPLE_H

#include "lib/base/err.h"
#include "lib/health/sample.h"

#include <libvirt/libvirt.h>

/* What to ask for: virConnectGetAllDomainStats(conn, VW_SAMPLE_STATS, &records,
 * VW_SAMPLE_FLAGS). NOWAIT: a guest that is busy with a job answers without figures of its
 * disks. It still is a call to the monitor of each guest, and hangs with a QEMU that stands
 * still: make it on a connection and in a thread of its own. */
#define VW_SAMPLE_STATS                                                            \
	(VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_VCPU | VIR_DOMAIN_STATS_BLOCK | \
	 VIR_DOMAIN_STATS_INTERFACE)
#define VW_SAMPLE_FLAGS \
	(VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT)

/* A record's parameters as a sample of the time now (ms, monotonic). Never fails; what was
 * not told is not in ret->have. ret_state, ret_reason (may be NULL): libvirt's numbers, -1 =
 * not told. No console: the caller fills that in, if he can see the file. */
void vw_sample_from_stats(const virTypedParameter *params, int n, int64_t now,
			  struct vw_sample *ret, int *ret_state, int *ret_reason);

/* The baseline in the live metadata. Takes no job in libvirtd, and never waits for QEMU.
 * Return: 0; -ENOENT there is none (or the domain does not run); -EINVAL what is there is
 * broken, -ENOTSUP of another version; -EIO libvirt. */
int vw_baseline_read(virDomainPtr dom, struct vw_baseline *ret, struct vw_err *err);

/* Write it into the live metadata. It takes a job: if the guest is busy with one
 * (virDomainGetControlInfo) nothing is written, -EBUSY: try at the next sample. The event
 * METADATA_CHANGE comes back with nsuri VW_BASELINE_NS. Ask vw_baseline_differs before. */
int vw_baseline_write(virDomainPtr dom, const struct vw_baseline *b, struct vw_err *err);

/* The addresses that DHCP leases and the host's ARP table tell (no agent call). */
void vw_baseline_addresses(virDomainPtr dom, struct vw_baseline *b);

#endif
