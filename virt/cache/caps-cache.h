/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain capabilities on disk, that not every `virsh define` has libvirtd work them out anew:
 * it needs 1 to 2 ms for them, a tenth of the whole command. */
#ifndef VW_VIRT_CAPS_CACHE_H
#define VW_VIRT_CAPS_CACHE_H

#include "lib/engine/caps.h"

/* dir: the cache directory. question: what libvirtd is asked. identity: everything that its
 * answer depends on, but for the emulator, which the answer names: its file is compared here.
 *
 * Return: as vw_kept_read; free with vw_caps_free. */
struct vw_caps *vw_caps_cache_read(const char *dir, const char *question, const char *identity);
/* Keep an answer. xml: as libvirtd gave it; caps: the same, parsed. */
void vw_caps_cache_write(const char *dir, const char *question, const char *identity,
			 const char *xml, const struct vw_caps *caps);
void vw_caps_cache_forget(const char *dir, const char *question);

#endif
