/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden status: what runs, and what became of the domains. */
#include "lib/alert/alert-queue.h"
#include "lib/json/json.h"
#include "plugin/cmd/audit.h"
#include "plugin/cmd/cmd.h"
#include "plugin/cmd/install.h"
#include "plugin/cmd/status.h"
#include "lib/engine/metadata.h"
#include "plugin/out/json.h"
#include "plugin/out/table.h"
#include "virt/domain.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>

struct status {
	char *uri;
	unsigned long libvirt; /* version, 0 = no answer */
	struct vw_err libvirt_err;
	char hook[PATH_MAX], virsh[PATH_MAX];
	bool has_hook, has_wrapper, has_agent;
	size_t oses;     /* in the index, 0 = none */
	long index_days; /* -1 = unknown */
	pid_t agent;
	struct status_agent told;
	bool has_told;
	size_t domains, active, fixed, versions;
	size_t modes[4]; /* by enum vw_mode */
	bool has_alerts; /* the queue can be read */
	size_t alerts;   /* open */
	bool undelivered;
};

static void look_at_index(struct cmd *cmd, struct status *s)
{
	struct vw_osindex *index = vw_context_osindex(cmd->ctx, NULL);
	VW_AUTOFREE char *path = NULL;
	struct stat st;

	s->index_days = -1;
	s->oses = index ? vw_osindex_count(index) : 0;
	if (asprintf(&path, "%s/os.index", vw_context_paths(cmd->ctx)->cachedir) < 0) {
		path = NULL;
		return;
	}
	if (stat(path, &st) == 0)
		s->index_days = (long)((time(NULL) - st.st_mtime) / 86400);
}

/* Whoever of us it was that changed it. */
static bool is_fix(enum vw_cause cause)
{
	return cause == VW_CAUSE_FIX || cause == VW_CAUSE_AGENT || cause == VW_CAUSE_HOOK;
}

static void look_at_history(struct cmd *cmd, virDomainPtr dom, struct status *s)
{
	struct vw_history *h = vw_context_history(cmd->ctx, NULL);
	char uuid[VIR_UUID_STRING_BUFLEN];
	struct vw_version *list = NULL;
	size_t n = 0, i;

	if (!h || virDomainGetUUIDString(dom, uuid) < 0 ||
	    vw_history_list(h, uuid, &list, &n, NULL) < 0)
		return;
	s->versions += n;
	for (i = 0; i < n && !is_fix(list[i].cause); i++)
		continue;
	s->fixed += i < n;
	vw_versions_free(list, n);
}

static void look_at_alerts(struct cmd *cmd, struct status *s)
{
	VW_AUTOALERTLIST struct vw_alert_list l = { 0 };
	struct vw_alerts *q = NULL;

	s->has_alerts = vw_alerts_open(vw_context_paths(cmd->ctx)->statedir, &q, NULL) == 0 &&
			vw_alerts_list(q, VW_ALERT_LIST_OPEN | VW_ALERT_LIST_OVER, &l, NULL) == 0;
	for (size_t i = 0; i < l.n; i++)
		s->alerts += !l.v[i]->resolved;
	s->undelivered = q && vw_alerts_stamp(q) != 0;
	vw_alerts_close(q);
}

static void look_at_domain(struct cmd *cmd, virDomainPtr dom, struct status *s)
{
	VW_AUTOFREE char *xml = NULL;
	VW_AUTOXML struct vw_xml *x = NULL;

	s->domains++;
	s->active += virDomainIsActive(dom) == 1;
	if (vw_domain_xml(dom, &xml, NULL) == 0 &&
	    vw_xml_parse(xml, strlen(xml), virDomainGetName(dom), "domain", &x, NULL) == 0)
		s->modes[vw_metadata_effective_mode(vw_xml_root(x))]++;
	look_at_history(cmd, dom, s);
}

static void look_at_libvirt(struct cmd *cmd, struct status *s)
{
	virDomainPtr *doms = NULL;
	size_t n = 0, i;

	if (cmd_connect(cmd, true, &s->libvirt_err) < 0)
		return;
	virConnectGetLibVersion(cmd->conn, &s->libvirt);
	s->uri = virConnectGetURI(cmd->conn);
	if (cmd_domains(cmd, &doms, &n, &s->libvirt_err) < 0) {
		s->libvirt = 0;
		return;
	}
	for (i = 0; i < n && s->libvirt; i++) {
		look_at_domain(cmd, doms[i], s);
		if (virConnectIsAlive(cmd->conn) == 1)
			continue;
		s->libvirt = 0;
		vw_err_set(&s->libvirt_err, -ETIME, "%s: libvirtd does not answer", s->uri);
	}
	cmd_domains_free(doms);
}

