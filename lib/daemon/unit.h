/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Below systemd our services are caged, and so is what they start. What needs other rights than its
 * parent has gets a transient unit of its own (systemd-run), whose input, output and exit status
 * are still ours. */
#ifndef VW_UNIT_H
#define VW_UNIT_H

#include <stdbool.h>
#include <stddef.h>

#define UNIT_ARGS_MAX 48 /* words that unit_begin adds at most */
#define UNIT_TEXT 48     /* bytes of limit */

/* The rights of a unit: words for systemd-run; NULL-terminated. */
extern const char *const unit_for_verify[]; /* the agent's own cage, and the network */
extern const char
	*const unit_for_admin[]; /* an admin's program: no cage, it ends with the messenger */

/* Are we a service of the systemd that runs this host, and is systemd-run there? */
bool unit_is_needed(void);

/* Begin argv with systemd-run and its options; more may follow, then "--" and the command. The unit ends after `seconds`; limit
 * (UNIT_TEXT bytes) holds one of the words. Return: how many words that are. */
size_t unit_begin(const char **argv, const char *const *properties, unsigned seconds, char *limit);

#endif
