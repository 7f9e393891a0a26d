/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain capabilities: for which machine type are they to be asked? One call usually does. */
#include "lib/engine/metadata.h"
#include "virt/collect-internal.h"

static const struct vw_caps *ask(struct vw_context *c, const struct vw_gathered *g,
				 virConnectPtr conn, const char *machine)
{
	const struct vw_outline *o = g->outline;

	return vw_context_caps(c, conn, o->emulator, o->arch, machine, o->type);
}

static void ask_caps(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
		     const char *machine)
{
	const struct vw_caps *caps = ask(c, g, conn, machine);

	if (caps && g->facts.n_caps < VW_N_ELEMENTS(g->caps))
		g->caps[g->facts.n_caps++] = caps;
}

/* libvirtd knows the emulator, but not that machine. */
static bool lacks_machine(struct vw_context *c, const struct vw_gathered *g, virConnectPtr conn)
{
	const char *machine = g->outline->machine;

	return conn && *machine && !ask(c, g, conn, machine) && ask(c, g, conn, "");
}

/* Is machine ("", "pc", "pc-q35-7.2") of the family that a template names ("pc", "q35")? */
static bool same_machine(const char *machine, const char *family)
{
	static const struct {
		const char *family, *begin;
	} versioned[] = { { "q35", "pc-q35-" }, { "pc", "pc-i440fx-" } };

	if (!*machine)
		machine = "pc"; /* libvirt's default on x86 */
	for (size_t i = 0; i < VW_N_ELEMENTS(versioned); i++)
		if (!strcmp(versioned[i].family, family) &&
		    vw_startswith(machine, versioned[i].begin))
			return true;
	return !strcmp(machine, family);
}

/* Does "has:DEVICE|DEVICE" hold? Other conditions ("kvm", "efi" …) are for the engine:
 * VW_UNKNOWN here. */
static enum vw_known condition(const struct vw_os *os, const char *text, size_t len)
{
	char name[64];

	if (len < 4 || strncmp(text, "has:", 4))
		return VW_UNKNOWN;
	for (size_t i = 4, n; os && i < len; i += n + 1) {
		n = strcspn(text + i, "|");
		n = n < len - i ? n : len - i;
		snprintf(name, sizeof(name), "%.*s", (int)n, text + i);
		if (vw_os_has(os, name))
			return VW_YES;
	}
	return VW_NO;
}

/* The machine that the template prefers, "q35@has:qemu-x86-q35 pc": its first word that may hold.
 * Return: VW_YES if it does, VW_UNKNOWN if it may, VW_NO if there is none. */
static enum vw_known preferred_machine(const struct vw_templates *t, const struct vw_gathered *g,
				       char *buf, size_t size)
{
	const struct vw_template *tpl = vw_templates_pick(t, g->os, g->facts.virtio_drivers);
	const char *s = tpl ? vw_xml_attr(vw_template_rule(tpl, "machine"), "prefer") : NULL;

	for (size_t len; s && (s += strspn(s, " \t\n"), len = strcspn(s, " \t\n")); s += len) {
		const char *at = memchr(s, '@', len);
		size_t word = at ? (size_t)(at - s) : len;
		enum vw_known ok = at ? condition(g->os, at + 1, len - word - 1) : VW_YES;

		if (ok == VW_NO || word >= size)
			continue;
		snprintf(buf, size, "%.*s", (int)word, s);
		return ok;
	}
	return VW_NO;
}

/* Will the plan change the machine type, if anything makes it? */
static bool is_fresh(const struct vw_gathered *g, const struct vw_policy *policy,
		     const xmlNode *root)
{
	return g->facts.new_here == VW_YES && policy->boot != VW_BOOT_NEVER &&
	       vw_plan_blank(root, &g->facts) == VW_EV_BLANK;
}

/* The machine of another family that the template prefers. Return: as preferred_machine. */
static enum vw_known other_machine(struct vw_context *c, const struct vw_gathered *g,
				   const xmlNode *root, char *buf, size_t size)
{
	const struct vw_outline *o = g->outline;
	const struct vw_templates *t = vw_context_templates(c, NULL);
	bool x86 = !*o->arch || !strcmp(o->arch, "x86_64") || !strcmp(o->arch, "i686");
	enum vw_known prefers = VW_NO;

	if (t && x86 && vw_machine_is_pc(o->machine) && !vw_metadata_skips(root, "machine"))
		prefers = preferred_machine(t, g, buf, size);
	return prefers != VW_NO && same_machine(o->machine, buf) ? VW_NO : prefers;
}

void vw_collect_caps(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
		     const xmlNode *root)
{
	enum vw_known prefers;
	char machine[64] = "";

	if (!conn && !vw_context_assumes(c))
		return;
	g->facts.n_caps = 0;
	prefers = other_machine(c, g, root, machine, sizeof(machine));
	if (prefers != VW_NO)
		ask_caps(c, g, conn, machine);
	vw_look_join(g);
	if (prefers != VW_YES || g->facts.n_caps == 0 || !is_fresh(g, vw_context_policy(c), root)) {
		ask_caps(c, g, conn, g->outline->machine);
		if (lacks_machine(c, g, conn))
			g->facts.machine_offered = VW_NO;
	}
	g->facts.caps = g->caps;
}
