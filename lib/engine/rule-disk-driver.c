/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* disk-cache, disk-io, disk-discard, disk-iothread: what the host does for a disk; the guest
 * can't see it. */
#include "lib/engine/cache-policy.h"
#include "lib/engine/rules.h"

static xmlNode *need_driver(struct vw_ctx *c, xmlNode *disk)
{
	xmlNode *driver = vw_xml_child(disk, "driver");

	if (driver)
		return driver;
	driver = vw_need_child(c, disk, "driver");
	if (driver)
		vw_try(c, vw_xml_set_attr(c->doc, driver, "name", "qemu"));
	return driver;
}

static const char *driver_attr(const xmlNode *disk, const char *name)
{
	return vw_xml_attr(vw_xml_child(disk, "driver"), name);
}

/* A disk that is written to: no CD-ROM, not read-only, not empty, of a kind that QEMU opens. */
static bool is_written(const xmlNode *disk)
{
	const char *type = vw_xml_attr(disk, "type");

	if (vw_xml_child(disk, "readonly") || !vw_disk_has_source(disk) ||
	    !vw_disk_is(disk, "disk"))
		return false;
	return !type || (strcmp(type, "vhostuser") != 0 && strcmp(type, "vhostvdpa") != 0 &&
			 strcmp(type, "dir") != 0);
}

static void disk_cache(struct vw_ctx *c, const xmlNode *data)
{
	size_t i = 0;

	(void)data;
	for (xmlNode *d = vw_xml_child(c->devices, "disk"); d; d = vw_xml_next(d, "disk")) {
		const struct vw_disk_facts *facts = vw_ctx_disk(c, i++);
		struct vw_finding f = { 0 };
		enum vw_cache_verdict v = vw_cache_judge_with(d, facts, c->policy, c->fix_command,
							      &f);

		if (v == VW_CACHE_FIX && vw_decide(c, f.device, f.before, f.after, f.message))
			vw_try(c, vw_cache_apply(c->doc, d, c->policy));
		else if (v == VW_CACHE_REPORT)
			vw_note(c, f.device, f.before, f.after, f.evidence, "%s", f.message);
		if (v != VW_CACHE_OK)
			vw_finding_clear(&f);
	}
}

const struct vw_rule vw_rule_disk_cache = {
	.id = "disk-cache",
	.cls = VW_CLASS_HOST,
	.run = disk_cache,
	.any_arch = true,
};

/* The template's word for what the disk lies on: block device, fully allocated raw
 * file, any other file. NULL: unknown, or no opinion. */
static const char *io_for(const struct vw_disk_facts *f, const xmlNode *disk, const xmlNode *data)
{
	const char *type = driver_attr(disk, "type");

	if (!f)
		return NULL;
	if (f->block == VW_YES)
		return vw_xml_attr(data, "block");
	if (f->block == VW_NO && f->allocated == VW_YES && (!type || !strcmp(type, "raw")))
		return vw_xml_attr(data, "allocated");
	return f->block == VW_NO ? vw_xml_attr(data, "file") : NULL;
}

/* io=native needs O_DIRECT: cache none or directsync (qemuDomainDeviceDiskDefValidate… 9.0). */
static bool cache_is_direct(const xmlNode *disk)
{
	const char *cache = driver_attr(disk, "cache");

	return vw_streq(cache, "none") || vw_streq(cache, "directsync");
}

/* By what the I/O gets to the LUN. Which device it is decides the admin: another one would be
 * another disk. */
static void note_lun(struct vw_ctx *c, const xmlNode *disk, const struct vw_disk_facts *f)
{
	const char *path = vw_xml_attr(vw_xml_child(disk, "source"), "dev");

	if (!f || !path || !*f->better || !strcmp(path, f->better))
		return;
	if (f->one_path == VW_YES)
		vw_note(c, vw_disk_target(disk), path, f->better, VW_EV_PROVEN,
			"one path of a multipath device: when that fails the guest's disk is gone, "
			"and the others do not help; name the multipath device in the XML: virsh edit");
	else
		vw_note(c, vw_disk_target(disk), path, f->better, VW_EV_PROVEN,
			"after a reboot, or on the destination of a migration, this name may be "
			"another device's; name it by its WWN in the XML: virsh edit");
}

