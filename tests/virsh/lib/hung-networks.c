/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded: libvirt's calls about networks never come back, as when virtnetworkd is stopped. $HUNG_NETWORKS is the
 * file that gets a line for each. */
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

virNetworkPtr virNetworkLookupByName(virConnectPtr conn, const char *name)
{
	FILE *f = fopen(getenv("HUNG_NETWORKS"), "a");

	(void)conn;
	if (f) {
		fprintf(f, "%s\n", name);
		fclose(f);
	}
	for (;;)
		pause();
}
