/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into the agent: when it defines a domain NAME, and there is a file $AT_DEFINE/NAME.before
 * or NAME.after, that is renamed and run, before or after the define: another client that is just as
 * fast. */
#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void run(const char *name, const char *when)
{
	char path[4096], done[4100], command[4200];

	snprintf(path, sizeof(path), "%s/%s.%s", getenv("AT_DEFINE"), name, when);
	snprintf(done, sizeof(done), "%s.ran", path);
	snprintf(command, sizeof(command), "LD_PRELOAD= sh '%s' >'%s.out' 2>&1", done, done);
	if (rename(path, done) == 0 && system(command) != 0)
		fprintf(stderr, "at-define: %s failed\n", done);
}

virDomainPtr virDomainDefineXML(virConnectPtr conn, const char *xml)
{
	virDomainPtr (*real)(virConnectPtr, const char *) = (virDomainPtr(*)(
		virConnectPtr, const char *))dlsym(RTLD_NEXT, "virDomainDefineXML");
	const char *at = strstr(xml, "<name>");
	virDomainPtr dom;
	char name[256];

	if (!at || sscanf(at, "<name>%255[^<]", name) != 1)
		return real(conn, xml);
	run(name, "before");
	dom = real(conn, xml);
	run(name, "after");
	return dom;
}
