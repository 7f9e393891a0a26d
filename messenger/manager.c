/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sink alertmanager: Prometheus Alertmanager, API v2 (POST /api/v2/alerts: an array of alerts,
 * https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml).
 *
 * An alert there is its labels: the same labels with endsAt in the past end it. What is open
 * gets an endsAt of EXPIRE resend-seconds from now and is sent again before, as Prometheus
 * does: a host that died does not leave alerts for ever. */
#include "messenger/messenger.h"
#include "plugin/out/alert.h"

#include <errno.h>

#define AT_ONCE 200 /* alerts in one request */
#define EXPIRE 5

static bool wanted(const struct sink_context *c)
{
	return *c->policy->alertmanager;
}

/* Alertmanager refuses labels without a value. */
static void add(json_t *o, const char *key, const char *value)
{
	if (*value)
		json_object_set_new(o, key, json_string(value));
}

/* The name of an annotation: [a-zA-Z_][a-zA-Z0-9_]*. */
static void add_detail(json_t *annotations, const struct vw_alert_detail *d)
{
	char key[96];

	snprintf(key, sizeof(key), "detail_%.80s", d->key);
	for (char *p = key; *p; p++)
		if (*p == '-' || *p == '.')
			*p = '_';
	add(annotations, key, d->value);
}

static json_t *alert_json(const struct sink_context *c, const struct message *m)
{
	const struct vw_alert *a = m->alert;
	json_t *labels = json_object(), *annotations = json_object();
	int64_t ends = m->resolved ? (a->resolved ? a->resolved : c->now)
				   : c->now + (int64_t)EXPIRE * c->policy->resend_seconds;
	char starts_at[OUT_ALERT_TIME], ends_at[OUT_ALERT_TIME];

	if (ends < a->time)
		ends = a->time;
	out_alert_time(a->time, starts_at);
	out_alert_time(ends, ends_at);
	add(labels, "alertname", a->kind);
	add(labels, "host", a->host);
	add(labels, "domain", a->domain);
	add(labels, "uuid", a->uuid);
	add(labels, "severity", vw_alert_severity_name(m->severity));
	add(labels, "source", "virt-warden");
	add(annotations, "summary", a->summary);
	add(annotations, "id", a->id);
	for (size_t i = 0; i < a->n_details; i++)
		add_detail(annotations, &a->details[i]);
	return json_pack("{s:o, s:o, s:s, s:s}", "labels", labels, "annotations", annotations,
			 "startsAt", starts_at, "endsAt", ends_at);
}

static int post(const struct sink_context *c, const struct message *m, size_t n, struct vw_err *err)
{
	const char *base = c->policy->alertmanager;
	const size_t len = strlen(base);
	VW_AUTOFREE char *url = NULL;
	VW_AUTOFREE char *body = NULL;
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, alert_json(c, &m[i]));
	if (json_array_size(list) == n)
		body = json_dumps(list, JSON_COMPACT);
	json_decref(list);
	if (asprintf(&url, "%.*s/api/v2/alerts", (int)(len - (base[len - 1] == '/')), base) < 0)
		url = NULL;
	if (!url || !body)
		return vw_err_set(err, -EAGAIN, "out of memory");
	return alert_post(c, url, c->policy->alertmanager_auth, body, m->alert->id, err);
}

static int send_all(const struct sink_context *c, struct message *m, size_t n, struct vw_err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i += AT_ONCE)
		r = post(c, m + i, n - i < AT_ONCE ? n - i : AT_ONCE, err);
	return r;
}

const struct sink sink_alertmanager = {
	.name = "alertmanager",
	.again = true,
	.all_at_once = true,
	.wanted = wanted,
	.send = send_all,
};
