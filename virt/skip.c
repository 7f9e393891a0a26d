/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records in a domain's metadata which rules its admin took back by hand. */
#include "virt/put-back.h"

#include "lib/engine/metadata.h"

#include <errno.h>

/* <w:warden> of the domain's metadata. Return: NULL if it has none. */
static xmlNode *warden_of(xmlNode *metadata)
{
	for (xmlNode *n = metadata ? metadata->children : NULL; n; n = n->next)
		if (n->type == XML_ELEMENT_NODE && n->ns &&
		    vw_streq((char *)n->ns->href, VW_METADATA_NS) &&
		    vw_streq((char *)n->name, "warden"))
			return n;
	return NULL;
}

static int record_one(struct vw_xml *doc, xmlNode *warden, const char *rule)
{
	VW_AUTOFREE char *text = NULL;

	if (asprintf(&text, "<w:skip xmlns:w='%s' rule='%s'/>", VW_METADATA_NS, rule) < 0) {
		text = NULL;
		return -ENOMEM;
	}
	return vw_xml_add_text(doc, warden, NULL, text, NULL);
}

int vw_record_skips(struct vw_xml *doc, const char *rules)
{
	xmlNode *root = vw_xml_root(doc);
	xmlNode *metadata = vw_xml_child(root, "metadata");
	xmlNode *warden = warden_of(metadata);
	VW_AUTOFREE char *copy = strdup(rules);
	char *save = NULL;
	int r = copy ? 0 : -ENOMEM;

	if (r == 0 && !metadata)
		r = vw_xml_add(doc, root, vw_xml_child(root, "name"), "metadata", &metadata);
	if (r == 0 && !warden)
		r = vw_xml_add_text(doc, metadata, NULL, "<w:warden xmlns:w='" VW_METADATA_NS "'/>",
				    &warden);
	for (char *rule = copy ? strtok_r(copy, " ", &save) : NULL; rule && r == 0;
	     rule = strtok_r(NULL, " ", &save))
		r = record_one(doc, warden, rule);
	return r;
}
