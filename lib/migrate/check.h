/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside the judgement: what a group of checks is given, and how it says what it found. */
#ifndef VW_MIGRATE_CHECK_H
#define VW_MIGRATE_CHECK_H

#include "lib/migrate/migrate.h"

/* A disk of the domain as it is at the source. */
struct vw_own_disk {
	const char *target;
	const xmlNode *node;
};

struct vw_judge {
	const struct vw_move *m;
	const xmlNode *root;                  /* of m->doc; NULL without a domain */
	const char *name;                     /* of the domain, as a shell takes it back */
	const struct vw_host_virt *from, *to; /* for its type; NULL = the host has no such */
	struct vw_judgement out;
	bool unknown, failed;
	struct vw_own_disk *own_disks; /* with --xml: by target; vw_check_storage's own */
	size_t n_own_disks;
};

struct vw_found {
	const char *id;
	enum vw_severity severity;
	const char *property, *source, *destination, *remedy; /* NULL = "" */
};

/* Add a reason with its message. */
void vw_judge_add(struct vw_judge *j, const struct vw_found *f, const char *fmt, ...)
	VW_PRINTF(3, 4);
/* A fact is wanting: the verdict can't be ok. section: see vw_host_unasked. */
void vw_judge_unknown(struct vw_judge *j, const struct vw_host_facts *h, const char *section,
		      const char *property);
/* Whether the destination has the file could not be seen: the verdict can't be ok. */
void vw_judge_unseen(struct vw_judge *j, const char *property, const char *path);
/* A word of a remedy as a shell takes it back. Return: malloc'ed; NULL: no memory. */
char *vw_judge_word(const char *s);
/* Text of the domain's element, "" if there is none. */
const char *vw_judge_text(const struct vw_judge *j, const char *path);
const char *vw_or_empty(const char *s);

void vw_check_cpu(struct vw_judge *j);
void vw_check_machine(struct vw_judge *j);
void vw_check_storage(struct vw_judge *j);
void vw_check_network(struct vw_judge *j);
void vw_check_devices(struct vw_judge *j);
void vw_check_host(struct vw_judge *j);
void vw_check_state(struct vw_judge *j);
void vw_check_versions(struct vw_judge *j);
void vw_check_xml(struct vw_judge *j);

#endif
