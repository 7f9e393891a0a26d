/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The OS index: osinfo-db, compiled by libosinfo into one file (by the program
 * virt-warden-osinfo), which is mapped, not parsed, here. Hostile input all
 * the same: every offset is checked, a corrupt file is an error line, never a
 * crash. */
#ifndef VW_OSINDEX_H
#define VW_OSINDEX_H

#include "lib/engine/facts.h"

struct vw_osindex;

/* Map the index. Return: 0; -ENOENT (not built), -ESTALE (other format version),
 * -EBADMSG (corrupt); the line names the command that rebuilds it. */
int vw_osindex_open(const char *path, struct vw_osindex **ret, struct vw_err *err);
/* The same over a buffer that the caller keeps (tests, fuzzing). */
int vw_osindex_open_mem(const void *buf, size_t len, struct vw_osindex **ret, struct vw_err *err);
void vw_osindex_close(struct vw_osindex *x);

/* Find by id ("http://debian.org/debian/12") or short id ("debian12", every
 * short id of an OS works). An id that osinfo-db does not know: the nearest
 * older version of the same product stands in (else the oldest one; else, for an
 * id, the "testing"/"unknown" one), and os->like says so; what was asked for is kept
 * in os->id or os->short_id, the other one is derived the way the stand-in's is
 * ("debian12" -> "http://debian.org/debian/12").
 * Return: 0 or -ENOENT (with the nearest spellings in err) …; free with vw_os_free. */
int vw_osindex_find(struct vw_osindex *x, const char *id, struct vw_os **ret, struct vw_err *err);

/* All of them, in order of short id. Return: 0 or -ERANGE if i is past the end. */
size_t vw_osindex_count(const struct vw_osindex *x);
int vw_osindex_get(struct vw_osindex *x, size_t i, struct vw_os **ret, struct vw_err *err);

/* Is the index up to date? VW_NO if a directory of osinfo-db (or a file of the
 * admin's own additions) has another mtime than at the build, which is kept in the
 * index, has gone or appeared; VW_UNKNOWN if they can't be looked at. */
enum vw_known vw_osindex_fresh(const struct vw_osindex *x);

/* The same at a glance, for who is in a hurry: what packages install (below /usr) is judged by its top
 * directory, in which each of their updates replaces a file. An OS that somebody put there by
 * hand shows only in vw_osindex_fresh. */
enum vw_known vw_osindex_glance(const struct vw_osindex *x);

void vw_os_free(struct vw_os *os);

#endif
