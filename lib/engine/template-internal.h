/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the template loader (template.c) and the rest of the engine. */
#ifndef VW_TEMPLATE_INTERNAL_H
#define VW_TEMPLATE_INTERNAL_H

#include "lib/engine/template.h"

/* An empty set (NULL: no memory); a template's text into it (name: of its file, for messages;
 * one of the same id is replaced); and, after the last one, who extends whom. */
struct vw_templates *vw_templates_new(void);
int vw_templates_add_text(struct vw_templates *set, const char *text, size_t len, const char *name,
			  struct vw_err *err);
int vw_templates_link(struct vw_templates *set, struct vw_err *err);

/* The <match> element of a template (NULL: it is only there to be extended) and its priority. */
const xmlNode *vw_template_match(const struct vw_template *t, long *ret_priority);

/* vw_template_rule for the i-th rule. t may be NULL. */
const xmlNode *vw_template_rule_at(const struct vw_template *t, size_t i);

#endif
