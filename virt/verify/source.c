/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verification's threads that ask the hosts that the guest may have come from: one each, so that a
 * host that does not answer keeps no other one waiting. The judge hears what is worst. */
#include "virt/verify/internal.h"

#include "lib/base/clock.h"
#include "virt/open.h"

#include <libvirt/virterror.h>

#define EVERY_MS 1000

/* How much it tells against the guest here. */
static int weight(const struct verify_source *s)
{
	if (s->here)
		return 0;
	if (!s->told.at)
		return *s->told.error ? 3 : 4; /* it may answer yet */
	switch (s->told.state) {
	case VW_DOM_RUNNING: return 6;
	case VW_DOM_PAUSED:
	case VW_DOM_SUSPENDED: return 5;
	default: return s->told.persistent ? 2 : 1;
	}
}

/* The lock is held. */
static void conclude(struct verify *v)
{
	const struct verify_source *worst = &v->sources[0];

	for (size_t i = 1; i < v->o->n_source; i++)
		if (weight(&v->sources[i]) > weight(worst))
			worst = &v->sources[i];
	v->s.other = worst->told;
}

static void note_error(struct verify_source *s, const char *text)
{
	verify_lock(s->v);
	snprintf(s->told.error, sizeof(s->told.error), "%s", text);
	conclude(s->v);
	verify_unlock(s->v);
}

/* The URI may lead back to this very host. */
static bool is_here(struct verify_source *s, virConnectPtr conn)
{
	VW_AUTOFREE char *host = virConnectGetHostname(conn);
	struct verify *v = s->v;

	verify_lock(v);
	s->here = host && *v->host && vw_streq(host, v->host);
	if (s->here) {
		s->told.at = 0;
		snprintf(s->told.error, sizeof(s->told.error), "that is this host");
		conclude(v);
	}
	verify_unlock(v);
	return s->here;
}

static virDomainPtr look_up(struct verify *v, virConnectPtr conn)
{
	char uuid[VIR_UUID_STRING_BUFLEN];
	virDomainPtr dom;

	verify_lock(v);
	memcpy(uuid, v->uuid, sizeof(uuid));
	verify_unlock(v);
	if (*uuid)
		return virDomainLookupByUUIDString(conn, uuid);
	dom = virDomainLookupByName(conn, v->o->domain);
	if (!dom && strlen(v->o->domain) == VIR_UUID_STRING_BUFLEN - 1)
		dom = virDomainLookupByUUIDString(conn, v->o->domain);
	return dom;
}

static void ask(struct verify_source *s, virConnectPtr conn)
{
	enum vw_dom_state state = VW_DOM_UNKNOWN;
	enum vw_dom_reason reason = VW_REASON_OTHER;
	virDomainPtr dom = look_up(s->v, conn);
	bool persistent = false;
	char text[48];

	if (dom) {
		verify_state(dom, &state, &reason, text, sizeof(text));
		persistent = virDomainIsPersistent(dom) == 1;
	} else if (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN) {
		state = VW_DOM_GONE;
	}
	if (state == VW_DOM_UNKNOWN)
		note_error(s, virGetLastErrorMessage());
	if (dom)
		virDomainFree(dom);
	if (state == VW_DOM_UNKNOWN)
		return;
	verify_lock(s->v);
	s->told.at = vw_clock_ms();
	s->told.state = state;
	s->told.reason = reason;
	s->told.persistent = persistent;
	conclude(s->v);
	verify_unlock(s->v);
}

void *verify_source(void *arg)
{
	struct verify_source *s = arg;
	virConnectPtr conn = vw_open_mute_either(s->uri, VIR_CONNECT_RO);

	if (!conn) {
		note_error(s, virGetLastErrorMessage());
		return NULL;
	}
	do {
		ask(s, conn);
	} while (!is_here(s, conn) && verify_sleep(s->v, EVERY_MS));
	virConnectClose(conn);
	return NULL;
}