static void row(struct out_table *t, const char *key, enum out_style style, const char *fmt, ...)
	VW_PRINTF(4, 5);

/* Padded: two tables look like one. */
static void row(struct out_table *t, const char *key, enum out_style style, const char *fmt, ...)
{
	VW_AUTOFREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	out_table_addf(t, OUT_DIM, "%-10s", key);
	out_table_add(t, style, text ? text : "");
}

/* A word of the JSON's, too. */
static const char *agent_word(const struct status *s)
{
	return s->agent ? "running" : s->has_agent ? "not running" : "not installed";
}

static void add_agent(struct out_table *t, const struct status *s)
{
	if (s->has_told)
		row(t, "agent", s->told.connected == s->told.connections ? OUT_GOOD : OUT_WARN,
		    "runs (pid %d): %zu of %zu libvirt connected, %zu fixed, %zu to be looked at, "
		    "%zu wait for a cold boot, %zu from before",
		    (int)s->agent, s->told.connected, s->told.connections, s->told.fixes,
		    s->told.waiting, s->told.pending, s->told.existing);
	else if (s->agent)
		row(t, "agent", OUT_GOOD, "runs (pid %d)", (int)s->agent);
	else
		row(t, "agent", s->has_agent ? OUT_WARN : OUT_PLAIN, "%s", agent_word(s));
	if (s->told.silent)
		row(t, "", OUT_BAD, "to it libvirtd does not answer, for %ld s now",
		    (long)(time(NULL) - s->told.silent));
	if (s->told.error_time)
		row(t, "last error", OUT_WARN, "%s (%ld s ago)", s->told.error,
		    (long)(time(NULL) - s->told.error_time));
}

static const struct out_column columns[] = { { "", 0, false }, { "", 0, false } };

/* What needs no libvirt. */
static void print_host(const struct cmd *cmd, const struct status *s)
{
	OUT_AUTOTABLE struct out_table t = { 0 };

	out_table_init(&t, &cmd->out, columns, VW_N_ELEMENTS(columns));
	row(&t, "virsh", s->has_wrapper ? OUT_GOOD : OUT_WARN, "%s%s",
	    *s->virsh ? s->virsh : "none on PATH",
	    s->has_wrapper || !*s->virsh ? "" : ": not our wrapper");
	row(&t, "hook", s->has_hook ? OUT_GOOD : OUT_WARN, "%s%s", s->hook,
	    s->has_hook ? "" : ": not installed");
	add_agent(&t, s);
	if (s->oses && s->index_days >= 0)
		row(&t, "OS index", OUT_PLAIN, "%zu OSes, %ld day%s old", s->oses, s->index_days,
		    s->index_days == 1 ? "" : "s");
	else
		row(&t, "OS index", s->oses ? OUT_PLAIN : OUT_WARN, "%s",
		    s->oses ? "of the system" : "not built");
	if (s->has_alerts)
		row(&t, "alerts", s->alerts ? OUT_WARN : OUT_PLAIN, "%zu open%s", s->alerts,
		    s->undelivered ? "; some sink has still to be told" : "");
	else
		row(&t, "alerts", OUT_BAD, "the queue can't be read");
	out_table_print(&t, 0, false);
	fflush(cmd->out.f);
}

static void print_libvirt(const struct cmd *cmd, const struct status *s)
{
	OUT_AUTOTABLE struct out_table t = { 0 };

	out_table_init(&t, &cmd->out, columns, VW_N_ELEMENTS(columns));
	if (!s->libvirt) {
		row(&t, "libvirt", OUT_BAD, "%s", s->libvirt_err.text);
		out_table_print(&t, 0, false);
		return;
	}
	row(&t, "libvirt", OUT_GOOD, "%lu.%lu.%lu on %s", s->libvirt / 1000000,
	    s->libvirt / 1000 % 1000, s->libvirt % 1000, s->uri ? s->uri : "?");
	row(&t, "domains", OUT_PLAIN, "%zu: %zu running, %zu off", s->domains, s->active,
	    s->domains - s->active);
	row(&t, "modes", OUT_PLAIN, "%zu enforce, %zu audit, %zu off", s->modes[VW_MODE_ENFORCE],
	    s->modes[VW_MODE_AUDIT], s->modes[VW_MODE_OFF]);
	row(&t, "history", OUT_PLAIN, "%zu of them fixed, %zu versions kept", s->fixed,
	    s->versions);
	out_table_print(&t, 0, false);
}

