/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The agent's clock, and its configuration: read anew when warden.conf changes. */
#include "agent/agent.h"

#include <sys/stat.h>
#include <syslog.h>

uint64_t agent_conf_stamp(const struct agent *a)
{
	struct stat st;

	if (stat(vw_context_paths(a->ctx)->conf, &st) < 0)
		return 0;
	return (uint64_t)st.st_mtim.tv_sec * 1000003u ^ (uint64_t)st.st_mtim.tv_nsec ^
	       (uint64_t)st.st_ino << 20 ^ (uint64_t)st.st_size;
}

struct vw_context *agent_context(struct agent *a)
{
	uint64_t stamp = agent_conf_stamp(a);
	struct vw_context *fresh = NULL;
	struct vw_err err = { 0 };

	if (!a->stale && stamp == a->conf_stamp)
		return a->ctx;
	if (a->conf_bad && stamp == a->conf_stamp)
		return NULL;
	a->conf_stamp = stamp;
	if (vw_context_open(&fresh, &err) < 0) {
		a->counts.errors++;
		a->conf_bad = a->stale = true;
		agent_log(a, LOG_ERR, "config", NULL, NULL, "%s", err.text);
		return NULL;
	}
	vw_context_close(a->ctx);
	a->ctx = fresh;
	a->conf_bad = a->stale = false;
	vw_context_osindex(fresh, NULL); /* building it may take seconds: not when it is needed */
	return fresh;
}
