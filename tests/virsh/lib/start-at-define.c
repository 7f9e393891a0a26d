/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into the agent: starts the domain "busy" in the instant before the agent stores what
 * needs a cold boot, once: the race that nobody wins by trying. */
#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <string.h>

virDomainPtr virDomainDefineXML(virConnectPtr conn, const char *xml)
{
	static virDomainPtr (*real)(virConnectPtr, const char *);
	static int done;
	virDomainPtr dom;

	if (!real)
		real = (virDomainPtr(*)(virConnectPtr, const char *))dlsym(RTLD_NEXT,
									   "virDomainDefineXML");
	if (!done && strstr(xml, "<name>busy</name>") && !strstr(xml, "bus='ide'")) {
		dom = virDomainLookupByName(conn, "busy");
		done = dom && virDomainCreate(dom) == 0;
		if (dom)
			virDomainFree(dom);
	}
	return real(conn, xml);
}