static void disk_io(struct vw_ctx *c, const xmlNode *data)
{
	size_t i = 0;

	for (xmlNode *d = vw_xml_child(c->devices, "disk"); d; d = vw_xml_next(d, "disk"))
		note_lun(c, d, vw_ctx_disk(c, i++));
	i = 0;
	for (xmlNode *d = vw_xml_child(c->devices, "disk"); d; d = vw_xml_next(d, "disk")) {
		const char *want = io_for(vw_ctx_disk(c, i++), d, data);
		xmlNode *driver;

		if (!want || !is_written(d) || driver_attr(d, "io"))
			continue;
		if (!strcmp(want, "native") && !cache_is_direct(d))
			continue;
		if (!vw_decide(c, vw_disk_target(d), "", want,
			       "fewer threads and context switches per request"))
			continue;
		driver = need_driver(c, d);
		if (driver)
			vw_try(c, vw_xml_set_attr(c->doc, driver, "io", want));
	}
}

const struct vw_rule vw_rule_disk_io = {
	.id = "disk-io",
	.cls = VW_CLASS_HOST,
	.run = disk_io,
	.needs_template = true,
	.any_arch = true,
};

/* Is it used as raw, though it begins as another format? */
static bool is_in_doubt(const struct vw_disk_facts *f, const xmlNode *disk)
{
	const char *format = driver_attr(disk, "type");
	const char *seen = vw_magic_name(f->magic);

	return (!format || !strcmp(format, "raw")) && *seen && strcmp(seen, "raw") != 0;
}

static void disk_discard(struct vw_ctx *c, const xmlNode *data)
{
	size_t i = 0;
	char want[16];

	if (!vw_choose(c, data, "prefer", NULL, want, sizeof(want)))
		return;
	for (xmlNode *d = vw_xml_child(c->devices, "disk"); d; d = vw_xml_next(d, "disk")) {
		const struct vw_disk_facts *f = vw_ctx_disk(c, i++);
		bool thin;
		xmlNode *driver;

		if (!f || f->discard != VW_YES || !is_written(d) || driver_attr(d, "discard"))
			continue;
		/* an image file that was given its room beforehand was so on purpose: one
		 * discard by the guest would give it back. Nor where the format is in doubt
		 * (disk-format): a discard would go to the wrong place */
		thin = f->block == VW_YES || f->allocated == VW_NO;
		if (!thin || is_in_doubt(f, d) ||
		    !vw_decide(c, vw_disk_target(d), "", want,
			       "space that the guest frees goes back to the host"))
			continue;
		driver = need_driver(c, d);
		if (driver)
			vw_try(c, vw_xml_set_attr(c->doc, driver, "discard", want));
	}
}

const struct vw_rule vw_rule_disk_discard = {
	.id = "disk-discard",
	.cls = VW_CLASS_HOST,
	.run = disk_discard,
	.needs_template = true,
	.any_arch = true,
};

/* QEMU refuses an iothread where the driver says ioeventfd=off (virtio_blk_data_plane_create, 7.2). */
static bool takes_iothread(const xmlNode *device)
{
	return !driver_attr(device, "iothread") &&
	       !vw_streq(driver_attr(device, "ioeventfd"), "off");
}

static bool wants_iothread(const xmlNode *disk)
{
	const char *type = vw_xml_attr(disk, "type");

	return vw_disk_is(disk, "disk") && !strcmp(vw_disk_bus(disk), "virtio") &&
	       takes_iothread(disk) && !vw_streq(type, "vhostuser") &&
	       !vw_streq(vw_xml_attr(vw_xml_child(disk, "address"), "type"), "virtio-mmio");
}

static bool is_virtio_scsi(const xmlNode *controller)
{
	return vw_streq(vw_xml_attr(controller, "type"), "scsi") &&
	       vw_streq(vw_xml_attr(controller, "model"), "virtio-scsi") &&
	       takes_iothread(controller);
}

