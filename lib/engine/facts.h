/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Facts: what a layer knows of the OS, the host and the disks when it asks the
 * engine for a plan. A fact that is unknown where a layer stands is named so
 * (VW_UNKNOWN), never guessed. Plain data: who fills it is plugin/collect-*.c
 * (libvirt), lib/probe (disks), lib/osindex (OS), tests (by hand). */
#ifndef VW_FACTS_H
#define VW_FACTS_H

#include "lib/base/err.h"

#include <stdint.h>

enum vw_known { VW_UNKNOWN = 0, VW_NO, VW_YES };

/* How sure we are of something about a guest, weakest first (design.md, Rules). */
enum vw_evidence { VW_EV_UNKNOWN = 0, VW_EV_ASSUMED, VW_EV_BLANK, VW_EV_PROVEN };

/* What osinfo-db says of an OS. Strings are owned by whoever filled it
 * (lib/osindex: vw_os_free). */
struct vw_os {
	char *id;           /* "http://debian.org/debian/11" */
	char *short_id;     /* "debian11" */
	char *name;         /* "Debian 11" */
	char *family;       /* "linux" "winnt" "freebsd" … or "" */
	char *distro;       /* "debian" or "" */
	char *version;      /* "11" or "" */
	char *like;         /* NULL, or the short id of the nearest known OS whose facts
			  * stand in, because osinfo-db does not know this id (yet) */
	char *release_date; /* "2021-08-14" or "" */
	uint64_t ram;       /* bytes, recommended (else minimum), x86_64; 0 = not said */
	uint64_t storage;   /* bytes, recommended (else minimum), x86_64; 0 = not said */
	uint32_t ncpus;     /* recommended (else minimum); 0 = not said */
	char **features;    /* sorted by strcmp, unique: names of osinfo devices that the OS
			  * supports, inherited ones included ("virtio-block",
			  * "virtio1.0-net", "qemu-x86-q35", "tablet" …), and
			  * "firmware-bios", "firmware-efi" when supported on x86_64
			  * (bios counts as supported unless osinfo-db denies it) */
	size_t n_features;
};

/* Return: true if the OS has the feature (exact name). */
bool vw_os_has(const struct vw_os *os, const char *feature);

/* Where the OS of a domain was learnt. */
enum vw_os_source {
	VW_OS_NONE = 0,  /* "unknown" */
	VW_OS_METADATA,  /* "metadata": libosinfo metadata of the domain */
	VW_OS_ADMIN,     /* "admin": --os or os set */
	VW_OS_MEDIA,     /* "media": install media, through libosinfo */
	VW_OS_INSPECTED, /* "inspection": looked into the image */
};

/* The format whose header an image begins with. */
enum vw_magic {
	VW_MAGIC_UNKNOWN = 0, /* not looked at */
	VW_MAGIC_NONE,        /* none of those below */
	VW_MAGIC_QCOW,        /* version 1 */
	VW_MAGIC_QCOW2,
	VW_MAGIC_QED,
	VW_MAGIC_VMDK,
	VW_MAGIC_VDI,
	VW_MAGIC_VHDX,
	VW_MAGIC_VPC, /* a dynamic one; a fixed one has a footer only */
	VW_MAGIC_PARALLELS,
};

#define VW_BETTER_SIZE 96 /* "/dev/mapper/…", "/dev/disk/by-id/wwn-0x…-part1" */

/* One disk, CD-ROM or floppy of the domain, by its <target dev>. */
struct vw_disk_facts {
	char *target;            /* "hda"; owned by vw_facts */
	enum vw_known exists;    /* the source path is there */
	enum vw_known block;     /* it is a block device (NO: a regular file) */
	enum vw_known blank;     /* no data at all (design.md, Rules) */
	enum vw_known odirect;   /* the filesystem/device takes O_DIRECT */
	enum vw_known allocated; /* file with room for the whole disk (NO: thin) */
	enum vw_known discard;   /* device/filesystem can discard */
	enum vw_known one_path;  /* one path of a multipath device */
	enum vw_magic magic;     /* as its first bytes say; a guest may have written them itself */
	char better
		[VW_BETTER_SIZE]; /* the name by which the device should be used, "" = as it is */
	char why[160];            /* one clause: why something is unknown, "" = nothing is */
};

/* A network that a card of the domain hangs on. */
struct vw_network_facts {
	char *name;            /* owned by vw_facts */
	enum vw_known hostdev; /* forward mode='hostdev': its cards are devices of the host */
};

struct vw_caps; /* parsed domain capabilities, caps.h */

struct vw_facts {
	enum vw_known new_here;        /* neither name nor UUID known to this libvirtd */
	enum vw_known active;          /* running now */
	enum vw_known managed_save;    /* has a managed save image or snapshots */
	enum vw_known has_run;         /* its host shows that it ran, be it long ago: not blank */
	enum vw_known hostdev_storage; /* a PCI or USB <hostdev> may hold a system; NO: none does */
	enum vw_known machine_offered; /* NO: the emulator has no machine type of that name */
	bool as_new; /* plan as when there was nothing yet (a redefine of what we fixed then) */
	const char *active_xml; /* live XML when active, else NULL; borrowed */

	enum vw_known virtio_drivers; /* YES: virtio drivers that the OS does not ship are there,
				     * or their media (virtio-win) is attached */
	const struct vw_os *os;       /* NULL = unknown; borrowed */
	enum vw_os_source os_source;
	enum vw_evidence os_confidence;

	const struct vw_caps **caps; /* one per machine type that was asked for; borrowed */
	size_t n_caps;

	struct vw_disk_facts *disks; /* owned; by vw_facts_add_disk only */
	size_t n_disks;
	struct vw_network_facts *networks; /* owned; by vw_facts_add_network only */
	size_t n_networks;
	size_t *by_target; /* owned: places in disks, sorted by target, equal ones as they came */
};

/* Return: the facts of the disk with that <target dev>, or NULL. */
const struct vw_disk_facts *vw_facts_disk(const struct vw_facts *f, const char *target);

/* Append an all-unknown entry. Return: it (valid until the next add), or NULL (no memory). */
struct vw_disk_facts *vw_facts_add_disk(struct vw_facts *f, const char *target);

#define VW_NETWORKS_MAX 32 /* more are not asked about, and stay unknown */
/* Note what is known of a network (once per name). Return: 0, -ENOMEM, -E2BIG. */
int vw_facts_add_network(struct vw_facts *f, const char *name, enum vw_known hostdev);
/* Return: its hostdev; VW_UNKNOWN if nothing was noted. */
enum vw_known vw_facts_network(const struct vw_facts *f, const char *name);
void vw_facts_clear_networks(struct vw_facts *f);

/* Free what facts own (disks, networks); the struct itself is the caller's. */
void vw_facts_clear(struct vw_facts *f);

/* Contract names, as in JSON: "unknown" "assumed" "blank" "proven" etc. */
const char *vw_evidence_name(enum vw_evidence e);
const char *vw_os_source_name(enum vw_os_source s);
/* As in <driver type=…>: "qcow2" …; "raw" for none, "" for unknown. */
const char *vw_magic_name(enum vw_magic m);

#endif
