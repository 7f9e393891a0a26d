/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An OS index in the making: records are added, then it is written as one file. */
#ifndef VW_OSINFO_WRITER_H
#define VW_OSINFO_WRITER_H

#include "lib/base/err.h"
#include "lib/osindex/format.h"

#include <glib.h>

struct vw_osi_writer {
	GByteArray *strings;
	GHashTable *offsets; /* string -> its offset in strings */
	GHashTable *runs;    /* features, joined by newlines -> where they are in lists */
	GArray *os;          /* struct vw_osi_os */
	GArray *ids;         /* struct vw_osi_name */
	GArray *shorts;      /* struct vw_osi_name */
	GArray *lists;       /* guint32 */
	GArray *places;      /* struct vw_osi_place */
};

struct vw_osi_name {
	char *text; /* owned by the array */
	guint32 os;
};

struct vw_osi_writer *vw_osi_writer_new(void);
void vw_osi_writer_free(struct vw_osi_writer *w);

/* Keep the string (NULL is ""; one that is too long for readers is cut). Return: its offset. */
guint32 vw_osi_writer_string(struct vw_osi_writer *w, const char *text);

/* Fill record->features from strings that are sorted and unique. */
void vw_osi_writer_features(struct vw_osi_writer *w, const GPtrArray *features,
			    struct vw_osi_os *record);

/* Add a name that leads to the record which is added next. names: w->ids or w->shorts. */
void vw_osi_writer_name(struct vw_osi_writer *w, GArray *names, const char *text);

/* Write the index: beside path, synced, then renamed over it; mode 0644. Directories that
 * are missing are made. Return: 0 or a negative errno; path is then as it was. */
int vw_osi_writer_write(struct vw_osi_writer *w, const char *path, struct vw_err *err);

#endif
