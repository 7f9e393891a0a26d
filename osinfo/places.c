/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The places where libosinfo looks for osinfo-db (osinfo_loader_process_default_path:
 * OSINFO_SYSTEM_DIR, OSINFO_LOCAL_DIR, OSINFO_USER_DIR or their defaults). */
#include "osinfo/places.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define MAX_DEPTH 8       /* osinfo-db has 3 */
#define MAX_PLACES 20000u /* osinfo-db has 60 directories */

static void note(struct vw_osi_writer *w, const char *path, const struct stat *st)
{
	struct vw_osi_place place = { .path = vw_osi_writer_string(w, path) };

	if (st) {
		place.present = 1;
		place.mtime_sec = st->st_mtim.tv_sec;
		place.mtime_nsec = (uint32_t)st->st_mtim.tv_nsec;
	}
	g_array_append_val(w->places, place);
}

static void cleanup_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

static void note_tree(struct vw_osi_writer *w, const char *path, bool files, int depth)
{
	VW_CLEANUP(cleanup_dir) DIR *d = opendir(path);
	struct dirent *e;

	while (d && depth < MAX_DEPTH && w->places->len < MAX_PLACES && (e = readdir(d))) {
		g_autofree char *child = g_strdup_printf("%s/%s", path, e->d_name);
		struct stat st;

		if (vw_streq(e->d_name, ".") || vw_streq(e->d_name, "..") ||
		    fstatat(dirfd(d), e->d_name, &st, 0) < 0)
			continue;
		if (S_ISDIR(st.st_mode) || files)
			note(w, child, &st);
		if (S_ISDIR(st.st_mode))
			note_tree(w, child, files, depth + 1);
	}
}

const char *vw_osi_system_place(void)
{
	const char *given = g_getenv("OSINFO_SYSTEM_DIR"), *old = g_getenv("OSINFO_DATA_DIR");

	return given ? given : old ? old : "/usr/share/osinfo";
}

const char *vw_osi_local_place(void)
{
	const char *given = g_getenv("OSINFO_LOCAL_DIR");

	return given ? given : "/etc/osinfo";
}

void vw_osi_note_places(struct vw_osi_writer *w)
{
	g_autofree char *user = g_build_filename(g_get_user_config_dir(), "osinfo", NULL);
	const char *own = g_getenv("OSINFO_USER_DIR");
	const struct {
		const char *path;
		bool files;
	} roots[] = {
		{ vw_osi_system_place(), false },
		{ vw_osi_local_place(), true },
		{ own ? own : user, true }, /* not root's: load_places */
	};

	for (size_t i = 0; i < (geteuid() == 0 ? 2 : G_N_ELEMENTS(roots)); i++) {
		g_autofree char *path = g_canonicalize_filename(roots[i].path, "/");
		struct stat st;
		bool present = stat(path, &st) == 0;

		note(w, path, present ? &st : NULL);
		if (present)
			note_tree(w, path, roots[i].files, 0);
	}
}
