/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden-osinfo: the one program that links libosinfo. It compiles osinfo-db
 * into the OS index, which all other parts map, and recognises install media. */
#include "lib/base/set-id.h"
#include "lib/base/trust.h"
#include "osinfo/places.h"
#include "osinfo/program.h"

#include <errno.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{ "build", vw_osinfo_build },
	{ "media", vw_osinfo_media },
};

int vw_osinfo_fail(const struct vw_err *err)
{
	fprintf(stderr, "virt-warden-osinfo: %s\n", err->text);
	return CODE_CANT_TELL;
}

/* The system's and the admin's, and the user's own unless that is root: its index serves all who
 * are root, and HOME need not be root's (sudo -E). */
static void load_places(OsinfoLoader *loader, GError **error)
{
	struct vw_err err;

	if (geteuid() != 0) {
		osinfo_loader_process_default_path(loader, error);
		return;
	}
	if (vw_trust(vw_osi_system_place(), &err) < 0)
		vw_osinfo_fail(&err);
	else
		osinfo_loader_process_system_path(loader, error);
	if (vw_trust(vw_osi_local_place(), &err) < 0)
		vw_osinfo_fail(&err);
	else if (!*error)
		osinfo_loader_process_local_path(loader, error);
}

int vw_osinfo_load(OsinfoLoader **ret, struct vw_err *err)
{
	g_autoptr(OsinfoLoader) loader = osinfo_loader_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(OsinfoOsList) all = NULL;

	load_places(loader, &error);
	if (error) {
		vw_err_set(err, -EBADMSG,
			   "%s; mend or remove that file: only the system's osinfo-db is used now",
			   g_strchomp(error->message));
		vw_osinfo_fail(err);
		g_clear_error(&error);
		g_object_unref(loader);
		loader = osinfo_loader_new();
		if (vw_trust(vw_osi_system_place(), err) == 0)
			osinfo_loader_process_system_path(loader, &error);
	}
	if (error)
		return vw_err_set(err, -ENOENT, "can't load osinfo-db: %s; install osinfo-db anew",
				  g_strchomp(error->message));
	all = osinfo_db_get_os_list(osinfo_loader_get_db(loader));
	if (osinfo_list_get_length(OSINFO_LIST(all)) == 0)
		return vw_err_set(err, -ENOENT,
				  "osinfo-db is empty; install the package osinfo-db");
	*ret = g_steal_pointer(&loader);
	return 0;
}

static int usage(FILE *to, int code)
{
	fputs("usage: virt-warden-osinfo build [--output FILE]\n"
	      "       virt-warden-osinfo media PATH\n"
	      "\n"
	      "build  compiles osinfo-db into the OS index\n"
	      "media  recognises the operating system of an install medium (ISO)\n"
	      "\n"
	      "virt-warden-osinfo VERB --help says more.\n",
	      to);
	return code;
}

int main(int argc, char **argv)
{
	if (vw_is_set_id()) {
		fprintf(stderr, VW_SET_ID_LINE, "virt-warden-osinfo");
		return CODE_CANT_TELL;
	}
	/* names in English, local files only, whatever the caller's session is */
	if (setenv("LC_ALL", "C", 1) < 0 || unsetenv("LANGUAGE") < 0 ||
	    setenv("GIO_USE_VFS", "local", 1) < 0)
		return CODE_CANT_TELL;
	if (argc > 1 && (vw_streq(argv[1], "--help") || vw_streq(argv[1], "-h")))
		return usage(stdout, CODE_OK);
	for (size_t i = 0; argc > 1 && i < VW_N_ELEMENTS(verbs); i++)
		if (vw_streq(argv[1], verbs[i].name))
			return verbs[i].run(argc - 1, argv + 1);
	return usage(stderr, CODE_USAGE);
}
