/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verification's first thread: connects, then watches what needs no job in libvirtd:
 * state, control state, and figures from outside while QEMU does not answer. */
#include "virt/domain.h"
#include "lib/base/clock.h"
#include "virt/verify/internal.h"

#include "lib/base/text.h"
#include "virt/collect.h"
#include "virt/open.h"

#include <errno.h>
#include <libvirt/virterror.h>

#define MONITOR_LATE_MS 1500 /* then the figures are taken without QEMU */

static const struct {
	int state, reason;
	enum vw_dom_reason means;
	const char *text;
} reasons[] = {
	{ VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED, VW_REASON_OTHER, "booted" },
	{ VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_MIGRATED, VW_REASON_OTHER, "migrated" },
	{ VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_RESTORED, VW_REASON_OTHER, "restored" },
	{ VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_FROM_SNAPSHOT, VW_REASON_OTHER, "from snapshot" },
	{ VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED, VW_REASON_OTHER, "unpaused" },
	{ VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_MIGRATION_CANCELED, VW_REASON_OTHER,
	  "migration canceled" },
	{ VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_CRASHED, VW_REASON_OTHER, "crashed, restarted" },
	{ VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_POSTCOPY, VW_REASON_OTHER, "post-copy" },
	{ VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, VW_REASON_USER, "by a user" },
	{ VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, VW_REASON_MIGRATION, "migration" },
	{ VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP, VW_REASON_MIGRATION, "starting up" },
	{ VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR, VW_REASON_IO_ERROR, "I/O error" },
	{ VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG, VW_REASON_OTHER, "watchdog" },
	{ VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED, VW_REASON_CRASHED, "crashed" },
	{ VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY, VW_REASON_MIGRATION, "post-copy" },
	{ VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED, VW_REASON_POSTCOPY,
	  "post-copy failed" },
	{ VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN, VW_REASON_SHUTDOWN, "shut down" },
	{ VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DESTROYED, VW_REASON_SHUTDOWN, "destroyed" },
	{ VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED, VW_REASON_CRASHED, "crashed" },
	{ VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_MIGRATED, VW_REASON_MIGRATION, "migrated" },
	{ VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED, VW_REASON_CRASHED, "failed" },
	{ VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED, VW_REASON_CRASHED, "panicked" },
};

static enum vw_dom_state state_of(int state)
{
	switch (state) {
	case VIR_DOMAIN_RUNNING:
	case VIR_DOMAIN_BLOCKED:
	case VIR_DOMAIN_SHUTDOWN: return VW_DOM_RUNNING;
	case VIR_DOMAIN_PAUSED: return VW_DOM_PAUSED;
	case VIR_DOMAIN_SHUTOFF: return VW_DOM_SHUTOFF;
	case VIR_DOMAIN_CRASHED: return VW_DOM_CRASHED;
	case VIR_DOMAIN_PMSUSPENDED: return VW_DOM_SUSPENDED;
	default: return VW_DOM_UNKNOWN;
	}
}

void verify_state(virDomainPtr dom, enum vw_dom_state *ret, enum vw_dom_reason *ret_reason,
		  char *text, size_t size)
{
	int state = 0, reason = 0;

	*ret_reason = VW_REASON_OTHER;
	snprintf(text, size, "unknown reason");
	if (virDomainGetState(dom, &state, &reason, 0) < 0) {
		*ret = virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? VW_DOM_GONE : VW_DOM_UNKNOWN;
		snprintf(text, size, "%s", virGetLastErrorMessage());
		return;
	}
	*ret = state_of(state);
	for (size_t i = 0; i < VW_N_ELEMENTS(reasons); i++)
		if (reasons[i].state == state && reasons[i].reason == reason) {
			*ret_reason = reasons[i].means;
			snprintf(text, size, "%s", reasons[i].text);
		}
}

/* vCPU times (from /proc) and packets without a word to QEMU. */
static void figures_from_outside(struct verify *v)
{
	virDomainPtr one[] = { v->dom, NULL };
	virDomainStatsRecordPtr *records = NULL;
	virVcpuInfo info[VW_SAMPLE_VCPUS];
	struct vw_sample s = { 0 };
	int n = virDomainListGetStats(one, VIR_DOMAIN_STATS_INTERFACE, &records,
				      VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);

	if (n > 0)
		vw_sample_from_stats(records[0]->params, records[0]->nparams, vw_clock_ms(), &s,
				     NULL, NULL);
	if (n >= 0)
		virDomainStatsRecordListFree(records);
	n = virDomainGetVcpus(v->dom, info, VW_SAMPLE_VCPUS, NULL, 0);
	s.t = vw_clock_ms();
	for (int i = 0; i < n; i++)
		s.vcpu[i] = info[i].cpuTime;
	if (n > 0) {
		s.n_vcpus = (unsigned)n;
		s.have |= VW_HAVE_VCPU;
	}
	verify_sample(v, &s);
}

static void ask_state(struct verify *v)
{
	virDomainControlInfo info = { 0 };
	enum vw_dom_reason reason;
	enum vw_dom_state state;
	char text[48];
	int control = -1, persistent = 0;

	verify_state(v->dom, &state, &reason, text, sizeof(text));
	if (state != VW_DOM_GONE && state != VW_DOM_UNKNOWN) {
		persistent = virDomainIsPersistent(v->dom);
		control = virDomainGetControlInfo(v->dom, &info, 0);
	}
	verify_lock(v);
	v->s.state = state;
	v->s.reason = reason;
	memcpy(v->s.reason_text, text, sizeof(text));
	v->s.asked = true;
	v->s.persistent = persistent > 0;
	if (control == 0) {
		v->s.control = info.state == VIR_DOMAIN_CONTROL_ERROR      ? VW_CONTROL_ERROR
			       : info.state == VIR_DOMAIN_CONTROL_OCCUPIED ? VW_CONTROL_BUSY
									   : VW_CONTROL_OK;
		v->s.control_ms = (int64_t)info.stateTime;
	}
	verify_unlock(v);
}

