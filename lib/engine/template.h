/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Templates: all opinions, as data (xml-templates/, /etc/virt-warden/templates.d).
 * Which one fits is decided by facts of the OS, not by its name. */
#ifndef VW_TEMPLATE_H
#define VW_TEMPLATE_H

#include "lib/engine/facts.h"
#include "lib/xml/xml.h"

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

struct vw_template; /* one template; lives as long as the set */

/* One line for every file that such a load would read, and for the directories: what they are and when
 * they were changed. The same text: the same templates. Return: malloc'ed, or NULL: can't be told. */
char *vw_templates_files(const char *const *dirs);

/* The template that fits: of those whose <match> holds the one of the highest
 * priority. os NULL = unknown OS. virtio_drivers: the guest has, or is offered
 * during installation, virtio drivers that its OS does not ship (virtio-win).
 * Return: borrowed; never NULL when the set has a template that matches everything. */
const struct vw_template *vw_templates_pick(const struct vw_templates *t, const struct vw_os *os,
					    enum vw_known virtio_drivers);

const char *vw_template_id(const struct vw_template *t);
const char *vw_template_title(const struct vw_template *t);

/* The <rule id='…'> element that holds for the template: its own, or the one of
 * the nearest template that it extends. NULL: no opinion, the rule is not run. */
const xmlNode *vw_template_rule(const struct vw_template *t, const char *rule);

/* The text of a template that has the id and the rules of t (which are its own, and its bases'), and
 * whose <match> holds always: for a cache. Return: malloc'ed, or NULL (no memory). */
char *vw_template_flat(const struct vw_template *t);

/* The values that `rule` prefers for that OS, best first, as in the template
 * ("q35 pc"). Return: borrowed string or NULL. Convenience for collectors. */
const char *vw_templates_prefer(const struct vw_templates *t, const struct vw_os *os,
				const char *rule);

/* All templates, in the order of their ids, for doctor. */
size_t vw_templates_count(const struct vw_templates *t);
const struct vw_template *vw_templates_get(const struct vw_templates *t, size_t i);

#endif
