/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A growing text buffer with a sticky error: append freely, look at the end. */
#ifndef VW_BUF_H
#define VW_BUF_H

#include "lib/base/util.h"

struct vw_buf {
	char *p; /* NUL-terminated when len > 0; owned */
	size_t len, cap;
	bool failed; /* out of memory: further appends do nothing */
};

void vw_buf_add(struct vw_buf *b, const void *data, size_t len);
void vw_buf_puts(struct vw_buf *b, const char *s);
void vw_buf_printf(struct vw_buf *b, const char *fmt, ...) VW_PRINTF(2, 3);
/* s escaped for XML text or for an attribute in the given quote (0 = text). */
void vw_buf_xml(struct vw_buf *b, const char *s, char quote);
/* Hand over the text ("" if nothing was added) and leave the buffer empty.
 * Return: malloc'ed text, or NULL if any append failed. */
char *vw_buf_take(struct vw_buf *b);
#define VW_AUTOBUF VW_CLEANUP(vw_buf_free)
void vw_buf_free(struct vw_buf *b);

#endif
