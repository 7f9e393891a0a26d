/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* May a finding be applied? The four classes and their evidence (design.md, "Rules: four
 * classes"), in one place for all rules; and the small tools that rules share. */
#include "lib/engine/cache-policy.h"
#include "lib/base/text.h"
#include "lib/engine/rules.h"

#include <errno.h>
#include <stdarg.h>

/* Bytes; a message holds a shortened domain name, a reason and a command. */
#define VW_SHORT_MAX 120
#define VW_MESSAGE_MAX 600
#define DROPS_MORE ", and more"

bool vw_ctx_q35(const struct vw_ctx *c)
{
	const char *m = vw_xml_attr(vw_xml_path(c->domain, "os/type"), "machine");

	return m && (!strcmp(m, "q35") || vw_startswith(m, "pc-q35-"));
}

bool vw_machine_is_pc(const char *m)
{
	return !*m || !strcmp(m, "pc") || vw_startswith(m, "pc-i440fx-") ||
	       vw_startswith(m, "pc-1") || vw_startswith(m, "pc-0");
}

bool vw_ctx_pc(const struct vw_ctx *c)
{
	const char *m = vw_xml_attr(vw_xml_path(c->domain, "os/type"), "machine");

	return vw_machine_is_pc(m ? m : "");
}

bool vw_ctx_known_board(const struct vw_ctx *c)
{
	return vw_ctx_q35(c) || vw_ctx_pc(c);
}

bool vw_ctx_efi(const struct vw_ctx *c)
{
	const xmlNode *os = vw_xml_child(c->domain, "os");

	return vw_streq(vw_xml_attr(os, "firmware"), "efi") ||
	       vw_streq(vw_xml_attr(vw_xml_child(os, "loader"), "type"), "pflash");
}

bool vw_ctx_efi_arch(const struct vw_ctx *c)
{
	const char *arch = vw_xml_attr(vw_xml_path(c->domain, "os/type"), "arch");

	return !arch || !strcmp(arch, "x86_64") || !strcmp(arch, "aarch64") ||
	       (vw_caps_has(c->caps, "caps.arch", arch) == VW_YES &&
		vw_caps_has(c->caps, "os.firmware", "efi") == VW_YES);
}

bool vw_ctx_fresh(const struct vw_ctx *c)
{
	return c->blank == VW_EV_BLANK && c->facts->new_here == VW_YES &&
	       c->facts->active != VW_YES;
}

bool vw_ctx_places_open(const struct vw_ctx *c)
{
	return vw_ctx_fresh(c) || c->new_board;
}

char *vw_ctx_command(const struct vw_ctx *c, const char *verb, const char *options)
{
	const char *name = c->req->subject ? c->req->subject : c->plan->name;
	const char *os = c->req->os_said && strcmp(verb, "fix") == 0 ? c->req->os_said : "";
	bool dash = *name == '-' && name[1]; /* then "--" comes before it, and options do first */
	VW_AUTOFREE char *all = NULL;
	VW_AUTOFREE char *command = NULL;
	char *text = NULL;

	if (asprintf(&all, "%s%s%s%s", c->req->connect ? c->req->connect : "", verb, dash ? os : "",
		     dash ? options : "") < 0) {
		all = NULL;
		return NULL;
	}
	command = vw_command_text(all, name);
	if (!command || asprintf(&text, "%s%s%s", command, dash ? "" : os, dash ? "" : options) < 0)
		return NULL;
	return text;
}

void vw_try(struct vw_ctx *c, int result)
{
	if (result < 0 && !c->error)
		c->error = result;
}

static void add_finding(struct vw_ctx *c, struct vw_finding *f)
{
	struct vw_plan *p = c->plan;

	if (p->n_findings == c->cap_findings) {
		size_t cap = c->cap_findings ? c->cap_findings * 2 : 32;
		struct vw_finding *v = reallocarray(p->findings, cap, sizeof(*v));

		if (!v) {
			vw_try(c, -ENOMEM);
			vw_finding_clear(f);
			return;
		}
		p->findings = v;
		c->cap_findings = cap;
	}
	p->findings[p->n_findings++] = *f;
}

static void VW_PRINTF(7, 0)
	vadd(struct vw_ctx *c, const char *device, const char *before, const char *after,
	     enum vw_action action, enum vw_evidence evidence, const char *fmt, va_list ap)
{
	struct vw_finding f = {
		.rule = c->rule->id,
		.cls = c->rule->cls,
		.device = vw_printable(device, VW_SHORT_MAX),
		.before = vw_printable(before, VW_SHORT_MAX),
		.after = vw_printable(after, VW_SHORT_MAX),
		.action = action,
		.evidence = evidence,
	};
	VW_AUTOFREE char *message = NULL;

	if (vasprintf(&message, fmt, ap) < 0)
		message = NULL;
	f.message = message ? vw_printable(message, VW_MESSAGE_MAX) : NULL;
	if (!f.device || !f.before || !f.after || !f.message) {
		vw_finding_clear(&f);
		vw_try(c, -ENOMEM);
		return;
	}
	add_finding(c, &f);
}

void vw_note(struct vw_ctx *c, const char *device, const char *before, const char *after,
	     enum vw_evidence evidence, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vadd(c, device, before, after, VW_ACTION_SKIP, evidence, fmt, ap);
	va_end(ap);
}

static void VW_PRINTF(6, 7) fix(struct vw_ctx *c, const char *device, const char *before,
				const char *after, enum vw_evidence evidence, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vadd(c, device, before, after, VW_ACTION_FIX, evidence, fmt, ap);
	va_end(ap);
}

/* Does the running guest already have what the finding asks for? */
static bool live_has(const struct vw_ctx *c, const char *device)
{
	if (!c->live_plan)
		return false;
	for (size_t i = 0; i < c->live_plan->n_findings; i++)
		if (!strcmp(c->live_plan->findings[i].rule, c->rule->id) &&
		    !strcmp(c->live_plan->findings[i].device, device))
			return false;
	return true;
}

static bool allowed(const struct vw_ctx *c)
{
	unsigned bits = c->req->allow;

	/* who may change what the guest boots from may change the lesser, too */
	if (bits & (1u << VW_CLASS_BOOT))
		bits |= 1u << VW_CLASS_VISIBLE;
	return bits & (1u << c->rule->cls);
}

/* What holds back any change of what the guest sees or boots from. */
static const char *guest_is_busy(const struct vw_ctx *c, const char *device)
{
	if (c->facts->active == VW_YES && !live_has(c, device))
		return "it is running: shut it down first, then";
	if (c->facts->managed_save == VW_YES)
		return "it has a managed save image or snapshots: start it or remove them first, then";
	return NULL;
}

/* Visible and boot: applied if blank (boot: and new here), or if the admin said so. */
static bool decide_guest_side(struct vw_ctx *c, const char *device, const char *before,
			      const char *after, const char *why)
{
	bool boot = c->rule->cls == VW_CLASS_BOOT;
	const char *allow = boot ? c->fix_boot : c->fix_visible;
	const char *busy = guest_is_busy(c, device);

	if (busy) {
		vw_note(c, device, before, after, c->blank, "%s; %s: %s", why, busy,
			c->blank == VW_EV_BLANK ? c->fix_command : allow);
		return false;
	}
	if (allowed(c)) {
		fix(c, device, before, after, VW_EV_PROVEN, "%s", why);
		return true;
	}
	if (boot && c->policy->boot == VW_BOOT_NEVER) {
		vw_note(c, device, before, after, c->blank,
			"%s; warden.conf says boot-changes = never; to do it all the same: %s", why,
			c->fix_boot);
		return false;
	}
	if (c->blank == VW_EV_BLANK && (!boot || c->facts->new_here == VW_YES)) {
		fix(c, device, before, after, VW_EV_BLANK, "%s", why);
		return true;
	}
	vw_note(c, device, before, after, c->blank, "%s; not done, because %s; %s: %s", why,
		c->blank == VW_EV_BLANK ? "the domain is not new here" : c->blank_why,
		boot ? "if you know that the guest boots with it" : "to do it all the same", allow);
	return false;
}

static void VW_PRINTF(3, 0) say_dropped(char *message, size_t size, const char *fmt, va_list ap)
{
	const char *sep = strstr(message, "; drops ") ? ", " : "; drops ";
	VW_AUTOFREE char *what = NULL;
	size_t len = strlen(message);

	if (vasprintf(&what, fmt, ap) < 0) {
		what = NULL;
		return;
	}
	if (len + strlen(sep) + strlen(what) + sizeof(DROPS_MORE) <= size)
		snprintf(message + len, size - len, "%s%s", sep, what);
	else if (len + sizeof(DROPS_MORE) <= size && !strstr(message, DROPS_MORE))
		snprintf(message + len, size - len, DROPS_MORE);
}

void vw_say_dropped(char *message, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_dropped(message, size, fmt, ap);
	va_end(ap);
}

void vw_say_controller(char *message, size_t size, const xmlNode *controller)
{
	const char *type = vw_xml_attr(controller, "type");
	const char *index = vw_xml_attr(controller, "index");
	const char *model = vw_xml_attr(controller, "model");

	vw_say_dropped(message, size, "controller %s %s%s%s", type ? type : "", index ? index : "0",
		       model ? " " : "", model ? model : "");
}

void vw_add_dropped(struct vw_ctx *c, const char *rule, const char *fmt, ...)
{
	for (size_t i = c->plan->n_findings; i-- > 0;) {
		struct vw_finding *f = &c->plan->findings[i];
		char message[VW_MESSAGE_MAX];
		va_list ap;

		if (strcmp(f->rule, rule) != 0 || f->action != VW_ACTION_FIX)
			continue;
		snprintf(message, sizeof(message), "%s", f->message);
		va_start(ap, fmt);
		say_dropped(message, sizeof(message), fmt, ap);
		va_end(ap);
		free(f->message);
		f->message = vw_printable(message, VW_MESSAGE_MAX);
		if (!f->message)
			vw_try(c, -ENOMEM);
		return;
	}
}

bool vw_decide(struct vw_ctx *c, const char *device, const char *before, const char *after,
	       const char *why)
{
	if (c->audit) {
		vw_note(c, device, before, after, VW_EV_UNKNOWN, "%s; not done, because %s: %s",
			why, c->audit_why, c->fix_command);
		return false;
	}
	if (c->facts->machine_offered == VW_NO) {
		vw_note(c, device, before, after, VW_EV_UNKNOWN,
			"%s; not done, because libvirt takes no change of a domain whose machine type this host does not have",
			why);
		return false;
	}
	if (c->req->hold & (1u << c->rule->cls)) {
		vw_note(c, device, before, after, c->blank, "%s; not yet, because %s", why,
			c->req->hold_why);
		return false;
	}
	if (c->rule->cls == VW_CLASS_HOST) {
		fix(c, device, before, after, VW_EV_PROVEN, "%s", why);
		return true;
	}
	if (c->host_only) {
		vw_note(c, device, before, after, VW_EV_UNKNOWN,
			"%s; not done, because qemu:commandline or overrides stand in the XML: change it by hand",
			why);
		return false;
	}
	if (c->rule->cls == VW_CLASS_ADDITIVE) {
		fix(c, device, before, after, c->blank == VW_EV_BLANK ? VW_EV_BLANK : VW_EV_ASSUMED,
		    "%s", why);
		return true;
	}
	return decide_guest_side(c, device, before, after, why);
}

xmlNode *vw_need_child(struct vw_ctx *c, xmlNode *parent, const char *name)
{
	xmlNode *n = vw_xml_child(parent, name);

	if (!n)
		vw_try(c, vw_xml_add(c->doc, parent, NULL, name, &n));
	return n;
}

xmlNode *vw_add_element(struct vw_ctx *c, xmlNode *parent, const char *name, ...)
{
	const char *attr;
	xmlNode *n = NULL;
	va_list ap;

	vw_try(c, vw_xml_add(c->doc, parent, NULL, name, &n));
	va_start(ap, name);
	while (n && (attr = va_arg(ap, const char *)))
		vw_try(c, vw_xml_set_attr(c->doc, n, attr, va_arg(ap, const char *)));
	va_end(ap);
	return n;
}
