/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One OS's template on disk (see virt/cache/template-cache.h). The question is everything that a
 * <match> can ask of an OS; the answer holds while no file of the templates is changed. */
#include "virt/cache/template-cache.h"

#include "lib/base/buf.h"
#include "virt/cache/kept.h"

static void add(struct vw_buf *b, const char *fact)
{
	vw_buf_printf(b, "%s\n", fact ? fact : "");
}

/* Return: malloc'ed, or NULL (no memory). */
static char *question_of(const struct vw_os *os, enum vw_known virtio_drivers)
{
	VW_AUTOBUF struct vw_buf b = { 0 };

	add(&b, virtio_drivers == VW_YES ? "virtio-drivers" : "");
	if (os) {
		add(&b, os->id);
		add(&b, os->short_id);
		add(&b, os->family);
		add(&b, os->distro);
		add(&b, os->version);
		add(&b, os->release_date);
		for (size_t i = 0; i < os->n_features; i++)
			add(&b, os->features[i]);
	}
	return vw_buf_take(&b);
}

static struct vw_templates *load(const char *text)
{
	struct vw_templates *set = NULL;

	return text && vw_templates_load_text(text, strlen(text), "the template cache", &set,
					      NULL) == 0
		       ? set
		       : NULL;
}

/* From the files. Return: the text, malloc'ed, or NULL. */
static char *work_out(const char *const *dirs, const struct vw_os *os, enum vw_known virtio_drivers)
{
	struct vw_templates *all = NULL;
	const struct vw_template *t;
	char *text;

	if (vw_templates_load(dirs, &all, NULL) < 0)
		return NULL;
	t = vw_templates_pick(all, os, virtio_drivers);
	text = t ? vw_template_flat(t) : NULL;
	vw_templates_free(all);
	return text;
}

struct vw_templates *vw_template_cache(const char *cache, const char *const *dirs,
				       const struct vw_os *os, enum vw_known virtio_drivers)
{
	VW_AUTOFREE char *question = question_of(os, virtio_drivers);
	VW_AUTOFREE char *files = vw_templates_files(dirs);
	const struct vw_kept k = { cache, "template", question, files };
	VW_AUTOFREE char *text = NULL;
	struct vw_templates *set;

	if (!question || !files)
		return NULL;
	text = vw_kept_read(&k);
	set = load(text);
	if (set)
		return set;
	free(vw_steal(text));
	text = work_out(dirs, os, virtio_drivers);
	set = load(text);
	if (set)
		vw_kept_write(&k, text);
	return set;
}
