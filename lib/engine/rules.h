/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules: internal to the engine. plan.c runs the table of rules over one domain;
 * rule-*.c hold them. A rule looks at the tree, finds what differs from the
 * template's opinion, asks vw_decide() whether it may be applied, and edits. */
#ifndef VW_RULES_H
#define VW_RULES_H

#include "lib/base/buf.h"
#include "lib/engine/caps.h"
#include "lib/engine/plan.h"
#include "lib/engine/template.h"

struct vw_ctx {
	struct vw_xml *doc;
	xmlNode *domain;
	xmlNode *devices;
	const struct vw_request *req;
	const struct vw_facts *facts;
	const struct vw_policy *policy;
	const struct vw_template *tpl;
	const struct vw_caps *caps; /* of the machine type that the plan ends with; may be NULL */
	struct vw_plan *plan;
	size_t cap_findings;
	const struct vw_rule *rule; /* that runs now */
	char *fix_command;          /* "virt-warden fix web1", for messages */
	char *fix_visible;          /* the same with --allow visible */
	char *fix_boot;             /* … with --allow boot */
	bool x86;
	bool kvm; /* type='kvm' */
	bool graphics;
	bool spice;
	bool host_only; /* qemu:commandline or overrides: we don't know the whole guest */
	bool audit;     /* nothing is to be applied */
	const char *audit_why;
	enum vw_evidence blank; /* BLANK: nothing to boot yet; ASSUMED: installed; UNKNOWN */
	char blank_why[240];    /* one clause, for messages */
	bool addressed;         /* each PCI device of the input has its address */
	bool new_board;         /* the machine rule changed it: nothing may stay on IDE */
	const struct vw_disk_facts *
		*disk_facts; /* by order of the <disk> elements: names may change */
	size_t n_disks;
	struct _xmlHashTable *disk_names; /* target names in use; made when first needed */
	struct _xmlHashTable *scsi;       /* SCSI controllers by index; likewise */
	unsigned next_name;               /* no free name below this number */
	char kernel_word[80];             /* the kernel's word for a disk, "" = none … */
	bool kernel_read;                 /* … once its command line was read */
	int error;                        /* sticky -ENOMEM */
	struct vw_plan *live_plan;        /* what the running guest would still need; may be NULL */
};

struct vw_rule {
	const char *id;
	enum vw_class cls;
	void (*run)(struct vw_ctx *c, const xmlNode *data);
	bool needs_template; /* run only if the template has an opinion (data) */
	bool any_arch;       /* false: x86 only */
};

/* rule-table.c: all rules, in the order in which they are applied. */
const struct vw_rule *vw_rule_at(size_t i);
extern const struct vw_rule vw_rule_os_metadata, vw_rule_disk_format, vw_rule_shared_memory,
	vw_rule_machine, vw_rule_firmware, vw_rule_acpi, vw_rule_pm, vw_rule_cpu_mode,
	vw_rule_clock, vw_rule_hyperv, vw_rule_pcie_ports, vw_rule_disk_bus, vw_rule_cdrom_bus,
	vw_rule_disk_cache, vw_rule_disk_io, vw_rule_disk_discard, vw_rule_disk_iothread,
	vw_rule_nic_model, vw_rule_nic_queues, vw_rule_usb, vw_rule_tablet, vw_rule_video,
	vw_rule_rng, vw_rule_agent_channel, vw_rule_balloon, vw_rule_panic_device, vw_rule_tpm;

/* Sets blank and blank_why (blank.c). */
void vw_judge_blank(struct vw_ctx *c);

/* Machine, firmware … as they are in the tree now. */
bool vw_ctx_q35(const struct vw_ctx *c);
bool vw_ctx_pc(const struct vw_ctx *c);
bool vw_ctx_efi(const struct vw_ctx *c);
/* May its architecture have an EFI firmware? Of x86_64 it may be assumed (or installed); of another
 * one the capabilities must say so. */
bool vw_ctx_efi_arch(const struct vw_ctx *c);
/* A board that the rules know: q35 or pc. Others (microvm, isapc) may lack PCI, and all that
 * hangs on it. */
bool vw_ctx_known_board(const struct vw_ctx *c);
/* How much of the guest the rules know: into plan->judged and plan->unjudged (scope.c).
 * Return: 0 or -ENOMEM. */
int vw_scope_find(struct vw_ctx *c);
/* New here and blank: nothing has seen the guest's hardware yet. */
bool vw_ctx_fresh(const struct vw_ctx *c);
/* libvirt places all PCI devices anew, whatever is added: the guest is fresh, or its board new. */
bool vw_ctx_places_open(const struct vw_ctx *c);

