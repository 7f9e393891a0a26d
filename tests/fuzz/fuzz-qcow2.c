/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer: the walk through a qcow2 image's tables. It reads inside the file only,
 * and no more than a header, an L1 table and every cluster once. */
#include "lib/diskprobe/qcow2.h"

#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
	uint64_t read;
};

static int read_input(void *ctx, uint64_t off, void *buf, size_t len)
{
	struct input *in = ctx;

	if (off > in->size || len > in->size - off)
		return -ENODATA;
	memcpy(buf, in->data + off, len);
	in->read += len;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size, 0 };
	struct vw_qcow2_answer a = vw_qcow2_blank(read_input, &in, size);

	if (in.read > 2 * (uint64_t)size + 256)
		abort();
	if (a.error || !a.why || (a.blank == VW_YES) != !*a.why)
		abort();
	/* A backing file or a snapshot must never be overlooked. */
	if (a.blank == VW_YES && (size < 72 || memcmp(data + 8, "\0\0\0\0\0\0\0", 8) != 0 ||
				  memcmp(data + 60, "\0\0\0", 4) != 0))
		abort();
	return 0;
}
