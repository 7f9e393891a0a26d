/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kept versions of a domain, as `history` and `undo` find them. */
#ifndef VW_CMD_HISTORY_H
#define VW_CMD_HISTORY_H

#include "plugin/cmd/cmd.h"

#include <jansson.h>

struct cmd_versions {
	char uuid[VIR_UUID_STRING_BUFLEN];
	char *name;              /* as libvirt names it, else as the user did */
	bool known;              /* libvirt has the domain */
	struct vw_version *list; /* oldest first */
	size_t n;
};

/* name: name, UUID or id of a domain, of which libvirt need not know. Connects if
 * it can. Return: 0 or negative errno; clear in any case. */
int cmd_versions_find(struct cmd *cmd, const char *name, struct cmd_versions *ret,
		      struct vw_err *err);
/* Version n, or NULL with an error line. */
const struct vw_version *cmd_versions_get(const struct cmd_versions *v, unsigned n,
					  struct vw_err *err);
void cmd_versions_clear(struct cmd_versions *v);

/* The agent's last verdict on the guest after a migration: the object of `verify --json` with a
 * "time" (s since the epoch). Return: new reference; NULL = there is none. */
json_t *cmd_verdict_read(const struct cmd *cmd, const char *uuid);

#endif
