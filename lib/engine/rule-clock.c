/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clock and hyperv: time that keeps going, and the enlightenments that Windows looks for. */
#include "lib/engine/rules.h"

static xmlNode *child_named(const xmlNode *parent, const char *element, const char *name)
{
	for (xmlNode *n = vw_xml_child(parent, element); n; n = vw_xml_next(n, element))
		if (vw_streq(vw_xml_attr(n, "name"), name))
			return n;
	return NULL;
}

static void copy_attrs(struct vw_ctx *c, xmlNode *to, const xmlNode *from)
{
	for (const xmlAttr *a = from->properties; a; a = a->next)
		if (strcmp((char *)a->name, "when") != 0 &&
		    strcmp((char *)a->name, "need-caps") != 0)
			vw_try(c, vw_xml_set_attr(c->doc, to, (char *)a->name,
						  vw_xml_attr(from, (char *)a->name)));
}

/* Names of the template's timers that the clock lacks. */
static void missing_timers(struct vw_ctx *c, const xmlNode *clock, const xmlNode *data,
			   struct vw_buf *b)
{
	for (xmlNode *t = vw_xml_child(data, "timer"); t; t = vw_xml_next(t, "timer")) {
		const char *name = vw_xml_attr(t, "name");

		if (name && vw_when(c, t) && !child_named(clock, "timer", name))
			vw_buf_printf(b, "%s%s", b->len ? " " : "", name);
	}
}

static void add_timers(struct vw_ctx *c, xmlNode *clock, const xmlNode *data)
{
	for (xmlNode *t = vw_xml_child(data, "timer"); t; t = vw_xml_next(t, "timer")) {
		const char *name = vw_xml_attr(t, "name");
		xmlNode *added = NULL;

		if (!name || !vw_when(c, t) || child_named(clock, "timer", name))
			continue;
		vw_try(c, vw_xml_add(c->doc, clock, NULL, "timer", &added));
		if (added)
			copy_attrs(c, added, t);
	}
}

static void clock(struct vw_ctx *c, const xmlNode *data)
{
	const xmlNode *old = vw_xml_child(c->domain, "clock");
	const char *now = vw_xml_attr(old, "offset");
	const char *want = vw_xml_attr(data, "offset");
	VW_AUTOBUF struct vw_buf timers = { 0 };
	VW_AUTOBUF struct vw_buf after = { 0 };
	bool offset;
	xmlNode *clock;

	/* utc is what nobody chose; localtime, variable … were meant */
	offset = want && (!now || (!strcmp(now, "utc") && strcmp(want, "utc") != 0));
	missing_timers(c, old, data, &timers);
	if (!offset && !timers.len)
		return;
	vw_buf_printf(&after, "%s%s%s", offset ? want : now, timers.len ? " + " : "",
		      timers.len ? timers.p : "");
	if (!after.p ||
	    !vw_decide(c, "domain", now ? now : "", after.p,
		       "the guest keeps its time when the host is busy or the guest is moved"))
		return;
	clock = vw_need_child(c, c->domain, "clock");
	if (!clock)
		return;
	if (offset)
		vw_try(c, vw_xml_set_attr(c->doc, clock, "offset", want));
	add_timers(c, clock, data);
}

const struct vw_rule vw_rule_clock = {
	.id = "clock",
	.cls = VW_CLASS_VISIBLE,
	.run = clock,
	.needs_template = true,
};

/* May the emulator be asked for this flag? All are looked up: some CPUs lack some. What the
 * template holds back (need-caps) is KVM's alone: libvirt (9.0) reports for TCG what it saw on
 * KVM, and QEMU then refuses to start ("kernel doesn't allow setting HyperV VP_INDEX"). Where
 * libvirt says nothing, KVM is trusted with the rest. */
