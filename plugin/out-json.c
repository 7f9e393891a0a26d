/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON of the contract (see out-json.h). Where memory is wanting json_pack gives
 * NULL, frees what it was given, and so does every level above it. */
#include "out-json.h"

#include "lib/base/text.h"

json_t *out_json_string(const char *s)
{
	VW_AUTOFREE char *valid = NULL;
	json_t *value = json_string(s ? s : "");

	if (value)
		return value;
	valid = vw_utf8_valid(s);
	return valid ? json_string(valid) : NULL;
}

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
			 out_json_string(f->rule), "class", out_json_string(vw_class_name(f->cls)),
			 "device", out_json_string(f->device), "before", out_json_string(f->before),
			 "after", out_json_string(f->after), "action",
			 out_json_string(vw_action_name(f->action)), "evidence",
			 out_json_string(vw_evidence_name(f->evidence)), "message",
			 out_json_string(f->message));
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
			 out_json_string(plan->name), "uuid", out_json_string(plan->uuid), "os",
			 "id", out_json_string(plan->os ? plan->os->id : NULL), "source",
			 out_json_string(vw_os_source_name(plan->os_source)), "confidence",
			 out_json_string(vw_evidence_name(plan->os_confidence)), "judged",
			 out_json_string(vw_judged_name(plan->judged)), "unjudged",
			 out_json_string(plan->unjudged), "findings", findings);
}

int out_json_print(struct cmd *cmd, json_t *top)
{
	int rc = top ? out_json_dump(cmd->out.f, top, JSON_INDENT(2) | JSON_PRESERVE_ORDER) : -1;

	if (rc < 0) {
		cmd_error(cmd, "out of memory, or the output can't be written");
		json_decref(top);
		return CMD_UNKNOWN;
	}
	cmd->json_done = true;
	fputc('\n', cmd->out.f);
	json_decref(top);
	return CMD_OK;
}
