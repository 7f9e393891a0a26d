/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Open, check and search the OS index.
 *
 * At open: size, magic, version, checksum, the bounds of every section, and
 * that the strings end with a NUL. At access: every index and string offset.
 * So no content can lead outside the buffer, whatever wrote it. The builder
 * replaces the file by rename, so the mapping never shrinks under a reader. */
#include "lib/base/open.h"
#include "lib/osindex/reader.h"

#include <errno.h>
#include <sys/mman.h>

static const size_t element_size[VW_OSI_SECTIONS] = {
	[VW_OSI_OS] = sizeof(struct vw_osi_os),        [VW_OSI_IDS] = sizeof(struct vw_osi_key),
	[VW_OSI_SHORTS] = sizeof(struct vw_osi_key),   [VW_OSI_LISTS] = sizeof(uint32_t),
	[VW_OSI_PLACES] = sizeof(struct vw_osi_place), [VW_OSI_STRINGS] = 1,
};

/* Four lanes, so that the multiplications overlap. */
uint64_t vw_osi_checksum(const void *data, size_t len)
{
	const unsigned char *p = data;
	const uint64_t prime = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t lane[4] = { len, 1, 2, 3 };
	uint64_t sum = 0;

	for (; len >= sizeof(lane); p += sizeof(lane), len -= sizeof(lane))
		for (size_t i = 0; i < VW_N_ELEMENTS(lane); i++) {
			uint64_t word;

			memcpy(&word, p + i * sizeof(word), sizeof(word));
			lane[i] = (lane[i] ^ word) * prime;
			lane[i] ^= lane[i] >> 29;
		}
	for (; len; p++, len--) {
		lane[0] = (lane[0] ^ *p) * prime;
		lane[0] ^= lane[0] >> 29;
	}
	for (size_t i = 0; i < VW_N_ELEMENTS(lane); i++)
		sum = (sum ^ lane[i] ^ (lane[i] >> 32)) * prime;
	return sum ^ (sum >> 32);
}

static int check_sections(const struct vw_osindex *x)
{
	const struct vw_osi_range *strings = &x->header.sections[VW_OSI_STRINGS];

	for (size_t i = 0; i < VW_OSI_SECTIONS; i++) {
		const struct vw_osi_range *r = &x->header.sections[i];

		/* 32 bits each, times at most 64: no overflow in 64 bits */
		if (r->offset < sizeof(x->header) ||
		    r->offset + (uint64_t)r->count * element_size[i] > x->size)
			return -EBADMSG;
	}
	if (strings->count && x->base[strings->offset + strings->count - 1] != '\0')
		return -EBADMSG;
	return 0;
}

static int check(struct vw_osindex *x, struct vw_err *err)
{
	struct vw_osi_header *h = &x->header;

	if (x->size < sizeof(*h) || x->size > VW_OSI_MAX_SIZE)
		return vw_osi_corrupt(x, err);
	memcpy(h, x->base, sizeof(*h));
	if (memcmp(h->magic, VW_OSI_MAGIC, sizeof(h->magic)) != 0)
		return vw_osi_corrupt(x, err);
	if (h->byte_order != VW_OSI_BYTE_ORDER || h->version != VW_OSI_VERSION)
		return vw_err_set(err, -ESTALE,
				  "%s: the OS index was built by another version of "
				  "virt-warden; " VW_OSI_REBUILD,
				  x->path);
	if (h->size != x->size ||
	    h->checksum != vw_osi_checksum(x->base + VW_OSI_COVERED, x->size - VW_OSI_COVERED))
		return vw_osi_corrupt(x, err);
	if (check_sections(x) < 0)
		return vw_osi_corrupt(x, err);
	return 0;
}

static void cleanup_osindex(struct vw_osindex **x)
{
	vw_osindex_close(*x);
}

static int new_osindex(const char *path, struct vw_osindex **ret, struct vw_err *err)
{
	struct vw_osindex *x = calloc(1, sizeof(*x));

	if (x)
		x->path = strdup(path);
	if (!x || !x->path) {
		free(x);
		return vw_err_set(err, -ENOMEM, "%s: out of memory", path);
	}
	*ret = x;
	return 0;
}

static int open_regular(const char *path, int *ret_fd, size_t *ret_size, struct vw_err *err)
{
	struct stat st;
	VW_AUTOCLOSE int fd = vw_open(AT_FDCWD, path, 0, &st, NULL);

	if (fd == -ENOENT)
		return vw_err_set(err, -ENOENT,
				  "%s: the OS index has not been built; " VW_OSI_REBUILD, path);
	if (fd < 0 && fd != -EINVAL)
		return vw_err_set(err, fd, "%s: can't open the OS index: %s; check its permissions",
				  path, strerror(-fd));
	if (fd < 0 || st.st_size < (off_t)sizeof(struct vw_osi_header) ||
	    st.st_size > (off_t)VW_OSI_MAX_SIZE)
		return vw_err_set(err, -EBADMSG, "%s: this is not an OS index; " VW_OSI_REBUILD,
				  path);
	*ret_fd = fd;
	*ret_size = (size_t)st.st_size;
	fd = -1;
	return 0;
}

int vw_osindex_open(const char *path, struct vw_osindex **ret, struct vw_err *err)
{
	VW_CLEANUP(cleanup_osindex) struct vw_osindex *x = NULL;
	VW_AUTOCLOSE int fd = -1;
	size_t size = 0;
	void *map;
	int r;

	r = open_regular(path, &fd, &size, err);
	if (r < 0)
		return r;
	r = new_osindex(path, &x, err);
	if (r < 0)
		return r;
	map = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED)
		return vw_err_set(err, -errno, "%s: can't map the OS index: %s", path,
				  strerror(errno));
	x->map = map;
	x->base = map;
	x->size = size;
	r = check(x, err);
	if (r < 0)
		return r;
	*ret = vw_steal(x);
	return 0;
}

int vw_osindex_open_mem(const void *buf, size_t len, struct vw_osindex **ret, struct vw_err *err)
{
	VW_CLEANUP(cleanup_osindex) struct vw_osindex *x = NULL;
	int r;

	r = new_osindex("(memory)", &x, err);
	if (r < 0)
		return r;
	x->base = buf;
	x->size = len;
	r = check(x, err);
	if (r < 0)
		return r;
	*ret = vw_steal(x);
	return 0;
}

void vw_osindex_close(struct vw_osindex *x)
{
	if (!x)
		return;
	if (x->map)
		munmap(x->map, x->size);
	free(x->path);
	free(x);
}

int vw_osindex_find(struct vw_osindex *x, const char *id, struct vw_os **ret, struct vw_err *err)
{
	enum vw_osi_section table = strstr(id, "://") ? VW_OSI_IDS : VW_OSI_SHORTS;
	size_t i = vw_osi_lower_bound(x, table, id, strlen(id) + 1);
	int r;

	if (i < x->header.sections[table].count) {
		uint32_t os;

		if (vw_streq(vw_osi_key(x, table, i, &os), id))
			return vw_osi_load(x, os, ret, err);
	}
	r = vw_osi_stand_in(x, table, id, ret, err);
	return r == -ENOENT ? vw_osi_not_found(x, table, id, err) : r;
}

int vw_osindex_get(struct vw_osindex *x, size_t i, struct vw_os **ret, struct vw_err *err)
{
	if (i >= vw_osindex_count(x))
		return vw_err_set(err, -ERANGE, "%s: no OS number %zu", x->path, i);
	return vw_osi_load(x, (uint32_t)i, ret, err);
}
