/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `virt-warden status` reads: key and value, a line each, in $rundir/agent. */
#include "agent/agent.h"

#include "lib/base/buf.h"

#include <inttypes.h>

static void add_conn(struct vw_buf *b, const struct agent_conn *c)
{
	size_t pending = 0, waiting = 0, existing = 0, running = 0;

	for (struct agent_entry *e = agent_table_next(&c->table, NULL); e;
	     e = agent_table_next(&c->table, e)) {
		pending += (e->flags & AGENT_PENDING) != 0;
		waiting += e->due != 0;
		existing += (e->flags & AGENT_EXISTING) != 0;
		running += (e->flags & AGENT_RUNNING) != 0;
	}
	vw_buf_printf(b,
		      "connection %s %s domains=%zu running=%zu waiting=%zu pending=%zu "
		      "existing=%zu compared=%" PRId64 " silent=%" PRId64 "\n",
		      c->virt ? "up" : "down", c->uri, c->table.n, running, waiting, pending,
		      existing, c->sync.ended, c->silent_since);
}

void agent_state_write(struct agent *a)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	VW_AUTOFREE char *path = NULL;

	if (asprintf(&path, "%s/agent", vw_context_paths(a->ctx)->rundir) < 0) {
		path = NULL;
		return;
	}
	vw_buf_printf(&b, "version 1\npid %d\nstarted %" PRId64 "\n", (int)getpid(), a->started);
	vw_buf_printf(&b,
		      "fixes %" PRIu64 "\nput-back %" PRIu64 "\nrefused %" PRIu64
		      "\nerrors %" PRIu64 "\n",
		      a->counts.fixes, a->counts.put_back, a->counts.refused, a->counts.errors);
	for (size_t i = 0; i < a->n_conns; i++)
		add_conn(&b, &a->conns[i]);
	for (size_t i = 0; i < a->n_errors; i++)
		vw_buf_printf(&b, "error %" PRId64 " %s\n", a->errors[i].time, a->errors[i].text);
	if (!b.failed)
		agent_replace_file(path, b.p, b.len, 0644, false);
}

void agent_state_remove(struct agent *a)
{
	VW_AUTOFREE char *path = NULL;

	if (asprintf(&path, "%s/agent", vw_context_paths(a->ctx)->rundir) < 0)
		path = NULL;
	else
		unlink(path);
}
