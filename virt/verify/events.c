/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verification's events: what libvirt reports of the guest while we watch. */
#include "virt/verify/internal.h"

static void note(struct verify *v, unsigned bit, const char *text)
{
	size_t len;

	verify_lock(v);
	len = strlen(v->s.events.text);
	if (!(v->s.events.bits & bit))
		snprintf(v->s.events.text + len, sizeof(v->s.events.text) - len, "%s%s",
			 len ? "; " : "", text);
	v->s.events.bits |= bit;
	verify_unlock(v);
}

static const struct {
	int event, detail; /* detail -1 = any other */
	unsigned bit;
	const char *text;
} lifecycle[] = {
	{ VIR_DOMAIN_EVENT_CRASHED, -1, VW_EVENT_PANIC, "the guest panicked" },
	{ VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_CRASHED, VW_EVENT_CRASH,
	  "it crashed and was stopped" },
	{ VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_FAILED, VW_EVENT_CRASH,
	  "QEMU failed" },
	{ VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_MIGRATED, VW_EVENT_LEFT,
	  "it was migrated to another host" },
	{ VIR_DOMAIN_EVENT_STOPPED, VIR_DOMAIN_EVENT_STOPPED_DESTROYED, VW_EVENT_STOP,
	  "it was destroyed" },
	{ VIR_DOMAIN_EVENT_STOPPED, -1, VW_EVENT_STOP, "it was shut down" },
	{ VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_IOERROR, VW_EVENT_IO_PAUSE,
	  "an I/O error paused it" },
	{ VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_POSTCOPY_FAILED, VW_EVENT_POSTCOPY,
	  "post-copy failed" },
	{ VIR_DOMAIN_EVENT_SUSPENDED, VIR_DOMAIN_EVENT_SUSPENDED_WATCHDOG, VW_EVENT_WATCHDOG,
	  "its watchdog fired" },
};

static int on_lifecycle(virConnectPtr conn, virDomainPtr dom, int event, int detail, void *opaque)
{
	(void)conn;
	(void)dom;
	for (size_t i = 0; i < VW_N_ELEMENTS(lifecycle); i++)
		if (lifecycle[i].event == event &&
		    (lifecycle[i].detail == detail || lifecycle[i].detail == -1)) {
			note(opaque, lifecycle[i].bit, lifecycle[i].text);
			return 0;
		}
	return 0;
}

static void on_reboot(virConnectPtr conn, virDomainPtr dom, void *opaque)
{
	(void)conn;
	(void)dom;
	note(opaque, VW_EVENT_RESET, "the guest was reset");
}

static void on_watchdog(virConnectPtr conn, virDomainPtr dom, int action, void *opaque)
{
	(void)conn;
	(void)dom;
	(void)action;
	note(opaque, VW_EVENT_WATCHDOG, "its watchdog fired");
}

static void on_io_error(virConnectPtr conn, virDomainPtr dom, const char *path, const char *alias,
			int action, void *opaque)
{
	char text[96];

	(void)conn;
	(void)dom;
	(void)path;
	snprintf(text, sizeof(text), "I/O error on disk %s%s", alias,
		 action == VIR_DOMAIN_EVENT_IO_ERROR_PAUSE ? ", which pauses it" : "");
	note(opaque,
	     action == VIR_DOMAIN_EVENT_IO_ERROR_PAUSE ? VW_EVENT_IO_PAUSE : VW_EVENT_IO_REPORT,
	     text);
}

static void on_control_error(virConnectPtr conn, virDomainPtr dom, void *opaque)
{
	(void)conn;
	(void)dom;
	note(opaque, VW_EVENT_CONTROL, "libvirt lost QEMU's monitor");
}

static void on_agent(virConnectPtr conn, virDomainPtr dom, int state, int reason, void *opaque)
{
	struct verify *v = opaque;

	(void)conn;
	(void)dom;
	(void)reason;
	verify_lock(v);
	v->s.agent.connected = state == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED;
	verify_unlock(v);
}

void verify_events_start(struct verify *v)
{
	static const struct {
		int id;
		virConnectDomainEventGenericCallback call;
	} events[] = {
		{ VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle) },
		{ VIR_DOMAIN_EVENT_ID_REBOOT, VIR_DOMAIN_EVENT_CALLBACK(on_reboot) },
		{ VIR_DOMAIN_EVENT_ID_WATCHDOG, VIR_DOMAIN_EVENT_CALLBACK(on_watchdog) },
		{ VIR_DOMAIN_EVENT_ID_IO_ERROR, VIR_DOMAIN_EVENT_CALLBACK(on_io_error) },
		{ VIR_DOMAIN_EVENT_ID_CONTROL_ERROR, VIR_DOMAIN_EVENT_CALLBACK(on_control_error) },
		{ VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_agent) },
	};

	for (size_t i = 0; i < VW_N_ELEMENTS(events); i++)
		virConnectDomainEventRegisterAny(v->conn, v->dom, events[i].id, events[i].call, v,
						 NULL);
}

void *verify_loop(void *arg)
{
	struct verify *v = arg;

	while (!v->stop)
		if (virEventRunDefaultImpl() < 0 && !verify_sleep(v, 100))
			return NULL;
	return NULL;
}
