/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a name on the command line to a plan (see plugin/cmd/audit.h). */
#include "plugin/cmd/audit.h"

#include "lib/base/input.h"
#include "lib/xml/xml.h"
#include "plugin/cmd/cmd.h"
#include "virt/domain.h"

#include <errno.h>

void cmd_audit_free(struct cmd_audit *a)
{
	if (!a)
		return;
	vw_plan_free(a->plan); /* borrows from the facts */
	vw_gathered_free(a->facts);
	vw_xml_free(a->doc);
	free(a->text);
	free(a->label);
	free(a->connect);
	free(a->os_said);
	free(a);
}

int cmd_audit_ready(struct cmd *cmd, struct vw_err *err)
{
	int rc = cmd_context(cmd, err);

	if (rc == 0 && !vw_context_templates(cmd->ctx, err))
		rc = err->code ? err->code : -ENOENT;
	return rc;
}

/* `new`: what is absent will be made, and is blank then; a card is to be the guest's own. */
static void assume_fresh(struct vw_facts *facts)
{
	for (size_t i = 0; i < facts->n_disks; i++)
		if (facts->disks[i].exists != VW_YES) {
			facts->disks[i].blank = VW_YES;
			facts->disks[i].allocated = VW_NO;
		}
	for (size_t i = 0; i < facts->n_networks; i++)
		if (facts->networks[i].hostdev == VW_UNKNOWN)
			facts->networks[i].hostdev = VW_NO;
}

/* A file has no libvirt, unless one was named. */
static virConnectPtr conn_of(const struct cmd *cmd, virDomainPtr dom,
			     const struct cmd_audit_options *opt, const struct cmd_audit *a)
{
	return dom || (a->is_file && cmd->uri) || opt->fresh ? cmd->conn : NULL;
}

static int parse_and_begin(struct cmd *cmd, virDomainPtr dom, const struct cmd_audit_options *opt,
			   struct cmd_audit *a, struct vw_err *err)
{
	int rc = cmd_audit_ready(cmd, err);

	if (rc == 0)
		rc = vw_xml_parse(a->text, a->len, a->label, "domain", &a->doc, err);
	if (rc == 0)
		rc = vw_collect_begin(cmd->ctx, conn_of(cmd, dom, opt, a), dom, a->doc, &a->facts,
				      err);
	return rc;
}

/* What a command that we print needs to mean the same. Return: 0 or -ENOMEM. */
static int remember_options(const struct cmd *cmd, const struct cmd_audit_options *opt,
			    struct cmd_audit *a)
{
	VW_AUTOFREE char *uri = out_shell_quote(cmd->uri ? cmd->uri : "");
	VW_AUTOFREE char *os = out_shell_quote(opt->os ? opt->os : "");

	if (!uri || !os || asprintf(&a->connect, cmd->uri ? "-c %s " : "%.0s", uri) < 0)
		a->connect = NULL;
	else if (asprintf(&a->os_said, opt->os ? " --os %s" : "%.0s", os) < 0)
		a->os_said = NULL;
	return a->os_said ? 0 : -ENOMEM;
}

static int finish(struct cmd *cmd, virDomainPtr dom, const struct cmd_audit_options *opt,
		  struct cmd_audit *a, struct vw_err *err)
{
	struct vw_request req = { .allow = opt->allow,
				  .hold = opt->hold,
				  .hold_why = opt->hold_why,
				  .force_enforce = opt->enforce,
				  .findings_only = opt->findings_only };
	int rc = vw_collect_rest(cmd->ctx, conn_of(cmd, dom, opt, a), a->doc, opt->os, a->facts,
				 err);

	if (rc < 0)
		return rc == -ENOENT && opt->os ? err->code = CMD_E_USAGE : rc;
	if (opt->fresh)
		assume_fresh(&a->facts->facts);
	rc = remember_options(cmd, opt, a);
	if (rc < 0)
		return vw_err_set(err, rc, "%s: out of memory", a->label);
	req.connect = a->connect;
	req.os_said = a->os_said;
	req.templates = vw_context_templates(cmd->ctx, err);
	req.doc = a->doc;
	/* mode off is left alone even where somebody says fix */
	if (a->facts->outline->mode == VW_MODE_OFF)
		req.force_enforce = false;
	req.subject = a->is_file ? a->label : NULL;
	req.facts = &a->facts->facts;
	req.policy = vw_context_policy(cmd->ctx);
	return vw_plan_make(&req, &a->plan, err);
}

