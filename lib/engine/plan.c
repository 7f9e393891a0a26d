/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine's frame: what is known of the guest, the table of rules, the plan. */
#include "lib/engine/cache-policy.h"
#include "lib/engine/metadata.h"
#include "lib/base/text.h"
#include "lib/engine/rules.h"
#include "lib/engine/template-internal.h"

#include <errno.h>
#include <libxml/hash.h>

/* In the order in which they are applied: what later rules depend on comes first
 * (machine before buses, buses before what hangs on a bus). */
static const struct vw_rule rules[] = {
	{ "os-metadata", VW_CLASS_HOST, vw_rule_os_metadata, false, true },
	{ "disk-format", VW_CLASS_HOST, vw_rule_disk_format, false, true },
	{ "shared-memory", VW_CLASS_HOST, vw_rule_shared_memory, false, true },
	{ "machine", VW_CLASS_BOOT, vw_rule_machine, false, false },
	{ "firmware", VW_CLASS_BOOT, vw_rule_firmware, true, false },
	{ "acpi", VW_CLASS_VISIBLE, vw_rule_acpi, true, false },
	{ "pm", VW_CLASS_VISIBLE, vw_rule_pm, true, false },
	{ "cpu-mode", VW_CLASS_VISIBLE, vw_rule_cpu_mode, true, false },
	{ "clock", VW_CLASS_VISIBLE, vw_rule_clock, true, false },
	{ "hyperv", VW_CLASS_VISIBLE, vw_rule_hyperv, true, false },
	{ "pcie-ports", VW_CLASS_VISIBLE, vw_rule_pcie_ports, true, false },
	{ "disk-bus", VW_CLASS_BOOT, vw_rule_disk_bus, true, false },
	{ "cdrom-bus", VW_CLASS_BOOT, vw_rule_cdrom_bus, true, false },
	{ "disk-cache", VW_CLASS_HOST, vw_rule_disk_cache, false, true },
	{ "disk-io", VW_CLASS_HOST, vw_rule_disk_io, true, true },
	{ "disk-discard", VW_CLASS_HOST, vw_rule_disk_discard, true, true },
	{ "disk-iothread", VW_CLASS_HOST, vw_rule_disk_iothread, true, false },
	{ "nic-model", VW_CLASS_VISIBLE, vw_rule_nic_model, true, false },
	{ "nic-queues", VW_CLASS_VISIBLE, vw_rule_nic_queues, true, false },
	{ "usb", VW_CLASS_VISIBLE, vw_rule_usb, true, false },
	{ "tablet", VW_CLASS_ADDITIVE, vw_rule_tablet, true, false },
	{ "video", VW_CLASS_VISIBLE, vw_rule_video, true, false },
	{ "rng", VW_CLASS_ADDITIVE, vw_rule_rng, true, false },
	{ "agent-channel", VW_CLASS_ADDITIVE, vw_rule_agent_channel, true, false },
	{ "balloon", VW_CLASS_HOST, vw_rule_balloon, true, false },
	{ "panic-device", VW_CLASS_ADDITIVE, vw_rule_panic_device, true, false },
	{ "tpm", VW_CLASS_ADDITIVE, vw_rule_tpm, true, false },
};

const char *const *vw_rule_ids(void)
{
	static const char *const ids[] = {
		"os-metadata",  "disk-format",   "shared-memory",
		"machine",      "firmware",      "acpi",
		"pm",           "cpu-mode",      "clock",
		"hyperv",       "pcie-ports",    "disk-bus",
		"cdrom-bus",    "disk-cache",    "disk-io",
		"disk-discard", "disk-iothread", "nic-model",
		"nic-queues",   "usb",           "tablet",
		"video",        "rng",           "agent-channel",
		"balloon",      "panic-device",  "tpm",
		NULL,
	};

	_Static_assert(VW_N_ELEMENTS(ids) == VW_N_ELEMENTS(rules) + 1, "ids and rules differ");
	return ids;
}

size_t vw_plan_count(const struct vw_plan *plan, enum vw_action action)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->n_findings; i++)
		n += plan->findings[i].action == action;
	return n;
}

