/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which template fits an OS: decided by facts, so an OS that osinfo-db gains tomorrow has one. */
#include "lib/engine/template-internal.h"

#include <fnmatch.h>

/* Call fn for each white-space separated word of list. Return: true as soon as one call does. */
static bool any_word(const char *list, bool (*fn)(const char *word, const void *data),
		     const void *data)
{
	char word[128];

	while (*list) {
		size_t len;

		list += strspn(list, " \t\n");
		len = strcspn(list, " \t\n");
		if (len && len < sizeof(word)) {
			memcpy(word, list, len);
			word[len] = '\0';
			if (fn(word, data))
				return true;
		}
		list += len;
	}
	return false;
}

static bool word_equals(const char *word, const void *data)
{
	return !strcmp(word, data);
}

static bool word_globs(const char *word, const void *data)
{
	const struct vw_os *os = data;

	return !fnmatch(word, os->id, 0) || !fnmatch(word, os->short_id, 0);
}

/* "virtio-net|virtio1.0-net": one of the alternatives. */
static bool has_alternative(const char *word, const void *data)
{
	char name[128];

	for (;;) {
		size_t len = strcspn(word, "|");

		snprintf(name, sizeof(name), "%.*s", (int)len, word);
		if (vw_os_has(data, name))
			return true;
		if (!word[len])
			return false;
		word += len + 1;
	}
}

static bool lacks_alternative(const char *word, const void *data)
{
	return !has_alternative(word, data);
}

static bool os_fits(const xmlNode *m, const struct vw_os *os)
{
	const char *v;

	if ((v = vw_xml_attr(m, "family")) && !any_word(v, word_equals, os->family))
		return false;
	if ((v = vw_xml_attr(m, "distro")) && !any_word(v, word_equals, os->distro))
		return false;
	if ((v = vw_xml_attr(m, "id")) && !any_word(v, word_globs, os))
		return false;
	if ((v = vw_xml_attr(m, "has")) && any_word(v, lacks_alternative, os))
		return false;
	if ((v = vw_xml_attr(m, "lacks")) && any_word(v, has_alternative, os))
		return false;
	/* an OS without a release date is a rolling or coming one: newer than any date */
	if ((v = vw_xml_attr(m, "released-from")) && *os->release_date &&
	    strcmp(os->release_date, v) < 0)
		return false;
	if ((v = vw_xml_attr(m, "released-before")) &&
	    (!*os->release_date || strcmp(os->release_date, v) >= 0))
		return false;
	return true;
}

static bool fits(const xmlNode *m, const struct vw_os *os, enum vw_known virtio_drivers)
{
	const char *v = vw_xml_attr(m, "virtio-drivers");

	if (v && (virtio_drivers == VW_YES) != !strcmp(v, "yes"))
		return false;
	if (os)
		return os_fits(m, os);
	for (const xmlAttr *a = m->properties; a; a = a->next)
		if (strcmp((char *)a->name, "virtio-drivers") != 0)
			return false;
	return true;
}

const struct vw_template *vw_templates_pick(const struct vw_templates *t, const struct vw_os *os,
					    enum vw_known virtio_drivers)
{
	const struct vw_template *best = NULL;
	long best_priority = 0;

	for (size_t i = 0; i < vw_templates_count(t); i++) {
		const struct vw_template *one = vw_templates_get(t, i);
		long priority;
		const xmlNode *m = vw_template_match(one, &priority);

		if (!m || !fits(m, os, virtio_drivers) || (best && priority <= best_priority))
			continue;
		best = one;
		best_priority = priority;
	}
	return best;
}

const char *vw_templates_prefer(const struct vw_templates *t, const struct vw_os *os,
				const char *rule)
{
	const xmlNode *n = vw_template_rule(vw_templates_pick(t, os, VW_UNKNOWN), rule);

	return n ? vw_xml_attr(n, "prefer") : NULL;
}
