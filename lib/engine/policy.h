/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The admin's policy (warden.conf), as plain data. lib/conf fills it; the
 * engine and the hook read it. */
#ifndef VW_POLICY_H
#define VW_POLICY_H

#include "lib/base/util.h"

enum vw_policy_define { VW_DEFINE_FIX = 0, VW_DEFINE_WARN, VW_DEFINE_OFF };
enum vw_policy_start { VW_START_WARN = 0, VW_START_REFUSE, VW_START_OFF };
enum vw_policy_migrate { VW_MIGRATE_WARN = 0, VW_MIGRATE_ENFORCE, VW_MIGRATE_OFF };
/* What becomes of a migration that could not be judged, with migrate = enforce. */
enum vw_policy_unknown { VW_UNKNOWN_PASS = 0, VW_UNKNOWN_REFUSE };
enum vw_policy_verify { VW_VERIFY_WAIT = 0, VW_VERIFY_BACKGROUND, VW_VERIFY_OFF };
enum vw_policy_failed { VW_FAILED_ALERT = 0, VW_FAILED_RESET, VW_FAILED_DUMP };
enum vw_policy_boot { VW_BOOT_PROVEN = 0, VW_BOOT_NEVER };
enum vw_policy_network { VW_NETDISK_REPORT = 0, VW_NETDISK_ENFORCE, VW_NETDISK_OFF };

#define VW_CACHES_MAX 6
#define VW_METRICS_MAX 200
#define VW_PEERS_MAX 2000
#define VW_TARGET_MAX 300 /* bytes of a URL, a path, addresses, with the NUL */

/* Who is told of an alert, and how ([alerts]). "" = not. */
struct vw_alert_policy {
	unsigned log, scripts; /* 0 or 1 */
	unsigned script_seconds;
	char webhook[VW_TARGET_MAX], webhook_auth[VW_TARGET_MAX];
	char alertmanager[VW_TARGET_MAX], alertmanager_auth[VW_TARGET_MAX];
	unsigned resend_seconds; /* Alertmanager forgets what it does not hear again */
	unsigned http_seconds;   /* for one request, from connect to answer */
	char ca_file[VW_TARGET_MAX];
	char mail_to[VW_TARGET_MAX], mail_from[VW_TARGET_MAX], sendmail[VW_TARGET_MAX];
	char metrics[VW_TARGET_MAX];
	unsigned repeat_seconds; /* what goes on is told again; 0 = never */
	unsigned retry_seconds, retry_max_seconds;
	unsigned per_minute; /* messages of one sink */
};

#define VW_BASELINE_MAX 8192

struct vw_policy {
	enum vw_policy_define define;
	enum vw_policy_start start;
	enum vw_policy_migrate migrate;
	enum vw_policy_unknown unknown;
	enum vw_policy_verify verify;
	enum vw_policy_failed on_failed; /* what is done to a guest that failed after a migration */
	enum vw_policy_boot boot;
	enum vw_policy_network network_disks;
	char caches[VW_CACHES_MAX][16]; /* allowed cache modes; the first is what a fix writes */
	size_t n_caches;
	/* The CPU for guests: a named model, then +FEATURE or -FEATURE; "" = the template's choice. */
	char cpu_baseline[VW_BASELINE_MAX];
	unsigned history_versions; /* per domain, >= 1 */
	unsigned history_days;     /* >= 1 */
	unsigned history_mib;      /* all domains together, >= 1 */
	unsigned
		agent_quiet; /* seconds without a change before more than the host class is fixed */
	unsigned agent_compare;   /* seconds between two looks for changes that raise no event */
	unsigned correct_clock;   /* 1: set a guest's clock after a migration, by its agent */
	char peers[VW_PEERS_MAX]; /* URIs of the hosts that guests come from, by spaces */
	unsigned sample_seconds;  /* between two looks at what running guests do; 0 = none */
	char agent_metrics[VW_METRICS_MAX]; /* file for Prometheus' textfile collector, "" = none */
	struct vw_alert_policy alerts;
};

/* The defaults as shipped (design.md, Names and paths): define = fix, start = warn,
 * migrate = warn, verify = wait, boot changes = proven, caches none + directsync,
 * network disks reported only, history 100 versions / 730 days / 1 GiB. */
void vw_policy_defaults(struct vw_policy *p);

/* Return: true if the cache mode is allowed by the policy. */
bool vw_policy_cache_allowed(const struct vw_policy *p, const char *mode);

#endif
