/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does a guest live? The judge: what was seen of it, and what is normal for it, in; probes
 * and a verdict out. Pure: no clock, no libvirt, no files.
 *
 * Every figure is compared with the guest's own past (struct vw_baseline): a guest that
 * panicked runs at 100 %, one that computes does so, too, before and after.
 *
 * healthy needs a sign of life; failed a reason that can be named; degraded: it lives, but
 * something is wrong; unknown: it offers no sign by which anybody could tell. */
#ifndef VW_VERIFY_HEALTH_H
#define VW_VERIFY_HEALTH_H

#include "lib/health/sample.h"

enum vw_health { VW_HEALTHY = 0, VW_DEGRADED, VW_FAILED, VW_HEALTH_UNKNOWN };
enum vw_status { VW_PASS = 0, VW_WARN, VW_FAIL, VW_SKIP };
const char *vw_health_name(enum vw_health h); /* "healthy" "degraded" "failed" "unknown" */
const char *vw_status_name(enum vw_status s); /* "pass" "warn" "fail" "skip" */

enum vw_dom_state {
	VW_DOM_UNKNOWN = 0, /* not asked yet, or no answer */
	VW_DOM_RUNNING,
	VW_DOM_PAUSED,
	VW_DOM_SUSPENDED, /* by the guest's power management */
	VW_DOM_SHUTOFF,   /* defined, does not run */
	VW_DOM_CRASHED,
	VW_DOM_GONE, /* no such domain */
};
/* Why it is in that state, as far as it matters. */
enum vw_dom_reason {
	VW_REASON_OTHER = 0,
	VW_REASON_USER,
	VW_REASON_IO_ERROR,
	VW_REASON_MIGRATION, /* in the middle of one, or left there */
	VW_REASON_POSTCOPY,  /* failed */
	VW_REASON_CRASHED,   /* panicked, QEMU died, failed to start */
	VW_REASON_SHUTDOWN,  /* by itself or by somebody */
};

enum vw_control { VW_CONTROL_UNKNOWN = 0, VW_CONTROL_OK, VW_CONTROL_BUSY, VW_CONTROL_ERROR };

/* What happened in the window. */
enum {
	VW_EVENT_PANIC = 1 << 0,
	VW_EVENT_CRASH = 1 << 1, /* stopped: crashed or failed */
	VW_EVENT_STOP = 1 << 2,  /* stopped: shut down or destroyed */
	VW_EVENT_IO_PAUSE = 1 << 3,
	VW_EVENT_IO_REPORT = 1 << 4,
	VW_EVENT_WATCHDOG = 1 << 5,
	VW_EVENT_RESET = 1 << 6,
	VW_EVENT_CONTROL = 1 << 7,  /* the monitor broke */
	VW_EVENT_POSTCOPY = 1 << 8, /* failed */
	VW_EVENT_LEFT = 1 << 9,     /* migrated away */
};

#define VW_DECLARED_MAX 8
struct vw_declared {
	char what[72];    /* "tcp 22", "check web" */
	bool done;        /* there is a result */
	bool ok;          /* … and this is it */
	bool unasked;     /* nothing was tried: why says the detail */
	bool kernel;      /* the guest's kernel alone can answer that */
	char detail[120]; /* "connected in 2 ms", "exit 1: …" */
};

#define VW_SOURCES_MAX 16 /* hosts that a guest may have come from, and that are asked at once */

/* The guest as the host that it came from sees it; of several, the one that says the worst. */
struct vw_other_host {
	bool asked;      /* there is such a host to ask */
	int64_t at;      /* when it answered last, ms; 0 = not yet */
	char error[120]; /* why it did not, "" = no error */
	char uri[160];
	enum vw_dom_state state;
	enum vw_dom_reason reason;
	bool persistent; /* there */
};

struct vw_signals {
	const char *name;                 /* of the domain, as a shell takes it back; never NULL */
	const struct vw_baseline *before; /* never NULL; known = false: nothing is known */
	const struct vw_sample *samples;  /* oldest first */
	size_t n_samples;
	int64_t started, now, window; /* ms; the clock of the samples */
	bool over;                    /* the window is: no more will come */
	bool migrated;                /* it has just come from another host */

	enum vw_dom_state state;
	enum vw_dom_reason reason;
	char reason_text[48]; /* libvirt's words */
	bool persistent;      /* here */
	enum vw_control control;
	int64_t control_ms;    /* for so long */
	int64_t monitor_since; /* when the call was made that QEMU has not answered, 0 = none */
	int64_t libvirt_since; /* the same of a call that needs no QEMU */
	bool asked;            /* libvirt answered at least once */
	char libvirt_error[160];

	int disk_errors; /* disks with one; -1 = not said */
	char disk_errors_text[120];

	struct {
		bool configured; /* there is a channel for it */
		bool connected;  /* the guest's end is open */
		bool asked;
		int64_t answered_at; /* the last time, 0 = never */
		unsigned answers;
		bool skew_known;
		double skew;        /* s, guest minus host */
		char corrected[64]; /* what came of setting its clock, "" = was not tried */
		char error[120];    /* of the last call, "" = none */
	} agent;

	struct {
		unsigned tried;      /* addresses */
		unsigned answered;   /* of them, at least once */
		int64_t answered_at; /* the last time, 0 = never */
		bool finished;       /* every address was asked often enough */
		char text[120];      /* the address and the way: "10.0.0.5 by ARP" */
		char isolated
			[16]; /* a bridge of its, without a port that leads anywhere; "" = none */
	} reach;

	struct {
		unsigned bits; /* VW_EVENT_… */
		char text[160];
	} events;

	struct {
		bool readable;
		bool panic, oops;
		bool old;          /* it stood there before the window began, nothing since */
		char text[120];    /* the line */
		char refused[280]; /* why one that there is is not read, "" = none was refused */
	} console;

	struct {
		bool known;
		long long downtime, total; /* ms; -1 = not said */
	} job;

	struct vw_declared declared[VW_DECLARED_MAX];
	size_t n_declared;
	bool declared_agent; /* the metadata says: an agent is expected */

	struct vw_other_host other;
};

#define VW_PROBES_MAX 16
struct vw_probe_result {
	const char *probe; /* a contract: see virt-warden-verify(1) */
	enum vw_status status;
	bool pending;     /* may change: worth waiting for */
	char detail[280]; /* with the command that mends it, where there is one */
};

struct vw_verify {
	enum vw_health verdict;
	bool final;     /* nothing that is still to come would change it (or the window is over) */
	bool may_reset; /* failed, it runs here, not on the other host, and a reset could help */
	const char *waiting; /* the probe that is waited for, "" = none */
	struct vw_probe_result probes[VW_PROBES_MAX];
	size_t n;
};

/* Judge what is known by now. */
void vw_verify_judge(const struct vw_signals *s, struct vw_verify *ret);

/* What the probe of a verdict says first: the worst one's "probe: detail". Borrowed from v;
 * NULL for a healthy guest. */
const struct vw_probe_result *vw_verify_worst(const struct vw_verify *v);

/* Where the reader of one console is. */
struct vw_console_reader {
	int64_t at, began; /* bytes; what lies before `began` is of the past */
	char line[1024];
	size_t len;
};
/* Look at what the guest wrote: s->console.panic, oops, old and text. */
void vw_console_take(struct vw_signals *s, struct vw_console_reader *r, const char *data, size_t n);
/* One line of a console: does a kernel die there? Return: 2 panic, 1 oops, 0 neither. */
int vw_console_sign(const char *line, size_t len);

#endif
