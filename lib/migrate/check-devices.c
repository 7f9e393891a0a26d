/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Devices that tie a guest to its host. */
#include "lib/migrate/check.h"

static void say(struct vw_judge *j, const char *id, enum vw_severity severity, const char *property,
		const char *remedy, const char *message)
{
	vw_judge_add(
		j,
		&(struct vw_found){
			.id = id, .severity = severity, .property = property, .remedy = remedy },
		"%s", message);
}

/* From here on libvirt asks QEMU for what blocks a migration, in place of rules of its own. */
#define LIBVIRT_ASKS_QEMU 8006000
#define QEMU_MIGRATES_VFIO 8001000     /* if the device's driver can */
#define QEMU_MIGRATES_VIRTIOFS 8002000 /* if virtiofsd can */

/* Is it neither libvirt nor QEMU that refuses, but perhaps the device's driver? */
static bool driver_decides(const struct vw_judge *j, const char *type)
{
	const struct vw_host_facts *src = j->m->src;

	if (src->libvirt < LIBVIRT_ASKS_QEMU)
		return false;
	return !strcmp(type, "scsi") ||
	       ((!strcmp(type, "pci") || !strcmp(type, "mdev")) && src->qemu >= QEMU_MIGRATES_VFIO);
}

/* USB devices are let through by libvirt, and unplugged; a PCI device of a failover
 * pair (<teaming type='transient'/>) is, too. An interface's device is one of PCI. */
static void check_hostdev(struct vw_judge *j, const xmlNode *n)
{
	const xmlNode *teaming = vw_xml_child(n, "teaming");
	const char *type = vw_or_empty(vw_xml_attr(n, "type"));

	if (teaming && vw_streq(vw_xml_attr(teaming, "type"), "transient"))
		return;
	if (!strcmp(type, "usb"))
		say(j, "host-device", VW_SEV_RISK, "hostdev",
		    "virsh detach-device it first, attach one there",
		    "the USB device stays behind: the guest loses it");
	else if (driver_decides(j, vw_streq(type, "hostdev") ? "pci" : type)) {
		j->unknown = true;
		say(j, "hostdev", VW_SEV_INFO, "hostdev",
		    "virsh detach-device it first; or try: a refused migration leaves the guest as it was",
		    "whether this host device migrates only its driver knows");
	} else
		say(j, "hostdev", VW_SEV_BLOCKER, "hostdev",
		    "virsh detach-device it first, attach one there",
		    "libvirt migrates no guest with this host device");
}

static void check_interface(struct vw_judge *j, const xmlNode *n)
{
	const char *type = vw_or_empty(vw_xml_attr(n, "type"));

	if (!strcmp(type, "hostdev"))
		check_hostdev(j, n);
	else if (!strcmp(type, "vdpa") && j->m->src->libvirt &&
		 j->m->src->libvirt < LIBVIRT_ASKS_QEMU)
		say(j, "hostdev", VW_SEV_BLOCKER, "interface", "virsh detach-device it first",
		    "this libvirt migrates no guest with a vDPA device");
	else if (!strcmp(type, "vhostuser") || !strcmp(type, "vdpa"))
		say(j, "vhost-user", VW_SEV_RISK, "interface", "run its back-end on both hosts",
		    "its back-end must be there on the destination, under the same path");
}

static void check_filesystem(struct vw_judge *j, const xmlNode *n)
{
	const xmlNode *driver = vw_xml_child(n, "driver");

	if (driver && vw_streq(vw_xml_attr(driver, "type"), "virtiofs") &&
	    j->m->src->libvirt >= LIBVIRT_ASKS_QEMU && j->m->src->qemu >= QEMU_MIGRATES_VIRTIOFS) {
		j->unknown = true;
		say(j, "virtiofs", VW_SEV_INFO, "filesystem",
		    "unmount and detach it; or try: a refused migration leaves the guest as it was",
		    "whether it migrates only its virtiofsd knows, and both hosts must share the directory");
	} else if (driver && vw_streq(vw_xml_attr(driver, "type"), "virtiofs"))
		say(j, "virtiofs", VW_SEV_BLOCKER, "filesystem",
		    "shut it down, use a network filesystem",
		    "libvirt migrates no guest with virtiofs");
	else
		say(j, "shared-directory", VW_SEV_RISK, "filesystem", "unmount it in the guest",
		    "QEMU refuses while the guest has the directory mounted");
}

static void check_shmem(struct vw_judge *j, const xmlNode *n)
{
	const xmlNode *model = vw_xml_child(n, "model");
	const char *type = model ? vw_or_empty(vw_xml_attr(model, "type")) : "";
	const char *role = vw_or_empty(vw_xml_attr(n, "role"));

	if (!strcmp(type, "ivshmem"))
		say(j, "shmem", VW_SEV_BLOCKER, "shmem", "use ivshmem-plain or ivshmem-doorbell",
		    "shared memory of the old model ivshmem does not migrate");
	else if (strcmp(role, "master") != 0)
		say(j, "shmem", VW_SEV_BLOCKER, "shmem", "virsh detach-device it first",
		    "shared memory migrates in the role master only");
	else
		say(j, "shmem", VW_SEV_RISK, "shmem", "move all guests that share it",
		    "the guests that stay behind no longer share the memory");
}

static void check_tpm(struct vw_judge *j, const xmlNode *n)
{
	const xmlNode *backend = vw_xml_child(n, "backend");
	const char *type = backend ? vw_or_empty(vw_xml_attr(backend, "type")) : "";

	if (!strcmp(type, "passthrough"))
		say(j, "host-device", VW_SEV_RISK, "tpm", "use an emulated TPM",
		    "the host's TPM stays behind, with its keys");
	else if (!strcmp(type, "emulator") && j->to && j->to->caps.n &&
		 !vw_words_have(&j->to->caps, "tpm.backendModel=emulator"))
		say(j, "tpm", VW_SEV_BLOCKER, "tpm", "install swtpm and swtpm-tools there",
		    "the destination has no swtpm");
}

static void check_input(struct vw_judge *j, const xmlNode *n)
{
	const char *type = vw_or_empty(vw_xml_attr(n, "type"));

	if (!strcmp(type, "passthrough") || !strcmp(type, "evdev"))
		say(j, "host-device", VW_SEV_RISK, "input", "virsh detach-device it first",
		    "the host's input device stays behind");
}

static const struct {
	const char *element;
	void (*check)(struct vw_judge *j, const xmlNode *n);
} devices[] = {
	{ "hostdev", check_hostdev },
	{ "interface", check_interface },
	{ "filesystem", check_filesystem },
	{ "shmem", check_shmem },
	{ "tpm", check_tpm },
	{ "input", check_input },
};

void vw_check_devices(struct vw_judge *j)
{
	const xmlNode *all = j->root ? vw_xml_child(j->root, "devices") : NULL;

	if (j->m->flags & VW_MOVE_OFFLINE || !all)
		return;
	for (size_t i = 0; i < VW_N_ELEMENTS(devices); i++)
		for (const xmlNode *n = vw_xml_child(all, devices[i].element); n;
		     n = vw_xml_next(n, devices[i].element))
			devices[i].check(j, n);
}
