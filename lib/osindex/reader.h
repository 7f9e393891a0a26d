/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the reader share: checked access to a mapped index. */
#ifndef VW_OSINDEX_READER_H
#define VW_OSINDEX_READER_H

#include "lib/osindex/format.h"
#include "lib/osindex/osindex.h"

/* What to do about a bad index, for messages. */
#define VW_OSI_REBUILD "run `" VW_PREFIX "/libexec/virt-warden/virt-warden-osinfo build`"

struct vw_osindex {
	const unsigned char *base;
	size_t size;
	void *map;  /* what to unmap, NULL if the caller keeps the buffer */
	char *path; /* for messages */
	struct vw_osi_header header;
};

/* Copy element i of a section out. The caller has checked i against
 * header.sections[section].count. elsize: of the section's struct. */
void vw_osi_read(const struct vw_osindex *x, enum vw_osi_section section, size_t i, void *ret,
		 size_t elsize);

/* Return: the string at that offset, or NULL if it is out of bounds or too long. */
const char *vw_osi_string(const struct vw_osindex *x, uint32_t offset);

/* The i-th key of VW_OSI_IDS or VW_OSI_SHORTS. Return: its text, or NULL (corrupt). */
const char *vw_osi_key(const struct vw_osindex *x, enum vw_osi_section table, size_t i,
		       uint32_t *ret_os);

/* Position of the first key that is not below `text` in its first len bytes. */
size_t vw_osi_lower_bound(const struct vw_osindex *x, enum vw_osi_section table, const char *text,
			  size_t len);

/* Copy a record out. Return: 0, -EBADMSG, -ENOMEM. */
int vw_osi_load(const struct vw_osindex *x, uint32_t os, struct vw_os **ret, struct vw_err *err);

/* Return: -EBADMSG with the line that names the file and the remedy. */
int vw_osi_corrupt(const struct vw_osindex *x, struct vw_err *err);

/* The OS that stands in for an id (or short id, by table) that is not in the index (like.c).
 * Return: 0, -ENOENT (err not filled), -EBADMSG, -ENOMEM. */
int vw_osi_stand_in(const struct vw_osindex *x, enum vw_osi_section table, const char *asked,
		    struct vw_os **ret, struct vw_err *err);

/* Return: -ENOENT with a line that names up to three near spellings (nearest.c). */
int vw_osi_not_found(const struct vw_osindex *x, enum vw_osi_section table, const char *asked,
		     struct vw_err *err);

#endif
