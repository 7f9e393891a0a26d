/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The qemu hook: what its parts share.
 *
 * libvirtd runs it as `hook NAME OPERATION SUBOPERATION -`, gives it the domain
 * XML on stdin and waits. So: it never calls libvirt, never waits (see
 * HOOK_BUDGET_MS), leaves no child behind that it could be waited for, and when in doubt it says so in the
 * system log and exits 0. */
#ifndef VW_HOOK_H
#define VW_HOOK_H

#include "lib/engine/cache-policy.h"
#include "lib/conf/conf.h"
#include "lib/base/err.h"

#include <stdint.h>

/* All the reading and looking of one run, milliseconds. One path has 1000 (design.md). */
#define HOOK_BUDGET_MS 3000
#define HOOK_PATH_MS 1000
/* The end of a run, whatever hangs (guard.c). */
#define HOOK_LAST_MS 4000

struct hook {
	const char *op;       /* "prepare" …, from the table of operations */
	const char *arg_name; /* the domain's name as libvirtd gave it */
	bool log_to_stderr;   /* tests: VIRT_WARDEN_LOG=stderr */
	int log_fd;           /* -1 not open yet, -2 there is no log */
	int64_t deadline;     /* monotonic, ms */
	struct vw_paths paths;
	struct vw_policy policy;
	char *text; /* stdin */
	size_t len;
	struct vw_xml *doc;
	char *name;        /* of the domain; arg_name if the XML has none */
	char uuid[37];     /* lower case, "" if the XML has no proper one */
	enum vw_mode mode; /* effective, never VW_MODE_DEFAULT */
	bool skipped;      /* the domain skips the rule disk-cache */
};

/* ops.c: the second stage; argv as the hook's own, argv[2] one of main.c's operations.
 * Return: the exit status. */
typedef int vw_hook_fn(char **argv);
vw_hook_fn vw_hook;

/* The operations. Return: the exit status; anything but 0 makes libvirtd give up what it was doing. */
int hook_prepare(struct hook *h);
int hook_incoming(struct hook *h);

/* Ends the process with 0 after HOOK_LAST_MS. h: op and log_to_stderr are set. */
void hook_guard(const struct hook *h);

/* Read stdin and parse it: doc, name, uuid, mode, skipped. Return: 0 or negative errno. */
int hook_read(struct hook *h, struct vw_err *err);

/* Return: milliseconds that are left of the budget. */
unsigned hook_time_left(const struct hook *h);

/* Called for each disk whose cache is not as the policy wants; f is freed afterwards. */
typedef void hook_disk_fn(struct hook *h, void *data, xmlNode *disk, const struct vw_finding *f);
/* Judge all disks; only those with a cache to mend are looked at on the host.
 * Return: 0 or -ENOMEM. */
int hook_judge_disks(struct hook *h, hook_disk_fn *fn, void *data);

/* One line for the system log (LOG_DAEMON, "virt-warden"); nobody listens: nothing.
 * priority: LOG_WARNING … of syslog.h. */
void hook_log(struct hook *h, int priority, const char *fmt, ...) VW_PRINTF(3, 4);
void hook_log_finding(struct hook *h, const struct vw_finding *f);

/* The mark that says "this domain's next start is an incoming one": written by
 * migrate and restore, taken by prepare. Return: 0 or negative errno. */
int hook_mark_write(const struct vw_paths *paths, const char *uuid, struct vw_err *err);
/* Return: true if there was a mark that is not stale. It is gone then. */
bool hook_mark_take(const struct vw_paths *paths, const char *uuid);

/* verifier.c: does virt-wardend run on this host? It verifies what comes in. */
bool hook_agent_runs(const struct vw_paths *paths);
/* Leave a verifier behind for the guest that comes in; it inherits nothing. */
void hook_leave_verifier(struct hook *h);

#endif
