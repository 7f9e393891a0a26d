/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Define and create: the XML is made right before libvirtd sees it.
 *
 * Plan, keep what was typed (and what it replaces), hand libvirt the fixed XML.
 * If libvirt refuses that, what the guest can't see (the host class: caches …) is tried alone.
 * If it refuses that, too, the typed XML goes through as if we were not there:
 * its result and its error are what the program gets. */
#include "plugin/preload/preload.h"

#include "lib/base/text.h"
#include "virt/put-back.h"

#include <errno.h>

struct attempt {
	const struct vw_define_call *call;
	struct vw_context *ctx;
	struct vw_xml *doc;
	struct vw_gathered *facts;
	struct vw_plan *plan;
	struct vw_prepared *typed; /* call->xml, laid ready for the history; NULL = it is not */
	char uuid[VIR_UUID_STRING_BUFLEN];
	char *previous; /* the config that a redefine replaces, NULL = there is none */
	char *hand; /* rules that the admin took back by hand, which the plan's XML records; or NULL */
	bool again; /* the plan gives the guest what its config has had since it was made */
	bool apply; /* plan->xml is to be used */
	const char *why_not; /* the plan is only told, because … */
	struct vw_notes notes;
};

static void attempt_clear(struct attempt *a)
{
	vw_history_abandon(a->typed);
	vw_plan_free(a->plan); /* borrows from the facts */
	vw_gathered_free(a->facts);
	vw_xml_free(a->doc);
	vw_give_context(a->ctx);
	free(a->previous);
	free(a->hand);
}

static int parse(struct attempt *a, struct vw_err *err)
{
	vw_xml_free(vw_steal(a->doc));
	return vw_xml_parse(a->call->xml, strlen(a->call->xml), "the XML", "domain", &a->doc, err);
}

/* refused: why libvirt did not take the whole fix: then the host class alone. NULL = it all. */
static int plan(struct attempt *a, const char *refused, struct vw_err *err)
{
	struct vw_request req = {
		.hold = refused ? VW_HOLD_GUEST_SIDE : 0,
		.hold_why = refused,
		.doc = a->doc,
		.facts = &a->facts->facts,
		.templates = vw_context_templates(a->ctx, err),
		.policy = vw_context_policy(a->ctx),
	};

	if (!req.templates)
		return err->code < 0 ? err->code : -ENOENT;
	vw_plan_free(vw_steal(a->plan));
	return vw_plan_make(&req, &a->plan, err);
}

/* Plan for what was typed once more, with what the admin took back by hand recorded. */
static int plan_anew(struct attempt *a, const char *refused, struct vw_err *err)
{
	int r = parse(a, err);

	if (r == 0 && !*a->facts->outline->uuid && !vw_set_uuid(a->doc, a->uuid))
		r = vw_err_set(err, -ENOMEM, "out of memory");
	if (r == 0 && a->hand)
		r = vw_record_skips(a->doc, a->hand);
	return r == 0 ? plan(a, refused, err) : r;
}

/* Plan anew without the rules that the admin took back by hand. rules: taken over. */
static int respect_hand(struct attempt *a, char *rules, struct vw_err *err)
{
	VW_AUTOFREE char *command = vw_command_text("mode", a->plan->name);
	int r;

	a->hand = rules;
	r = plan_anew(a, NULL, err);
	if (r < 0)
		return r;
	vw_notes_add(
		&a->notes,
		"%s: put back by hand, so left alone from now on: %s (%s --unskip RULE undoes that)",
		a->plan->name, rules, command ? command : "");
	return 0;
}

/* A redefine is judged by what we did to the domain before. */
static int respect_history(struct attempt *a, struct vw_err *err)
{
	VW_AUTOFREE char *hand = NULL;
	struct vw_plan *again = NULL;

	if (vw_redefine_judge(a->ctx, a->uuid, a->call->xml, a->previous, a->facts, a->plan, &hand,
			      &again) < 0)
		return vw_err_set(err, -ENOMEM, "out of memory");
	if (*hand)
		return respect_hand(a, vw_steal(hand), err);
	if (again) {
		vw_plan_free(a->plan);
		a->plan = again;
		a->again = true;
	}
	return 0;
}

static int keep_typed(struct attempt *a, struct vw_err *err)
{
	return vw_apply_keep(a->ctx, a->uuid, a->plan->name, a->call->xml, VW_CAUSE_CLIENT, "",
			     err);
}

