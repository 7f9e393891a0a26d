/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A libvirtd: connect, notice that it is gone, connect again. */
#include "agent/agent.h"

#include "lib/base/clock.h"
#include "virt/open.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <syslog.h>
#include <time.h>

/* A libvirtd that is silent for 8 s is given up: its event loop, which answers keepalive, has no
 * long work. Given up too early costs comparing all domains. */
#define KEEPALIVE_S 2
#define KEEPALIVE_COUNT 3
#define SILENT_MS 5000 /* a connection that takes so long is worth a word */
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

/* By libvirt's thread. */
static void on_close(virConnectPtr virt, int reason, void *opaque)
{
	struct agent_conn *c = opaque;

	(void)virt;
	c->silent = reason == VIR_CONNECT_CLOSE_REASON_KEEPALIVE;
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
	c->broken = c->silent = false;
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
	c->reconnect = vw_clock_ms() + wait * 1000;
	c->agent->dirty = true;
}

/* Register for events before anything is listed: nothing falls between the two. */
static int set_up(struct agent_conn *c, struct vw_err *err)
{
	if (virConnectRegisterCloseCallback(c->virt, on_close, c, NULL) < 0)
		return vw_err_set(err, -EIO, "%s: %s", c->uri, virGetLastErrorMessage());
	if (virConnectGetLibVersion(c->virt, &c->version) < 0)
		c->version = 0;
	return agent_events_register(c, err);
}

/* A thread that opens a connection: nothing else ends a libvirtd's silence before there is
 * keepalive. It ends when libvirtd answers, or goes. */
struct agent_opening {
	struct agent *agent;
	char *uri;
	virConnectPtr virt;
	char why[512]; /* virt is NULL */
	int64_t began; /* ms */
	_Atomic bool done;
};

static void *open_it(void *arg)
{
	struct agent_opening *o = arg;

	o->virt = vw_open_mute(o->uri, 0);
	if (o->virt)
		virConnectSetKeepAlive(o->virt, KEEPALIVE_S, KEEPALIVE_COUNT);
	else
		snprintf(o->why, sizeof(o->why), "%s", virGetLastErrorMessage());
	virResetLastError();
	o->done = true;
	agent_wake(o->agent);
	return NULL;
}

static void opening_free(struct agent_opening *o)
{
	free(o->uri);
	free(o);
}

static void begin_to_open(struct agent_conn *c)
{
	struct agent_opening *o = calloc(1, sizeof(*o));
	pthread_t thread;

	if (o)
		*o = (struct agent_opening){ .agent = c->agent,
					     .uri = strdup(c->uri),
					     .began = vw_clock_ms() };
	if (o && o->uri && pthread_create(&thread, NULL, open_it, o) == 0) {
		pthread_detach(thread);
		c->opening = o;
		return;
	}
	if (o)
		opening_free(o);
	retry_later(c);
}

/* Said once; `status` shows it. since: wall clock, s. */
static void is_silent(struct agent_conn *c, int64_t since)
{
	if (c->silent_since)
		return;
	c->silent_since = since;
	c->agent->dirty = true;
	agent_log(c->agent, LOG_WARNING, "connect", NULL, NULL,
		  "%s: libvirtd does not answer (is it stopped?); waiting for it", c->uri);
}

static void opened(struct agent_conn *c)
{
	struct agent *a = c->agent;
	struct agent_opening *o = vw_steal(c->opening);
	struct vw_err err = { 0 };
	int r;

	c->virt = o->virt;
	if (!c->virt)
		r = vw_err_set(&err, -EIO, "%s: %s", c->uri, o->why);
	else if (!vw_conn_is_qemu(c->virt))
		r = vw_err_set(&err, -ENOTSUP, "%s: not a QEMU/KVM libvirt: nothing to do there",
			       c->uri);
	else
		r = set_up(c, &err);
	opening_free(o);
	c->silent_since = 0;
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

static void lost(struct agent_conn *c)
{
	bool silent = c->silent;

	agent_log(c->agent, LOG_WARNING, "connect", NULL, NULL,
		  "%s: the connection is lost; trying again", c->uri);
	disconnect(c);
	if (silent)
		is_silent(c, time(NULL) - KEEPALIVE_S * (KEEPALIVE_COUNT + 1));
	c->reconnect = vw_clock_ms() + 200; /* a restart takes no longer, as a rule */
}

/* Return: when to look again, ms. */
static int64_t while_opening(struct agent_conn *c)
{
	int64_t late = c->opening->began + SILENT_MS;

	if (c->opening->done) {
		opened(c);
		return 0;
	}
	if (vw_clock_ms() < late)
		return late;
	is_silent(c, time(NULL) - SILENT_MS / 1000);
	return 0;
}

int64_t agent_conn_tick(struct agent_conn *c)
{
	int64_t next = 0;

	if (c->virt && (c->broken || virConnectIsAlive(c->virt) == 0))
		lost(c);
	if (!c->virt && !c->opening && vw_clock_ms() >= c->reconnect)
		begin_to_open(c);
	if (c->opening)
		next = while_opening(c);
	return c->virt || c->opening ? next : c->reconnect;
}
