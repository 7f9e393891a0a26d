/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From libosinfo's objects to records of the index. */
#ifndef VW_OSINFO_COLLECT_H
#define VW_OSINFO_COLLECT_H

#include "osinfo/writer.h"

#include <osinfo/osinfo.h>

/* Add every OS of the database, in order of short id. Return: how many. */
guint vw_osi_collect(struct vw_osi_writer *w, OsinfoDb *db);

#endif
