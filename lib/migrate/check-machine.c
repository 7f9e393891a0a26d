/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Is there an emulator for this kind of guest, its machine type, its boot files? */
#include "lib/migrate/check.h"

static void check_file(struct vw_judge *j, const char *path, const char *id, const char *property)
{
	VW_AUTOFREE char *remedy = NULL;
	enum vw_known there = *path ? vw_host_file(j->m->dst, path) : VW_YES;

	if (there == VW_YES)
		return;
	if (there == VW_UNKNOWN) {
		vw_judge_unseen(j, property, path);
		return;
	}
	if (asprintf(&remedy, "put %s on %s too", path, j->m->dst->name) < 0)
		remedy = NULL;
	vw_judge_add(j,
		     &(struct vw_found){ .id = id,
					 .severity = VW_SEV_BLOCKER,
					 .property = property,
					 .source = path,
					 .destination = "not there",
					 .remedy = remedy },
		     "the file is not there on the destination");
}

/* Files of QEMU's own packages: only an answer counts, no answer is no reason to doubt. */
static void check_package_file(struct vw_judge *j, const char *path, const char *id,
			       const char *property)
{
	if (vw_host_file(j->m->dst, path) == VW_NO)
		check_file(j, path, id, property);
}

/* The way back: its host had them. */
static void check_boot_files(struct vw_judge *j)
{
	static const char *const paths[] = { "os/kernel", "os/initrd", "os/dtb" };
	const xmlNode *nvram = vw_xml_path(j->root, "os/nvram");
	const char *template = nvram ? vw_xml_attr(nvram, "template") : NULL;
	bool back = j->m->flags & VW_MOVE_BACK && !j->m->dst->n_files;

	for (size_t i = 0; !back && i < VW_N_ELEMENTS(paths); i++)
		check_file(j, vw_judge_text(j, paths[i]), "boot-file-missing", paths[i]);
	check_package_file(j, vw_judge_text(j, "os/loader"), "boot-file-missing", "os/loader");
	if (template)
		check_package_file(j, template, "boot-file-missing", "os/nvram template");
	check_package_file(j, vw_judge_text(j, "devices/emulator"), "emulator-missing", "emulator");
}

static void check_machine(struct vw_judge *j)
{
	const xmlNode *type = vw_xml_path(j->root, "os/type");
	const char *machine = type ? vw_xml_attr(type, "machine") : NULL;

	if (!machine || !j->to->machines.n || vw_words_have(&j->to->machines, machine))
		return;
	vw_judge_add(
		j,
		&(struct vw_found){
			.id = "machine-missing",
			.severity = VW_SEV_BLOCKER,
			.property = "machine",
			.source = machine,
			.remedy =
				"a newer QEMU there, or an older machine type for this guest (at its next cold boot)" },
		"the destination's QEMU does not know the machine type %s", machine);
}

void vw_check_machine(struct vw_judge *j)
{
	const char *type = j->root ? vw_xml_attr(j->root, "type") : "kvm or qemu";

	if (!j->to) {
		if (vw_host_unasked(j->m->dst, "capabilities")) {
			vw_judge_unknown(j, j->m->dst, "capabilities", "virt-type");
			return;
		}
		vw_judge_add(
			j,
			&(struct vw_found){
				.id = "virt-type",
				.severity = VW_SEV_BLOCKER,
				.property = "domain type",
				.source = type,
				.remedy =
					"enable virtualisation in the firmware of that host, load kvm_intel or kvm_amd" },
			"the destination runs no guests of type %s", vw_or_empty(type));
		return;
	}
	if (!j->root)
		return;
	check_machine(j);
	check_boot_files(j);
}