size_t vw_plan_waiting(const struct vw_plan *plan, const char **ret_class)
{
	size_t n = 0;

	*ret_class = "visible";
	for (size_t i = 0; i < plan->n_findings; i++) {
		const struct vw_finding *f = &plan->findings[i];

		if (f->action == VW_ACTION_FIX || !strstr(f->message, "--allow"))
			continue;
		n++;
		if (f->cls == VW_CLASS_BOOT)
			*ret_class = "boot";
	}
	return n;
}

void vw_plan_free(struct vw_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->n_findings; i++)
		vw_finding_clear(&plan->findings[i]);
	free(plan->findings);
	free(plan->unjudged);
	free(plan->name);
	free(plan->uuid);
	free(plan->template_id);
	free(plan->xml);
	free(plan);
}

const struct vw_disk_facts *vw_ctx_disk(const struct vw_ctx *c, size_t i)
{
	return i < c->n_disks ? c->disk_facts[i] : NULL;
}

/* Which facts belong to which <disk>: usually they come in the same order. */
static int map_disk_facts(struct vw_ctx *c)
{
	size_t i = 0;

	for (xmlNode *d = vw_xml_child(c->devices, "disk"); d; d = vw_xml_next(d, "disk"))
		c->n_disks++;
	if (!c->n_disks)
		return 0;
	c->disk_facts = calloc(c->n_disks, sizeof(*c->disk_facts));
	if (!c->disk_facts)
		return -ENOMEM;
	for (xmlNode *d = vw_xml_child(c->devices, "disk"); d; d = vw_xml_next(d, "disk"), i++) {
		const char *target = vw_disk_target(d);

		if (i < c->facts->n_disks && !strcmp(c->facts->disks[i].target, target))
			c->disk_facts[i] = &c->facts->disks[i];
		else
			c->disk_facts[i] = vw_facts_disk(c->facts, target);
	}
	return 0;
}

enum vw_evidence vw_plan_blank(const xmlNode *domain, const struct vw_facts *facts)
{
	struct vw_ctx c = { .domain = (xmlNode *)domain,
			    .devices = vw_xml_child(domain, "devices"),
			    .facts = facts };

	if (c.devices && map_disk_facts(&c) == 0)
		vw_judge_blank(&c);
	free(c.disk_facts);
	return c.blank;
}

static bool known_x86(const struct vw_ctx *c)
{
	const char *arch = vw_xml_attr(vw_xml_path(c->domain, "os/type"), "arch");
	const char *machine = vw_xml_attr(vw_xml_path(c->domain, "os/type"), "machine");

	if (arch)
		return !strcmp(arch, "x86_64") || !strcmp(arch, "i686");
	return !machine || vw_startswith(machine, "pc") || vw_streq(machine, "q35");
}

static bool has_overrides(const xmlNode *domain)
{
	for (const xmlNode *n = domain->children; n; n = n->next)
		if (n->type == XML_ELEMENT_NODE && n->ns && n->ns->href &&
		    !strcmp((char *)n->ns->href, "http://libvirt.org/schemas/domain/qemu/1.0"))
			return true;
	return false;
}

static void find_graphics(struct vw_ctx *c)
{
	for (xmlNode *g = vw_xml_child(c->devices, "graphics"); g; g = vw_xml_next(g, "graphics")) {
		c->graphics = true;
		c->spice |= vw_streq(vw_xml_attr(g, "type"), "spice");
	}
}

static const struct vw_caps *caps_for_now(const struct vw_ctx *c)
{
	bool q35 = vw_ctx_q35(c);

	for (size_t i = 0; i < c->facts->n_caps; i++)
		if (!!strstr(vw_caps_machine(c->facts->caps[i]), "q35") == q35)
			return c->facts->caps[i];
	return c->facts->n_caps ? c->facts->caps[0] : NULL;
}

