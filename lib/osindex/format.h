/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The file format of the OS index: shared by the reader (lib/osindex) and the
 * builder (lib/osindex/program), by nobody else.
 *
 * One header, then sections. All numbers are in the byte order of the machine
 * (the index is built where it is read; byte_order refuses another's). Offsets
 * of sections are from the start of the file; a string is an offset into the
 * strings section, which ends with a NUL. Sections may lie at any offset: the
 * reader copies records out, so alignment does not matter.
 *
 *   os      records, in order of short id (strverscmp: 9 before 10)
 *   ids     every id, sorted by strcmp -> record
 *   shorts  every short id, aliases too, sorted by strcmp -> record
 *   lists   string offsets; a record's features are a run of them (records
 *           with equal features share one run)
 *   places  files and directories of osinfo-db with their mtimes at the build
 *   strings NUL-terminated, each once */
#ifndef VW_OSINDEX_FORMAT_H
#define VW_OSINDEX_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define VW_OSI_MAGIC "VWOSIDX" /* with its NUL: 8 bytes */
#define VW_OSI_VERSION 2u      /* 1: root's could hold a user's own additions */
#define VW_OSI_BYTE_ORDER 0x01020304u

/* Bounds that a reader holds a file to (the real one: 0.2 MB, 30 features an OS). */
#define VW_OSI_MAX_SIZE (64u << 20)
#define VW_OSI_MAX_STRING 4095u
#define VW_OSI_MAX_FEATURES 4096u

enum vw_osi_section {
	VW_OSI_OS,
	VW_OSI_IDS,
	VW_OSI_SHORTS,
	VW_OSI_LISTS,
	VW_OSI_PLACES,
	VW_OSI_STRINGS,
	VW_OSI_SECTIONS,
};

struct vw_osi_range {
	uint32_t offset; /* bytes */
	uint32_t count;  /* elements (strings: bytes) */
};

struct vw_osi_header {
	char magic[8];
	uint32_t version;
	uint32_t byte_order;
	uint64_t size;     /* of the whole file */
	uint64_t checksum; /* vw_osi_checksum of all that follows this field */
	struct vw_osi_range sections[VW_OSI_SECTIONS];
};

/* From here on the checksum covers the file. */
#define VW_OSI_COVERED offsetof(struct vw_osi_header, sections)

struct vw_osi_os {
	uint64_t ram, storage; /* bytes, 0 = not said */
	uint32_t ncpus;
	uint32_t id, short_id, name, family, distro, version, release_date; /* strings */
	uint32_t features, n_features;                                      /* run in lists */
};

struct vw_osi_key {
	uint32_t string;
	uint32_t os; /* index of the record */
};

struct vw_osi_place {
	int64_t mtime_sec;
	uint32_t mtime_nsec;
	uint32_t path;    /* string, absolute */
	uint32_t present; /* 0: it was not there */
	uint32_t zero;
};

/* 64-bit checksum against bit rot (not against malice), about 1.5 bytes a cycle. */
uint64_t vw_osi_checksum(const void *data, size_t len);

#endif
