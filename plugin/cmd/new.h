/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `new`: what was asked for, the generic XML of it, and its images. */
#ifndef VW_CMD_NEW_H
#define VW_CMD_NEW_H

#include "plugin/cmd/cmd.h"

#define NEW_DISKS_MAX 16
#define NEW_NICS_MAX 8

struct new_disk {
	char *path;        /* absolute */
	char format[16];   /* "qcow2" "raw" … */
	char bus[16];      /* "" = what suits the OS */
	unsigned size_gib; /* 0 = not said: nothing is created */
	bool block;        /* a block device */
	bool exists;
	bool created; /* by us, in this run */
};

struct new_nic {
	const char *type; /* "network" "bridge" "user"; static */
	char *name;       /* of the network or bridge, NULL for user */
	char mac[18];     /* "" = libvirt's choice */
};

struct new_domain {
	const char *name, *os;                  /* --name, --os */
	const char *arch, *virttype, *graphics; /* never NULL after new_defaults */
	char *cdrom;                            /* absolute, NULL = none */
	unsigned long memory_mib, vcpus;        /* 0 = as the OS wants it */
	struct new_disk disks[NEW_DISKS_MAX];
	size_t n_disks;
	struct new_nic nics[NEW_NICS_MAX];
	size_t n_nics;
};

void new_clear(struct new_domain *d);

/* "PATH[,size=GiB][,format=F][,bus=B]"; a comma in PATH is written ",,". */
int new_add_disk(struct new_domain *d, const char *spec, struct vw_err *err);
/* "NAME", "network=NAME", "bridge=BR", "user"; each with ",mac=MAC". */
int new_add_nic(struct new_domain *d, const char *spec, struct vw_err *err);
int new_set_cdrom(struct new_domain *d, const char *path, struct vw_err *err);

/* A domain XML without opinions: what every x86 guest boots on (on other
 * architectures: virtio). The engine makes the rest of it. malloc'ed, NULL = no memory. */
char *new_generic_xml(const struct new_domain *d);

/* Create the images that have a size; none that is there already is touched. On
 * failure those that were created are removed again. */
int new_create_images(struct new_domain *d, struct vw_err *err);
void new_remove_images(struct new_domain *d);

#endif
