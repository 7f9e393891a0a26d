/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does a qcow2 image hold anything? Reads the header, the L1 table and the L2
 * tables, all hostile; the format is described in QEMU's docs/interop/qcow2.txt. */
#ifndef VW_QCOW2_H
#define VW_QCOW2_H

#include "lib/engine/facts.h"

/* Read len bytes at off, all of them. Return: 0 or negative errno; -ENODATA
 * beyond the end, -ETIMEDOUT when there is no more time. */
typedef int (*vw_qcow2_read)(void *ctx, uint64_t off, void *buf, size_t len);

struct vw_qcow2_answer {
	enum vw_known blank; /* YES: no cluster allocated, no backing file, no snapshot */
	int error;           /* negative errno of a read that failed, else 0 */
	const char *why;     /* static clause: why it is not YES; "" = is */
	uint64_t disk_size;  /* bytes, of the disk that the guest sees; 0 = not known */
};

/* size: of the file, bytes; it bounds the number of tables that are read. */
struct vw_qcow2_answer vw_qcow2_blank(vw_qcow2_read read, void *ctx, uint64_t size);

#endif
