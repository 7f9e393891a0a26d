/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verification's thread that asks the host that the guest came from. */
#include "verify-internal.h"

#include <libvirt/virterror.h>

#define EVERY_MS 1000

/* The URI may lead back to this very host. */
static bool is_here(struct verify *v, virConnectPtr conn)
{
	VW_AUTOFREE char *host = virConnectGetHostname(conn);
	bool same;

	verify_lock(v);
	same = host && *v->host && vw_streq(host, v->host);
	if (same) {
		v->s.other.at = 0;
		snprintf(v->s.other.error, sizeof(v->s.other.error), "that is this host");
	}
	verify_unlock(v);
	return same;
}

static void ask(struct verify *v, virConnectPtr conn)
{
	char uuid[VIR_UUID_STRING_BUFLEN], text[48];
	enum vw_dom_state state = VW_DOM_UNKNOWN;
	enum vw_dom_reason reason = VW_REASON_OTHER;
	virDomainPtr dom;
	bool persistent = false;

	verify_lock(v);
	memcpy(uuid, v->uuid, sizeof(uuid));
	verify_unlock(v);
	dom = *uuid ? virDomainLookupByUUIDString(conn, uuid)
		    : virDomainLookupByName(conn, v->o->domain);
	if (!dom && !*uuid && strlen(v->o->domain) == VIR_UUID_STRING_BUFLEN - 1)
		dom = virDomainLookupByUUIDString(conn, v->o->domain);
	if (dom) {
		verify_state(dom, &state, &reason, text, sizeof(text));
		persistent = virDomainIsPersistent(dom) == 1;
	} else if (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN) {
		state = VW_DOM_GONE;
	}
	verify_lock(v);
	if (state != VW_DOM_UNKNOWN) {
		v->s.other.at = verify_now();
		v->s.other.state = state;
		v->s.other.reason = reason;
		v->s.other.persistent = persistent;
	} else {
		snprintf(v->s.other.error, sizeof(v->s.other.error), "%s",
			 virGetLastErrorMessage());
	}
	verify_unlock(v);
	if (dom)
		virDomainFree(dom);
}

void *verify_source(void *arg)
{
	struct verify *v = arg;
	virConnectPtr conn = virConnectOpenReadOnly(v->o->source);

	if (!conn)
		conn = virConnectOpen(v->o->source);
	if (!conn) {
		verify_lock(v);
		snprintf(v->s.other.error, sizeof(v->s.other.error), "%s",
			 virGetLastErrorMessage());
		verify_unlock(v);
		return NULL;
	}
	do {
		ask(v, conn);
	} while (!is_here(v, conn) && verify_sleep(v, EVERY_MS));
	virConnectClose(conn);
	return NULL;
}
