/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two mount namespaces: does a path lead to the same file in both? */
#ifndef VW_VIRT_MOUNTS_H
#define VW_VIRT_MOUNTS_H

#include "lib/base/util.h"

/* Compare two texts of /proc/PID/mountinfo (proc(5)). True if every path that a disk may
 * have means the same in both, however it may be protected in either: a service that
 * systemd runs with parts of its tree read-only sees the files that others see. False,
 * too, when a text is no such table. */
bool vw_mounts_agree(const char *ours, const char *theirs);

#endif
