/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An alert as JSON (see plugin/out/alert.h). Texts of the queue are valid UTF-8 (lib/alert/text.c);
 * where one is not, it becomes "?" instead of making the whole object fail. */
#include "plugin/out/alert.h"

#include <time.h>

void out_alert_time(int64_t when, char ret[OUT_ALERT_TIME])
{
	const time_t t = (time_t)when;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(ret, OUT_ALERT_TIME, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(ret, OUT_ALERT_TIME, "1970-01-01T00:00:00Z");
}

static json_t *text(const char *s)
{
	json_t *value = json_string(s ? s : "");

	return value ? value : json_string("?");
}

json_t *out_alert_json(const struct vw_alert *a, bool resolved)
{
	char raised_at[OUT_ALERT_TIME], resolved_at[OUT_ALERT_TIME];
	json_t *details = json_object();

	out_alert_time(a->time, raised_at);
	out_alert_time(a->resolved, resolved_at);
	for (size_t i = 0; i < a->n_details; i++)
		if (json_object_set_new(details, a->details[i].key, text(a->details[i].value)) <
		    0) {
			json_decref(details);
			return NULL;
		}
	return json_pack("{s:i, s:o, s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:s, s:o, s:I}",
			 "version", 1, "id", text(a->id), "time", raised_at, "host", text(a->host),
			 "domain", text(a->domain), "uuid", text(a->uuid), "kind", text(a->kind),
			 "severity", vw_alert_severity_name(a->severity), "summary",
			 text(a->summary), "details", details, "state",
			 resolved ? "resolved" : "raised", "resolved",
			 a->resolved ? json_string(resolved_at) : json_null(), "count",
			 (json_int_t)a->count);
}

char *out_alert_text(const struct vw_alert *a, bool resolved)
{
	json_t *o = out_alert_json(a, resolved);
	char *line = o ? json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;

	json_decref(o);
	return line;
}
