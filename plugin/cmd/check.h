/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Parts of `check` that its overview (--all) and `fix` use too. */
#ifndef VW_CMD_CHECK_H
#define VW_CMD_CHECK_H

#include "plugin/cmd/audit.h"
#include "plugin/cmd/cmd.h"

#include <jansson.h>

/* check --all. Return: exit code. */
int cmd_check_all(struct cmd *cmd);
/* Is there more to it than the rules know? Then it can't be called conformant. */
bool cmd_check_unjudged(const struct vw_plan *plan);
/* Heading and rows of one domain. */
void cmd_check_show(const struct cmd *cmd, const struct cmd_audit *a);
/* {"version": 1, "domains": […]}; takes the array over. */
json_t *cmd_check_json(json_t *domains);
/* A command to type: "virt-warden -c URI VERB --option LABEL", quoted as a shell needs it.
 * options: "" or " --option"; label: NULL = none. malloc'ed. */
char *cmd_check_next(const struct cmd *cmd, const char *verb, const char *options,
		     const char *label);
/* What to type next for one: a fix, with the admin's word if it waits for that, or what its OS is.
 * malloc'ed; NULL: there is nothing to type. */
char *cmd_check_remedy(const struct cmd *cmd, const struct cmd_audit *a);

/* Say which disks a running guest has cached, and how it gets rid of that. */
void cmd_check_live(const struct cmd *cmd, const struct cmd_audit *a);

#endif
