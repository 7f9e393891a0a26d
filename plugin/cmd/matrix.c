/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden matrix: which host can send guests to which. */
#include "plugin/cmd/matrix.h"
#include "lib/json/json.h"
#include "plugin/cmd/cmd.h"
#include "plugin/out/json.h"

#include <errno.h>

#define MATRIX_MAX 4096 /* hosts */

enum { OPT_HTML = CMD_OPT_OWN, OPT_DOMAIN, OPT_BASELINE };

struct options {
	const char *html, *domain;
	bool baseline;
};

static int judge_all(struct cmd *cmd, struct matrix *m, struct vw_err *err)
{
	struct out_progress progress;
	int r = 0;

	m->verdicts = calloc(m->n, m->n);
	if (!m->verdicts)
		return vw_err_set(err, -ENOMEM, "out of memory");
	out_progress_start(&progress, cmd->quiet ? NULL : &cmd->err);
	for (size_t i = 0; r == 0 && i < m->n; i++) {
		out_progress_show(&progress, "judging host", i, m->n);
		for (size_t k = 0; r == 0 && k < m->n; k++) {
			struct vw_judgement j = { 0 };

			if (i == k)
				continue;
			r = matrix_judge(m, i, k, &j, err);
			m->verdicts[i * m->n + k] = (unsigned char)j.verdict;
			m->count[j.verdict]++;
			vw_judgement_clear(&j);
		}
	}
	out_progress_end(&progress);
	return r;
}

static int print_baseline(struct cmd *cmd, struct matrix *m, struct vw_err *err)
{
	VW_AUTOFREE char *cpu = NULL;
	struct vw_featset set;
	const char *type;
	int r = matrix_baseline(m, &cpu, &set, &type, err);

	if (r < 0)
		return r;
	if (cmd->json) {
		cmd_print_json(cmd, json_pack("{s:i, s:o, s:s, s:o}", "version", 1, "cpu",
					      vw_json_string(cpu), "type", type, "hosts",
					      matrix_losses(m, &set, type)));
		return 0;
	}
	out_data(&cmd->out, OUT_PLAIN, cpu);
	for (size_t i = 0; i < m->n; i++) {
		const struct vw_host_virt *v = vw_host_virt(&m->hosts[i].facts, type);
		struct vw_featset lost;
		VW_AUTOFREE char *names = NULL;

		if (!v || !vw_featset_minus(&v->set, &set, &lost))
			continue;
		names = vw_featset_names(&m->table, &lost);
		cmd_note(cmd, "%s loses %s", matrix_name(m, i), names ? names : "?");
	}
	cmd_note(cmd, "save it as /etc/virt-warden/baseline.xml on each host, and write into the "
		      "[cpu] section of warden.conf: baseline = /etc/virt-warden/baseline.xml");
	return 0;
}

static int output(struct cmd *cmd, struct matrix *m, const struct options *o, struct vw_err *err)
{
	int r = 0;

	if (o->baseline)
		return print_baseline(cmd, m, err);
	r = judge_all(cmd, m, err);
	if (r == 0 && o->html)
		r = matrix_write_html(m, o->html, err);
	if (r == 0 && cmd->json)
		r = matrix_print_json(cmd, m, err);
	else if (r == 0)
		matrix_print_text(&cmd->out, m);
	return r;
}

static int answer(struct cmd *cmd, struct matrix *m, const struct options *o)
{
	VW_AUTOFREE const char **v = NULL;
	struct vw_words paths = { 0 };
	struct vw_err err = { 0 };
	bool silent = false;
	int r = 0;

	if (o->domain) {
		r = host_domain_get(cmd->uri, o->domain, HOST_DEADLINE_MS, &m->dom, &err);
		if (r == 0 && host_domain_paths(&m->dom, &paths) < 0)
			r = vw_err_set(&err, -ENOMEM, "out of memory");
	}
	v = paths.v;
	if (r < 0)
		return cmd_fail(cmd, &err);
	host_get_all(m->hosts, m->n, &paths, &m->table, HOST_DEADLINE_MS);
	for (size_t i = 0; i < m->n; i++)
		if (!m->hosts[i].known) {
			cmd_error(cmd, "%s", m->hosts[i].err.text);
			silent = true;
		}
	r = output(cmd, m, o, &err);
	if (r < 0)
		return cmd_fail(cmd, &err);
	if (m->count[VW_VERDICT_BLOCKED] || m->count[VW_VERDICT_RISK])
		return CMD_FINDINGS;
	return silent || m->count[VW_VERDICT_UNKNOWN] ? CMD_UNKNOWN : CMD_OK;
}

static void clear(struct matrix *m)
{
	for (size_t i = 0; m->hosts && i < m->n; i++)
		host_clear(&m->hosts[i]);
	free(m->hosts);
	free(m->verdicts);
	host_domain_clear(&m->dom);
	vw_features_clear(&m->table);
}

static int run_matrix(struct cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = { CMD_LONG,
					       { "html", required_argument, NULL, OPT_HTML },
					       { "domain", required_argument, NULL, OPT_DOMAIN },
					       { "baseline", no_argument, NULL, OPT_BASELINE },
					       CMD_LONG_END };
	struct options o = { 0 };
	struct matrix m = { 0 };
	int c, rc;

	while ((c = cmd_getopt(cmd, argc, argv, longs)) != -1) {
		switch (c) {
		case CMD_STOP: return cmd->status;
		case OPT_HTML: o.html = optarg; break;
		case OPT_DOMAIN: o.domain = optarg; break;
		case OPT_BASELINE: o.baseline = true; break;
		default: break;
		}
	}
	if (optind >= argc || argc - optind > MATRIX_MAX)
		return cmd_usage(cmd, "matrix takes 1 to %d hosts", MATRIX_MAX);
	m.n = (size_t)(argc - optind);
	m.hosts = calloc(m.n, sizeof(*m.hosts));
	if (!m.hosts)
		return CMD_UNKNOWN;
	for (size_t i = 0; i < m.n; i++)
		m.hosts[i].arg = argv[optind + (int)i];
	rc = answer(cmd, &m, &o);
	clear(&m);
	return rc;
}

const struct command cmd_matrix = {
	.name = "matrix",
	.summary = "which host can send guests to which",
	.usage =
		"virt-warden matrix URI|FACTS...\n"
		"\n"
		"Judges the live migration of a guest with the host's CPU (host-model) from each host\n"
		"to each other one, or of one domain. FACTS is a file of virt-warden facts.\n"
		"\n"
		"      --domain DOMAIN   of this domain (or XML file), of the libvirt of -c\n"
		"      --html FILE       also write a page that opens in any browser\n"
		"      --baseline        print the CPU that runs on all of them, and what each loses\n",
	.run = run_matrix,
};
