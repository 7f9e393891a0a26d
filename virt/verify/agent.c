/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verification's thread that asks the guest agent for the time: a ping that does not taint
 * the guest. The agent has a job of its own in libvirtd: a hung one holds nobody else up. */
#include "virt/verify/internal.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <math.h>
#include <time.h>

#define TIMEOUT 3   /* s; libvirt's default is to wait for ever */
#define CORRECT 1.0 /* s: a clock that is more off is set, if that is wanted */

static double realtime(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* An error that the agent itself sent (the command is disabled there): it lives. */
static bool is_answer(int code)
{
	return code == VIR_ERR_OPERATION_UNSUPPORTED ||
	       (code == VIR_ERR_INTERNAL_ERROR &&
		strstr(virGetLastErrorMessage(), "agent command"));
}

static void ask(struct verify *v)
{
	long long s = 0;
	unsigned ns = 0;
	double before = realtime(), skew;
	int r = virDomainGetTime(v->dom, &s, &ns, 0), code = virGetLastErrorCode();

	skew = (double)s + ns / 1e9 - (before + realtime()) / 2;
	verify_lock(v);
	v->s.agent.asked = true;
	if (r == 0 || is_answer(code)) {
		v->s.agent.answered_at = vw_clock_ms();
		v->s.agent.answers++;
	}
	if (r == 0) {
		v->s.agent.skew_known = true;
		v->s.agent.skew = skew;
	}
	snprintf(v->s.agent.error, sizeof(v->s.agent.error), "%s",
		 r == 0 ? "" : virGetLastErrorMessage());
	verify_unlock(v);
}

static void correct(struct verify *v)
{
	double now = realtime();
	int r = virDomainSetTime(v->dom, (long long)now, (unsigned)((now - floor(now)) * 1e9), 0);

	verify_lock(v);
	snprintf(v->s.agent.corrected, sizeof(v->s.agent.corrected), "%s",
		 r == 0 ? "it was set" : virGetLastErrorMessage());
	verify_unlock(v);
}

/* Its addresses, once: they are asked for by the thread of the network. */
static void addresses(struct verify *v)
{
	virDomainInterfacePtr *ifaces = NULL;
	int n = virDomainInterfaceAddresses(v->dom, &ifaces,
					    VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT, 0);

	verify_lock(v);
	for (int i = 0; i < n; i++)
		for (unsigned k = 0; k < ifaces[i]->naddrs; k++)
			if (ifaces[i]->addrs[k].addr)
				vw_addresses_add(&v->addresses, ifaces[i]->addrs[k].addr, false);
	verify_unlock(v);
	for (int i = 0; i < n; i++)
		virDomainInterfaceFree(ifaces[i]);
	free(ifaces);
}

static void round_of(struct verify *v, bool *asked)
{
	bool set;

	ask(v);
	verify_lock(v);
	set = v->o->correct_clock && v->o->migrated && v->s.agent.skew_known &&
	      fabs(v->s.agent.skew) > CORRECT && !*v->s.agent.corrected;
	verify_unlock(v);
	if (set) {
		correct(v);
		ask(v);
	}
	if (!*asked && v->s.agent.answers) {
		addresses(v);
		*asked = true;
	}
}

/* libvirtd keeps the limit for all its clients: it is put back at the end. */
static bool limit(struct verify *v)
{
	if (!v->agent_limited && virDomainAgentSetResponseTimeout(v->dom, TIMEOUT, 0) == 0) {
		verify_lock(v);
		v->agent_limited = true;
		verify_unlock(v);
	}
	return v->agent_limited;
}

static void unlimit(struct verify *v)
{
	if (!v->agent_limited)
		return;
	virDomainAgentSetResponseTimeout(v->dom, VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK, 0);
	verify_lock(v);
	v->agent_limited = false;
	verify_unlock(v);
}

void *verify_agent(void *arg)
{
	struct verify *v = arg;
	bool asked = false;

	if (!v->d.agent)
		return NULL;
	do {
		bool connected;

		verify_lock(v);
		connected = v->s.agent.connected && v->s.state == VW_DOM_RUNNING;
		verify_unlock(v);
		if (connected && limit(v))
			round_of(v, &asked);
	} while (verify_sleep(v, 1000));
	unlimit(v);
	return NULL;
}
