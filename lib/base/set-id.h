/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* None of our programs is made to run set-user-ID, set-group-ID or with file capabilities: they
 * look at PATH, at an environment, at files that the caller names. */
#ifndef VW_SET_ID_H
#define VW_SET_ID_H

#include <stdbool.h>

/* The line for who runs one that way; its argument is the program's name. */
#define VW_SET_ID_LINE \
	"%s: must not run set-id or with file capabilities: chmod ug-s it, setcap -r it\n"

/* Does this process have rights of its file, not of its caller? AT_SECURE alone does not say so:
 * a security module sets it, too, when a service starts (SELinux, without "noatsecure"). */
bool vw_is_set_id(void);

#endif
