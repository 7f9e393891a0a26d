/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a medium says of itself, read without trusting it. */
#ifndef VW_OSINFO_MEDIA_READ_H
#define VW_OSINFO_MEDIA_READ_H

#include "lib/base/err.h"

#include <osinfo/osinfo.h>

/* Read the volume descriptors of an ISO file or block device, in two seconds at most.
 * Return: 0 (g_object_unref the medium); -ENOMEDIUM: it could be read, but is no ISO;
 * any other negative errno: it can't be read. */
int vw_osi_read_media(const char *path, OsinfoMedia **ret, struct vw_err *err);

#endif