/* A command about this guest that can be typed as it is: "virt-warden -c URI VERB NAME OPTIONS".
 * options: "" or " --option". Return: malloc'ed, NULL: no memory. */
char *vw_ctx_command(const struct vw_ctx *c, const char *verb, const char *options);

/* May a finding of the running rule be applied? Adds the finding either way.
 * why: what the change is good for, one sentence.
 * Return: true if the rule is to make the edit. */
bool vw_decide(struct vw_ctx *c, const char *device, const char *before, const char *after,
	       const char *why);
/* Add a finding that is not applied, for the reason given. */
void vw_note(struct vw_ctx *c, const char *device, const char *before, const char *after,
	     enum vw_evidence evidence, const char *fmt, ...) VW_PRINTF(6, 7);
/* Append to a finding's message what the change takes out: "; drops A, B". */
void vw_say_dropped(char *message, size_t size, const char *fmt, ...) VW_PRINTF(3, 4);
/* A controller as that names it: "controller usb 0 piix3-uhci". */
void vw_say_controller(char *message, size_t size, const xmlNode *controller);
/* The same, known only when it is done: to the last finding that this rule applies. */
void vw_add_dropped(struct vw_ctx *c, const char *rule, const char *fmt, ...) VW_PRINTF(3, 4);
/* Note the result of an edit (0 or -ENOMEM). */
void vw_try(struct vw_ctx *c, int result);

/* The first value of attribute `attr` of a rule's element whose conditions hold
 * ("sata@q35 ide@pc") and that the capabilities offer under caps_key (NULL = not asked).
 * Return: true and the value in buf. */
bool vw_choose(const struct vw_ctx *c, const xmlNode *data, const char *attr, const char *caps_key,
	       char *buf, size_t size);
/* Does the list in attribute `attr` name value (with its conditions)? "*" names all. */
bool vw_listed(const struct vw_ctx *c, const xmlNode *data, const char *attr, const char *value);
/* Does the condition in attribute `when` of an element of the template hold (true without one)? */
bool vw_when(const struct vw_ctx *c, const xmlNode *n);
/* Attribute of the rule's element as a number within [min, max], or fallback. */
long vw_number(const xmlNode *data, const char *attr, long min, long max, long fallback);

/* Find or make a child element without attributes. NULL: out of memory (noted). */
xmlNode *vw_need_child(struct vw_ctx *c, xmlNode *parent, const char *name);

/* Add <name attr='value' …>, last in parent; pairs of strings, then NULL.
 * Return: the element, NULL: out of memory (noted). */
xmlNode *vw_add_element(struct vw_ctx *c, xmlNode *parent, const char *name, ...)
	__attribute__((sentinel));

/* A free PCI address for a new device of a guest whose addresses must not move
 * (pci-slots.c). Return: true, bus and slot; false and why. */
bool vw_pci_free_slot(struct vw_ctx *c, long *ret_bus, long *ret_slot, const char **ret_why);
/* Return: true if every PCI device has an address that is understood. */
bool vw_pci_addressed(const struct vw_ctx *c);
/* i440fx only: so many devices on bus 0 that another one would need a bridge, which
 * libvirt can't always place among addresses that are fixed. */
bool vw_pci_crowded(const struct vw_ctx *c);
/* Add an additive PCI device <name>: without address when all places are open, else on a
 * free slot. Return: the element, or NULL when it was not added (a finding says so). */
xmlNode *vw_add_pci_device(struct vw_ctx *c, const char *name, const char *after, const char *why);

/* Disks (disk.c). */
bool vw_disk_is(const xmlNode *disk, const char *device); /* <disk device=…>, default "disk" */
const char *vw_disk_target(const xmlNode *disk);
const char *vw_disk_bus(const xmlNode *disk); /* as libvirt would infer it from the target name */
bool vw_disk_has_source(const xmlNode *disk);
/* Which facts belong to which <disk>: usually they come in the same order. Return: 0 or -ENOMEM. */
int vw_ctx_map_disks(struct vw_ctx *c);
/* Facts of the i-th <disk> of the domain; NULL = none. */
const struct vw_disk_facts *vw_ctx_disk(const struct vw_ctx *c, size_t i);

/* Direct kernel boot with a command line that names a disk by its bus: "root=/dev/sda1".
 * Read once per plan. Return: that word (may be cut), owned by c; NULL = none (kernel-cmdline.c). */
const char *vw_kernel_names_disk(struct vw_ctx *c);

/* What keeps a disk on IDE, so that the board can't go to q35; NULL = nothing (rule-disk.c). */
const char *vw_disks_cling_to_ide(struct vw_ctx *c);
/* Put a disk that IDE can't carry on q35 onto sata (rule-disk.c; part of a machine change). */
void vw_disks_leave_ide(struct vw_ctx *c);

#endif
