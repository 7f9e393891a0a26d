/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of virt-warden-osinfo share. */
#ifndef VW_OSINFO_PROGRAM_H
#define VW_OSINFO_PROGRAM_H

#include "lib/base/err.h"

#include <osinfo/osinfo.h>

/* Exit codes, as everywhere in virt-warden. */
enum { CODE_OK = 0, CODE_NOT_FOUND = 1, CODE_USAGE = 2, CODE_CANT_TELL = 3 };

/* The verbs; argv[0] is the verb. Return: the exit code. */
int vw_osinfo_build(int argc, char **argv);
int vw_osinfo_media(int argc, char **argv);

/* Print the error's line on stderr. Return: CODE_CANT_TELL. */
int vw_osinfo_fail(const struct vw_err *err);

/* Load osinfo-db: the system's, the admin's and the user's part. If an addition of
 * admin or user is broken, that is said on stderr and the system's part is loaded alone.
 * Return: 0 or -ENOENT (there is none); g_object_unref the loader. */
int vw_osinfo_load(OsinfoLoader **ret, struct vw_err *err);

#endif
