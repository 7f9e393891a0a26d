/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a name on the command line to a plan: read, parse, collect the facts, plan. */
#ifndef VW_CMD_AUDIT_H
#define VW_CMD_AUDIT_H

#include "plugin/cmd/cmd.h"
#include "virt/collect.h"

struct cmd_audit {
	char *label; /* what was named: the file, "-", or the domain's name */
	bool is_file;
	char *text; /* the XML as it was found (a domain: INACTIVE|SECURE) */
	size_t len;
	struct vw_xml *doc;
	struct vw_gathered *facts;
	struct vw_plan *plan;
	char *connect; /* "-c URI " for commands, quoted; "" without -c */
	char *os_said; /* " --os ID"; "" without --os */
};

struct cmd_audit_options {
	const char *os; /* --os, NULL */
	unsigned allow; /* as vw_request.allow */
	unsigned hold;  /* as vw_request.hold, with hold_why */
	const char *hold_why;
	bool enforce;       /* as vw_request.force_enforce */
	bool findings_only; /* the fixed text is not wanted */
	bool fresh; /* `new`: a domain and disks that are not there yet, and will be blank */
};

/* Open what every plan needs (context, templates): once, so that a broken installation is
 * said once. Return: 0 or negative errno. */
int cmd_audit_ready(struct cmd *cmd, struct vw_err *err);

/* Return: 0 or negative errno (CMD_E_USAGE for an unknown --os). Free with cmd_audit_free.
 * A file is read as a domain yet to be defined: on this host, or on the one named by -c. */
int cmd_audit_file(struct cmd *cmd, const char *path, const struct cmd_audit_options *opt,
		   struct cmd_audit **ret, struct vw_err *err);
/* The same in two steps, for who audits many (vw_context_many): first all that needs no look at
 * a disk, then the rest. */
int cmd_audit_file_begin(struct cmd *cmd, const char *path, const struct cmd_audit_options *opt,
			 struct cmd_audit **ret, struct vw_err *err);
int cmd_audit_finish(struct cmd *cmd, const struct cmd_audit_options *opt, struct cmd_audit *a,
		     struct vw_err *err);
int cmd_audit_domain(struct cmd *cmd, virDomainPtr dom, const struct cmd_audit_options *opt,
		     struct cmd_audit **ret, struct vw_err *err);
/* text is taken over, also on failure. */
int cmd_audit_text(struct cmd *cmd, char *text, const char *label,
		   const struct cmd_audit_options *opt, struct cmd_audit **ret, struct vw_err *err);
void cmd_audit_free(struct cmd_audit *a);
#define CMD_AUTOAUDIT VW_CLEANUP(cmd_cleanup_audit)
static inline void cmd_cleanup_audit(struct cmd_audit **a)
{
	cmd_audit_free(*a);
}

/* All domains of the connection, active ones and others. NULL-terminated; free with cmd_domains_free. */
int cmd_domains(struct cmd *cmd, virDomainPtr **ret, size_t *ret_n, struct vw_err *err);
void cmd_domains_free(virDomainPtr *doms);

#endif
