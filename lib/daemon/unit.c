/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Transient units (see unit.h). */
#include "lib/daemon/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SYSTEMD_RUN "/usr/bin/systemd-run"

/* As virt-wardend.service (a test compares), and what a verification needs beside: ARP, ping, TCP to
 * the guest, libvirt of another host. It opens no LUN; its checks (health.d) are in here, too. */
const char *const unit_for_verify[] = {
	"-pCapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_NET_RAW",
	"-pNoNewPrivileges=yes",
	"-pPrivateMounts=yes",
	"-pProtectSystem=full",
	"-pProtectHome=read-only",
	"-pProtectControlGroups=yes",
	"-pProtectKernelLogs=yes",
	"-pProtectKernelModules=yes",
	"-pProtectKernelTunables=yes",
	"-pDevicePolicy=closed",
	"-pRestrictAddressFamilies=AF_UNIX AF_NETLINK AF_INET AF_INET6 AF_PACKET",
	"-pKeyringMode=private",
	"-pLockPersonality=yes",
	"-pMemoryDenyWriteExecute=yes",
	"-pProtectClock=yes",
	"-pProtectHostname=yes",
	"-pRemoveIPC=yes",
	"-pRestrictNamespaces=yes",
	"-pRestrictSUIDSGID=yes",
	"-pSystemCallArchitectures=native",
	"-pSystemCallFilter=@system-service",
	"-pSystemCallFilter=~@privileged @resources",
	"-pSystemCallErrorNumber=EPERM",
	"-pUMask=0077",
	NULL,
};

const char *const unit_for_admin[] = { "-pPartOf=virt-warden-alert.service", NULL };

bool unit_is_needed(void)
{
	/* systemd sets it for all that a service is. */
	return getenv("INVOCATION_ID") && access("/run/systemd/system", F_OK) == 0 &&
	       access(SYSTEMD_RUN, X_OK) == 0;
}

size_t unit_begin(const char **argv, const char *const *properties, unsigned seconds, char *limit)
{
	static const char *const options[] = { SYSTEMD_RUN, "--quiet",   "--pipe",
					       "--wait",    "--collect", "-pTimeoutStopSec=1" };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		argv[n++] = options[i];
	snprintf(limit, UNIT_TEXT, "-pRuntimeMaxSec=%u", seconds);
	argv[n++] = limit;
	for (; *properties; properties++)
		argv[n++] = *properties;
	return n;
}