static bool flag_offered(const struct vw_ctx *c, const xmlNode *flag)
{
	enum vw_known has = vw_caps_has(c->caps, "hyperv.features", (char *)flag->name);
	bool need_caps = vw_streq(vw_xml_attr(flag, "need-caps"), "yes");

	if (!c->kvm)
		return has == VW_YES && !need_caps;
	return has == VW_YES || (has == VW_UNKNOWN && !need_caps);
}

static bool is_on(const xmlNode *hyperv, const char *flag)
{
	const xmlNode *n = vw_xml_child(hyperv, flag);

	return n && !vw_streq(vw_xml_attr(n, "state"), "off");
}

/* What a flag needs beside itself (QEMU, docs/system/i386/hyperv.rst): without it libvirt
 * refuses the XML, or QEMU the start. */
static const struct need {
	const char *flag, *other;
} needs[] = {
	{ "synic", "vpindex" },
	{ "stimer", "synic" },
	{ "tlbflush", "vpindex" },
	{ "ipi", "vpindex" },
};

/* The flags to add, one word each. What comes earlier in the template counts as there. */
static void missing_flags(const struct vw_ctx *c, const xmlNode *old, const xmlNode *data,
			  struct vw_buf *missing)
{
	const xmlNode *clock = vw_xml_child(c->domain, "clock");
	const xmlNode *timer = child_named(clock, "timer", "hypervclock");

	for (xmlNode *f = vw_xml_first(data); f; f = vw_xml_next(f, NULL)) {
		const char *name = (const char *)f->name;
		bool ok = flag_offered(c, f) && !vw_xml_child(old, name);

		for (size_t i = 0; ok && i < VW_N_ELEMENTS(needs); i++)
			if (!strcmp(needs[i].flag, name))
				ok = is_on(old, needs[i].other) ||
				     (missing->p && vw_has_word(missing->p, needs[i].other));
		if (ok && !strcmp(name, "stimer"))
			ok = timer && !vw_streq(vw_xml_attr(timer, "present"), "no");
		if (ok)
			vw_buf_printf(missing, "%s%s", missing->len ? " " : "", name);
	}
}

static void copy_flag(struct vw_ctx *c, xmlNode *hyperv, const xmlNode *flag)
{
	xmlNode *n = NULL;

	vw_try(c, vw_xml_add(c->doc, hyperv, NULL, (char *)flag->name, &n));
	if (!n)
		return;
	copy_attrs(c, n, flag);
	for (xmlNode *sub = vw_xml_first(flag); sub; sub = vw_xml_next(sub, NULL)) {
		xmlNode *s = NULL;

		vw_try(c, vw_xml_add(c->doc, n, NULL, (char *)sub->name, &s));
		if (s)
			copy_attrs(c, s, sub);
	}
}

static void hyperv(struct vw_ctx *c, const xmlNode *data)
{
	const xmlNode *old = vw_xml_path(c->domain, "features/hyperv");
	const char *mode = vw_xml_attr(old, "mode");
	VW_AUTOBUF struct vw_buf missing = { 0 };
	xmlNode *features, *hyperv;

	/* passthrough and host-model bring all that the host has */
	if (mode && strcmp(mode, "custom") != 0)
		return;
	missing_flags(c, old, data, &missing);
	if (!missing.p || !vw_decide(c, "domain", old ? "some" : "", missing.p,
				     "Windows spins and polls less when it knows the hypervisor"))
		return;
	features = vw_need_child(c, c->domain, "features");
	hyperv = features ? vw_need_child(c, features, "hyperv") : NULL;
	for (xmlNode *f = hyperv ? vw_xml_first(data) : NULL; f; f = vw_xml_next(f, NULL))
		if (vw_has_word(missing.p, (const char *)f->name))
			copy_flag(c, hyperv, f);
}

const struct vw_rule vw_rule_hyperv = {
	.id = "hyperv",
	.cls = VW_CLASS_VISIBLE,
	.run = hyperv,
	.needs_template = true,
};