/* NULL: it told nothing. */
static json_t *told_json(const struct status *s)
{
	const struct status_agent *t = &s->told;

	if (!s->has_told)
		return NULL;
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "pid",
			 (json_int_t)s->agent, "connections", (json_int_t)t->connections,
			 "connected", (json_int_t)t->connected, "domains", (json_int_t)t->domains,
			 "waiting", (json_int_t)t->waiting, "pending", (json_int_t)t->pending,
			 "existing", (json_int_t)t->existing, "fixes", (json_int_t)t->fixes,
			 "last_error", vw_json_string(t->error));
}

static int print_json(struct cmd *cmd, const struct status *s)
{
	char version[32] = "";
	json_t *told = told_json(s), *top;

	if (s->libvirt)
		snprintf(version, sizeof(version), "%lu.%lu.%lu", s->libvirt / 1000000,
			 s->libvirt / 1000 % 1000, s->libvirt % 1000);
	top = json_pack(
		"{s:i, s:{s:o, s:o}, s:o, s:o, s:o, s:{s:I, s:i}, s:{s:I, s:I, s:I, s:I, s:{s:I, s:I, s:I}}}",
		"version", 1, "libvirt", "uri", vw_json_string(s->uri), "version",
		vw_json_string(version), "wrapper", json_boolean(s->has_wrapper), "hook",
		json_boolean(s->has_hook), "agent", vw_json_string(agent_word(s)), "os_index",
		"oses", (json_int_t)s->oses, "days", (int)s->index_days, "domains", "total",
		(json_int_t)s->domains, "active", (json_int_t)s->active, "fixed",
		(json_int_t)s->fixed, "versions", (json_int_t)s->versions, "modes", "enforce",
		(json_int_t)s->modes[VW_MODE_ENFORCE], "audit", (json_int_t)s->modes[VW_MODE_AUDIT],
		"off", (json_int_t)s->modes[VW_MODE_OFF]);
	if (top && s->has_alerts)
		json_object_set_new(top, "alerts",
				    json_pack("{s:I, s:b}", "open", (json_int_t)s->alerts,
					      "undelivered", s->undelivered));
	if (top && told)
		json_object_set_new(top, "agent_details", told);
	else
		json_decref(told);
	return cmd_print_json(cmd, top);
}

static int run_status(struct cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = { CMD_LONG, CMD_LONG_END };
	static const char *const agent[] = { "virt-wardend", NULL };
	char program[PATH_MAX];
	struct status s = { 0 };
	struct vw_err err = { 0 };
	int rc = CMD_OK;

	if (cmd_getopt(cmd, argc, argv, longs) == CMD_STOP)
		return cmd->status;
	if (optind < argc)
		return cmd_usage(cmd, "status takes no argument");
	if (cmd_context(cmd, &err) < 0)
		return cmd_fail(cmd, &err);
	s.has_hook = install_hook(s.hook);
	if (!install_virsh(s.virsh, &s.has_wrapper))
		s.virsh[0] = '\0';
	s.agent = install_find_process(vw_context_paths(cmd->ctx)->sysroot, agent);
	s.has_agent = install_agent(program);
	s.has_told = status_agent_read(vw_context_paths(cmd->ctx)->rundir, s.agent, &s.told);
	look_at_index(cmd, &s);
	look_at_alerts(cmd, &s);
	if (!cmd->json)
		print_host(cmd, &s);
	look_at_libvirt(cmd, &s);
	if (cmd->json)
		rc = print_json(cmd, &s);
	else
		print_libvirt(cmd, &s);
	free(s.uri);
	if (!s.libvirt && cmd->json)
		cmd_error(cmd, "%s", s.libvirt_err.text);
	return rc == CMD_OK && !s.libvirt ? CMD_UNKNOWN : rc;
}

const struct command cmd_status = {
	.name = "status",
	.summary = "what runs, and what became of the domains",
	.usage =
		"virt-warden status\n"
		"\n"
		"The parts of virt-warden on this host, the OS index, and the domains by state and\n"
		"mode, with what the history has of them.\n",
	.run = run_status,
};
