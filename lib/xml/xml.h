/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML: hostile input on the way in, byte-exact on the way out.
 *
 * In: libxml2 without network, without DTD (a document type is refused, so no
 * entities), bounded in size and depth. Out: the text that came in, with only
 * the edited elements rewritten, so a diff shows what was changed and nothing
 * else. Edits go through vw_xml_* below; reading uses libxml2's tree directly.
 */
#ifndef VW_XML_H
#define VW_XML_H

#include "lib/base/err.h"

#include <libxml/tree.h>

#define VW_XML_MAX_BYTES (10u * 1024 * 1024) /* virsh's own limit for a file (VSH_MAX_XML_FILE) */
#define VW_XML_MAX_DEPTH 200    /* below libxml2's own 256; domain XML needs about 12 */
#define VW_XML_MAX_NODES 400000 /* elements, texts not blank, comments; attribute: 2. 60 MB */

struct vw_xml;

/* Parse a domain (root element <domain>; with root NULL: any root).
 * name: what to call the input in messages ("web1.xml", "-", a domain name).
 * Return: 0; -EFBIG too large, -ELOOP too deep or too many of something, -EINVAL not well-formed, a DTD,
 * a wrong root … (the line says which and where). Free with vw_xml_free. */
int vw_xml_parse(const char *text, size_t len, const char *name, const char *root,
		 struct vw_xml **ret, struct vw_err *err);
void vw_xml_free(struct vw_xml *x);
#define VW_AUTOXML VW_CLEANUP(vw_cleanup_xml)
static inline void vw_cleanup_xml(struct vw_xml **x)
{
	vw_xml_free(*x);
}

xmlNode *vw_xml_root(struct vw_xml *x);

/* Return: true if any edit was made since vw_xml_parse. */
bool vw_xml_changed(const struct vw_xml *x);

/* The text now. Equal to the input, byte for byte, where nothing was edited.
 * Return: 0 or negative errno; *ret_text is malloc'ed, *ret_len without the NUL. */
int vw_xml_text(struct vw_xml *x, char **ret_text, size_t *ret_len, struct vw_err *err);

/* Reading. Names are matched without namespace prefix; only elements without a
 * namespace match, so <qemu:…> and foreign metadata are never touched. */
xmlNode *vw_xml_child(const xmlNode *parent, const char *name);
xmlNode *vw_xml_next(const xmlNode *node,
		     const char *name); /* next sibling of that name; NULL name: any element */
xmlNode *vw_xml_first(const xmlNode *parent); /* first element child without namespace */
/* Follow "os/type" downwards from node. Return: the element or NULL. */
xmlNode *vw_xml_path(const xmlNode *node, const char *path);
/* Attribute value, borrowed from the tree until the attribute is edited; NULL = not there. */
const char *vw_xml_attr(const xmlNode *node, const char *name);
/* Text content without surrounding white space, borrowed; "" when empty. Only for leaf elements. */
const char *vw_xml_content(struct vw_xml *x, const xmlNode *node);

/* Editing. All return 0 or -ENOMEM. An edit that changes nothing is none. */
int vw_xml_set_attr(struct vw_xml *x, xmlNode *node, const char *name,
		    const char *value); /* NULL value: remove */
int vw_xml_set_content(struct vw_xml *x, xmlNode *node, const char *text);
void vw_xml_remove(struct vw_xml *x, xmlNode *node);
/* Add <name> as child of parent: after `after` (a child of parent), or last when NULL. */
int vw_xml_add(struct vw_xml *x, xmlNode *parent, xmlNode *after, const char *name, xmlNode **ret);
/* Parse a fragment that we made ourselves (data from templates) and add it likewise. Namespaces that it needs are declared in it. */
int vw_xml_add_text(struct vw_xml *x, xmlNode *parent, xmlNode *after, const char *fragment,
		    xmlNode **ret);

#endif
