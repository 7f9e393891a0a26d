/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checked access to a mapped index (reader.h). */
#include "lib/osindex/reader.h"

#include <errno.h>

int vw_osi_corrupt(const struct vw_osindex *x, struct vw_err *err)
{
	return vw_err_set(err, -EBADMSG, "%s: the OS index is corrupt; " VW_OSI_REBUILD, x->path);
}

void vw_osi_read(const struct vw_osindex *x, enum vw_osi_section section, size_t i, void *ret,
		 size_t elsize)
{
	memcpy(ret, x->base + x->header.sections[section].offset + i * elsize, elsize);
}

const char *vw_osi_string(const struct vw_osindex *x, uint32_t offset)
{
	const struct vw_osi_range *strings = &x->header.sections[VW_OSI_STRINGS];
	const char *s;

	if (offset >= strings->count)
		return NULL;
	s = (const char *)x->base + strings->offset + offset;
	return strnlen(s, VW_OSI_MAX_STRING + 1) > VW_OSI_MAX_STRING ? NULL : s;
}

const char *vw_osi_key(const struct vw_osindex *x, enum vw_osi_section table, size_t i,
		       uint32_t *ret_os)
{
	struct vw_osi_key key;

	vw_osi_read(x, table, i, &key, sizeof(key));
	*ret_os = key.os;
	return vw_osi_string(x, key.string);
}

size_t vw_osi_lower_bound(const struct vw_osindex *x, enum vw_osi_section table, const char *text,
			  size_t len)
{
	size_t low = 0;
	size_t high = x->header.sections[table].count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint32_t os;
		const char *key = vw_osi_key(x, table, middle, &os);

		if (key && strncmp(key, text, len) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t vw_osindex_count(const struct vw_osindex *x)
{
	return x->header.sections[VW_OSI_OS].count;
}
