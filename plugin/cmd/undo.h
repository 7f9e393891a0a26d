/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kept XML made ready to be defined again: `undo` without libvirt. */
#ifndef VW_CMD_UNDO_H
#define VW_CMD_UNDO_H

#include "lib/base/err.h"
#include "plugin/cmd/cmd.h"

struct cmd_undo {
	const char *name, *uuid; /* as libvirt has them now */
	const char *current;     /* config now, NULL = the domain is gone */
	const char *skip;        /* rules not to be applied again, space-separated, "" */
};

/* The kept XML with this name and UUID, the MAC addresses that the guest has now
 * where it names none, and <w:skip> for the rules. ret_risk: "" or one clause that
 * says which state of the firmware or TPM would no longer be used; it needs the
 * admin's word. ret_xml is malloc'ed. Return: 0 or negative errno. */
int cmd_undo_prepare(const struct cmd_undo *undo, const char *kept, char **ret_xml, char *ret_risk,
		     size_t risk_size, struct vw_err *err);

/* Are both the same config, what virt-warden itself noted in them aside? */
bool cmd_undo_same(const char *a, const char *b);

#endif
