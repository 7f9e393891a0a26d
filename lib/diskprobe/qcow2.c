/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walk through a qcow2 image's tables (qcow2.h). Nothing is allocated and no
 * number of the file is trusted: offsets must lie inside the file, and no more
 * L2 tables are read than the file has clusters. */
#include "lib/diskprobe/qcow2.h"

#include <errno.h>

/* QEMU docs/interop/qcow2.txt, "Header"; QEMU refuses an L1 table above 32 MiB. */
#define MAGIC 0x514649fbu /* "QFI\xfb" */
#define HEADER_V2 72
#define HEADER_V3 104
#define CLUSTER_BITS_MIN 9
#define CLUSTER_BITS_MAX 21
#define L1_BYTES_MAX (32u * 1024 * 1024)

#define INCOMPAT_CORRUPT (1u << 1)
#define INCOMPAT_EXTENDED_L2 (1u << 4)
/* Dirty (bit 0: refcounts only) and compression type (bit 3) don't matter here;
 * bit 2 (the data lies in another file) and unknown bits do. */
#define INCOMPAT_KNOWN ((1u << 0) | INCOMPAT_CORRUPT | (1u << 3) | INCOMPAT_EXTENDED_L2)

#define ENTRY_COPIED (UINT64_C(1) << 63)
#define L1_OFFSET UINT64_C(0x00fffffffffffe00)
#define L2_COMPRESSED (UINT64_C(1) << 62)
#define L2_ZERO UINT64_C(1)

#define CHUNK 4096

struct image {
	vw_qcow2_read read;
	void *ctx;
	uint64_t size;
	uint32_t version;
	unsigned cluster_bits;
	bool extended_l2;
	uint64_t l1_offset;
	uint32_t l1_entries;
	uint64_t tables_left; /* how many L2 tables may still be read */
	uint64_t disk_size;
};

static const char corrupt[] = "its qcow2 header or tables are damaged";

static struct vw_qcow2_answer say(enum vw_known blank, const char *why)
{
	return (struct vw_qcow2_answer){ .blank = blank, .why = why };
}

static struct vw_qcow2_answer failed(int error)
{
	if (error == -ENODATA)
		return say(VW_UNKNOWN, corrupt);
	if (error == -ETIMEDOUT)
		return say(VW_UNKNOWN, "its tables are too large to read in time");
	return (struct vw_qcow2_answer){ .blank = VW_UNKNOWN,
					 .error = error,
					 .why = "it can't be read" };
}

