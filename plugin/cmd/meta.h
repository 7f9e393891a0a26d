/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One element of a domain's <metadata>, through libvirt's own call for it, so that
 * nothing else of the config is touched. */
#ifndef VW_CMD_META_H
#define VW_CMD_META_H

#include "plugin/cmd/cmd.h"

#include <libxml/tree.h>

/* The element of that namespace as libvirt gives it: without prefixes. A new
 * <name/> if there is none. Free with xmlFreeDoc.
 * Return: 0 or negative errno. */
int cmd_meta_read(virDomainPtr dom, const char *ns, const char *name, xmlDoc **ret,
		  struct vw_err *err);

/* Store it, with the old config kept before. live: also in the running guest, if
 * there is one (so that it goes along at a migration). key: the prefix. */
int cmd_meta_write(struct cmd *cmd, virDomainPtr dom, const char *ns, const char *key, xmlDoc *doc,
		   bool live, const char *rules, struct vw_err *err);

/* Elements below root of that name, or the next one after it. NULL at the end. */
xmlNode *cmd_meta_child(const xmlNode *root, const char *name);
xmlNode *cmd_meta_next(const xmlNode *node, const char *name);

#define CMD_AUTODOC VW_CLEANUP(cmd_cleanup_doc)
static inline void cmd_cleanup_doc(xmlDoc **doc)
{
	if (*doc)
		xmlFreeDoc(*doc);
}

#endif
