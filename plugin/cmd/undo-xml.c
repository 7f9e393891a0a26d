/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kept XML made ready to be defined again (see plugin/cmd/undo.h). */
#include "plugin/cmd/cmd.h"
#include "plugin/cmd/undo.h"

#include "lib/engine/metadata.h"
#include "virt/put-back.h"

#include <errno.h>

static xmlNode *first_element(xmlNode *n)
{
	while (n && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return n;
}

/* <w:warden> below <metadata>. */
static xmlNode *find_warden(const xmlNode *metadata)
{
	xmlNode *n;

	for (n = metadata ? first_element(metadata->children) : NULL; n; n = first_element(n->next))
		if (n->ns && vw_streq((const char *)n->ns->href, VW_METADATA_NS) &&
		    vw_streq((const char *)n->name, "warden"))
			return n;
	return NULL;
}

/* Set the text of root's child of that name; a new one comes after `after`. */
static int set_child(struct vw_xml *x, const char *name, const char *after, const char *value)
{
	xmlNode *root = vw_xml_root(x), *n = vw_xml_child(root, name);
	int rc = 0;

	if (!n)
		rc = vw_xml_add(x, root, vw_xml_child(root, after), name, &n);
	if (rc == 0 && strcasecmp(vw_xml_content(x, n), value))
		rc = vw_xml_set_content(x, n, value);
	return rc;
}

/* An interface without a <mac> would get a new one: the guest would take it for another card. */
static int carry_macs(struct vw_xml *x, struct vw_xml *current)
{
	xmlNode *a = vw_xml_path(vw_xml_root(x), "devices/interface");
	xmlNode *b = vw_xml_path(vw_xml_root(current), "devices/interface");
	int rc = 0;

	for (; rc == 0 && a && b;
	     a = vw_xml_next(a, "interface"), b = vw_xml_next(b, "interface")) {
		xmlNode *mac = vw_xml_child(b, "mac"), *n = NULL;
		const char *address = mac ? vw_xml_attr(mac, "address") : NULL;

		if (!address || vw_xml_child(a, "mac"))
			continue;
		rc = vw_xml_add(x, a, NULL, "mac", &n);
		if (rc == 0)
			rc = vw_xml_set_attr(x, n, "address", address);
	}
	return rc;
}

static int add_skips(struct vw_xml *x, const char *rules)
{
	VW_AUTOFREE char *copy = strdup(rules);
	char *save = NULL, *rule;
	int rc = copy ? 0 : -ENOMEM;

	for (rule = copy ? strtok_r(copy, " ", &save) : NULL; rc == 0 && rule;
	     rule = strtok_r(NULL, " ", &save))
		if (vw_rule_number(rule) >= 0 && !vw_metadata_skips(vw_xml_root(x), rule))
			rc = vw_record_skips(x, rule);
	return rc;
}

struct firmware {
	bool efi, tpm;
	const char *loader, *nvram; /* paths, "" = not named */
};

static struct firmware firmware_of(struct vw_xml *x)
{
	const xmlNode *root = vw_xml_root(x), *os = vw_xml_child(root, "os");
	const xmlNode *loader = os ? vw_xml_child(os, "loader") : NULL;
	const xmlNode *nvram = os ? vw_xml_child(os, "nvram") : NULL;

	return (struct firmware){
		.efi = (os && vw_streq(vw_xml_attr(os, "firmware"), "efi")) ||
		       (loader && vw_streq(vw_xml_attr(loader, "type"), "pflash")),
		.tpm = vw_xml_path(root, "devices/tpm") != NULL,
		.loader = loader ? vw_xml_content(x, loader) : "",
		.nvram = nvram ? vw_xml_content(x, nvram) : "",
	};
}

/* libvirt's own choice of an NVRAM path for the domain: …/NAME_VARS.fd */
static bool is_default_nvram(const char *path, const char *name)
{
	const char *base = strrchr(path, '/');
	size_t len = strlen(name);

	return base && !strncmp(base + 1, name, len) && vw_startswith(base + 1 + len, "_VARS.");
}

static void find_risk(struct vw_xml *x, struct vw_xml *current, const char *name, char *risk,
		      size_t size)
{
	struct firmware now = firmware_of(current), then = firmware_of(x);
	const char *nvram = *now.nvram ? now.nvram : "its EFI variables";

	if (now.efi != then.efi)
		snprintf(risk, size, "the firmware would change from %s to %s%s%s",
			 now.efi ? "EFI" : "BIOS", then.efi ? "EFI" : "BIOS",
			 now.efi ? ", and no longer use " : "", now.efi ? nvram : "");
	else if (now.efi && *now.loader && *then.loader && !vw_streq(now.loader, then.loader))
		snprintf(risk, size, "another EFI build (%s) would meet the variables of this one",
			 then.loader);
	else if (now.efi && *now.nvram &&
		 (*then.nvram ? !vw_streq(now.nvram, then.nvram)
			      : !is_default_nvram(now.nvram, name)))
		snprintf(risk, size, "the EFI variables in %s would no longer be used", now.nvram);
	else if (now.tpm && !then.tpm)
		snprintf(risk, size, "the TPM and the keys in it would be taken from the guest");
}

int cmd_undo_prepare(const struct cmd_undo *undo, const char *kept, char **ret_xml, char *ret_risk,
		     size_t risk_size, struct vw_err *err)
{
	VW_AUTOXML struct vw_xml *x = NULL;
	VW_AUTOXML struct vw_xml *current = NULL;
	size_t len = 0;
	int rc = vw_xml_parse(kept, strlen(kept), "the kept XML", "domain", &x, err);

	*ret_risk = '\0';
	if (rc == 0 && undo->current)
		rc = vw_xml_parse(undo->current, strlen(undo->current), undo->name, "domain",
				  &current, err);
	if (rc < 0)
		return rc;
	rc = undo->current ? set_child(x, "name", "name", undo->name) : 0;
	if (rc == 0)
		rc = set_child(x, "uuid", "name", undo->uuid);
	if (rc == 0 && current) {
		find_risk(x, current, undo->name, ret_risk, risk_size);
		rc = carry_macs(x, current);
	}
	if (rc == 0)
		rc = add_skips(x, undo->skip);
	if (rc < 0)
		return vw_err_set(err, rc, "%s: out of memory", undo->name);
	return vw_xml_text(x, ret_xml, &len, err);
}

/* Without <w:warden>, without an empty <metadata>, without blanks between tags. */
static char *canonical(const char *xml)
{
	VW_AUTOXML struct vw_xml *x = NULL;
	char *text = NULL, *from, *to;
	xmlNode *metadata, *warden;
	bool outside = true;
	size_t len = 0;

	if (vw_xml_parse(xml, strlen(xml), "xml", "domain", &x, NULL) < 0)
		return NULL;
	metadata = vw_xml_child(vw_xml_root(x), "metadata");
	while ((warden = find_warden(metadata)))
		vw_xml_remove(x, warden);
	if (metadata && !first_element(metadata->children))
		vw_xml_remove(x, metadata);
	if (vw_xml_text(x, &text, &len, NULL) < 0)
		return NULL;
	for (from = to = text; *from; from++) {
		if (outside && strchr(" \t\r\n", *from))
			continue;
		outside = *from == '>';
		*to++ = *from;
	}
	*to = '\0';
	return text;
}

bool cmd_undo_same(const char *a, const char *b)
{
	VW_AUTOFREE char *ca = canonical(a);
	VW_AUTOFREE char *cb = canonical(b);

	return ca && cb && strcmp(ca, cb) == 0;
}
