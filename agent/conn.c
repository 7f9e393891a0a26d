/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A libvirtd: connect, notice that it is gone, connect again. */
#include "agent.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <syslog.h>

#define KEEPALIVE_S 5
#define KEEPALIVE_COUNT 6
#define BACKOFF_MAX_S 30

int agent_conn_open(struct agent_conn *c, struct agent *a, const char *uri, struct vw_err *err)
{
	*c = (struct agent_conn){
		.agent = a, .uri = strdup(uri), .reconnect = 1, .sampler = { .fd = -1, .watch = -1 }
	};
	for (size_t i = 0; i < AGENT_CALLBACKS; i++)
		c->callbacks[i] = -1;
	if (!c->uri ||
	    asprintf(&c->known_path, "%s/agent/known-%016llx", vw_context_paths(a->ctx)->statedir,
		     (unsigned long long)agent_hash(uri, strlen(uri))) < 0) {
		c->known_path = NULL;
		return vw_err_set(err, -ENOMEM, "out of memory");
	}
	agent_known_load(c);
	return 0;
}

static void on_close(virConnectPtr virt, int reason, void *opaque)
{
	struct agent_conn *c = opaque;

	(void)virt;
	(void)reason;
	c->broken = true;
	agent_wake(c->agent);
}

static void disconnect(struct agent_conn *c)
{
	if (!c->virt)
		return;
	agent_sync_stop(c);
	agent_events_deregister(c);
	if (c->recent)
		virDomainFree(vw_steal(c->recent));
	virConnectUnregisterCloseCallback(c->virt, on_close);
	virConnectClose(vw_steal(c->virt));
	c->broken = false;
	c->agent->dirty = true;
}

void agent_conn_close(struct agent_conn *c)
{
	agent_sampler_stop(c);
	disconnect(c);
	agent_table_clear(&c->table);
	free(c->uri);
	free(c->known_path);
}

/* 1, 2, 4 … 30 s. */
static void retry_later(struct agent_conn *c)
{
	int64_t wait = c->failures < 5 ? 1 << c->failures : BACKOFF_MAX_S;

	c->failures++;
	c->reconnect = agent_now() + wait * 1000;
	c->agent->dirty = true;
}

/* Register for events before anything is listed: nothing falls between the two. */
static int set_up(struct agent_conn *c, struct vw_err *err)
{
	if (virConnectRegisterCloseCallback(c->virt, on_close, c, NULL) < 0)
		return vw_err_set(err, -EIO, "%s: %s", c->uri, virGetLastErrorMessage());
	virConnectSetKeepAlive(c->virt, KEEPALIVE_S, KEEPALIVE_COUNT);
	if (virConnectGetLibVersion(c->virt, &c->version) < 0)
		c->version = 0;
	return agent_events_register(c, err);
}

static void try_connect(struct agent_conn *c)
{
	struct agent *a = c->agent;
	struct vw_err err = { 0 };
	int r = 0;

	c->virt = virConnectOpen(c->uri);
	if (!c->virt)
		r = vw_err_set(&err, -EIO, "%s: %s", c->uri, virGetLastErrorMessage());
	else if (!vw_conn_is_qemu(c->virt))
		r = vw_err_set(&err, -ENOTSUP, "%s: not a QEMU/KVM libvirt: nothing to do there",
			       c->uri);
	else
		r = set_up(c, &err);
	if (r < 0) {
		if (c->failures == 0)
			agent_log(a, LOG_WARNING, "connect", NULL, NULL, "%s", err.text);
		disconnect(c);
		retry_later(c);
		return;
	}
	agent_log(a, LOG_INFO, "connect", NULL, NULL, "%s: connected, libvirt %lu.%lu.%lu", c->uri,
		  c->version / 1000000, c->version / 1000 % 1000, c->version % 1000);
	a->counts.reconnects += c->reconnect != 1;
	c->failures = 0;
	c->rebase = c->known_version && c->known_version != c->version;
	c->sync.wanted = true;
	agent_verify_reconnected(c);
	agent_sampler_want(c);
	a->stale = true; /* its capabilities may be others */
	a->dirty = true;
}

void agent_conn_tick(struct agent_conn *c)
{
	if (c->virt && (c->broken || virConnectIsAlive(c->virt) == 0)) {
		agent_log(c->agent, LOG_WARNING, "connect", NULL, NULL,
			  "%s: the connection is lost; trying again", c->uri);
		disconnect(c);
		c->reconnect = agent_now() + 200; /* a restart takes no longer, as a rule */
	}
	if (!c->virt && agent_now() >= c->reconnect)
		try_connect(c);
}
