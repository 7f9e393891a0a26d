/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One look at a guest's counters, and what is normal for it: the baseline.
 *
 * The baseline travels with the domain, as text in an own element of its live metadata, so
 * that the destination of a migration knows what the source saw. Whoever may define a
 * domain can write there: it is parsed as hostile input, and may only lead to a wrong
 * verdict on that very guest. */
#ifndef VW_VERIFY_SAMPLE_H
#define VW_VERIFY_SAMPLE_H

#include "lib/engine/facts.h"

#include <stdint.h>

#define VW_BASELINE_NS "urn:virt-warden:baseline:1"
#define VW_BASELINE_SIZE 512 /* bytes of its text */

#define VW_SAMPLE_VCPUS 64 /* those beyond are not looked at */
#define VW_SAMPLE_DISKS 16
#define VW_ADDRESSES_MAX 4

enum {
	VW_HAVE_VCPU = 1 << 0,
	VW_HAVE_DISK = 1 << 1,
	VW_HAVE_NET = 1 << 2,
	VW_HAVE_CONSOLE = 1 << 3,
};

struct vw_sample {
	int64_t t;     /* ms of any clock that never goes back */
	unsigned have; /* VW_HAVE_…: which of these were told */
	unsigned n_vcpus, n_disks;
	uint64_t vcpu[VW_SAMPLE_VCPUS]; /* ns run */
	uint64_t wait[VW_SAMPLE_VCPUS]; /* ns that it waited for a CPU of the host */
	uint64_t disk[VW_SAMPLE_DISKS]; /* requests completed: read, write, flush */
	uint64_t rx, tx;                /* packets, as the guest sees them, all NICs */
	uint64_t console;               /* bytes in the files that its serial ports write */
};

/* What changed between two samples. */
struct vw_delta {
	int64_t ms;
	unsigned have;
	double cpu;  /* CPUs that all vCPUs used together: 0.5 = half a CPU */
	double most; /* the busiest vCPU's share of the time, with its wait for a CPU: 0 to 1 */
	unsigned n_disks;
	uint64_t disk[VW_SAMPLE_DISKS], disks; /* each, and their sum */
	uint64_t rx, tx, console;
};
/* a is older. A counter that goes back counts as 0. */
void vw_delta(const struct vw_sample *a, const struct vw_sample *b, struct vw_delta *ret);

#define VW_CPU_SPINS 0.85 /* a vCPU that wants more is said to spin */
#define VW_CPU_IDLE 0.5   /* a guest none of whose vCPUs wants as much is said to idle */

enum vw_cpu_class {
	VW_CPU_CLASS_UNKNOWN = 0,
	VW_CPU_CLASS_IDLE,  /* no vCPU ever wanted VW_CPU_IDLE */
	VW_CPU_CLASS_MIXED, /* neither */
	VW_CPU_CLASS_BUSY,  /* some vCPU always spun */
};

/* What is normal. A rate is the least that was seen in any interval, in events per minute;
 * 0 = not steady: nothing can be said when nothing comes. */
struct vw_baseline {
	bool known;
	bool paused;
	bool panicked; /* its host read so on its console, the last time it looked */
	enum vw_cpu_class cpu;
	unsigned cpu_permille; /* of one CPU, the most that was seen */
	bool wakes;            /* its vCPUs ran in every interval, if but a little */
	unsigned disk[VW_SAMPLE_DISKS];
	unsigned n_disks;
	unsigned rx, tx, console;
	enum vw_known agent; /* YES: it answered, or its channel was connected */
	bool skew_known;
	int skew;                           /* s, guest minus host */
	bool reachable;                     /* an address answered */
	char address[VW_ADDRESSES_MAX][46]; /* IPv4 or IPv6 */
	unsigned n_addresses;
};

/* The text: "1 cpu=idle,7 wakes disk=960,0 rx=120 agent=yes …" into buf of at least
 * VW_BASELINE_SIZE. Return: its length. */
size_t vw_baseline_format(const struct vw_baseline *b, char *buf);
/* Return: 0; -EINVAL malformed, -E2BIG too long, -ENOTSUP another version: *ret is untouched. */
int vw_baseline_parse(const char *text, struct vw_baseline *ret);
/* Is the new one of another class, so that it is worth to be written? (Small changes of
 * rates are not; the writing costs a job in libvirt.) */
bool vw_baseline_differs(const struct vw_baseline *old, const struct vw_baseline *now);

/* Watches one guest from sample to sample; about 1.5 KiB, no allocation. Zero it to start. */
#define VW_WATCH_INTERVALS 3 /* as many must agree before anything is called normal */
struct vw_watch {
	struct vw_sample last;
	struct vw_delta deltas[VW_WATCH_INTERVALS]; /* a ring */
	unsigned n;                                 /* deltas ever seen */
};
/* The next sample: at least a second, better 5 to 30 s after the last (an earlier one is
 * ignored). A gap of more than `stale` ms starts anew (0 = never). */
void vw_watch_add(struct vw_watch *w, const struct vw_sample *s, int64_t stale);
/* Fill in cpu and rates of *b; the other members stay. A guest that always spun while nothing else
 * was seen of it computes, or has panicked: its class is unknown. Return: false = not enough was seen. */
bool vw_watch_classify(const struct vw_watch *w, struct vw_baseline *b);
/* The last interval; NULL = there was none. Borrowed from w. */
const struct vw_delta *vw_watch_newest(const struct vw_watch *w);
bool vw_spins(const struct vw_delta *d); /* some vCPU did */
/* Does it spin now, and is nothing seen any more of what it steadily did? It may have died, and what it
 * does now must not be learnt as normal. */
bool vw_watch_lost(const struct vw_watch *w, const struct vw_baseline *old);

/* An address in text form that may be asked: IPv4 or IPv6, unicast, not loopback, not
 * link-local IPv6. */
bool vw_address_ok(const char *text);
/* Add one if it is ok, new, and there is room. */
void vw_baseline_add_address(struct vw_baseline *b, const char *text);

#endif
