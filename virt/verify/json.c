/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verification as JSON. */
#include "lib/json/json.h"
#include "virt/verify/verify.h"

json_t *verify_json(const struct verify_report *r)
{
	char text[VW_BASELINE_SIZE] = "";
	json_t *probes = json_array();

	if (r->before.known)
		vw_baseline_format(&r->before, text);
	for (size_t i = 0; i < r->verdict.n; i++) {
		const struct vw_probe_result *p = &r->verdict.probes[i];

		json_array_append_new(probes, json_pack("{s:s, s:s, s:o}", "probe", p->probe,
							"status", vw_status_name(p->status),
							"detail", vw_json_string(p->detail)));
	}
	return json_pack("{s:i, s:o, s:s, s:o, s:s, s:f, s:o, s:b, s:o}", "version", 1, "domain",
			 vw_json_string(r->domain), "uuid", r->uuid, "host",
			 vw_json_string(r->host), "verdict", vw_health_name(r->verdict.verdict),
			 "seconds", r->seconds, "baseline",
			 r->before.known ? json_string(text) : json_null(), "may_reset",
			 r->verdict.may_reset, "probes", probes);
}