static void watch(struct verify *v)
{
	bool late;

	do {
		verify_lock(v);
		v->s.libvirt_since = vw_clock_ms();
		late = v->s.monitor_since && vw_clock_ms() - v->s.monitor_since > MONITOR_LATE_MS;
		verify_unlock(v);
		ask_state(v);
		if (late)
			figures_from_outside(v);
		verify_lock(v);
		v->s.libvirt_since = 0;
		verify_unlock(v);
	} while (verify_sleep(v, VERIFY_TICK_MS));
}

static void note_job(struct verify *v)
{
	virTypedParameterPtr params = NULL;
	unsigned long long value;
	int n = 0, type = 0;

	if (virDomainGetJobStats(v->dom, &type, &params, &n,
				 VIR_DOMAIN_JOB_STATS_COMPLETED |
					 VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED) < 0)
		return;
	verify_lock(v);
	v->s.job.downtime = -1;
	if (virTypedParamsGetULLong(params, n, VIR_DOMAIN_JOB_TIME_ELAPSED, &value) > 0) {
		v->s.job.total = (long long)value;
		v->s.job.known = true;
	}
	if (virTypedParamsGetULLong(params, n, VIR_DOMAIN_JOB_DOWNTIME, &value) > 0)
		v->s.job.downtime = (long long)value;
	verify_unlock(v);
	virTypedParamsFree(params, n);
}

/* What is normal for it: what the caller says, else what its live metadata says. */
static void note_baseline(struct verify *v)
{
	struct vw_baseline b = { 0 };

	if (v->o->baseline ? vw_baseline_parse(v->o->baseline, &b) < 0
			   : vw_baseline_read(v->dom, &b, NULL) < 0)
		b = (struct vw_baseline){ 0 };
	verify_lock(v);
	v->before = b;
	for (unsigned i = 0; i < b.n_addresses; i++)
		vw_addresses_add(&v->addresses, b.address[i], false);
	for (size_t i = 0; i < v->d.n_address; i++)
		vw_addresses_add(&v->addresses, v->d.address[i], true);
	v->s.agent.configured = v->d.agent;
	v->s.agent.connected = v->d.agent_connected;
	v->s.declared_agent = v->d.agent_required;
	verify_unlock(v);
}

/* At once, for the judge may be quick. The lock is held. */
static void note_gone(struct verify *v, const struct vw_err *err)
{
	v->err = *err;
	v->s.state = VW_DOM_GONE;
	v->s.asked = true;
}

/* Return: 0; -ENOENT no such domain; -EIO. */
static int look_up(struct verify *v, struct vw_err *err)
{
	VW_AUTOFREE char *command = NULL;
	VW_AUTOFREE char *xml = NULL;
	VW_AUTOFREE char *host = virConnectGetHostname(v->conn);
	int r = vw_domain_find(v->conn, v->o->domain, &v->dom, err);

	verify_lock(v);
	if (host)
		snprintf(v->host, sizeof(v->host), "%s", host);
	if (r == 0) {
		virDomainGetUUIDString(v->dom, v->uuid);
		snprintf(v->domain, sizeof(v->domain), "%s", virDomainGetName(v->dom));
		command = vw_command_text("check", virDomainGetName(v->dom));
		snprintf(v->name, sizeof(v->name), "%s",
			 command ? command + strlen("virt-warden check ") : "DOMAIN");
	} else if (r == -ENOENT) {
		note_gone(v, err);
	}
	verify_unlock(v);
	if (r < 0)
		return r;
	xml = virDomainGetXMLDesc(v->dom, 0);
	if (xml)
		return verify_read_domain(xml, &v->d, err);
	r = vw_virt_error(err, v->o->domain);
	if (r == -ENOENT) { /* it went between the two calls */
		verify_lock(v);
		note_gone(v, err);
		verify_unlock(v);
	}
	return r;
}

/* Return: 0, or negative errno and v->err is filled in. */
static int connect_to(struct verify *v)
{
	struct vw_err err = { 0 };
	int r;

	v->conn = vw_open_mute_either(v->o->uri, 0);
	if (v->conn) {
		v->local = vw_conn_is_local(v->conn);
		r = look_up(v, &err);
	} else {
		r = vw_virt_error(&err, v->o->uri ? v->o->uri : "no libvirt can be reached");
	}
	if (r < 0) {
		verify_lock(v);
		v->err = err;
		snprintf(v->s.libvirt_error, sizeof(v->s.libvirt_error), "%.150s", err.text);
		v->s.libvirt_since = 0;
		verify_unlock(v);
	}
	return r;
}

void *verify_open(void *arg)
{
	static void *(*const threads[])(void *) = { verify_figures, verify_agent,    verify_console,
						    verify_reach,   verify_declared, verify_pty };
	struct verify *v = arg;
	int r;

	verify_lock(v);
	v->s.libvirt_since = vw_clock_ms();
	verify_unlock(v);
	r = connect_to(v);
	if (r < 0)
		return NULL;
	if (v->local)
		verify_find_subnets(v);
	verify_events_start(v);
	ask_state(v);
	note_baseline(v);
	note_job(v);
	for (size_t i = 0; i < VW_N_ELEMENTS(threads); i++)
		verify_thread(v, threads[i]);
	watch(v);
	return NULL;
}
