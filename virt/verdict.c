/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The alerts of verdicts (see virt/verdict.h). */
#include "virt/verdict.h"

const struct vw_verdict_alert vw_verdict_alerts[VW_VERDICTS] = {
	[VW_HEALTHY] = { NULL, VW_ALERT_INFO },
	[VW_DEGRADED] = { "verify-degraded", VW_ALERT_WARNING },
	[VW_FAILED] = { "verify-failed", VW_ALERT_CRITICAL },
	[VW_HEALTH_UNKNOWN] = { "verify-unknown", VW_ALERT_INFO },
};
