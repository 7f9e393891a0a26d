/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The matrix on a terminal and as JSON (see matrix.h). */
#include "lib/json/json.h"
#include "plugin/cmd/cmd.h"
#include "plugin/cmd/matrix.h"

#include "plugin/out/json.h"

#include <errno.h>

#define REASONS_MAX 8 /* hosts, up to which all reasons are printed below */

static const char *symbol(unsigned char verdict)
{
	static const char *const symbols[] = { "o", "?", "!", "x" };

	return symbols[verdict];
}

static enum out_style style_of(unsigned char verdict)
{
	static const enum out_style styles[] = { OUT_GOOD, OUT_WARN, OUT_WARN, OUT_BAD };

	return styles[verdict];
}

static void print_row(const struct out *o, const struct matrix *m, size_t i, int width, int column)
{
	VW_AUTOFREE char *name = out_clean(o, matrix_name(m, i));

	out_print(o, OUT_BOLD, "%4zu ", i + 1);
	fprintf(o->f, "%-*s", width, name ? name : "");
	for (size_t k = 0; k < m->n; k++) {
		unsigned char v = m->verdicts[i * m->n + k];

		fprintf(o->f, "%*s", column - 1, "");
		if (i == k)
			fputc('.', o->f);
		else
			out_print(o, style_of(v), "%s", symbol(v));
	}
	fputc('\n', o->f);
}

static void print_pair(const struct out *o, struct matrix *m, size_t i, size_t k)
{
	struct vw_judgement j = { 0 };

	if (matrix_judge(m, i, k, &j, NULL) < 0)
		return;
	out_print(o, OUT_BOLD, "%s %s %s", matrix_name(m, i), out_arrow(o), matrix_name(m, k));
	out_print(o, style_of((unsigned char)j.verdict), "  %s\n", vw_verdict_name(j.verdict));
	for (size_t r = 0; r < j.n; r++)
		out_print(o, OUT_PLAIN, "  %-8s %s: %s\n", vw_severity_name(j.reasons[r].severity),
			  j.reasons[r].id, j.reasons[r].message);
	vw_judgement_clear(&j);
}

void matrix_print_text(const struct out *o, struct matrix *m)
{
	int width = 4, column = m->n < 10 ? 3 : m->n < 100 ? 4 : 5;

	for (size_t i = 0; i < m->n; i++) {
		int len = (int)strnlen(matrix_name(m, i), 40);

		width = len > width ? len : width;
	}
	out_print(o, OUT_DIM, "%*s", width + 5, "from \\ to");
	for (size_t k = 0; k < m->n; k++)
		out_print(o, OUT_DIM, "%*zu", column, k + 1);
	fputc('\n', o->f);
	for (size_t i = 0; i < m->n; i++)
		print_row(o, m, i, width, column);
	out_print(o, OUT_DIM, "\no ok: %zu   ! risk: %zu   x blocked: %zu   ? unknown: %zu\n",
		  m->count[VW_VERDICT_OK], m->count[VW_VERDICT_RISK], m->count[VW_VERDICT_BLOCKED],
		  m->count[VW_VERDICT_UNKNOWN]);
	for (size_t i = 0; m->n <= REASONS_MAX && i < m->n; i++)
		for (size_t k = 0; k < m->n; k++)
			if (i != k && m->verdicts[i * m->n + k] != VW_VERDICT_OK)
				print_pair(o, m, i, k);
}

static void put_json(FILE *f, json_t *value)
{
	out_json_dump(f, value, JSON_COMPACT | JSON_ENCODE_ANY);
	json_decref(value);
}

/* Cell by cell: the whole need not fit into memory. */
int matrix_print_json(struct cmd *cmd, struct matrix *m, struct vw_err *err)
{
	FILE *f = cmd->out.f;
	const char *comma = "";

	fputs("{\"version\": 1, \"hosts\": [", f);
	for (size_t i = 0; i < m->n; i++) {
		fputs(i ? ", " : "", f);
		put_json(f, json_pack("{s:o, s:b, s:o}", "name", vw_json_string(matrix_name(m, i)),
				      "known", m->hosts[i].known, "why",
				      vw_json_string(m->hosts[i].err.text)));
	}
	fputs("], \"moves\": [", f);
	for (size_t i = 0; i < m->n * m->n; i++) {
		struct vw_judgement j = { 0 };
		size_t from = i / m->n, to = i % m->n;
		int r;

		if (from == to)
			continue;
		r = matrix_judge(m, from, to, &j, err);
		if (r < 0)
			return r;
		fprintf(f, "%s\n", comma);
		put_json(f,
			 json_pack("{s:o, s:o, s:s, s:o}", "from",
				   vw_json_string(matrix_name(m, from)), "to",
				   vw_json_string(matrix_name(m, to)), "verdict",
				   vw_verdict_name(j.verdict), "reasons", host_reasons_json(&j)));
		vw_judgement_clear(&j);
		comma = ",";
	}
	fputs("\n]}\n", f);
	cmd->json_done = true;
	return 0;
}
