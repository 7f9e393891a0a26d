/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One verification of one guest, in a process of its own.
 *
 * Whatever may hang (libvirtd, QEMU's monitor, the guest agent, the source host, files on
 * dead storage, the network) is done in threads; the main one judges what is there by then,
 * and never waits for them. At the verdict they are left behind: after verify_run the
 * process prints and ends by verify_exit. So nobody runs it inside a daemon: agent, hook and
 * preload library start `virt-warden verify` and read its JSON.
 *
 * For them (final): virt-warden verify UUID --json --quiet --after-migration
 * [--source URI]… [--window SEC] [--seen EVENT,…] prints one JSON object on stdout within
 * SEC + 1 seconds whatever hangs, and exits 0 healthy, 1 degraded or failed, 2 usage,
 * 3 unknown. Kill it after SEC + 5 s. `virt-warden verify DOMAIN --record` notes a baseline
 * without the agent. The baseline itself: virt/sample.h and lib/health/sample.h. */
#ifndef VW_PLUGIN_VERIFY_H
#define VW_PLUGIN_VERIFY_H

#include "lib/health/health.h"
#include "virt/context.h"

#include <jansson.h>

#define VERIFY_WINDOW 12          /* s, of a plain verify */
#define VERIFY_WINDOW_MIGRATED 10 /* s: so that `failed` comes within 15 s of a migration's end */
#define VERIFY_WINDOW_MAX 600

struct verify_options {
	const char *uri;                    /* NULL = libvirt's default */
	const char *domain;                 /* name, UUID or id */
	const char *source[VW_SOURCES_MAX]; /* URIs of the hosts that it may have come from */
	size_t n_source;                    /* 0 = not known */
	const char *baseline; /* text; "" = take none; NULL = from the live metadata */
	const char *health_d; /* directory of checks */
	unsigned window;      /* s */
	unsigned seen;        /* VW_EVENT_… that somebody saw already */
	bool migrated;        /* it has just come from another host */
	bool record;          /* no verdict: note what is normal */
	bool correct_clock;
	FILE *progress; /* a terminal, for "waiting for …"; NULL = none */
};

struct verify_report {
	char domain[256], uuid[37], host[256];
	double seconds;
	bool known; /* the domain was found, here or there */
	struct vw_baseline before, now;
	bool recorded;     /* with record: `now` was written */
	struct vw_err err; /* why not known, or not recorded */
	struct vw_verify verdict;
};

/* Return: 0, or negative errno if not even a thread could be started. */
int verify_run(const struct verify_options *o, struct verify_report *ret, struct vw_err *err);
/* Look at all running guests every so many seconds, note what is normal for each in its live
 * metadata, and print a dot each time; until none runs, libvirt goes, or nobody reads. */
int verify_watch_all(const char *uri, unsigned seconds, struct vw_err *err);
/* Wait for the end of the migration that brings o->domain, look, tell, and run the messenger in
 * this process's place. Return: 0 (also: it never came) or negative errno. */
int verify_await(const struct verify_options *o, const char *statedir, struct vw_err *err);
/* what: "reset" or "dump". text: what was done. Return: 0 or negative errno. */
int verify_act(const char *uri, const char *uuid, const char *what, char *text, size_t size,
	       struct vw_err *err);
/* {"version", "domain", "uuid", "host", "verdict", "seconds", "baseline", "may_reset",
 * "probes": [{"probe", "status", "detail"}]}. */
json_t *verify_json(const struct verify_report *r);
/* Flush and end the process at once, threads or not. */
_Noreturn void verify_exit(int status);

#endif
