/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verdict on a guest: logged, counted, kept, told; and told again when it is healthy. */
#include "agent/agent-verify.h"

#include "virt/verdict.h"

#include <sys/stat.h>
#include <syslog.h>
#include <time.h>

/* Of the log line. */
static const int priorities[VW_VERDICTS] = {
	[VW_HEALTHY] = LOG_INFO,
	[VW_DEGRADED] = LOG_WARNING,
	[VW_FAILED] = LOG_ERR,
	[VW_HEALTH_UNKNOWN] = LOG_WARNING,
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

static enum vw_health health_of(const json_t *object)
{
	for (unsigned h = 0; h < VW_VERDICTS; h++)
		if (vw_streq(text_of(object, "verdict"), vw_health_name(h)))
			return h;
	return VW_HEALTH_UNKNOWN;
}

/* The probe that says most: the first that failed, else the first that warns. NULL = none. */
static json_t *worst(const json_t *object)
{
	json_t *probe, *found = NULL;
	size_t i;

	json_array_foreach(json_object_get(object, "probes"), i, probe)
	{
		if (vw_streq(text_of(probe, "status"), "fail"))
			return probe;
		if (!found && vw_streq(text_of(probe, "status"), "warn"))
			found = probe;
	}
	return found;
}

/* One line: what, and by which probe. */
static void describe(const struct agent_guest *g, const json_t *object, enum vw_health h, char *buf,
		     size_t size)
{
	const json_t *probe = worst(object);
	const char *when = g->migrated ? " after its migration" : "";

	if (!object)
		snprintf(buf, size, "unknown%s: the verifier gave no verdict in time", when);
	else if (probe)
		snprintf(buf, size, "%s%s: %s: %s", vw_health_name(h), when,
			 text_of(probe, "probe"), text_of(probe, "detail"));
	else
		snprintf(buf, size, "%s%s%s", vw_health_name(h), when,
			 h == VW_HEALTH_UNKNOWN ? ": it offers no sign of life to judge by" : "");
}

/* The details of the alert: each probe that says something. */
static size_t details_of(const json_t *object, struct vw_alert_detail *d, size_t max,
			 char (*texts)[320])
{
	json_t *probe;
	size_t i, n = 0;

	json_array_foreach(json_object_get(object, "probes"), i, probe)
	{
		if (n == max || vw_streq(text_of(probe, "status"), "skip"))
			continue;
		snprintf(texts[n], sizeof(texts[n]), "%s: %s", text_of(probe, "status"),
			 text_of(probe, "detail"));
		d[n] = (struct vw_alert_detail){ text_of(probe, "probe"), texts[n] };
		n++;
	}
	return n;
}

static void tell(struct agent_guest *g, const json_t *object, enum vw_health h, const char *summary)
{
	struct agent *a = g->conn->agent;
	struct vw_alert_detail details[VW_PROBES_MAX];
	char texts[VW_PROBES_MAX][320];
	struct vw_alert alert = {
		.domain = g->name,
		.uuid = g->uuid,
		.kind = vw_verdict_alerts[h].kind,
		.severity = vw_verdict_alerts[h].severity,
		.summary = summary,
		.details = details,
	};

	for (size_t i = 0; i < VW_VERDICTS; i++)
		if (vw_verdict_alerts[i].kind && i != h)
			agent_tell_over(a, vw_verdict_alerts[i].kind, g->uuid);
	if (!alert.kind) {
		agent_tell_over(a, "verify-action", g->uuid);
		return;
	}
	alert.n_details = details_of(object, details, VW_PROBES_MAX, texts);
	agent_tell(a, &alert);
}

/* The last verdict on each guest, for `virt-warden history`: $statedir/verdicts/UUID. */
static void keep(const struct agent_guest *g, json_t *object)
{
	VW_AUTOFREE char *path = NULL;
	VW_AUTOFREE char *text = NULL;
	const char *statedir = vw_context_paths(g->conn->agent->ctx)->statedir;

	if (!object || asprintf(&path, "%s/verdicts", statedir) < 0) {
		path = NULL;
		return;
	}
	mkdir(path, 0700);
	free(path);
	if (asprintf(&path, "%s/verdicts/%s", statedir, g->uuid) < 0) {
		path = NULL;
		return;
	}
	json_object_set_new(object, "time", json_integer(time(NULL)));
	text = json_dumps(object, JSON_COMPACT);
	if (text)
		agent_replace_file(path, text, strlen(text), 0600, false);
}

const char *agent_verdict(struct agent_guest *g, json_t *object)
{
	struct agent *a = g->conn->agent;
	enum vw_health h = health_of(object);
	char summary[512];

	describe(g, object, h, summary, sizeof(summary));
	agent_log(a, priorities[h], "verify", g->name, g->uuid, "%s", summary);
	a->counts.verdicts[h]++;
	a->dirty = true;
	keep(g, object);
	tell(g, object, h, summary);
	return vw_health_name(h);
}

void agent_verdict_action(struct agent_guest *g, const char *what, bool done)
{
	struct agent *a = g->conn->agent;
	const struct vw_alert_detail detail = { "action", what };
	const struct vw_alert alert = {
		.domain = g->name,
		.uuid = g->uuid,
		.kind = "verify-action",
		.severity = VW_ALERT_WARNING,
		.summary = what,
		.details = &detail,
		.n_details = 1,
	};

	agent_log(a, LOG_WARNING, "verify", g->name, g->uuid, "%s", what);
	if (done)
		agent_tell(a, &alert);
}
