/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden facts: all that a judgement needs to know of a host, as JSON. */
#include "plugin/cmd/cmd.h"
#include "virt/hostfacts/host.h"
#include "plugin/out/json.h"

static int run_facts(struct cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = { CMD_LONG, CMD_LONG_END };
	struct host_ask ask = { 0 };

	if (cmd_getopt(cmd, argc, argv, longs) == CMD_STOP)
		return cmd->status;
	if (argc - optind > 1)
		return cmd_usage(cmd, "facts takes one URI");
	ask.uri = optind < argc ? argv[optind] : cmd->uri;
	host_ask_all(&ask, 1, HOST_DEADLINE_MS);
	if (!ask.answer) {
		cmd_error(cmd, "%s", ask.err.text);
		return CMD_UNKNOWN;
	}
	return cmd_print_json(cmd, ask.answer);
}

const struct command cmd_facts = {
	.name = "facts",
	.summary = "what a migration can depend on, of one host, as JSON",
	.usage =
		"virt-warden facts [URI]\n"
		"\n"
		"Asks the host over one connection, for at most 9 seconds, and prints JSON: keep it\n"
		"as HOST.json, and preflight and matrix take it in place of the host.\n",
	.run = run_facts,
};
