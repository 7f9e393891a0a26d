/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The verb media: which OS does this ISO install?
 * It is read before osinfo-db is loaded, so what is no ISO is told at once. */
#include "osinfo/guess.h"
#include "osinfo/media-read.h"
#include "osinfo/program.h"

#include <errno.h>

static const char help[] =
	"usage: virt-warden-osinfo media PATH\n"
	"\n"
	"Recognises the operating system of an install medium (an ISO file or a block device)\n"
	"and prints one line: id=ID short-id=ID like=ID|- arch=ARCH bootable=yes|no installer=yes|no\n"
	"live=yes|no. like: osinfo-db does not know this release, the id is derived from that one's.\n"
	"\n"
	"Exit: 0 = recognised, 1 = not recognised, 2 = wrong usage, 3 = can't be read.\n";

static const char *yes_no(gboolean b)
{
	return b ? "yes" : "no";
}

static void print_media(OsinfoMedia *media, const struct vw_osi_guess *guess)
{
	OsinfoOs *os = osinfo_media_get_os(media);
	const char *known = osinfo_product_get_short_id(OSINFO_PRODUCT(os));
	const char *arch = osinfo_media_get_architecture(media);

	if (guess->id)
		printf("id=%s short-id=%s like=%s", guess->id,
		       guess->short_id ? guess->short_id : "-", known);
	else
		printf("id=%s short-id=%s like=-", osinfo_entity_get_id(OSINFO_ENTITY(os)), known);
	printf(" arch=%s bootable=%s installer=%s live=%s\n", arch ? arch : "-",
	       yes_no(osinfo_media_is_bootable(media)), yes_no(osinfo_media_get_installer(media)),
	       yes_no(osinfo_media_get_live(media)));
}

static int identify(const char *path, OsinfoMedia *media, struct vw_err *err)
{
	g_autoptr(OsinfoLoader) loader = NULL;
	struct vw_osi_guess guess = { NULL, NULL };
	OsinfoDb *db;

	if (vw_osinfo_load(&loader, err) < 0)
		return vw_osinfo_fail(err);
	db = osinfo_loader_get_db(loader);
	if (!(osinfo_db_identify_media(db, media) && osinfo_media_get_os(media)) &&
	    !vw_osi_guess_media(db, media, &guess)) {
		vw_err_set(err, -ENOENT, "%s: osinfo-db does not know this medium", path);
		vw_osinfo_fail(err);
		return CODE_NOT_FOUND;
	}
	print_media(media, &guess);
	g_free(guess.id);
	g_free(guess.short_id);
	return CODE_OK;
}

int vw_osinfo_media(int argc, char **argv)
{
	g_autoptr(OsinfoMedia) media = NULL;
	struct vw_err err = { 0 };
	int r;

	if (argc == 2 && vw_streq(argv[1], "--help")) {
		fputs(help, stdout);
		return CODE_OK;
	}
	if (argc == 3 && vw_streq(argv[1], "--")) {
		argv++;
		argc--;
	}
	if (argc != 2) {
		fputs(help, stderr);
		return CODE_USAGE;
	}
	r = vw_osi_read_media(argv[1], &media, &err);
	if (r < 0) {
		vw_osinfo_fail(&err);
		return r == -ENOMEDIUM ? CODE_NOT_FOUND : CODE_CANT_TELL;
	}
	return identify(argv[1], media, &err);
}
