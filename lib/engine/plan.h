/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine: XML text + facts + templates + policy -> plan.
 *
 * A plan is a list of findings, and the XML text with those of them applied
 * whose action is "fix". Pure: same input, same plan; it reads no file, no
 * environment and no clock, prints nothing and changes nothing. Idempotent:
 * planning the fixed text gives the same text, byte for byte. */
#ifndef VW_PLAN_H
#define VW_PLAN_H

#include "lib/engine/facts.h"
#include "lib/engine/policy.h"
#include "lib/xml/xml.h"

struct vw_templates; /* template.h */

/* The four classes of design.md, "Rules: four classes". */
enum vw_class { VW_CLASS_HOST = 0, VW_CLASS_ADDITIVE, VW_CLASS_VISIBLE, VW_CLASS_BOOT };
enum vw_action {
	VW_ACTION_FIX = 0, /* in the plan's XML */
	VW_ACTION_SKIP,    /* not applied; the message says why and what to type */
	VW_ACTION_REFUSE,  /* not applied, and start = refuse would refuse a start */
};
/* Who may change what in this domain: <w:warden mode='…'>. */
enum vw_mode { VW_MODE_DEFAULT = 0, VW_MODE_ENFORCE, VW_MODE_AUDIT, VW_MODE_OFF };

/* How much of a guest the rules know. */
enum vw_judged {
	VW_JUDGED_ALL = 0,
	VW_JUDGED_HOST, /* the host's side only: a board or architecture without rules */
	VW_JUDGED_NONE, /* not QEMU's guest */
};

struct vw_finding {
	const char *rule; /* a rule id of design.md; static */
	enum vw_class cls;
	char *device; /* what it is about: "vda", "52:54:00:…", "domain" …; printable */
	char *before; /* value now, "" = absent */
	char *after;  /* value wanted */
	enum vw_action action;
	enum vw_evidence evidence;
	char *message; /* one sentence, for the user; for skip: reason and the command */
};

struct vw_plan {
	char *name;             /* domain name, "" if the XML has none */
	char *uuid;             /* "" if the XML has none */
	const struct vw_os *os; /* as in the facts; borrowed from them */
	enum vw_os_source os_source;
	enum vw_evidence os_confidence;
	char *template_id;     /* template that was chosen */
	enum vw_mode mode;     /* from the domain's metadata */
	const char *audit_why; /* why nothing is applied: one clause, static; NULL = it may be */
	enum vw_judged judged;
	char *unjudged; /* why not all was: one clause, printable; NULL = all was */
	struct vw_finding *findings;
	size_t n_findings;
	char *xml; /* fixed text; NULL if nothing is to be applied */
	size_t xml_len;
};

struct vw_request {
	struct vw_xml *
		doc; /* the parsed domain; its tree is EDITED: use it for nothing else afterwards */
	const char *
		subject; /* what to type for it in commands ("web1", "./web1.xml"); NULL = the domain's name */
	const char *connect; /* what commands need to find it there: "-c URI ", NULL = nothing */
	const char *os_said; /* … to plan as this time: " --os ID", NULL = nothing */
	const struct vw_facts *facts;
	const struct vw_templates *templates;
	const struct vw_policy *policy;
	unsigned allow; /* bit (1u << class): the admin said so, this counts as proven */
	unsigned
		hold; /* bit (1u << class): report only, for the reason below (the agent's quiet second) */
	const char *hold_why;  /* one clause: "the quiet second after a change is not over" */
	bool force_enforce;    /* `fix` typed by the admin: mode audit does not hold it back */
	bool findings_only;    /* the fixed text is not wanted: plan->xml stays NULL */
	const char *only_rule; /* NULL, or plan this rule only (the hook: "disk-cache") */
	const char *leave_out; /* NULL, or rules (space-separated) that are not run, nor reported */
};

/* Make the plan. Return: 0 or negative errno. Free with vw_plan_free.
 * Usual way: vw_xml_parse -> vw_outline_make -> collect facts -> vw_plan_make. */
int vw_plan_make(const struct vw_request *req, struct vw_plan **ret, struct vw_err *err);
void vw_plan_free(struct vw_plan *plan);

/* The old board ("" = libvirt's default on x86): the only one that a plan leaves for another. */
bool vw_machine_is_pc(const char *machine);

/* What the plan of a domain will take it for, before all is gathered: VW_EV_BLANK, VW_EV_ASSUMED or
 * VW_EV_UNKNOWN (also: no memory). */
enum vw_evidence vw_plan_blank(const xmlNode *domain, const struct vw_facts *facts);

/* How many findings have that action. */
size_t vw_plan_count(const struct vw_plan *plan, enum vw_action action);
/* How many findings wait for the admin's word (fix --allow CLASS); *ret_class: "boot" or "visible",
 * which allows all of them. */
size_t vw_plan_waiting(const struct vw_plan *plan, const char **ret_class);

/* For vw_request.hold: all that the guest can see. What is left is the host class. */
#define VW_HOLD_GUEST_SIDE (1u << VW_CLASS_ADDITIVE | 1u << VW_CLASS_VISIBLE | 1u << VW_CLASS_BOOT)

/* The contract's names, as in JSON. */
const char *vw_class_name(enum vw_class c);   /* "host" "additive" "visible" "boot" */
const char *vw_action_name(enum vw_action a); /* "fix" "skip" "refuse" */
const char *vw_mode_name(enum vw_mode m);     /* "default" "enforce" "audit" "off" */
const char *vw_judged_name(enum vw_judged j); /* "all" "host" "none" */

/* The i-th rule's id, in the order in which they are applied; NULL = there are no more. */
const char *vw_rule_id(size_t i);
/* Its number; -1 = there is no such rule. */
long vw_rule_number(const char *id);
size_t vw_rule_count(void);

/* What a collector needs to know of the XML before it can gather facts. */
struct vw_outline_disk {
	char *target; /* "hda" */
	char *type;   /* "file" "block" "volume" "network" … */
	char *device; /* "disk" "cdrom" "floppy" "lun" */
	char *source; /* path (file, block), "pool/volume" (volume) or "" */
	char *format; /* driver type: "raw" "qcow2" … or "" */
	bool backing; /* has a <backingStore> element with content */
	bool readonly;
};
struct vw_outline {
	char *name, *uuid;               /* "" if absent */
	char *type;                      /* "kvm" "qemu" … (virttype) */
	char *arch, *machine, *emulator; /* "" if absent */
	char *os_id;                     /* libosinfo metadata, "" if absent */
	enum vw_mode mode;
	bool foreign_owner; /* as vw_metadata_foreign_owner */
	struct vw_outline_disk *disks;
	size_t n_disks;
};
/* Reads the tree, edits nothing. Return: 0 or -ENOMEM. Free with vw_outline_free. */
int vw_outline_make(struct vw_xml *doc, struct vw_outline **ret, struct vw_err *err);
void vw_outline_free(struct vw_outline *o);

#endif