int cmd_audit_finish(struct cmd *cmd, const struct cmd_audit_options *opt, struct cmd_audit *a,
		     struct vw_err *err)
{
	return finish(cmd, NULL, opt, a, err);
}

/* Take over text and make the first half of it. */
static int begin(struct cmd *cmd, virDomainPtr dom, char *text, size_t len, const char *label,
		 bool is_file, const struct cmd_audit_options *opt, struct cmd_audit **ret,
		 struct vw_err *err)
{
	CMD_AUTOAUDIT struct cmd_audit *a = calloc(1, sizeof(*a));
	int rc;

	if (!a) {
		free(text);
		return vw_err_set(err, -ENOMEM, "%s: out of memory", label);
	}
	a->text = text;
	a->len = len;
	a->is_file = is_file;
	a->label = strdup(label);
	if (!a->label)
		return vw_err_set(err, -ENOMEM, "%s: out of memory", label);
	rc = parse_and_begin(cmd, dom, opt, a, err);
	if (rc == 0)
		*ret = vw_steal(a);
	return rc;
}

static int audit(struct cmd *cmd, virDomainPtr dom, char *text, size_t len, const char *label,
		 bool is_file, const struct cmd_audit_options *opt, struct cmd_audit **ret,
		 struct vw_err *err)
{
	CMD_AUTOAUDIT struct cmd_audit *a = NULL;
	int rc = begin(cmd, dom, text, len, label, is_file, opt, &a, err);

	if (rc == 0)
		rc = finish(cmd, dom, opt, a, err);
	if (rc == 0)
		*ret = vw_steal(a);
	return rc;
}

int cmd_audit_file_begin(struct cmd *cmd, const char *path, const struct cmd_audit_options *opt,
			 struct cmd_audit **ret, struct vw_err *err)
{
	char *text = NULL;
	size_t len = 0;
	int rc = cmd_context(cmd, err);

	if (rc == 0 && cmd->uri)
		rc = cmd_connect(cmd, true, err);
	if (rc == 0)
		rc = vw_input_read(path, VW_XML_MAX_BYTES, &text, &len, err);
	if (rc < 0)
		return rc;
	return begin(cmd, NULL, text, len, path, true, opt, ret, err);
}

int cmd_audit_file(struct cmd *cmd, const char *path, const struct cmd_audit_options *opt,
		   struct cmd_audit **ret, struct vw_err *err)
{
	CMD_AUTOAUDIT struct cmd_audit *a = NULL;
	int rc = cmd_audit_file_begin(cmd, path, opt, &a, err);

	if (rc == 0)
		rc = cmd_audit_finish(cmd, opt, a, err);
	if (rc == 0)
		*ret = vw_steal(a);
	return rc;
}

int cmd_audit_domain(struct cmd *cmd, virDomainPtr dom, const struct cmd_audit_options *opt,
		     struct cmd_audit **ret, struct vw_err *err)
{
	CMD_AUTOAUDIT struct cmd_audit *a = NULL;
	char *text = NULL;
	int rc = cmd_context(cmd, err);

	if (rc == 0 && !vw_conn_is_qemu(cmd->conn))
		rc = vw_err_set(err, -ENOTSUP, "%s: only QEMU/KVM domains can be judged",
				virDomainGetName(dom));
	if (rc == 0)
		rc = vw_domain_xml(dom, &text, err);
	if (rc < 0)
		return rc;
	rc = audit(cmd, dom, text, strlen(text), virDomainGetName(dom), false, opt, &a, err);
	if (rc == 0 && virConnectIsAlive(cmd->conn) == 0) /* facts are missing: no verdict */
		return vw_err_set(err, -ETIME, "%s: libvirtd does not answer (for %d s)", a->label,
				  VW_SILENT_S);
	if (rc == 0)
		*ret = vw_steal(a);
	return rc;
}

int cmd_audit_text(struct cmd *cmd, char *text, const char *label,
		   const struct cmd_audit_options *opt, struct cmd_audit **ret, struct vw_err *err)
{
	return audit(cmd, NULL, text, strlen(text), label, false, opt, ret, err);
}

int cmd_domains(struct cmd *cmd, virDomainPtr **ret, size_t *ret_n, struct vw_err *err)
{
	int n = virConnectListAllDomains(cmd->conn, ret, 0);

	if (n < 0)
		return vw_virt_error(err, "the domains can't be listed");
	*ret_n = (size_t)n;
	return 0;
}

void cmd_domains_free(virDomainPtr *doms)
{
	virDomainPtr *p;

	for (p = doms; p && *p; p++)
		virDomainFree(*p);
	free(doms);
}
