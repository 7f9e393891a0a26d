/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is told of a verdict: one table for the agent and for the verifier that the hook leaves. */
#ifndef VW_VIRT_VERDICT_H
#define VW_VIRT_VERDICT_H

#include "lib/alert/alert.h"
#include "lib/health/health.h"

#define VW_VERDICTS (VW_HEALTH_UNKNOWN + 1)

struct vw_verdict_alert {
	const char *kind; /* NULL = all is well: nobody is told */
	enum vw_alert_severity severity;
};
/* By enum vw_health. */
extern const struct vw_verdict_alert vw_verdict_alerts[VW_VERDICTS];

#endif
