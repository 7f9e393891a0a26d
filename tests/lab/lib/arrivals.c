/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Preloaded into virt-wardend by a test: each UUID that is written to the FIFO $VW_ARRIVALS is told to
 * the agent as libvirt tells of a guest that has come from another host, by the agent's own callback.
 * The guest, and all that is asked of it from then on, is real. */
#include <dlfcn.h>
#include <fcntl.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
	virConnectPtr conn;
	virConnectDomainEventCallback tell;
	void *opaque;
	char line[64];
	size_t len;
	char fifo[256];
} us;

static void arrive(const char *uuid)
{
	virDomainPtr dom = virDomainLookupByUUIDString(us.conn, uuid);

	if (!dom)
		return;
	us.tell(us.conn, dom, VIR_DOMAIN_EVENT_STARTED, VIR_DOMAIN_EVENT_STARTED_MIGRATED,
		us.opaque);
	us.tell(us.conn, dom, VIR_DOMAIN_EVENT_RESUMED, VIR_DOMAIN_EVENT_RESUMED_MIGRATED,
		us.opaque);
	virDomainFree(dom);
}

static void on_fifo(int watch, int fd, int events, void *opaque)
{
	char buf[4096];
	ssize_t n = read(fd, buf, sizeof(buf));

	(void)watch;
	(void)events;
	(void)opaque;
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\n') {
			us.line[us.len] = '\0';
			us.len = 0;
			arrive(us.line);
		} else if (us.len < sizeof(us.line) - 1) {
			us.line[us.len++] = buf[i];
		}
	}
}

/* Not for the agent's children. */
__attribute__((constructor)) static void begin(void)
{
	const char *fifo = getenv("VW_ARRIVALS");

	snprintf(us.fifo, sizeof(us.fifo), "%s", fifo ? fifo : "");
	unsetenv("LD_PRELOAD");
	unsetenv("VW_ARRIVALS");
}

__attribute__((visibility("default"))) int virConnectDomainEventRegisterAny(
	virConnectPtr conn, virDomainPtr dom, int event, virConnectDomainEventGenericCallback cb,
	void *opaque, virFreeCallback freecb)
{
	int (*real)(virConnectPtr, virDomainPtr, int, virConnectDomainEventGenericCallback, void *,
		    virFreeCallback);
	void *symbol = dlsym(RTLD_NEXT, "virConnectDomainEventRegisterAny");

	memcpy(&real, &symbol, sizeof(real));
	if (event == VIR_DOMAIN_EVENT_ID_LIFECYCLE && *us.fifo) {
		int fd = open(us.fifo, O_RDWR | O_NONBLOCK | O_CLOEXEC);

		us.conn = conn;
		memcpy(&us.tell, &cb, sizeof(us.tell));
		us.opaque = opaque;
		virEventAddHandle(fd, VIR_EVENT_HANDLE_READABLE, on_fifo, NULL, NULL);
	}
	return real(conn, dom, event, cb, opaque, freecb);
}
