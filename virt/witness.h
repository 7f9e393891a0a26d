/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who else changed the domain while our define was on its way? libvirt has no compare-and-swap:
 * the last one wins, and the other's version is gone. Where libvirtd is this host's, its directory
 * of configs tells: each is written beside, and renamed; undefine removes it. */
#ifndef VW_VIRT_WITNESS_H
#define VW_VIRT_WITNESS_H

#include "virt/ahead.h"

#include <libvirt/libvirt.h>
#include <semaphore.h>

#define VW_WITNESS_MAX 8 /* changes; more have not been seen */

struct vw_witness {
	char *file; /* "NAME.xml" */
	int fd, dir;
	int watch;
	char *texts[VW_WITNESS_MAX]; /* in order; NULL = it was removed, or can't be read */
	bool removed[VW_WITNESS_MAX];
	size_t n;
	struct vw_ahead reader;
	sem_t ready; /* the reader runs */
};

/* From now on. Where it can't be seen nothing is. End, and clear, what has begun. */
void vw_witness_begin(struct vw_witness *w, virConnectPtr conn, const char *name);
void vw_witness_end(struct vw_witness *w);
void vw_witness_clear(struct vw_witness *w);

enum vw_witnessed {
	VW_ALONE = 0,   /* nobody came between, as far as is known */
	VW_GONE,        /* it was undefined, so ours defined it anew */
	VW_OVERWRITTEN, /* ours came last, over another client's version */
	VW_LATER,       /* another client's came after ours */
};
/* What happened, if we stored `sent`? *ret_theirs: the version that was overwritten, borrowed,
 * NULL if it could not be read in time. */
enum vw_witnessed vw_witness_says(const struct vw_witness *w, const char *sent,
				  const char **ret_theirs);

#endif
