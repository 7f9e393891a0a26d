/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the verbs share (see cmd.h): messages, context, connection, domains. */
#include "cmd.h"

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

static bool is_no_domain(void)
{
	int code = virGetLastErrorCode();

	return code == VIR_ERR_NO_DOMAIN || code == VIR_ERR_INVALID_ARG || code == VIR_ERR_OK;
}

int cmd_domain(struct cmd *cmd, const char *name, virDomainPtr *ret, struct vw_err *err)
{
	virDomainPtr dom = virDomainLookupByName(cmd->conn, name);
	char *end;
	long id;

	if (!dom && is_no_domain() && strlen(name) >= 32 && strlen(name) <= 36)
		dom = virDomainLookupByUUIDString(cmd->conn, name);
	if (!dom && is_no_domain() && *name >= '0' && *name <= '9') {
		id = strtol(name, &end, 10);
		if (!*end && id >= 0 && id < 0x7fffffff)
			dom = virDomainLookupByID(cmd->conn, (int)id);
	}
	if (!dom && is_no_domain())
		return vw_err_set(err, -ENOENT, "%s: no such domain (virsh list --all names them)",
				  name);
	if (!dom)
		return cmd_virt_error(err, name);
	*ret = dom;
	return 0;
}

int cmd_domain_xml(virDomainPtr dom, char **ret, struct vw_err *err)
{
	char *xml = virDomainGetXMLDesc(dom, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);

	if (!xml && virGetLastErrorCode() == VIR_ERR_OPERATION_DENIED)
		xml = virDomainGetXMLDesc(dom, VIR_DOMAIN_XML_INACTIVE);
	if (!xml)
		return cmd_virt_error(err, virDomainGetName(dom));
	*ret = xml;
	return 0;
}
