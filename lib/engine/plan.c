/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine's frame: what is known of the guest, the table of rules, the plan. */
#include "lib/engine/cache-policy.h"
#include "lib/engine/metadata.h"
#include "lib/base/text.h"
#include "lib/engine/rules.h"
#include "lib/engine/template-internal.h"

#include <errno.h>
#include <libxml/hash.h>

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

enum vw_evidence vw_plan_blank(const xmlNode *domain, const struct vw_facts *facts)
{
	struct vw_ctx c = { .domain = (xmlNode *)domain,
			    .devices = vw_xml_child(domain, "devices"),
			    .facts = facts };

	if (c.devices && vw_ctx_map_disks(&c) == 0)
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

/* What would the running guest itself still need? */
static void make_live_plan(struct vw_ctx *c)
{
	VW_AUTOXML struct vw_xml *doc = NULL;
	struct vw_facts facts = *c->facts;
	struct vw_request req = *c->req;

	if (facts.active != VW_YES || !facts.active_xml ||
	    vw_xml_parse(facts.active_xml, strlen(facts.active_xml), "live", "domain", &doc, NULL) <
		    0)
		return;
	facts.active = VW_NO;
	facts.active_xml = NULL;
	facts.managed_save = VW_NO;
	req.doc = doc;
	req.facts = &facts;
	if (vw_plan_make(&req, &c->live_plan, NULL) < 0)
		c->live_plan = NULL;
}

static void run_rules(struct vw_ctx *c)
{
	if ((c->plan->mode == VW_MODE_OFF && !c->req->force_enforce) ||
	    c->plan->judged == VW_JUDGED_NONE)
		return;
	for (size_t i = 0; i < vw_rule_count() && !c->error; i++) {
		const struct vw_rule *rule = vw_rule_at(i);
		const xmlNode *data = vw_template_rule_at(c->tpl, i);

		if ((c->req->only_rule && strcmp(c->req->only_rule, rule->id) != 0) ||
		    vw_has_word(c->req->leave_out, rule->id))
			continue;
		if ((rule->needs_template && !data) || (!rule->any_arch && !c->x86) ||
		    vw_metadata_skips(c->domain, rule->id))
			continue;
		/* why not the rest says the machine rule */
		if (c->plan->judged == VW_JUDGED_HOST && rule->cls != VW_CLASS_HOST &&
		    rule != &vw_rule_machine)
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
		r = vw_ctx_map_disks(c);
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
		make_live_plan(c);
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
