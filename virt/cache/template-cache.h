/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the templates say of one OS, on disk: a `virsh define` needs one of them, and to read
 * all takes a thirtieth of the whole command. */
#ifndef VW_VIRT_TEMPLATE_CACHE_H
#define VW_VIRT_TEMPLATE_CACHE_H

#include "lib/engine/template.h"

/* The template that vw_templates_pick would pick from the files in dirs (as vw_templates_load
 * takes them), alone in its set. cache: the cache directory; what is not there, or rests on
 * other files, is worked out and kept. os: NULL = unknown.
 * Return: free with vw_templates_free; NULL: it can't be had this way, so load the files. */
struct vw_templates *vw_template_cache(const char *cache, const char *const *dirs,
				       const struct vw_os *os, enum vw_known virtio_drivers);

#endif
