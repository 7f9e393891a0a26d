/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of `virt-warden alerts` share. */
#ifndef VW_CMD_ALERTS_H
#define VW_CMD_ALERTS_H

#include "lib/alert/alert-queue.h"
#include "plugin/cmd/cmd.h"

/* Is it of that domain (name or UUID; NULL = any)? */
bool alerts_is_of(const struct vw_alert *a, const char *domain);

/* Print what is open, then what is raised, raised again or over, as it happens, until the output
 * is closed or a signal ends us. Return: exit code. */
int alerts_follow(struct cmd *cmd, struct vw_alerts *q, const char *domain);

#endif
