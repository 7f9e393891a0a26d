/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The policy as shipped; docs/warden.conf documents the same values. */
#include "lib/engine/policy.h"

void vw_policy_defaults(struct vw_policy *p)
{
	*p = (struct vw_policy){
		.define = VW_DEFINE_FIX,
		.start = VW_START_WARN,
		.migrate = VW_MIGRATE_WARN,
		.unknown = VW_UNKNOWN_PASS,
		.verify = VW_VERIFY_WAIT,
		.boot = VW_BOOT_PROVEN,
		.network_disks = VW_NETDISK_REPORT,
		.caches = { "none", "directsync" },
		.n_caches = 2,
		.history_versions = 100,
		.history_days = 730,
		.history_mib = 1024,
		.agent_quiet = 1,
		.agent_compare = 60,
		.sample_seconds = 15,
		.alerts = { .log = 1,
			    .scripts = 1,
			    .script_seconds = 30,
			    .resend_seconds = 60,
			    .http_seconds = 10,
			    .sendmail = "/usr/sbin/sendmail",
			    .repeat_seconds = 14400,
			    .retry_seconds = 10,
			    .retry_max_seconds = 300,
			    .per_minute = 30 },
	};
}

bool vw_policy_cache_allowed(const struct vw_policy *p, const char *mode)
{
	for (size_t i = 0; i < p->n_caches; i++)
		if (vw_streq(p->caches[i], mode))
			return true;
	return false;
}
