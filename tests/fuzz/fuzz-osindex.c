/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer: the OS index. The checksum is mended first, as malice would, so that what
 * lies behind it is reached. Freshness is left out: it would stat the fuzzer's paths. */
#include "lib/osindex/format.h"
#include "lib/osindex/osindex.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_os(struct vw_os *os)
{
	if (!os->id || !os->short_id || !os->name || !os->family || !os->distro || !os->version ||
	    !os->release_date)
		abort();
	for (size_t i = 0; i < os->n_features; i++)
		(void)vw_os_has(os, os->features[i]); /* may not be sorted */
	vw_os_free(os);
}

static void find(struct vw_osindex *x, const char *name)
{
	struct vw_os *os = NULL;
	struct vw_err err = { 0 };
	int r = vw_osindex_find(x, name, &os, &err);

	if (r == 0)
		check_os(os);
	else if (os || err.code != r || !*err.text || strchr(err.text, '\n'))
		abort();
}

static void use(struct vw_osindex *x, const char *name)
{
	static const char *const names[] = { "",           "debian11",
					     "debian12",   "d1",
					     "http://d/1", "http://debian.org/debian/12",
					     "http://d/x" };
	size_t n = vw_osindex_count(x);
	struct vw_os *os = NULL;

	for (size_t i = 0; i < VW_N_ELEMENTS(names); i++)
		find(x, names[i]);
	find(x, name);
	for (size_t i = 0; i < n && i < 16; i++)
		if (vw_osindex_get(x, i, &os, NULL) == 0)
			check_os(os);
	if (vw_osindex_get(x, n, &os, NULL) != -ERANGE)
		abort();
}

/* The first 32 bytes are a name to look for, the rest is the index. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[33] = "";
	VW_AUTOFREE uint8_t *copy = NULL;
	struct vw_osindex *x = NULL;
	struct vw_osi_header h;

	if (size < sizeof(name) - 1)
		return 0;
	memcpy(name, data, sizeof(name) - 1);
	data += sizeof(name) - 1;
	size -= sizeof(name) - 1;
	copy = malloc(size ? size : 1);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (size >= sizeof(h)) {
		memcpy(&h, copy, sizeof(h));
		h.size = size;
		h.checksum = vw_osi_checksum(copy + VW_OSI_COVERED, size - VW_OSI_COVERED);
		memcpy(copy, &h, sizeof(h));
	}
	if (vw_osindex_open_mem(copy, size, &x, NULL) < 0)
		return 0;
	use(x, name);
	vw_osindex_close(x);
	return 0;
}
