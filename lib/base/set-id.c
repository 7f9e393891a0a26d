/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs that are run set-id (see set-id.h). */
#include "lib/base/set-id.h"

#include <stdint.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

bool vw_is_set_id(void)
{
	/* capget(2); musl comes without linux/capability.h. */
	struct {
		uint32_t version;
		int pid;
	} head = { .version = 0x20080522 };
	struct {
		uint32_t effective, permitted, inheritable;
	} data[2] = { { 0 } };

	if (!getauxval(AT_SECURE))
		return false;
	if (getuid() != geteuid() || getgid() != getegid())
		return true;
	return getuid() != 0 &&
	       (syscall(SYS_capget, &head, data) < 0 || data[0].permitted || data[1].permitted);
}
