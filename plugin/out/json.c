/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON of the contract (see plugin/out/json.h). Where memory is wanting json_pack gives
 * NULL, frees what it was given, and so does every level above it. */
#include "plugin/out/json.h"

#include "lib/base/text.h"
#include "lib/json/json.h"

/* jansson hands over whole characters. */
static int put_escaped(const char *chunk, size_t size, void *data)
{
	VW_AUTOBUF struct vw_buf b = { 0 };

	vw_json_escape(&b, chunk, size);
	return b.failed || fwrite(b.p ? b.p : "", 1, b.len, data) != b.len ? -1 : 0;
}

int out_json_dump(FILE *f, const json_t *value, size_t flags)
{
	return json_dump_callback(value, put_escaped, f, flags);
}

json_t *out_json_top(void)
{
	return json_pack("{s:i}", "version", 1);
}

static json_t *finding_json(const struct vw_finding *f)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "rule",
			 vw_json_string(f->rule), "class", vw_json_string(vw_class_name(f->cls)),
			 "device", vw_json_string(f->device), "before", vw_json_string(f->before),
			 "after", vw_json_string(f->after), "action",
			 vw_json_string(vw_action_name(f->action)), "evidence",
			 vw_json_string(vw_evidence_name(f->evidence)), "message",
			 vw_json_string(f->message));
}

json_t *out_json_plan(const struct vw_plan *plan)
{
	json_t *findings = json_array();
	size_t i;

	for (i = 0; i < plan->n_findings; i++)
		if (json_array_append_new(findings, finding_json(&plan->findings[i])) < 0) {
			json_decref(findings);
			return NULL;
		}
	return json_pack("{s:o, s:o, s:{s:o, s:o, s:o}, s:o, s:o, s:o}", "name",
			 vw_json_string(plan->name), "uuid", vw_json_string(plan->uuid), "os", "id",
			 vw_json_string(plan->os ? plan->os->id : NULL), "source",
			 vw_json_string(vw_os_source_name(plan->os_source)), "confidence",
			 vw_json_string(vw_evidence_name(plan->os_confidence)), "judged",
			 vw_json_string(vw_judged_name(plan->judged)), "unjudged",
			 vw_json_string(plan->unjudged), "findings", findings);
}
