/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Install media of a release that osinfo-db does not know yet. */
#ifndef VW_OSINFO_GUESS_H
#define VW_OSINFO_GUESS_H

#include <osinfo/osinfo.h>

struct vw_osi_guess {
	char *id;       /* "http://debian.org/debian/12"; g_free */
	char *short_id; /* "debian12", or NULL if it can't be told; g_free */
};

/* Return: TRUE if the medium would be known if its version were a little older; it is then
 * set up as that older one's (osinfo_media_get_os), and *ret names what it really is. */
gboolean vw_osi_guess_media(OsinfoDb *db, OsinfoMedia *media, struct vw_osi_guess *ret);

#endif
