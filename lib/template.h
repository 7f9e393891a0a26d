/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Templates: all opinions, as data (xml-templates/, /etc/virt-warden/templates.d).
 * Which one fits is decided by facts of the OS, not by its name. */
#ifndef VW_TEMPLATE_H
#define VW_TEMPLATE_H

#include "facts.h"

struct vw_templates;

/* Load every *.xml of the directories, in strcmp order within each; a template
 * of a later directory replaces one of the same id of an earlier one. dirs is
 * NULL-terminated; a directory that is not there is skipped, except the first.
 * A bad template: one line with file and line, -EINVAL, nothing loaded.
 * Return: 0 or negative errno; free with vw_templates_free. */
int vw_templates_load(const char *const *dirs, struct vw_templates **ret, struct vw_err *err);
void vw_templates_free(struct vw_templates *t);

/* As above from memory, for tests and fuzzing: one file's text. */
int vw_templates_load_text(const char *text, size_t len, const char *name,
			   struct vw_templates **ret, struct vw_err *err);

/* The id of the template that fits the OS (NULL = unknown OS); borrowed. */
const char *vw_templates_match(const struct vw_templates *t, const struct vw_os *os);

/* The values that `rule` prefers for that OS, best first (space-separated in the
 * template), e.g. rule "machine" -> "q35 pc". Return: borrowed string or NULL. */
const char *vw_templates_prefer(const struct vw_templates *t, const struct vw_os *os,
				const char *rule);

#endif
