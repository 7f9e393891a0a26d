/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where osinfo-db lies, and when it last changed. */
#ifndef VW_OSINFO_PLACES_H
#define VW_OSINFO_PLACES_H

#include "osinfo/writer.h"

/* Note every directory of osinfo-db, and the files of the admin's and the user's part
 * (which are few and edited in place), with their mtimes. To be called before osinfo-db
 * is loaded, so that a change meanwhile makes the index stale, not wrong. */
void vw_osi_note_places(struct vw_osi_writer *w);

/* Where libosinfo finds the distribution's part, and the admin's. */
const char *vw_osi_system_place(void);
const char *vw_osi_local_place(void);

#endif
