/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of one host, as far as a migration can depend on it: plain data,
 * borrowed strings (who fills it keeps them: a facts file, a test's constants).
 * What could not be asked stands in `unasked`; an empty list elsewhere means none. */
#ifndef VW_MIGRATE_HOST_H
#define VW_MIGRATE_HOST_H

#include "lib/engine/facts.h"

#define VW_FACTS_VERSION 1 /* of the facts file; a reader refuses a newer one */

struct vw_words {
	const char **v;
	size_t n;
	bool sorted; /* vw_words_sort was here: a look-up takes log n steps */
};
bool vw_words_have(const struct vw_words *w, const char *word);
void vw_words_sort(struct vw_words *w);

/* Names of CPU features, each with a number: sets are bitmaps over one such table. */
#define VW_FEATURES_MAX 1024 /* libvirt 10 knows about 500 on x86 */
struct vw_features {
	const char **names; /* borrowed */
	size_t n;
};
struct vw_featset {
	uint64_t bits[VW_FEATURES_MAX / 64];
};
/* The number of the name, added if it is new. Return: number, -ENOMEM, -E2BIG (table full). */
int vw_features_intern(struct vw_features *t, const char *name);
void vw_features_clear(struct vw_features *t);
void vw_featset_add(struct vw_featset *s, unsigned number);
/* ret = a without b. Return: how many. */
size_t vw_featset_minus(const struct vw_featset *a, const struct vw_featset *b,
			struct vw_featset *ret);
void vw_featset_and(struct vw_featset *a, const struct vw_featset *b);
/* "aes,pclmuldq": malloc'ed, in the order of the table; NULL: no memory. */
char *vw_featset_names(const struct vw_features *t, const struct vw_featset *s);

/* One way to run guests there. */
struct vw_host_virt {
	const char *type; /* "kvm", "qemu" */
	const char *emulator;
	const char *model, *vendor; /* of host-model; "" = not said */
	struct vw_words features;   /* host-model's, expanded */
	struct vw_words models;     /* that run there */
	struct vw_words machines;   /* with aliases */
	struct vw_words caps;       /* "tpm.backendModel=emulator" … (caps.h) */
	struct vw_featset set;      /* of features */
};

struct vw_host_net {
	const char *name;
	bool active;
};

struct vw_host_pool {
	const char *name, *type, *path;
	const char *format, *source; /* "nfs", "filer:/export" or a device; "" = not said */
	bool active;
	struct vw_words volumes; /* paths, as of its last refresh */
	bool cut;                /* there are more volumes than are listed */
};

struct vw_host_lun {
	const char *path, *wwn, *serial; /* "" = not said */
	long long bytes;                 /* 0 = not said */
};

struct vw_host_domain {
	const char *name, *uuid;
	bool active;
	struct vw_words ports; /* fixed or taken display ports */
};

struct vw_host_pages {
	long long kib, total, free; /* free: -1 = not said */
};

/* Asked for one domain: does the path open there? */
struct vw_host_file {
	const char *path;
	bool there;
};

struct vw_host_facts {
	const char *name, *uri, *hostname, *uuid, *arch;
	long long libvirt, qemu; /* major * 1000000 + minor * 1000 + release, 0 = not said */
	long long tsc_khz;       /* 0 = not said */
	bool tsc_scaling;
	long long memory_kib;
	struct vw_words security;   /* "none", "apparmor" … */
	struct vw_words interfaces; /* bridges too */
	struct vw_words unasked;    /* "networks: access denied" */
	struct vw_host_virt *virts;
	size_t n_virts;
	struct vw_host_net *nets;
	size_t n_nets;
	struct vw_host_pool *pools;
	size_t n_pools;
	struct vw_host_lun *luns;
	size_t n_luns;
	struct vw_host_domain *domains;
	size_t n_domains;
	struct vw_host_pages *pages;
	size_t n_pages;
	struct vw_host_file *files;
	size_t n_files;
	bool sorted; /* vw_host_sort was here */
};

/* Sort what is looked up once for each disk (files, LUNs, volumes) by its path. A facts file may
 * hold 100,000 of each, a domain 20,000 disks. */
void vw_host_sort(struct vw_host_facts *h);

const struct vw_host_virt *vw_host_virt(const struct vw_host_facts *h, const char *type);
const struct vw_host_lun *vw_host_lun(const struct vw_host_facts *h, const char *path);
/* Was the section asked? ("networks", "interfaces", "domains" …) Return: NULL, or why not. */
const char *vw_host_unasked(const struct vw_host_facts *h, const char *section);
/* Is there such a file? By what was asked for the domain; else by a pool's volumes and the disks (YES
 * only: a pool may not have been refreshed). */
enum vw_known vw_host_file(const struct vw_host_facts *h, const char *path);
/* The active pool whose directory the path lies in, NULL = none. */
const struct vw_host_pool *vw_host_pool_of(const struct vw_host_facts *h, const char *path);
/* The innermost active pool that the path lies in, at any depth, NULL = none. */
const struct vw_host_pool *vw_host_pool_over(const struct vw_host_facts *h, const char *path);
/* Is what the pool mounts seen by other hosts? UNKNOWN for a mere directory. */
enum vw_known vw_host_pool_shared(const struct vw_host_pool *p);

#endif
