/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metrics for the textfile collector of Prometheus' node-exporter ([agent] metrics). */
#include "agent/agent.h"

#include "lib/base/buf.h"
#include "lib/health/health.h"

#include <inttypes.h>
#include <syslog.h>

/* A label's value: no quote, no backslash, no newline (URIs and rules have none as a rule). */
static void add_label(struct vw_buf *b, const char *key, const char *value)
{
	vw_buf_printf(b, "%s=\"", key);
	for (; *value; value++)
		if (*value != '"' && *value != '\\' && (unsigned char)*value >= ' ')
			vw_buf_add(b, value, 1);
	vw_buf_puts(b, "\"");
}

static void add_head(struct vw_buf *b, const char *name, const char *type, const char *help)
{
	vw_buf_printf(b, "# HELP virt_warden_%s %s\n# TYPE virt_warden_%s %s\n", name, help, name,
		      type);
}

static size_t count(const struct agent_conn *c, unsigned flag, uint32_t findings)
{
	size_t n = 0;

	for (struct agent_entry *e = agent_table_next(&c->table, NULL); e;
	     e = agent_table_next(&c->table, e))
		n += (flag && e->flags & flag) || (findings && e->findings & findings);
	return n;
}

static void add_sample(struct vw_buf *b, const struct agent_conn *c, const char *name,
		       const char *key, const char *value, size_t n)
{
	vw_buf_printf(b, "virt_warden_%s{", name);
	add_label(b, "uri", c->uri);
	if (key) {
		vw_buf_puts(b, ",");
		add_label(b, key, value);
	}
	vw_buf_printf(b, "} %zu\n", n);
}

static void add_conns(struct vw_buf *b, const struct agent *a)
{
	size_t i, k;

	add_head(b, "connected", "gauge", "Is the agent connected to this libvirtd?");
	for (i = 0; i < a->n_conns; i++)
		add_sample(b, &a->conns[i], "connected", NULL, NULL, a->conns[i].virt != NULL);
	add_head(b, "domains", "gauge", "Persistent domains by state.");
	for (i = 0; i < a->n_conns; i++) {
		size_t running = count(&a->conns[i], AGENT_RUNNING, 0);

		add_sample(b, &a->conns[i], "domains", "state", "running", running);
		add_sample(b, &a->conns[i], "domains", "state", "off",
			   a->conns[i].table.n - running);
	}
	add_head(b, "pending", "gauge", "Domains whose fix waits for their next cold boot.");
	for (i = 0; i < a->n_conns; i++)
		add_sample(b, &a->conns[i], "pending", NULL, NULL,
			   count(&a->conns[i], AGENT_PENDING, 0));
	add_head(b, "findings", "gauge", "Domains that break a rule.");
	for (i = 0; i < a->n_conns; i++)
		for (k = 0; vw_rule_id(k); k++)
			add_sample(b, &a->conns[i], "findings", "rule", vw_rule_id(k),
				   count(&a->conns[i], 0, UINT32_C(1) << k));
}

static void add_counter(struct vw_buf *b, const char *name, const char *help, uint64_t value)
{
	add_head(b, name, "counter", help);
	vw_buf_printf(b, "virt_warden_%s %" PRIu64 "\n", name, value);
}

void agent_metrics_write(struct agent *a)
{
	const char *path = vw_context_policy(a->ctx)->agent_metrics;
	const struct agent_counts *n = &a->counts;
	VW_AUTOBUF struct vw_buf b = { 0 };

	if (!*path)
		return;
	add_conns(&b, a);
	add_counter(&b, "fixes_total", "Configs fixed.", n->fixes);
	add_counter(&b, "put_back_total", "Fixes that somebody took back.", n->put_back);
	add_counter(&b, "refused_total", "Fixed configs that libvirtd refused.", n->refused);
	add_counter(&b, "errors_total", "Errors.", n->errors);
	add_counter(&b, "reconnects_total", "Connections that had to be made anew.", n->reconnects);
	add_head(&b, "verdicts_total", "counter", "Verdicts on guests after a migration.");
	for (unsigned h = 0; h < VW_N_ELEMENTS(n->verdicts); h++)
		vw_buf_printf(&b, "virt_warden_verdicts_total{verdict=\"%s\"} %" PRIu64 "\n",
			      vw_health_name(h), n->verdicts[h]);
	add_head(&b, "fix_seconds", "summary", "From due to stored.");
	vw_buf_printf(&b, "virt_warden_fix_seconds_sum %.3f\n", (double)n->latency_ms / 1000);
	vw_buf_printf(&b, "virt_warden_fix_seconds_count %" PRIu64 "\n", n->latency_n);
	if (!b.failed)
		agent_replace_file(path, b.p, b.len, 0644, false);
}
