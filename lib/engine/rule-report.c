/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* disk-format, shared-memory: what keeps a guest from starting or working, and that the admin
 * alone can put right. Reported, never changed. */
#include "lib/engine/rules.h"
#include "lib/base/text.h"

#include <errno.h>

/* A header that the driver of that name must find. (vmdk and vpc images may begin otherwise.) */
static bool needs_header(const char *format)
{
	return vw_has_word("qcow qcow2 qed vdi vhdx parallels", format);
}

/* (A guest's own disk inside of a file, at an offset, has no header where the file begins.) */
static const char *magic_of(const struct vw_disk_facts *f, const xmlNode *disk)
{
	return f && vw_disk_is(disk, "disk") &&
			       !vw_xml_child(vw_xml_child(disk, "source"), "slices")
		       ? vw_magic_name(f->magic)
		       : "";
}

/* Never the change itself: who writes a qcow2 header into its own raw disk would, as qcow2, read
 * by the name of a backing file what it likes of the host. */
static void note_format(struct vw_ctx *c, const xmlNode *disk, const char *format, const char *seen)
{
	const xmlNode *source = vw_xml_child(disk, "source");
	const char *path = vw_xml_attr(source, "file");
	VW_AUTOFREE char *word = vw_shell_word(path ? path : vw_xml_attr(source, "dev"), "FILE");

	if (!word)
		vw_try(c, -ENOMEM);
	else if (*format && strcmp(format, "raw") != 0)
		vw_note(c, vw_disk_target(disk), format, "", VW_EV_PROVEN,
			"the XML says %s, but the image does not begin as one (it begins as %s): QEMU refuses to start with it; look: qemu-img info --output=json %s; then name the image, or its format in <driver type=…>, with virsh edit",
			format, seen, word);
	else
		vw_note(c, vw_disk_target(disk), *format ? format : "", "", VW_EV_UNKNOWN,
			"the image begins as %s, but is used as raw%s: the guest sees the file, not the disk in it; only if you know that you made it as %s (a guest can write that header itself, to read files of this host) set <driver type='%s'/> with virsh edit; look: qemu-img info --output=json %s",
			seen, *format ? "" : " (the XML says no format)", seen, seen, word);
}

static void disk_format(struct vw_ctx *c, const xmlNode *data)
{
	size_t i = 0;

	(void)data;
	for (xmlNode *d = vw_xml_child(c->devices, "disk"); d; d = vw_xml_next(d, "disk")) {
		const char *seen = magic_of(vw_ctx_disk(c, i++), d);
		const char *said = vw_xml_attr(vw_xml_child(d, "driver"), "type");
		const char *format = said ? said : "";
		bool raw = !*format || !strcmp(format, "raw");

		if (*seen && (raw ? strcmp(seen, "raw") != 0
				  : needs_header(format) && strcmp(seen, format) != 0))
			note_format(c, d, format, seen);
	}
}

const struct vw_rule vw_rule_disk_format = {
	.id = "disk-format",
	.cls = VW_CLASS_HOST,
	.run = disk_format,
	.any_arch = true,
};

/* Is all memory of the guest shared with other processes? A cell's own word goes first. memfd: as
 * QEMU takes it where libvirt says nothing (hostmem-memfd.c). */
static bool memory_is_shared(const struct vw_ctx *c, bool memfd)
{
	const xmlNode *backing = vw_xml_child(c->domain, "memoryBacking");
	const char *mode = vw_xml_attr(vw_xml_child(backing, "access"), "mode");
	const xmlNode *numa = vw_xml_path(c->domain, "cpu/numa");
	bool any = !mode && memfd &&
		   vw_streq(vw_xml_attr(vw_xml_child(backing, "source"), "type"), "memfd");
	bool shared = any || vw_streq(mode, "shared");

	for (xmlNode *n = vw_xml_child(numa, "cell"); n; n = vw_xml_next(n, "cell")) {
		const char *own = vw_xml_attr(n, "memAccess");

		if (own ? strcmp(own, "shared") != 0 : !shared)
			return false;
	}
	return shared || vw_xml_child(numa, "cell");
}

static void note_memory(struct vw_ctx *c, const char *device, const char *harm)
{
	const char *how =
		vw_xml_path(c->domain, "cpu/numa/cell")
			? "set memAccess='shared' on each <cell> of <numa>"
		: vw_xml_child(c->domain, "memoryBacking")
			? "add <access mode='shared'/> inside <memoryBacking>, in place of another <access>"
			: "add <memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>";

	vw_note(c, device, "", "shared", VW_EV_PROVEN,
		"another process of the host works in the guest's memory, which is not shared: %s; %s, with virsh edit",
		harm, how);
}

static void shared_memory(struct vw_ctx *c, const xmlNode *data)
{
	static const char refused[] = "libvirt refuses such a domain";
	bool memfd_too = memory_is_shared(c, true), shared = memory_is_shared(c, false);

	(void)data;
	for (xmlNode *d = vw_xml_first(c->devices); d; d = vw_xml_next(d, NULL)) {
		const char *name = (char *)d->name;
		const char *mac = vw_xml_attr(vw_xml_child(d, "mac"), "address");
		bool vhost = vw_streq(vw_xml_attr(d, "type"), "vhostuser");
		bool fs = vw_streq(vw_xml_attr(vw_xml_child(d, "driver"), "type"), "virtiofs");

		if (!strcmp(name, "interface") && vhost && !memfd_too)
			note_memory(c, mac ? mac : "interface",
				    "it starts, but no packet goes through this card");
		else if (!strcmp(name, "disk") && vhost && !shared)
			note_memory(c, vw_disk_target(d), refused);
		else if (!strcmp(name, "filesystem") && fs && !shared)
			note_memory(c, "filesystem", refused);
	}
}

const struct vw_rule vw_rule_shared_memory = {
	.id = "shared-memory",
	.cls = VW_CLASS_HOST,
	.run = shared_memory,
	.any_arch = true,
};
