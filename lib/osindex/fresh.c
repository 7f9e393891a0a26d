/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Has osinfo-db changed since the index was built? Every directory of it, and
 * every file of the admin's own additions, is in the index with its mtime; a
 * place that was not there at the build must still be absent. The places are those of osinfo-db, and
 * are not opened. */
#include "lib/osindex/reader.h"

#include <errno.h>
#include <sys/stat.h>

static enum vw_known place_unchanged(const struct vw_osindex *x, size_t i)
{
	struct vw_osi_place place;
	struct stat st;
	const char *path;

	vw_osi_read(x, VW_OSI_PLACES, i, &place, sizeof(place));
	path = vw_osi_string(x, place.path);
	if (!path || path[0] != '/')
		return VW_UNKNOWN;
	if (stat(path, &st) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return VW_UNKNOWN;
		return place.present ? VW_NO : VW_YES;
	}
	if (!place.present || st.st_mtim.tv_sec != place.mtime_sec ||
	    st.st_mtim.tv_nsec != place.mtime_nsec)
		return VW_NO;
	return VW_YES;
}

static const char *place_path(const struct vw_osindex *x, size_t i)
{
	struct vw_osi_place place;

	vw_osi_read(x, VW_OSI_PLACES, i, &place, sizeof(place));
	return vw_osi_string(x, place.path);
}

static enum vw_known unchanged(const struct vw_osindex *x, bool glance)
{
	size_t n = x->header.sections[VW_OSI_PLACES].count;
	enum vw_known all = n ? VW_YES : VW_UNKNOWN;
	const char *top = NULL; /* the last one that lies in none before it */

	for (size_t i = 0; i < n; i++) {
		const char *path = glance ? place_path(x, i) : NULL;
		size_t len = top ? strlen(top) : 0;
		enum vw_known one;

		if (path && top && !strncmp(path, top, len) && path[len] == '/') {
			if (vw_startswith(path, "/usr/"))
				continue;
		} else {
			top = path;
		}
		one = place_unchanged(x, i);
		if (one == VW_NO)
			return VW_NO;
		if (one == VW_UNKNOWN)
			all = VW_UNKNOWN;
	}
	return all;
}

enum vw_known vw_osindex_fresh(const struct vw_osindex *x)
{
	return unchanged(x, false);
}

enum vw_known vw_osindex_glance(const struct vw_osindex *x)
{
	return unchanged(x, true);
}
