/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verb build: osinfo-db -> OS index. */
#include "osinfo/collect.h"
#include "lib/conf/conf.h"
#include "osinfo/places.h"
#include "osinfo/program.h"

#include <errno.h>

static const char help[] =
	"usage: virt-warden-osinfo build [--output FILE]\n"
	"\n"
	"Compiles osinfo-db (the system's, /etc/osinfo, ~/.config/osinfo; see also the variables\n"
	"OSINFO_SYSTEM_DIR, OSINFO_LOCAL_DIR, OSINFO_USER_DIR) into the OS index.\n"
	"\n"
	"  --output FILE  where to write it (default: os.index in virt-warden's cache directory)\n"
	"\n"
	"Exit: 0 = written, 2 = wrong usage, 3 = could not.\n";

static int default_output(char **ret, struct vw_err *err)
{
	VW_CLEANUP(vw_paths_clear) struct vw_paths paths = { 0 };
	int r = vw_paths_init(&paths, err);

	if (r < 0)
		return r;
	if (asprintf(ret, "%s/os.index", paths.cachedir) < 0)
		return vw_err_set(err, -ENOMEM, "out of memory");
	return 0;
}

static int build(const char *output, struct vw_err *err)
{
	g_autoptr(OsinfoLoader) loader = NULL;
	struct vw_osi_writer *w = vw_osi_writer_new();
	guint n;
	int r;

	vw_osi_note_places(w);
	r = vw_osinfo_load(&loader, err);
	if (r == 0) {
		n = vw_osi_collect(w, osinfo_loader_get_db(loader));
		r = vw_osi_writer_write(w, output, err);
	}
	if (r == 0)
		printf("%s: %u operating systems\n", output, n);
	vw_osi_writer_free(w);
	return r;
}

int vw_osinfo_build(int argc, char **argv)
{
	VW_AUTOFREE char *standard = NULL;
	const char *output = NULL;
	struct vw_err err = { 0 };

	if (argc == 2 && vw_streq(argv[1], "--help")) {
		fputs(help, stdout);
		return CODE_OK;
	}
	if (argc == 3 && vw_streq(argv[1], "--output")) {
		output = argv[2];
	} else if (argc == 2 && vw_startswith(argv[1], "--output=")) {
		output = argv[1] + strlen("--output=");
	} else if (argc != 1) {
		fputs(help, stderr);
		return CODE_USAGE;
	} else {
		if (default_output(&standard, &err) < 0)
			return vw_osinfo_fail(&err);
		output = standard;
	}
	return build(output, &err) < 0 ? vw_osinfo_fail(&err) : CODE_OK;
}