/* Keep what is about to be replaced, and what was typed if that is not what is used. Of a new
 * domain there is nothing to be lost: what was typed need be safe from a power cut only when
 * virsh says that it is defined (keep_after), and libvirtd has the disk work meanwhile.
 * Return: 0 or negative errno: then nothing is changed. */
static int keep_before(struct attempt *a, struct vw_err *err)
{
	struct vw_history *h;
	int r = 0;

	if (!a->previous && !a->apply)
		return 0;
	h = vw_context_history(a->ctx, err);
	if (!h)
		return err->code < 0 ? err->code : -EIO;
	if (a->previous)
		r = vw_apply_keep(a->ctx, a->uuid, a->plan->name, a->previous, VW_CAUSE_SEEN, "",
				  err);
	else
		vw_history_disk(h, VW_DISK_LATER);
	if (r < 0 || !a->apply || (a->typed && vw_history_use(a->typed) == 0))
		return r;
	return keep_typed(a, err);
}

/* Read the XML and learn what libvirtd knows of the domain. Return: 0; 1 = nothing for us
 * to do; negative errno. */
static int recognise(struct attempt *a, struct vw_err *err)
{
	struct vw_gathered *g;
	int r = parse(a, err);

	if (r == 0 && !a->facts)
		r = vw_collect_begin(a->ctx, a->call->conn, NULL, a->doc, &a->facts, err);
	if (r < 0)
		return r;
	g = a->facts;
	if (g->outline->mode == VW_MODE_OFF || g->facts.new_here == VW_UNKNOWN ||
	    !vw_identify(a->doc, g, a->uuid))
		return 1;
	if (!a->call->persistent && g->facts.active == VW_YES)
		return 1; /* can't be created twice */
	if (!g->known)
		return 0;
	a->previous = virDomainGetXMLDesc(g->known,
					  VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
	return a->previous ? 0
			   : vw_err_set(err, -EACCES, "%s: %s", g->outline->name,
					virGetLastErrorMessage());
}

/* From the typed XML to a plan. Return: 0; 1 = nothing for us to do; negative errno. */
static int work_out(struct attempt *a, struct vw_err *err)
{
	int r = a->ctx ? 0 : vw_take_context(&a->ctx, err);

	if (r < 0)
		return r;
	if (vw_context_policy(a->ctx)->define == VW_DEFINE_OFF)
		return 1;
	r = recognise(a, err);
	if (r != 0)
		return r;
	r = vw_collect_rest(a->ctx, a->call->conn, a->doc, NULL, a->facts, err);
	if (r == 0)
		r = plan(a, NULL, err);
	if (r == 0 && a->previous && a->plan->n_findings)
		r = respect_history(a, err);
	return r;
}

/* The same, if it was not foreseen. */
static int consider(struct attempt *a, struct vw_err *err)
{
	struct vw_foreseen s = { 0 };
	const bool foreseen = vw_foreseen(a->call, &s);
	int r;

	a->ctx = s.ctx;
	a->facts = s.facts;
	if (foreseen) {
		a->doc = s.doc;
		a->plan = s.plan;
		a->typed = s.typed;
		memcpy(a->uuid, s.uuid, sizeof(a->uuid));
	}
	r = foreseen ? 0 : work_out(a, err);
	if (r == 0 && vw_context_policy(a->ctx)->define == VW_DEFINE_WARN)
		a->why_not = "define = warn in warden.conf";
	return r;
}

static void prepare(struct attempt *a)
{
	struct vw_err err = { 0 };
	int r;

	if (!a->call->xml || !vw_conn_is_qemu(a->call->conn))
		return;
	r = consider(a, &err);
	/* Now: a free after the program's call would wipe out that call's error. */
	if (a->facts && a->facts->known)
		virDomainFree(vw_steal(a->facts->known));
	if (r < 0) {
		vw_plan_free(vw_steal(a->plan));
		vw_notes_add(&a->notes, "%s (the XML was used as it is)", err.text);
	}
	if (r != 0)
		return;
	/* A new UUID alone is no reason. */
	a->apply = !a->why_not && a->plan->xml &&
		   (a->hand || vw_plan_count(a->plan, VW_ACTION_FIX));
	if (keep_before(a, &err) == 0)
		return;
	vw_notes_add(&a->notes, "%s (can't keep the history, so nothing was changed)", err.text);
	a->apply = false;
	vw_plan_free(vw_steal(a->plan));
}

/* What the guest can't see, alone. Return: the domain, NULL: refused, too, or there is none of it. */
static virDomainPtr define_host_class(struct attempt *a, const char *why)
{
	VW_AUTOFREE char *name = strdup(a->plan->name);
	VW_AUTOFREE char *held = NULL;
	struct vw_err err = { 0 };
	virDomainPtr dom;

	if (!name || asprintf(&held, "libvirt refuses the whole fix (%s)", why) < 0) {
		held = NULL;
		return NULL;
	}
	if (plan_anew(a, held, &err) < 0 || !a->plan->xml || !vw_plan_count(a->plan, VW_ACTION_FIX))
		return NULL;
	dom = a->call->real(a->call, a->plan->xml);
	if (!dom)
		return NULL;
	vw_notes_add(
		&a->notes,
		"%s: libvirt refuses the whole fix, so only what the guest can't see was fixed (%s)",
		name, why);
	return dom;
}

/* libvirt refused what we made of it: that must never be the user's trouble. */
static virDomainPtr fall_back(struct attempt *a)
{
	VW_AUTOFREE char *why = strdup(virGetLastErrorMessage());
	VW_AUTOFREE char *name = strdup(a->plan->name);
	virDomainPtr dom;

	vw_buf_free(&a->notes.text);
	dom = define_host_class(a, why ? why : "");
	if (!dom) {
		vw_listen(true);
		dom = a->call->real(a->call, a->call->xml);
		vw_listen(false);
		a->apply = false;
		if (!dom)
			return NULL;
		vw_notes_add(
			&a->notes,
			"%s: libvirt refuses the fixed XML, so it was used as you typed it (%s)",
			name ? name : "", why ? why : "");
		vw_plan_free(vw_steal(a->plan));
	}
	vw_context_doubt_caps(a->ctx);
	vw_log_refused(a->uuid, name ? name : "", why);
	return dom;
}

/* It started while we were at it, and the plan was for one that is off. */
static virDomainPtr put_back(struct attempt *a, virDomainPtr dom)
{
	virDomainPtr again;

	if (!a->call->persistent || !a->previous || a->again || a->facts->facts.active == VW_YES ||
	    !vw_plan_needs_cold_boot(a->plan) || virDomainIsActive(dom) != 1)
		return dom;
	again = a->call->real(a->call, a->call->xml);
	if (!again)
		return dom;
	virDomainFree(dom);
	a->apply = false;
	a->why_not = "it was started meanwhile";
	return again;
}

/* What was typed must be safe by now; what libvirtd has, too, need not be waited for. */
static void keep_after(struct attempt *a, virDomainPtr dom)
{
	const char *xml = a->apply ? a->plan->xml : a->call->xml;
	const enum vw_cause cause = a->apply ? VW_CAUSE_FIX : VW_CAUSE_CLIENT;
	VW_AUTOFREE char *rules = a->apply ? vw_plan_rules(a->plan) : strdup("");
	struct vw_err err = { 0 };
	struct vw_history *h = vw_context_history(a->ctx, &err);
	int r = h ? vw_history_settle(h, &err) : -EIO;

	if (r == 0 && (a->apply || virDomainGetUUIDString(dom, a->uuid) == 0)) {
		vw_history_disk(h, VW_DISK_NEVER);
		if (vw_is_virsh() && !a->why_not)
			vw_keep_meanwhile(a->ctx, a->uuid, a->plan->name, strdup(xml), cause,
					  vw_steal(rules));
		else
			r = vw_apply_keep(a->ctx, a->uuid, a->plan->name, xml, cause, rules, &err);
	}
	if (r < 0 && !a->why_not)
		vw_notes_add(&a->notes, "%s (the new XML is not in the history)", err.text);
}

virDomainPtr vw_define(const struct vw_define_call *call)
{
	struct attempt a = { .call = call };
	virDomainPtr dom;

	if (!vw_enter())
		return call->real(call, call->xml);
	vw_keep_join(); /* of the define before */
	prepare(&a);
	if (a.apply) {
		dom = call->real(call, a.plan->xml);
		dom = dom ? put_back(&a, dom) : fall_back(&a);
	} else {
		vw_listen(true);
		dom = call->real(call, call->xml);
		vw_listen(false);
	}
	if (dom && a.plan) {
		keep_after(&a, dom);
		vw_notes_plan(&a.notes, a.call->conn, a.plan, a.facts->os_note, a.why_not);
	}
	if (dom)
		vw_notes_flush(&a.notes);
	vw_buf_free(&a.notes.text); /* the program reports a failure, there is nothing to add */
	attempt_clear(&a);
	vw_leave(dom != NULL);
	return dom;
}
