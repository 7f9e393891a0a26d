/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's events: each only notes what is due, or says what happened to a guest.
 *
 * on_*: called by libvirt's thread, they only queue. told_*: called by the main thread. */
#include "agent/agent.h"

#include "lib/base/clock.h"
#include "lib/engine/metadata.h"
#include "lib/health/sample.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <syslog.h>

static struct agent_entry *entry_of(struct agent_conn *c, virDomainPtr dom, bool *ret_made)
{
	unsigned char uuid[VIR_UUID_BUFLEN];

	if (virDomainGetUUID(dom, uuid) < 0)
		return NULL;
	return agent_table_get(&c->table, uuid, ret_made);
}

/* Look at it now. */
static void touch(struct agent_conn *c, struct agent_entry *e, virDomainPtr dom)
{
	if (c->recent)
		virDomainFree(c->recent);
	c->recent = virDomainRef(dom) == 0 ? dom : NULL;
	agent_entry_due(e, vw_clock_ms());
	agent_wake(c->agent);
}

static void on_defined(struct agent_conn *c, virDomainPtr dom, int detail)
{
	bool made = false;
	struct agent_entry *e = entry_of(c, dom, &made);

	if (!e)
		return;
	/* All are known after the first walk. (libvirtd sends an event when it has let go of the
	 * domain, so "updated" by one client may come before "added" by another.) */
	if (made && (detail == VIR_DOMAIN_EVENT_DEFINED_ADDED || !c->first))
		e->flags |= AGENT_NEW;
	if (detail == VIR_DOMAIN_EVENT_DEFINED_FROM_SNAPSHOT)
		e->flags |= AGENT_REVERTED;
	if (e->defined < UINT8_MAX)
		e->defined++;
	if (!e->expect)
		e->flags |= AGENT_NEWS;
	e->expect = false;
	if (e->flags & AGENT_GONE) /* more may follow: when it is due, all have come */
		return;
	touch(c, e, dom);
}

static void on_undefined(struct agent_conn *c, virDomainPtr dom, int detail)
{
	bool made = false;
	struct agent_entry *e = entry_of(c, dom, &made);

	if (!e || detail == VIR_DOMAIN_EVENT_UNDEFINED_RENAMED) /* "defined" comes, too */
		return;
	if (!e->expect && !(e->flags & AGENT_GONE)) {
		agent_forget(c, e);
		c->agent->dirty = true;
		return;
	}
	/* Our own define came after this: see work.c. */
	e->flags |= AGENT_GONE;
	e->defined = 0;
	e->due = vw_clock_ms() + AGENT_GONE_MS;
	agent_wake(c->agent);
}

static void on_state(struct agent_conn *c, virDomainPtr dom, int event, int detail)
{
	unsigned char uuid[VIR_UUID_BUFLEN];
	struct agent_entry *e;

	if (virDomainGetUUID(dom, uuid) < 0 || !(e = agent_table_find(&c->table, uuid)))
		return;
	c->agent->dirty = true;
	agent_trouble_over(c, dom);
	agent_wake(c->agent);
	if (event == VIR_DOMAIN_EVENT_STARTED) {
		e->flags |= AGENT_RUNNING;
		if (detail == VIR_DOMAIN_EVENT_STARTED_BOOTED)
			e->flags &= ~(unsigned)AGENT_PENDING;
		return;
	}
	e->flags &= ~(unsigned)AGENT_RUNNING;
	/* What had to wait for it to be off; an installer may start it again at once. */
	if (e->findings || e->flags & AGENT_UNSETTLED) {
		const struct vw_policy *p = vw_context_policy(c->agent->ctx);

		e->flags |= AGENT_UNSETTLED;
		e->quiet = vw_clock_ms() + (int64_t)p->agent_quiet * 1000;
		agent_entry_due(e, e->quiet);
	}
}

/* libvirt loses the event of a disk that has no path (NBD without a name): this one comes. */
static void on_paused(struct agent_conn *c, virDomainPtr dom)
{
	unsigned char uuid[VIR_UUID_BUFLEN];
	const struct agent_entry *e = virDomainGetUUID(dom, uuid) < 0
					      ? NULL
					      : agent_table_find(&c->table, uuid);

	if (!e || !(e->flags & AGENT_TROUBLE))
		agent_trouble(c, dom, "io-error", "a disk failed", "the guest is paused");
}

static void told_lifecycle(struct agent_conn *c, virDomainPtr dom, const struct agent_news *n)
{
	int event = n->a, detail = n->b;

	agent_verify_event(c, dom, event, detail);
	if (event == VIR_DOMAIN_EVENT_STARTED)
		agent_sampler_want(c);
	switch (event) {
	case VIR_DOMAIN_EVENT_DEFINED: on_defined(c, dom, detail); break;
	case VIR_DOMAIN_EVENT_UNDEFINED: on_undefined(c, dom, detail); break;
	case VIR_DOMAIN_EVENT_STARTED:
	case VIR_DOMAIN_EVENT_STOPPED: on_state(c, dom, event, detail); break;
	case VIR_DOMAIN_EVENT_RESUMED: agent_trouble_over(c, dom); break;
	case VIR_DOMAIN_EVENT_SUSPENDED:
		if (detail == VIR_DOMAIN_EVENT_SUSPENDED_IOERROR)
			on_paused(c, dom);
		break;
	default: break;
	}
}

static int on_lifecycle(virConnectPtr conn, virDomainPtr dom, int event, int detail, void *opaque)
{
	(void)conn;
	agent_news_add(opaque, dom, told_lifecycle, event, detail, NULL);
	return 0;
}

