/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts from URIs and facts files, all at once (see host.h). */
#include "lib/base/input.h"
#include "lib/json/json.h"
#include "virt/hostfacts/host.h"

#include "lib/xml/xml.h"

#include <errno.h>

bool host_is_file(const char *arg)
{
	return !strstr(arg, "://") &&
	       (strchr(arg, '/') || vw_input_is_regular(arg) ||
		(strlen(arg) > 5 && vw_streq(arg + strlen(arg) - 5, ".json")));
}

static void get_file(struct host *h, struct vw_features *t)
{
	VW_AUTOFREE char *text = NULL;
	json_error_t error;
	size_t len = 0;
	json_t *json;

	if (vw_input_read(h->arg, VW_XML_MAX_BYTES, &text, &len, &h->err) < 0)
		return;
	if (len > VW_XML_MAX_BYTES) {
		vw_err_set(&h->err, -EFBIG, "%s: too large for a facts file", h->arg);
		return;
	}
	json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!json) {
		vw_err_set(&h->err, -EINVAL, "%s: line %d: no JSON: %s", h->arg, error.line,
			   error.text);
		return;
	}
	h->known = host_load(h, json, h->arg, t, &h->err) == 0;
}

/* What a host said goes through the same strict reader as a file. */
static void get_answer(struct host *h, struct host_ask *a, struct vw_features *t)
{
	if (!a->answer) {
		h->err = a->err;
		return;
	}
	h->known = host_load(h, vw_steal(a->answer), h->arg ? h->arg : "libvirt", t, &h->err) == 0;
}

void host_get_all(struct host *hosts, size_t n, const struct vw_words *paths, struct vw_features *t,
		  unsigned deadline_ms)
{
	struct host_ask *asks = calloc(n + 1, sizeof(*asks));
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (!asks)
			vw_err_set(&hosts[i].err, -ENOMEM, "out of memory");
		else if (hosts[i].arg && host_is_file(hosts[i].arg))
			get_file(&hosts[i], t);
		else
			asks[k++] = (struct host_ask){ .uri = hosts[i].arg,
						       .paths = i ? paths : NULL };
	}
	if (!asks)
		return;
	host_ask_all(asks, k, deadline_ms);
	k = 0;
	for (size_t i = 0; i < n; i++)
		if (!hosts[i].arg || !host_is_file(hosts[i].arg)) {
			get_answer(&hosts[i], &asks[k], t);
			host_ask_clear(&asks[k++]);
		}
	free(asks);
}

json_t *host_reasons_json(const struct vw_judgement *j)
{
	json_t *all = json_array();

	for (size_t i = 0; i < j->n; i++) {
		const struct vw_reason *r = &j->reasons[i];

		json_array_append_new(
			all,
			json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id", r->id, "severity",
				  vw_severity_name(r->severity), "property",
				  vw_json_string(r->property), "source", vw_json_string(r->source),
				  "destination", vw_json_string(r->destination), "message",
				  vw_json_string(r->message), "remedy", vw_json_string(r->remedy)));
	}
	return all;
}
