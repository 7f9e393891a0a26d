/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Answers that are dear to have, kept in the cache directory of root: one file per question. Any
 * doubt about one means that it is worked out anew. */
#ifndef VW_VIRT_KEPT_H
#define VW_VIRT_KEPT_H

#include "lib/base/util.h"

struct vw_kept {
	const char *dir;      /* the cache directory */
	const char *kind;     /* "caps": begins the file's name */
	const char *question; /* any text */
	const char *
		holds; /* all that the answer depends on, as text; for vw_kept_forget NULL will do */
};

/* Return: the answer (malloc'ed), or NULL: there is none, it was kept when something else
 * held or more than an hour ago, it is damaged, or somebody else could have written it. */
char *vw_kept_read(const struct vw_kept *k);
/* A failure is none: then it is worked out again. */
void vw_kept_write(const struct vw_kept *k, const char *answer);
/* Remove the answer to that question, whatever it is. */
void vw_kept_forget(const struct vw_kept *k);

#endif
