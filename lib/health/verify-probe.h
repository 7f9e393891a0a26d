/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside the judge: what a probe is given, and how it answers. One file each. */
#ifndef VW_VERIFY_PROBE_H
#define VW_VERIFY_PROBE_H

#include "lib/health/health.h"

#define VW_RECENT_MS 2500 /* what happened within it is happening now */
#define VW_SUDDEN_MS 1000 /* the same, of a guest that idled and spins now: it may just have died */
#define VW_LEAST_MS 3500  /* no guest is called healthy that was not watched for so long */
/* QEMU announces the guest's addresses on its behalf for so long after a migration
 * (announce-self: 5 rounds, 50 to 450 ms apart): packets of that time prove nothing. */
#define VW_ANNOUNCE_MS 2000
#define VW_HANGS_MS 3000 /* a call without an answer for so long hangs */

/* Signs of life: of programs in the guest, of its kernel alone (a kernel that panicked may
 * go on to answer pings), and of a CPU that sleeps and wakes. */
enum { VW_LIFE_USER = 1, VW_LIFE_KERNEL = 2, VW_LIFE_WAKE = 4 };

struct vw_view {
	const struct vw_signals *s;
	unsigned life; /* VW_LIFE_… that are recent */
	bool spins;    /* a vCPU did, all that time */
};

/* What changed in the last `ms`. Return: false = there are no samples that tell it. */
bool vw_since(const struct vw_signals *s, unsigned have, int64_t ms, struct vw_delta *ret);
/* The same over the later two thirds of the window (at most 20 s): what "nothing comes any
 * more" is judged by. */
bool vw_late(const struct vw_signals *s, unsigned have, struct vw_delta *ret);
int64_t vw_late_ms(const struct vw_signals *s); /* how long that is at most */
/* How many events that rate (per minute) makes in ms. */
double vw_expected(unsigned rate, int64_t ms);

void vw_result(struct vw_probe_result *r, enum vw_status status, const char *fmt, ...)
	VW_PRINTF(3, 4);
/* Not decided yet: skip, and worth waiting for; when the window is over: status. */
void vw_result_wait(const struct vw_view *v, struct vw_probe_result *r, enum vw_status status,
		    const char *fmt, ...) VW_PRINTF(4, 5);

typedef void vw_probe(const struct vw_view *v, struct vw_probe_result *r);
vw_probe vw_probe_state, vw_probe_monitor, vw_probe_vcpu, vw_probe_disk_errors,
	vw_probe_disk_progress, vw_probe_network, vw_probe_reach, vw_probe_agent, vw_probe_clock,
	vw_probe_events, vw_probe_console, vw_probe_job, vw_probe_declared, vw_probe_source;

#endif
