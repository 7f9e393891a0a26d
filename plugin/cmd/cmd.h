/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verbs of virt-warden share: the table's entry, common options,
 * connection, exit codes. Each verb is one file cmd-VERB.c. */
#ifndef VW_CMD_H
#define VW_CMD_H

#include "plugin/out/term.h"
#include "virt/context.h"
#include "virt/domain.h"

#include <getopt.h>
#include <jansson.h>
#include <libvirt/libvirt.h>

/* Exit codes (design.md, Verbs). */
enum {
	CMD_OK = 0,       /* conformant, done */
	CMD_FINDINGS = 1, /* findings, or something left that needs the admin's word */
	CMD_USAGE = 2,    /* wrong usage */
	CMD_UNKNOWN = 3,  /* could not tell, could not do; why is on stderr */
};

struct command;

/* One run of the program. */
struct cmd {
	const struct command *verb;
	void (*help)(FILE *f); /* prints the program's own --help */
	const char *uri;       /* -c, NULL = libvirt's default */
	bool json;
	bool quiet;
	bool json_done;         /* it was printed */
	int status;             /* exit code when cmd_getopt returned CMD_STOP */
	struct out out;         /* stdout */
	struct out err;         /* stderr */
	struct vw_context *ctx; /* cmd_context */
	virConnectPtr conn;     /* cmd_connect */
	char *silent;           /* why cmd_connect gave up, NULL = it did not */
	bool loop_runs;         /* libvirt's event loop, in a thread */
};

/* An entry of the table of verbs. */
struct command {
	const char *name;
	const char *summary; /* one line for `virt-warden --help` */
	const char
		*usage; /* the verb's own part of --help: synopsis lines, a blank line, options */
	int (*run)(struct cmd *cmd, int argc, char **argv);
};

extern const struct command cmd_check, cmd_fix, cmd_new, cmd_os, cmd_mode, cmd_history, cmd_undo,
	cmd_doctor, cmd_status, cmd_facts, cmd_preflight, cmd_matrix, cmd_verify, cmd_alerts;

/* Common options. Long options of a verb start behind them. */
#define CMD_SHORT ":c:hqV"
#define CMD_LONG                                                                                  \
	{ "connect", required_argument, NULL, 'c' }, { "json", no_argument, NULL, CMD_OPT_JSON }, \
		{ "quiet", no_argument, NULL, 'q' }, { "help", no_argument, NULL, 'h' },          \
	{                                                                                         \
		"version", no_argument, NULL, 'V'                                                 \
	}
#define CMD_LONG_END             \
	{                        \
		NULL, 0, NULL, 0 \
	}
enum { CMD_OPT_JSON = 0x100, CMD_OPT_OWN }; /* a verb's own options: CMD_OPT_OWN and up */
#define CMD_STOP 0x7fff

/* --help of a verb, on stdout; what all have in common. */
void cmd_verb_help(const struct command *verb);
void cmd_common_help(FILE *f);
/* getopt_long that handles the common options itself (and --help, --version, mistakes).
 * Return: a value of the verb's own, -1 at the end (optind = first argument),
 * CMD_STOP: the verb returns cmd->status at once. */
int cmd_getopt(struct cmd *cmd, int argc, char **argv, const struct option *longs);

/* One line on stderr, "virt-warden: …". */
void cmd_error(const struct cmd *cmd, const char *fmt, ...) VW_PRINTF(2, 3);
/* A note for people, on stderr; not with --quiet. */
void cmd_note(const struct cmd *cmd, const char *fmt, ...) VW_PRINTF(2, 3);
/* Print the error. Return: CMD_UNKNOWN (CMD_USAGE if the error is -EDOM: see CMD_E_USAGE). */
int cmd_fail(const struct cmd *cmd, const struct vw_err *err);
/* Print what is wrong with the call and where to read. Return: CMD_USAGE. */
int cmd_usage(const struct cmd *cmd, const char *fmt, ...) VW_PRINTF(2, 3);
#define CMD_E_USAGE (-EDOM) /* an error that is the caller's: exit 2 */

/* A whole number of an option, from min to max, or an error line that names the option. */
int cmd_number(const char *option, const char *text, unsigned long min, unsigned long max,
	       unsigned long *ret, struct vw_err *err);

/* Print and free. Return: CMD_OK, or CMD_UNKNOWN (with a line on stderr) if there is no memory. */
int cmd_print_json(struct cmd *cmd, json_t *top);

/* Open what is not open yet. All return 0 or negative errno. The connection is
 * asked for in full; with `read_only_will_do` a read-only one is taken if that is refused.
 * -ETIME: libvirtd does not answer; so it is with every call by this connection: none waits
 * longer than VW_SILENT_S for a silent libvirtd. */
int cmd_context(struct cmd *cmd, struct vw_err *err);
int cmd_connect(struct cmd *cmd, bool read_only_will_do, struct vw_err *err);

#endif
