/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden: finds the verb in the table and runs it. */
#include "plugin/cmd/cmd.h"
#include "lib/base/set-id.h"

#include <libvirt/virterror.h>
#include <libxml/parser.h>
#include <locale.h>

static const struct command *const table[] = {
	&cmd_check,     &cmd_fix,    &cmd_new,    &cmd_os,     &cmd_mode,
	&cmd_history,   &cmd_undo,   &cmd_doctor, &cmd_status, &cmd_facts,
	&cmd_preflight, &cmd_matrix, &cmd_verify, &cmd_alerts,
};

static void print_help(FILE *f)
{
	size_t i;

	fputs("Usage: virt-warden [-c URI] VERB [ARGUMENT]…\n\n"
	      "Keeps libvirt guests fast and migratable while you go on using plain virsh.\n\n"
	      "Verbs:\n",
	      f);
	for (i = 0; i < VW_N_ELEMENTS(table); i++)
		fprintf(f, "  %-9s %s\n", table[i]->name, table[i]->summary);
	fputc('\n', f);
	cmd_common_help(f);
	fputs("\nvirt-warden VERB --help says more; so does virt-warden-VERB(1).\n", f);
}

/* The least number of letters to add, drop or change. */
static size_t distance(const char *a, const char *b)
{
	size_t row[32], i, j, n = strlen(b);

	if (n >= VW_N_ELEMENTS(row))
		return SIZE_MAX;
	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (j = 0; j < n; j++) {
			size_t best = diagonal + (a[i] != b[j]);

			diagonal = row[j + 1];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j + 1] + 1 < best)
				best = row[j + 1] + 1;
			row[j + 1] = best;
		}
	}
	return row[n];
}

static int unknown_verb(const struct cmd *cmd, const char *name)
{
	const char *nearest = NULL;
	size_t best = strlen(name) / 2 + 1, i;
	VW_AUTOFREE char *verbs = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&verbs, &len);

	for (i = 0; i < VW_N_ELEMENTS(table); i++) {
		size_t d = distance(name, table[i]->name);

		if (d < best || (d == best && !nearest)) {
			best = d;
			nearest = table[i]->name;
		}
		if (f)
			fprintf(f, " %s", table[i]->name);
	}
	if (f)
		fclose(f);
	cmd_error(cmd, "unknown verb '%s'%s%s%s; the verbs are:%s", name,
		  nearest ? ", did you mean '" : "", nearest ? nearest : "", nearest ? "'" : "",
		  verbs ? verbs : "");
	return CMD_USAGE;
}

static const struct command *find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < VW_N_ELEMENTS(table); i++)
		if (vw_streq(table[i]->name, name))
			return table[i];
	return NULL;
}

/* `virt-warden help VERB` is `virt-warden VERB --help`. */
static int run_help(struct cmd *cmd, const char *name)
{
	const struct command *verb = name ? find_verb(name) : NULL;

	if (name && !verb)
		return unknown_verb(cmd, name);
	if (verb)
		cmd_verb_help(verb);
	else
		print_help(stdout);
	return CMD_OK;
}

static int run(struct cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = { CMD_LONG, CMD_LONG_END };
	int c = cmd_getopt(cmd, argc, argv, longs);
	const char *name;

	if (c == CMD_STOP)
		return cmd->status;
	name = argv[optind];
	if (!name) {
		print_help(stderr);
		return CMD_USAGE;
	}
	if (vw_streq(name, "help"))
		return run_help(cmd, argv[optind + 1]);
	cmd->verb = find_verb(name);
	if (!cmd->verb)
		return unknown_verb(cmd, name);
	argc -= optind;
	argv += optind;
	optind = 0; /* GNU: start anew, with the verb as argv[0] */
	return cmd->verb->run(cmd, argc, argv);
}

/* libvirt's errors come to us through virGetLastError; nothing is to be printed by it. */
static void on_virt_error(void *opaque, virErrorPtr e)
{
	(void)opaque;
	(void)e;
}

static void on_xml_error(void *ctx, const char *fmt, ...)
{
	(void)ctx;
	(void)fmt;
}

int main(int argc, char **argv)
{
	struct cmd cmd = { .help = print_help };
	int status;

	if (vw_is_set_id()) {
		fprintf(stderr, VW_SET_ID_LINE, "virt-warden");
		return CMD_UNKNOWN;
	}
	setlocale(LC_CTYPE, "");
	virSetErrorFunc(NULL, on_virt_error);
	xmlSetGenericErrorFunc(NULL, on_xml_error);
	out_init(&cmd.out, stdout);
	out_init(&cmd.err, stderr);
	if (!cmd.out.tty)
		setvbuf(stdout, NULL, _IOFBF, 1 << 16);
	status = run(&cmd, argc, argv);
	if (cmd.json && !cmd.json_done && status == CMD_UNKNOWN)
		puts("{\"version\": 1}"); /* why is on stderr; who reads stdout finds JSON */
	if (fflush(stdout) || ferror(stdout)) {
		cmd_error(&cmd, "the output could not be written: %m");
		status = CMD_UNKNOWN;
	}
	if (cmd.conn)
		virConnectClose(cmd.conn);
	free(cmd.silent);
	vw_context_close(cmd.ctx);
	xmlCleanupParser();
	return status;
}
