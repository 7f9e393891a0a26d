/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between the template loader (template.c) and the choice among templates (template-match.c). */
#ifndef VW_TEMPLATE_INTERNAL_H
#define VW_TEMPLATE_INTERNAL_H

#include "template.h"

/* The <match> element of a template (NULL: it is only there to be extended) and its priority. */
const xmlNode *vw_template_match(const struct vw_template *t, long *ret_priority);

#endif
