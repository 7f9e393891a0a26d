/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verbs share (see cmd.h): messages, context, connection, domains. */
#include "plugin/cmd/cmd.h"
#include "plugin/out/json.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <stdarg.h>

static void say(const struct cmd *cmd, enum out_style style, const char *fmt, va_list ap)
{
	VW_AUTOFREE char *text = NULL;

	fflush(cmd->out.f);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	out_print(&cmd->err, style, "virt-warden: %s", text ? text : "out of memory");
	fputc('\n', cmd->err.f);
}

void cmd_error(const struct cmd *cmd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(cmd, OUT_BAD, fmt, ap);
	va_end(ap);
}

void cmd_note(const struct cmd *cmd, const char *fmt, ...)
{
	va_list ap;

	if (cmd->quiet)
		return;
	va_start(ap, fmt);
	say(cmd, OUT_PLAIN, fmt, ap);
	va_end(ap);
}

int cmd_fail(const struct cmd *cmd, const struct vw_err *err)
{
	cmd_error(cmd, "%s", err->text);
	return err->code == CMD_E_USAGE ? CMD_USAGE : CMD_UNKNOWN;
}

int cmd_usage(const struct cmd *cmd, const char *fmt, ...)
{
	const char *verb = cmd->verb ? cmd->verb->name : NULL;
	VW_AUTOFREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	cmd_error(cmd, "%s; see virt-warden %s%s--help", text ? text : "out of memory",
		  verb ? verb : "", verb ? " " : "");
	return CMD_USAGE;
}

int cmd_number(const char *option, const char *text, unsigned long min, unsigned long max,
	       unsigned long *ret, struct vw_err *err)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || value < min || value > max)
		return vw_err_set(err, CMD_E_USAGE,
				  "%s takes a whole number from %lu to %lu, not '%s'", option, min,
				  max, text);
	*ret = value;
	return 0;
}

int cmd_context(struct cmd *cmd, struct vw_err *err)
{
	return cmd->ctx ? 0 : vw_context_open(&cmd->ctx, err);
}

int cmd_print_json(struct cmd *cmd, json_t *top)
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
