/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which format's header does an image begin with? (Runs in the child.) The numbers are those of
 * QEMU's block drivers, block/NAME.c, each of which names its format's own description. */
#include "lib/diskprobe/probe-internal.h"

#include <errno.h>

#define MAGIC(format, offset, text)                    \
	{                                              \
		format, offset, sizeof(text) - 1, text \
	}

static const struct {
	enum vw_magic format;
	uint8_t offset, len;
	const char *text;
} known[] = {
	MAGIC(VW_MAGIC_QCOW, 0, "QFI\xfb\0\0\0\1"),
	MAGIC(VW_MAGIC_QCOW2, 0, "QFI\xfb"),
	MAGIC(VW_MAGIC_QED, 0, "QED\0"),
	MAGIC(VW_MAGIC_VMDK, 0, "KDMV"),
	MAGIC(VW_MAGIC_VMDK, 0, "COWD"),
	MAGIC(VW_MAGIC_VMDK, 0, "# Disk DescriptorFile"),
	MAGIC(VW_MAGIC_VDI, 64, "\x7f\x10\xda\xbe"),
	MAGIC(VW_MAGIC_VHDX, 0, "vhdxfile"),
	MAGIC(VW_MAGIC_VPC, 0, "conectix"),
	MAGIC(VW_MAGIC_PARALLELS, 0, "WithoutFreeSpace"),
	MAGIC(VW_MAGIC_PARALLELS, 0, "WithouFreSpacExt"),
};

enum vw_magic vw_source_magic(struct vw_source *s)
{
	char head[68] = { 0 }; /* the longest way in: VDI's, 64 + 4 */

	if (vw_source_read(s, 0, head, s->size < sizeof(head) ? (size_t)s->size : sizeof(head)) < 0)
		return VW_MAGIC_UNKNOWN;
	for (size_t i = 0; i < VW_N_ELEMENTS(known); i++)
		if (!memcmp(head + known[i].offset, known[i].text, known[i].len))
			return known[i].format;
	return VW_MAGIC_NONE;
}