static uint32_t be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t be64(const unsigned char *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

/* Does [off, off + len) lie inside the file? */
static bool inside(const struct image *img, uint64_t off, uint64_t len)
{
	return off <= img->size && len <= img->size - off;
}

/* Version 3 has feature bits behind the fields of version 2. */
static struct vw_qcow2_answer check_features(struct image *img, const unsigned char *header)
{
	uint64_t incompat = be64(header + 72);

	if (be32(header + 100) < HEADER_V3 || (incompat & INCOMPAT_CORRUPT))
		return say(VW_UNKNOWN, corrupt);
	if (incompat & ~(uint64_t)INCOMPAT_KNOWN)
		return say(VW_NO, "it uses qcow2 features that are not looked into");
	img->extended_l2 = incompat & INCOMPAT_EXTENDED_L2;
	return say(VW_YES, "");
}

/* YES: nothing so far that would forbid it. */
static struct vw_qcow2_answer read_header(struct image *img)
{
	unsigned char header[HEADER_V3] = { 0 };
	struct vw_qcow2_answer answer = say(VW_YES, "");
	uint64_t virtual_size, per_l1;
	int r = img->read(img->ctx, 0, header, HEADER_V2);

	if (r < 0)
		return failed(r);
	img->version = be32(header + 4);
	if (be32(header) != MAGIC)
		return say(VW_UNKNOWN, "it is not qcow2");
	if (img->version != 2 && img->version != 3)
		return say(VW_UNKNOWN, "its qcow2 version is not known");
	img->disk_size = be64(header + 24);
	if (img->version == 3)
		r = img->read(img->ctx, 0, header, HEADER_V3);
	if (r < 0)
		return failed(r);
	if (be64(header + 8))
		return say(VW_NO, "it has a backing file");
	if (be32(header + 60))
		return say(VW_NO, "it has internal snapshots");
	if (img->version == 3)
		answer = check_features(img, header);
	if (answer.blank != VW_YES)
		return answer;
	img->cluster_bits = be32(header + 20);
	virtual_size = be64(header + 24);
	img->l1_entries = be32(header + 36);
	img->l1_offset = be64(header + 40);
	if (img->cluster_bits < CLUSTER_BITS_MIN || img->cluster_bits > CLUSTER_BITS_MAX ||
	    virtual_size > INT64_MAX)
		return say(VW_UNKNOWN, corrupt);
	/* One L1 entry covers an L2 table's worth of clusters. */
	per_l1 = UINT64_C(1) << (2 * img->cluster_bits - (img->extended_l2 ? 4 : 3));
	if (img->l1_entries > L1_BYTES_MAX / 8 ||
	    (virtual_size + per_l1 - 1) / per_l1 > img->l1_entries ||
	    (img->l1_offset & ((UINT64_C(1) << img->cluster_bits) - 1)) ||
	    !inside(img, img->l1_offset, (uint64_t)img->l1_entries * 8))
		return say(VW_UNKNOWN, corrupt);
	img->tables_left = img->size >> img->cluster_bits;
	return answer;
}

/* Is the cluster that this entry describes without data for sure? */
static bool empty_entry(const struct image *img, uint64_t entry, uint64_t subclusters)
{
	if (entry & L2_COMPRESSED)
		return false;
	if (img->extended_l2) /* low half: allocated, high half: reads as zero */
		return !(uint32_t)subclusters && !(entry & L2_ZERO);
	return !entry || (img->version == 3 && (entry & L2_ZERO));
}

static struct vw_qcow2_answer walk_l2(struct image *img, uint64_t off)
{
	const size_t step = img->extended_l2 ? 16 : 8;
	const uint64_t len = UINT64_C(1) << img->cluster_bits;
	unsigned char chunk[CHUNK];

	if (!img->tables_left || (off & (len - 1)) || !off || !inside(img, off, len))
		return say(VW_UNKNOWN, corrupt);
	img->tables_left--;
	for (uint64_t done = 0; done < len;) {
		size_t n = len - done < CHUNK ? (size_t)(len - done) : CHUNK;
		int r = img->read(img->ctx, off + done, chunk, n);

		if (r < 0)
			return failed(r);
		for (size_t i = 0; i < n; i += step)
			if (!empty_entry(img, be64(chunk + i),
					 step == 16 ? be64(chunk + i + 8) : 0))
				return say(VW_NO, "it has allocated clusters");
		done += n;
	}
	return say(VW_YES, "");
}

static struct vw_qcow2_answer walk_l1(struct image *img)
{
	const uint64_t len = (uint64_t)img->l1_entries * 8;
	struct vw_qcow2_answer answer = say(VW_YES, "");
	unsigned char chunk[CHUNK];

	for (uint64_t done = 0; done < len;) {
		size_t n = len - done < CHUNK ? (size_t)(len - done) : CHUNK;
		int r = img->read(img->ctx, img->l1_offset + done, chunk, n);

		if (r < 0)
			return failed(r);
		for (size_t i = 0; i < n; i += 8) {
			uint64_t entry = be64(chunk + i);

			if (!entry)
				continue;
			if (entry & ~(L1_OFFSET | ENTRY_COPIED))
				return say(VW_UNKNOWN, corrupt);
			answer = walk_l2(img, entry & L1_OFFSET);
			if (answer.blank != VW_YES)
				return answer;
		}
		done += n;
	}
	return answer;
}

struct vw_qcow2_answer vw_qcow2_blank(vw_qcow2_read read, void *ctx, uint64_t size)
{
	struct image img = { .read = read, .ctx = ctx, .size = size };
	struct vw_qcow2_answer answer = read_header(&img);

	if (answer.blank == VW_YES)
		answer = walk_l1(&img);
	answer.disk_size = img.disk_size;
	return answer;
}
