/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verifier that the hook leaves behind for an incoming guest where no agent runs: waits for
 * the migration's end, looks, raises an alert if it must, and becomes the messenger. */
#include "virt/verify/verify.h"

#include "lib/alert/alert.h"
#include "lib/base/clock.h"
#include "lib/conf/conf.h"
#include "virt/verify/internal.h"
#include "virt/context.h"
#include "virt/open.h"
#include "virt/verdict.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <time.h>

#define APPEAR_MS 60000           /* until libvirtd shows the guest: it is being prepared */
#define LONGEST_MS (24 * 3600000) /* of a migration */

/* Has the guest arrived? Return: 1 yes, 0 not yet, -1 it never will. */
static int arrived(virConnectPtr conn, const char *uuid, bool *seen)
{
	virDomainPtr dom = virDomainLookupByUUIDString(conn, uuid);
	int state = 0, reason = 0;
	bool active;

	if (!dom)
		return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? (*seen ? -1 : 0) : -1;
	active = virDomainGetState(dom, &state, &reason, 0) == 0 && state != VIR_DOMAIN_SHUTOFF;
	virDomainFree(dom);
	if (!active)
		return *seen ? -1 : 0;
	*seen = true;
	if (state != VIR_DOMAIN_PAUSED)
		return 1;
	return reason != VIR_DOMAIN_PAUSED_MIGRATION && reason != VIR_DOMAIN_PAUSED_STARTING_UP;
}

/* Return: true when it is there, false when it never will be. */
static bool wait_for_it(const char *uri, const char *uuid)
{
	int64_t began = vw_clock_ms();
	virConnectPtr conn = vw_open_mute(uri, 0);
	bool seen = false;
	int r = conn ? 0 : -1;

	while (r == 0) {
		int64_t waited = vw_clock_ms() - began;

		usleep(waited < 60000 ? 250000 : 2000000);
		r = arrived(conn, uuid, &seen);
		if (r == 0 && (waited > LONGEST_MS || (!seen && waited > APPEAR_MS)))
			r = -1;
	}
	if (conn)
		virConnectClose(conn);
	return r > 0;
}

static int raise_alert(struct vw_alerts *q, const struct verify_report *r, struct vw_err *err)
{
	const struct vw_verify *v = &r->verdict;
	const struct vw_probe_result *worst = vw_verify_worst(v);
	struct vw_alert_detail details[VW_PROBES_MAX];
	char summary[512];
	struct vw_alert a = {
		.host = r->host,
		.domain = r->domain,
		.uuid = r->uuid,
		.kind = vw_verdict_alerts[v->verdict].kind,
		.severity = vw_verdict_alerts[v->verdict].severity,
		.summary = summary,
		.details = details,
	};

	for (size_t i = 0; i < v->n; i++)
		if (v->probes[i].status != VW_SKIP)
			details[a.n_details++] = (struct vw_alert_detail){ v->probes[i].probe,
									   v->probes[i].detail };
	snprintf(summary, sizeof(summary), "%s after its migration%s%s%s%s",
		 vw_health_name(v->verdict), worst ? ": " : "", worst ? worst->probe : "",
		 worst ? ": " : "", worst ? worst->detail : "");
	return vw_alert_raise(q, &a, time(NULL), NULL, err);
}

/* What was told before and holds no longer is over. */
static int tell(const char *statedir, const struct verify_report *r, struct vw_err *err)
{
	struct vw_alerts *q = NULL;
	int rc = vw_alerts_open(statedir, &q, err);

	for (size_t i = 0; rc >= 0 && i < VW_VERDICTS; i++)
		if (vw_verdict_alerts[i].kind && i != r->verdict.verdict)
			rc = vw_alert_resolve(q, vw_verdict_alerts[i].kind, r->uuid, r->host,
					      time(NULL), err);
	if (rc >= 0 && vw_verdict_alerts[r->verdict.verdict].kind)
		rc = raise_alert(q, r, err);
	vw_alerts_close(q);
	return rc < 0 ? rc : 0;
}

/* Deliver it: in this process's place, whatever threads of it hang. */
static void become_messenger(void)
{
	struct vw_context *ctx = NULL;
	VW_AUTOFREE char *program = NULL;

	if (vw_context_open(&ctx, NULL) == 0)
		program = vw_context_program(ctx, "virt-warden-alert");
	if (program)
		execl(program, program, (char *)NULL);
	vw_context_close(ctx);
}

int verify_await(const struct verify_options *o, const char *statedir, struct vw_err *err)
{
	struct verify_options options = *o;
	struct verify_report report = { 0 };
	int r;

	if (virInitialize() < 0 || !wait_for_it(o->uri, o->domain))
		return 0; /* it stayed where it was: that is for the source to say */
	options.migrated = true;
	options.window = VERIFY_WINDOW_MIGRATED;
	r = verify_run(&options, &report, err);
	if (r == 0 && !report.known)
		return 0;
	if (r == 0)
		r = tell(statedir, &report, err);
	if (r == 0)
		become_messenger();
	return r;
}
