/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What `virt-warden status` knows of the agent. */
#ifndef VW_CMD_STATUS_H
#define VW_CMD_STATUS_H

#include "lib/base/util.h"

#include <stdint.h>
#include <sys/types.h>

struct status_agent {
	size_t connections, connected;
	size_t domains, waiting, pending, existing, fixes;
	int64_t silent; /* since when a libvirtd does not answer, s; 0 = all do, or are not there */
	int64_t error_time; /* of the last error or warning, s; 0 = none */
	char error[300];
};

/* pid: of the agent that runs. Return: true if it told anything. */
bool status_agent_read(const char *rundir, pid_t pid, struct status_agent *ret);

#endif
