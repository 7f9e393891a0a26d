/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Can every domain still start? udev.c hears what comes and goes, host.c asks who needs it. */
#ifndef VW_AGENT_HOST_H
#define VW_AGENT_HOST_H

#include "agent/agent.h"
#include "agent/needs.h"

/* host.c. What stands for a need (agent_need_hash) came or went: look, a moment later, at those
 * that have it. 0 = anything may have. */
void agent_host_changed(struct agent *a, uint32_t need);

#endif
