/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Options that all verbs have, and their --help. */
#include "plugin/cmd/cmd.h"

static const char common_options[] =
	"Options of every verb:\n"
	"  -c, --connect URI   the libvirt to talk to (else LIBVIRT_DEFAULT_URI, as virsh)\n"
	"      --json          JSON on stdout\n"
	"  -q, --quiet         no notes\n"
	"  -h, --help          this text\n"
	"  -V, --version       the version\n";

static const char exit_codes[] =
	"Exit: 0 = conformant, done; 1 = findings; 2 = wrong usage; 3 = could not tell.\n";

void cmd_verb_help(const struct command *verb)
{
	printf("Usage: %s\n%s\n%s", verb->usage, common_options, exit_codes);
}

void cmd_common_help(FILE *f)
{
	fprintf(f, "%s\n%s", common_options, exit_codes);
}

int cmd_getopt(struct cmd *cmd, int argc, char **argv, const struct option *longs)
{
	/* '+' before the verb: options behind it are the verb's. */
	const char *shorts = cmd->verb ? CMD_SHORT : "+" CMD_SHORT;

	opterr = 0;
	for (;;) {
		int c = getopt_long(argc, argv, shorts, longs, NULL);

		switch (c) {
		case 'c': cmd->uri = optarg; continue;
		case 'q': cmd->quiet = true; continue;
		case CMD_OPT_JSON: cmd->json = true; continue;
		case 'h':
			if (cmd->verb)
				cmd_verb_help(cmd->verb);
			else
				cmd->help(stdout);
			cmd->status = CMD_OK;
			return CMD_STOP;
		case 'V':
			puts("virt-warden " VW_VERSION);
			cmd->status = CMD_OK;
			return CMD_STOP;
		case '?':
		case ':':
			cmd->status = cmd_usage(
				cmd, c == ':' ? "%s needs a value" : "%s is no option of it",
				argv[optind - 1]);
			return CMD_STOP;
		default: return c;
		}
	}
}