static void told_metadata(struct agent_conn *c, virDomainPtr dom, const struct agent_news *n)
{
	struct agent_entry *e = entry_of(c, dom, NULL);

	if (!e)
		return;
	e->flags |= AGENT_NEWS;
	if (n->a == VIR_DOMAIN_METADATA_ELEMENT && vw_streq(n->text, VW_METADATA_NS))
		e->flags |= AGENT_WORD;
	touch(c, e, dom);
}

static void on_metadata(virConnectPtr conn, virDomainPtr dom, int type, const char *nsuri,
			void *opaque)
{
	(void)conn;
	if (!vw_streq(nsuri, VW_BASELINE_NS)) /* ours, of the live domain only */
		agent_news_add(opaque, dom, told_metadata, type, 0, nsuri);
}

/* A device came or went: the stored config may have changed, too. */
static void told_device(struct agent_conn *c, virDomainPtr dom, const struct agent_news *n)
{
	struct agent_entry *e = entry_of(c, dom, NULL);

	(void)n;
	if (e)
		touch(c, e, dom);
}

static void on_device(virConnectPtr conn, virDomainPtr dom, const char *alias, void *opaque)
{
	(void)conn;
	(void)alias;
	agent_news_add(opaque, dom, told_device, 0, 0, NULL);
}

/* Something that an admin should find in the log. */
static void say(struct agent_conn *c, virDomainPtr dom, int priority, const char *kind,
		const char *what)
{
	char uuid[VIR_UUID_STRING_BUFLEN] = "";

	virDomainGetUUIDString(dom, uuid);
	agent_log(c->agent, priority, kind, virDomainGetName(dom), uuid, "%s", what);
}

static void told_reboot(struct agent_conn *c, virDomainPtr dom, const struct agent_news *n)
{
	(void)n;
	agent_trouble_over(c, dom);
	say(c, dom, LOG_INFO, "reboot", "the guest rebooted");
}

static void on_reboot(virConnectPtr conn, virDomainPtr dom, void *opaque)
{
	(void)conn;
	agent_news_add(opaque, dom, told_reboot, 0, 0, NULL);
}

static void told_watchdog(struct agent_conn *c, virDomainPtr dom, const struct agent_news *n)
{
	(void)n;
	agent_trouble(c, dom, "watchdog", "the guest's watchdog fired: it hangs, or did", "");
}

static void on_watchdog(virConnectPtr conn, virDomainPtr dom, int action, void *opaque)
{
	(void)conn;
	(void)action;
	agent_news_add(opaque, dom, told_watchdog, 0, 0, NULL);
}

static void told_io_error(struct agent_conn *c, virDomainPtr dom, const struct agent_news *n)
{
	agent_trouble(c, dom, "io-error", "a disk failed", n->text);
}

static void on_io_error(virConnectPtr conn, virDomainPtr dom, const char *source, const char *alias,
			int action, const char *reason, void *opaque)
{
	VW_AUTOFREE char *text = NULL;

	(void)conn;
	(void)action;
	if (asprintf(&text, "%s (%s) %s", source ? source : "?", alias ? alias : "?",
		     reason ? reason : "") < 0) {
		text = NULL;
		return;
	}
	agent_news_add(opaque, dom, told_io_error, 0, 0, text);
}

static void told_agent(struct agent_conn *c, virDomainPtr dom, const struct agent_news *n)
{
	say(c, dom, LOG_DEBUG, "guest-agent",
	    n->a == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED
		    ? "the guest agent answers"
		    : "the guest agent is gone");
}

static void on_agent(virConnectPtr conn, virDomainPtr dom, int state, int reason, void *opaque)
{
	(void)conn;
	(void)reason;
	agent_news_add(opaque, dom, told_agent, state, 0, NULL);
}

static const struct {
	int event;
	virConnectDomainEventGenericCallback fn;
} table[] = {
	{ VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle) },
	{ VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_metadata) },
	{ VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device) },
	{ VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device) },
	{ VIR_DOMAIN_EVENT_ID_REBOOT, VIR_DOMAIN_EVENT_CALLBACK(on_reboot) },
	{ VIR_DOMAIN_EVENT_ID_WATCHDOG, VIR_DOMAIN_EVENT_CALLBACK(on_watchdog) },
	{ VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON, VIR_DOMAIN_EVENT_CALLBACK(on_io_error) },
	{ VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_agent) },
};
_Static_assert(VW_N_ELEMENTS(table) <= AGENT_CALLBACKS, "struct agent_conn has room for all");

int agent_events_register(struct agent_conn *c, struct vw_err *err)
{
	for (size_t i = 0; i < AGENT_CALLBACKS; i++)
		c->callbacks[i] = -1;
	for (size_t i = 0; i < VW_N_ELEMENTS(table); i++) {
		c->callbacks[i] = virConnectDomainEventRegisterAny(c->virt, NULL, table[i].event,
								   table[i].fn, c, NULL);
		/* Without the first there is no agent; an old libvirtd may lack others. */
		if (i == 0 && c->callbacks[i] < 0)
			return vw_err_set(err, -EIO, "%s: %s", c->uri, virGetLastErrorMessage());
	}
	return 0;
}

void agent_events_deregister(struct agent_conn *c)
{
	for (size_t i = 0; i < AGENT_CALLBACKS; i++)
		if (c->callbacks[i] >= 0)
			virConnectDomainEventDeregisterAny(c->virt, c->callbacks[i]);
}
