/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Lists in templates: "virtio", "sata@q35 ide@pc", "qxl@spice bochs@efi vga": words with
 * conditions on the guest; the first one that holds and that the emulator offers is taken. */
#include "lib/engine/rules.h"

struct condition {
	const char *name;
	bool (*holds)(const struct vw_ctx *c);
};

static bool is_bios(const struct vw_ctx *c)
{
	return !vw_ctx_efi(c);
}

static bool is_spice(const struct vw_ctx *c)
{
	return c->spice;
}

static bool is_kvm(const struct vw_ctx *c)
{
	return c->kvm;
}

static bool is_tcg(const struct vw_ctx *c)
{
	return !c->kvm;
}

/* There may be something on its disks: it has the drivers that it needs. */
static bool is_installed(const struct vw_ctx *c)
{
	return c->blank != VW_EV_BLANK;
}

/* libvirt before 9.0 does not say; every KVM has it (and virt-install asks nobody). */
static bool has_hyperv(const struct vw_ctx *c)
{
	enum vw_known has = vw_caps_has(c->caps, "hyperv.supported", "yes");

	return has == VW_YES || (has == VW_UNKNOWN && c->kvm);
}

/* Also listed in xml-templates/template.rng. */
static const struct condition conditions[] = {
	{ "q35", vw_ctx_q35 }, { "pc", vw_ctx_pc },      { "efi", vw_ctx_efi },
	{ "bios", is_bios },   { "spice", is_spice },    { "kvm", is_kvm },
	{ "tcg", is_tcg },     { "hyperv", has_hyperv }, { "installed", is_installed },
};

/* "virtio-rng|virtio1.0-rng": osinfo-db lists one of these devices for the OS. */
static bool os_has_one(const struct vw_os *os, const char *names)
{
	char name[64];

	while (os && *names) {
		size_t len = strcspn(names, "|");

		snprintf(name, sizeof(name), "%.*s", (int)len, names);
		if (vw_os_has(os, name))
			return true;
		names += len + (names[len] == '|');
	}
	return false;
}

static bool holds(const struct vw_ctx *c, const char *name)
{
	if (vw_startswith(name, "has:"))
		return os_has_one(c->facts->os, name + 4);
	for (size_t i = 0; i < VW_N_ELEMENTS(conditions); i++)
		if (!strcmp(conditions[i].name, name))
			return conditions[i].holds(c);
	return false;
}

#define WORD_MAX 128 /* a word with its condition */

/* Cut the next word off *list, without its condition. Return: true if there was one;
 * *ret_ok: its condition holds, or it has none. */
static bool next_word(const struct vw_ctx *c, const char **list, char word[WORD_MAX], bool *ret_ok)
{
	const char *s = *list + strspn(*list, " \t\n");
	size_t len = strcspn(s, " \t\n");
	char *at;

	if (!len)
		return false;
	*list = s + len;
	*ret_ok = len < WORD_MAX;
	snprintf(word, WORD_MAX, "%.*s", (int)len, s);
	at = strchr(word, '@');
	if (at) {
		*at = '\0';
		*ret_ok = *ret_ok && holds(c, at + 1);
	}
	return true;
}

bool vw_choose(const struct vw_ctx *c, const xmlNode *data, const char *attr, const char *caps_key,
	       char *buf, size_t size)
{
	const char *list = vw_xml_attr(data, attr);
	bool need = vw_streq(vw_xml_attr(data, "need-caps"), "yes");
	char word[WORD_MAX];
	bool ok;

	while (list && next_word(c, &list, word, &ok)) {
		enum vw_known has = ok && caps_key ? vw_caps_has(c->caps, caps_key, word)
						   : VW_UNKNOWN;

		if (!ok || has == VW_NO || (need && has != VW_YES) || strlen(word) >= size)
			continue;
		memcpy(buf, word, strlen(word) + 1);
		return true;
	}
	return false;
}

bool vw_listed(const struct vw_ctx *c, const xmlNode *data, const char *attr, const char *value)
{
	const char *list = vw_xml_attr(data, attr);
	char word[WORD_MAX];
	bool ok;

	while (list && next_word(c, &list, word, &ok))
		if (ok && (!strcmp(word, value) || !strcmp(word, "*")))
			return true;
	return false;
}

bool vw_when(const struct vw_ctx *c, const xmlNode *n)
{
	const char *name = vw_xml_attr(n, "when");

	return !name || holds(c, name);
}

long vw_number(const xmlNode *data, const char *attr, long min, long max, long fallback)
{
	const char *s = vw_xml_attr(data, attr);
	char *end;
	long v;

	if (!s || !*s)
		return fallback;
	v = strtol(s, &end, 10);
	return *end || v < min || v > max ? fallback : v;
}