static long count_users(const struct vw_ctx *c)
{
	long n = 0;

	for (xmlNode *d = vw_xml_first(c->devices); d; d = vw_xml_next(d, NULL)) {
		if (!strcmp((char *)d->name, "disk"))
			n += wants_iothread(d);
		else if (!strcmp((char *)d->name, "controller"))
			n += is_virtio_scsi(d);
	}
	return n;
}

static void give_iothread(struct vw_ctx *c, xmlNode *device, long number)
{
	xmlNode *driver = !strcmp((char *)device->name, "disk")
				  ? need_driver(c, device)
				  : vw_need_child(c, device, "driver");
	char text[24];

	snprintf(text, sizeof(text), "%ld", number);
	if (driver)
		vw_try(c, vw_xml_set_attr(c->doc, driver, "iothread", text));
}

/* Where the emulator's threads are pinned the new ones go there, too: else they would run on the
 * cores that the vCPUs have for themselves. */
static void pin_iothreads(struct vw_ctx *c, long threads)
{
	xmlNode *tune = vw_xml_child(c->domain, "cputune");
	xmlNode *at = vw_xml_child(tune, "emulatorpin");
	const char *cpus = vw_xml_attr(at, "cpuset");
	char text[24];

	for (long i = 1; cpus && i <= threads && !c->error; i++) {
		vw_try(c, vw_xml_add(c->doc, tune, at, "iothreadpin", &at));
		snprintf(text, sizeof(text), "%ld", i);
		if (c->error)
			return;
		vw_try(c, vw_xml_set_attr(c->doc, at, "iothread", text));
		vw_try(c, vw_xml_set_attr(c->doc, at, "cpuset", cpus));
	}
}

static void add_iothreads(struct vw_ctx *c, long threads, const char *text)
{
	xmlNode *n = NULL;
	long i = 0;

	vw_try(c, vw_xml_add(c->doc, c->domain, vw_xml_child(c->domain, "vcpu"), "iothreads", &n));
	if (c->error)
		return;
	vw_try(c, vw_xml_set_content(c->doc, n, text));
	pin_iothreads(c, threads);
	for (n = vw_xml_first(c->devices); n; n = vw_xml_next(n, NULL)) {
		bool user = !strcmp((char *)n->name, "disk")
				    ? wants_iothread(n)
				    : !strcmp((char *)n->name, "controller") && is_virtio_scsi(n);

		if (user)
			give_iothread(c, n, 1 + i++ % threads);
	}
}

static void disk_iothread(struct vw_ctx *c, const xmlNode *data)
{
	static const char why[] = "disk requests need not wait for the emulator's main loop";
	const xmlNode *tune = vw_xml_child(c->domain, "cputune");
	long max = vw_number(data, "max", 1, 64, 0);
	long users = max ? count_users(c) : 0;
	long threads = users < max ? users : max;
	char text[24];

	/* an admin who set up iothreads has a plan of his own */
	if (!users || vw_xml_child(c->domain, "iothreads") ||
	    vw_xml_child(c->domain, "iothreadids") || vw_xml_child(tune, "iothreadpin") ||
	    vw_xml_child(tune, "iothreadsched") ||
	    vw_caps_has(c->caps, "iothreads.supported", "yes") == VW_NO)
		return;
	snprintf(text, sizeof(text), "%ld", threads);
	if (vw_xml_child(tune, "vcpupin") && !vw_xml_child(tune, "emulatorpin")) {
		vw_note(c, "domain", "", text, VW_EV_UNKNOWN,
			"%s; not done, because the vCPUs are pinned and <emulatorpin> does not say where other threads are to run: add it with virsh edit, then %s",
			why, c->fix_command);
		return;
	}
	if (vw_decide(c, "domain", "", text, why))
		add_iothreads(c, threads, text);
}

const struct vw_rule vw_rule_disk_iothread = {
	.id = "disk-iothread",
	.cls = VW_CLASS_HOST,
	.run = disk_iothread,
	.needs_template = true,
};
