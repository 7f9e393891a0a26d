/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* udev's events: a device that comes or goes is named, and who may need it is looked at. */
#include "agent/agent-host.h"

#include <libudev.h>
#include <libvirt/virterror.h>
#include <stdarg.h>
#include <syslog.h>

#define RECEIVE_BYTES (1 << 20) /* a storage path that fails takes hundreds of LUNs with it */

struct agent_udev {
	struct agent *agent;
	struct udev *udev;
	struct udev_monitor *monitor;
	int watch;
};

static void VW_PRINTF(2, 3) named(struct agent *a, const char *fmt, ...)
{
	char need[AGENT_NEED_MAX];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(need, sizeof(need), fmt, ap);
	va_end(ap);
	if (len < (int)sizeof(need))
		agent_host_changed(a, agent_need_hash(need));
}

static void on_block(struct agent *a, struct udev_device *d)
{
	const char *node = udev_device_get_devnode(d);
	struct udev_list_entry *link = udev_device_get_devlinks_list_entry(d);

	if (node)
		named(a, "block %s", node);
	for (; link; link = udev_list_entry_get_next(link))
		named(a, "block %s", udev_list_entry_get_name(link));
}

static void on_net(struct agent *a, struct udev_device *d)
{
	const char *old = udev_device_get_property_value(d, "INTERFACE_OLD");

	named(a, "net %s", udev_device_get_sysname(d));
	if (old) /* renamed */
		named(a, "net %s", old);
}

/* PRODUCT is "46d/c52b/1201", in hex; it is known of a device that has gone, too. */
static void on_usb(struct agent *a, struct udev_device *d)
{
	const char *product = udev_device_get_property_value(d, "PRODUCT");
	const char *bus = udev_device_get_property_value(d, "BUSNUM");
	const char *dev = udev_device_get_property_value(d, "DEVNUM");
	unsigned v, p;

	if (product && sscanf(product, "%x/%x", &v, &p) == 2)
		named(a, "usb %04x:%04x", v, p);
	if (bus && dev)
		named(a, "usb-at %ld.%ld", strtol(bus, NULL, 10), strtol(dev, NULL, 10));
}

static void on_other(struct agent *a, struct udev_device *d)
{
	named(a, "%s %s", udev_device_get_subsystem(d), udev_device_get_sysname(d));
}

static const struct {
	const char *subsystem;
	void (*fn)(struct agent *a, struct udev_device *d);
} subsystems[] = {
	{ "block", on_block }, { "net", on_net },    { "usb", on_usb },
	{ "pci", on_other },   { "scsi", on_other }, { "mdev", on_other },
};

static void on_device(int watch, int fd, void *opaque)
{
	struct agent_udev *u = opaque;
	struct udev_device *d = udev_monitor_receive_device(u->monitor);
	const char *subsystem = d ? udev_device_get_subsystem(d) : NULL;

	(void)watch;
	(void)fd;
	if (!d) { /* events were lost: look at all */
		agent_host_changed(u->agent, 0);
		return;
	}
	for (size_t i = 0; subsystem && i < VW_N_ELEMENTS(subsystems); i++)
		if (!strcmp(subsystem, subsystems[i].subsystem))
			subsystems[i].fn(u->agent, d);
	udev_device_unref(d);
}

void agent_udev_open(struct agent *a)
{
	struct agent_udev *u = calloc(1, sizeof(*u));

	a->udev = u;
	if (!u)
		return;
	u->agent = a;
	u->watch = -1;
	u->udev = udev_new();
	u->monitor = u->udev ? udev_monitor_new_from_netlink(u->udev, "udev") : NULL;
	for (size_t i = 0; u->monitor && i < VW_N_ELEMENTS(subsystems); i++)
		udev_monitor_filter_add_match_subsystem_devtype(u->monitor, subsystems[i].subsystem,
								NULL);
	if (u->monitor && udev_monitor_enable_receiving(u->monitor) >= 0) {
		udev_monitor_set_receive_buffer_size(u->monitor, RECEIVE_BYTES);
		u->watch = agent_watch(a, udev_monitor_get_fd(u->monitor), on_device, u);
	}
	if (u->watch < 0)
		agent_log(a, LOG_WARNING, "udev", NULL, NULL,
			  "udev's events can't be had: a device that goes is seen at the next "
			  "comparison only");
}

void agent_udev_close(struct agent *a)
{
	struct agent_udev *u = a->udev;

	a->udev = NULL;
	if (!u)
		return;
	if (u->watch >= 0)
		agent_unwatch(a, u->watch);
	if (u->monitor)
		udev_monitor_unref(u->monitor);
	if (u->udev)
		udev_unref(u->udev);
	free(u);
}
