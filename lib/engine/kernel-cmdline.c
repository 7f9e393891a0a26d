/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Direct kernel boot: does the kernel's command line name a disk by what it is called on its
 * bus (root=/dev/sda1)? On another bus it is called otherwise, and the guest finds no root. */
#include "lib/engine/rules.h"

#include <ctype.h>

/* What Linux calls disks, by driver; and udev's links whose names hold the bus. The BSDs' and
 * Windows' kernels are not booted so. */
static const char *const by_bus[] = {
	"sd", "hd", "vd", "xvd", "nvme", "sr", "disk/by-path/", "disk/by-id/", "disk/by-diskseq/",
};

/* "sda1", "nvme0n1p2", "disk/by-path/pci-…": not "sdimages". */
static bool is_bus_name(const char *s)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(by_bus); i++) {
		const char *rest = s + strlen(by_bus[i]);
		bool letters = strlen(by_bus[i]) <= 3 && strcmp(by_bus[i], "sr") != 0;

		if (!vw_startswith(s, by_bus[i]))
			continue;
		if (strchr(by_bus[i], '/'))
			return true;
		while (letters && islower((unsigned char)*rest))
			rest++;
		if (letters && rest == s + strlen(by_bus[i]))
			continue;
		while (isdigit((unsigned char)*rest) ||
		       (!letters && (*rest == 'n' || *rest == 'p')))
			rest++;
		if (!isalnum((unsigned char)*rest) && *rest != '_' && *rest != '/')
			return true;
	}
	return false;
}

/* The device number is the driver's, too: root=8:1, root=0801. */
static bool is_number(const char *s, size_t len)
{
	size_t digits = strspn(s, "0123456789abcdef");

	if (digits < len && s[digits] == ':')
		return digits && strspn(s + digits + 1, "0123456789") == len - digits - 1;
	return digits == len && len >= 3 && len <= 5;
}

static bool word_names_disk(const char *word, size_t len)
{
	const char *value = memchr(word, '=', len);
	const char *end = word + len;

	for (const char *p = word; p + 5 < end; p++)
		if (!strncmp(p, "/dev/", 5) && is_bus_name(p + 5))
			return true;
	if (!value || (!vw_startswith(word, "root=") && !vw_startswith(word, "resume=")))
		return false;
	value++;
	return is_bus_name(value) || is_number(value, (size_t)(end - value));
}

static void read_cmdline(struct vw_ctx *c)
{
	const xmlNode *os = vw_xml_child(c->domain, "os");
	const char *s;

	if (!vw_xml_child(os, "kernel"))
		return;
	s = vw_xml_content(c->doc, vw_xml_child(os, "cmdline"));
	for (size_t len; (s += strspn(s, " \t\n"), len = strcspn(s, " \t\n")); s += len)
		if (word_names_disk(s, len)) {
			snprintf(c->kernel_word, sizeof(c->kernel_word), "%.*s",
				 (int)(len < sizeof(c->kernel_word) ? len : sizeof(c->kernel_word)),
				 s);
			return;
		}
}

const char *vw_kernel_names_disk(struct vw_ctx *c)
{
	if (!c->kernel_read)
		read_cmdline(c);
	c->kernel_read = true;
	return *c->kernel_word ? c->kernel_word : NULL;
}
