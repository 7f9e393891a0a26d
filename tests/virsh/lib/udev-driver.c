/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a program on a mocked /sys, /dev and udev (start it by umockdev-wrapper), and adds and
 * removes devices as stdin says: "add DEVICE", "remove DEVICE". Ends at its end. */
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <umockdev.h>
#include <unistd.h>

static const struct {
	const char *name, *path, *text;
} devices[] = {
	{ "lun", "/sys/devices/virtual/block/sdz",
	  "P: /devices/virtual/block/sdz\nN: sdz\nS: disk/by-id/wwn-0xtest\n"
	  "E: SUBSYSTEM=block\nE: DEVTYPE=disk\nE: DEVNAME=/dev/sdz\n"
	  "E: DEVLINKS=/dev/disk/by-id/wwn-0xtest\nE: ID_WWN=0xtest\n" },
	{ "bridge", "/sys/devices/virtual/net/brtest",
	  "P: /devices/virtual/net/brtest\nE: SUBSYSTEM=net\nE: INTERFACE=brtest\n" },
	{ "pci", "/sys/devices/pci0000:00/0000:0b:00.1",
	  "P: /devices/pci0000:00/0000:0b:00.1\nE: SUBSYSTEM=pci\nE: PCI_SLOT_NAME=0000:0b:00.1\n" },
	{ "usb", "/sys/devices/pci0000:00/usb1/1-4",
	  "P: /devices/pci0000:00/usb1/1-4\nE: SUBSYSTEM=usb\nE: DEVTYPE=usb_device\n"
	  "E: PRODUCT=46d/c52b/1201\nE: BUSNUM=001\nE: DEVNUM=004\n"
	  "A: idVendor=046d\nA: idProduct=c52b\nA: busnum=1\nA: devnum=4\n" },
	{ "scsi", "/sys/devices/pci0000:00/host2/target2:0:0/2:0:0:1",
	  "P: /devices/pci0000:00/host2/target2:0:0/2:0:0:1\n"
	  "E: SUBSYSTEM=scsi\nE: DEVTYPE=scsi_device\n" },
	{ "mdev", "/sys/devices/pci0000:00/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
	  "P: /devices/pci0000:00/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001\nE: SUBSYSTEM=mdev\n" },
};

/* What umockdev leaves behind of a removed device, and stumbles over when it comes again. */
static const char *const leftovers[] = { "sys/block/sdz", "dev/sdz", "dev/disk/by-id/wwn-0xtest" };

static void sweep(UMockdevTestbed *bed)
{
	char *root = umockdev_testbed_get_root_dir(bed);

	for (size_t i = 0; i < G_N_ELEMENTS(leftovers); i++) {
		char *path = g_build_filename(root, leftovers[i], NULL);

		unlink(path);
		g_free(path);
	}
	g_free(root);
}

static void obey(UMockdevTestbed *bed, const char *verb, const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(devices); i++) {
		if (strcmp(devices[i].name, name) != 0)
			continue;
		if (!strcmp(verb, "add")) {
			umockdev_testbed_add_from_string(bed, devices[i].text, NULL);
			umockdev_testbed_uevent(bed, devices[i].path, "add");
		} else {
			umockdev_testbed_uevent(bed, devices[i].path, "remove");
			umockdev_testbed_remove_device(bed, devices[i].path);
			if (i == 0)
				sweep(bed);
		}
	}
}

int main(int argc, char **argv)
{
	UMockdevTestbed *bed = umockdev_testbed_new();
	char verb[16], name[16];
	pid_t pid;

	if (argc < 2)
		return 2;
	pid = fork();
	if (pid == 0) {
		execv(argv[1], argv + 1);
		_exit(127);
	}
	while (scanf("%15s %15s", verb, name) == 2)
		obey(bed, verb, name);
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	g_object_unref(bed);
	return 0;
}