static int open_plan(struct vw_ctx *c)
{
	struct vw_plan *p = c->plan;

	p->name = strdup(vw_xml_content(c->doc, vw_xml_child(c->domain, "name")));
	p->uuid = strdup(vw_xml_content(c->doc, vw_xml_child(c->domain, "uuid")));
	p->os = c->facts->os;
	p->os_source = c->facts->os_source;
	p->os_confidence = c->facts->os_confidence;
	p->mode = vw_metadata_mode(c->domain);
	p->template_id = strdup(vw_template_id(c->tpl));
	if (!p->name || !p->uuid || !p->template_id)
		return -ENOMEM;
	c->fix_command = vw_ctx_command(c, "fix", "");
	c->fix_visible = vw_ctx_command(c, "fix", " --allow visible");
	c->fix_boot = vw_ctx_command(c, "fix", " --allow boot");
	return c->fix_command && c->fix_visible && c->fix_boot ? 0 : -ENOMEM;
}

static void judge_mode(struct vw_ctx *c)
{
	c->audit_why = c->req->force_enforce ? NULL : vw_metadata_audit_why(c->domain);
	c->audit = c->audit_why;
	c->plan->audit_why = c->audit_why;
}

static void run_rules(struct vw_ctx *c)
{
	if ((c->plan->mode == VW_MODE_OFF && !c->req->force_enforce) ||
	    c->plan->judged == VW_JUDGED_NONE)
		return;
	for (size_t i = 0; i < VW_N_ELEMENTS(rules) && !c->error; i++) {
		const struct vw_rule *rule = &rules[i];
		const xmlNode *data = vw_template_rule_at(c->tpl, i);

		if ((c->req->only_rule && strcmp(c->req->only_rule, rule->id) != 0) ||
		    vw_has_word(c->req->leave_out, rule->id))
			continue;
		if ((rule->needs_template && !data) || (!rule->any_arch && !c->x86) ||
		    vw_metadata_skips(c->domain, rule->id))
			continue;
		/* why not the rest says the machine rule */
		if (c->plan->judged == VW_JUDGED_HOST && rule->cls != VW_CLASS_HOST &&
		    rule->run != vw_rule_machine)
			continue;
		c->rule = rule;
		rule->run(c, data);
		c->caps = caps_for_now(c);
	}
	/* a disk that the rules left on IDE (a skip): the new board has no IDE */
	if (c->new_board)
		vw_disks_leave_ide(c);
}

static int plan_into(struct vw_ctx *c, struct vw_err *err)
{
	int r;

	c->domain = vw_xml_root(c->doc);
	c->devices = vw_xml_child(c->domain, "devices");
	c->x86 = known_x86(c);
	c->kvm = vw_streq(vw_xml_attr(c->domain, "type"), "kvm");
	c->host_only = has_overrides(c->domain);
	if (c->devices) {
		find_graphics(c);
		r = map_disk_facts(c);
		if (r < 0)
			return vw_err_set(err, r, "plan: out of memory");
		vw_judge_blank(c);
		c->addressed = vw_pci_addressed(c);
	}
	c->caps = caps_for_now(c);
	r = open_plan(c);
	if (r == 0)
		r = vw_scope_find(c);
	if (r == 0 && c->devices) {
		judge_mode(c);
		run_rules(c);
		r = c->error;
	}
	if (r == 0 && !c->req->findings_only && vw_xml_changed(c->doc))
		r = vw_xml_text(c->doc, &c->plan->xml, &c->plan->xml_len, err);
	return r < 0 ? vw_err_set(err, r, "%s: out of memory",
				  c->plan->name ? c->plan->name : "plan")
		     : 0;
}

int vw_plan_make(const struct vw_request *req, struct vw_plan **ret, struct vw_err *err)
{
	struct vw_ctx c = {
		.doc = req->doc,
		.req = req,
		.facts = req->facts,
		.policy = req->policy,
		.tpl = req->templates ? vw_templates_pick(req->templates, req->facts->os,
							  req->facts->virtio_drivers)
				      : NULL,
		.plan = calloc(1, sizeof(*c.plan)),
	};
	int r = c.plan ? plan_into(&c, err) : vw_err_set(err, -ENOMEM, "plan: out of memory");

	free(c.fix_command);
	free(c.fix_visible);
	free(c.fix_boot);
	free(c.disk_facts);
	xmlHashFree(c.disk_names, NULL);
	xmlHashFree(c.scsi, NULL);
	vw_plan_free(c.live_plan);
	if (r < 0) {
		vw_plan_free(c.plan);
		return r;
	}
	*ret = c.plan;
	return 0;
}
