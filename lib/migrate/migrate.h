/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Will this domain's migration from one host to another work, and will the guest
 * survive it? A pure function of domain, source facts and destination facts.
 *
 * blocker: libvirt or QEMU will refuse. risk: they will let it through, but the
 * guest may die or lose data. info: worth knowing. */
#ifndef VW_MIGRATE_H
#define VW_MIGRATE_H

#include "lib/migrate/host.h"
#include "lib/xml/xml.h"

enum vw_severity { VW_SEV_INFO = 0, VW_SEV_RISK, VW_SEV_BLOCKER };
enum vw_verdict { VW_VERDICT_OK = 0, VW_VERDICT_UNKNOWN, VW_VERDICT_RISK, VW_VERDICT_BLOCKED };

const char *vw_severity_name(enum vw_severity s); /* "info" "risk" "blocker" */
const char *vw_verdict_name(enum vw_verdict v);   /* "ok" "unknown" "risk" "blocked" */

/* What the source's libvirtd says of the domain beside its XML. */
struct vw_live {
	bool active;
	const char *state; /* "running", "paused", "shut off" … */
	bool io_error;     /* paused by one */
	long long snapshots, checkpoints;
	bool block_job;           /* on any disk */
	bool job;                 /* a migration, dump or save runs */
	bool agent;               /* connected */
	struct vw_words features; /* of the live CPU, expanded; empty = not known */
	struct vw_words shared;   /* paths of files on a shared filesystem */
	struct vw_words local;    /* paths of files on this host's own filesystem */
};

enum {
	VW_MOVE_COPY_STORAGE = 1, /* --copy-storage-all or -inc */
	VW_MOVE_OFFLINE = 2,
	VW_MOVE_BACK = 4,  /* the journey back: it runs where `src` is, and came from `dst` */
	VW_MOVE_FRESH = 8, /* with BACK: it can't have got there alive; judged as started there */
};

struct vw_move {
	struct vw_xml *doc; /* what runs now, else the stored config; NULL = any host-model guest */
	struct vw_xml *sent; /* what libvirt would send (VIR_DOMAIN_XML_MIGRATABLE), may be NULL */
	/* As virsh migrate has them; NULL = not given. */
	struct vw_xml *own; /* with --xml: that is doc, and this is what runs at the source */
	struct vw_xml *persistent; /* --persistent-xml */
	const char *dname;         /* --dname */
	const struct vw_live *live;
	const struct vw_host_facts *src, *dst;
	const char *desturi;       /* for remedies, "" = unknown */
	struct vw_words copied;    /* targets of --migrate-disks; empty = all that can be */
	unsigned flags;            /* VW_MOVE_… */
	struct vw_features *table; /* that both hosts' sets are over */
};

struct vw_reason {
	const char *id; /* of the check: a contract, see virt-warden-preflight(1) */
	enum vw_severity severity;
	char *property, *source, *destination, *message, *remedy; /* never NULL */
};

struct vw_judgement {
	enum vw_verdict verdict;
	struct vw_reason *reasons; /* worst first */
	size_t n;
};

/* Return: 0 or -ENOMEM. Free with vw_judgement_clear. */
int vw_move_judge(const struct vw_move *m, struct vw_judgement *ret, struct vw_err *err);
void vw_judgement_clear(struct vw_judgement *j);

/* All ids of reasons, NULL-terminated. */
const char *const *vw_reason_ids(void);

#endif
