/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain capabilities on disk, that not every `virsh define` has libvirtd work them out anew:
 * it needs 1 to 2 ms for them, a tenth of the whole command. One file per question, in the
 * cache directory of root; any doubt about one means that libvirtd is asked. */
#ifndef VW_VIRT_CAPS_CACHE_H
#define VW_VIRT_CAPS_CACHE_H

#include "util.h"

/* dir: the cache directory. question: what libvirtd is asked. identity: everything that its
 * answer depends on, but for the emulator, which the answer names: its file is compared here.
 *
 * Return: the XML (malloc'ed), or NULL: there is none, it was kept under another identity or
 * long ago, it is damaged, or somebody else could have written it. */
char *vw_caps_cache_read(const char *dir, const char *question, const char *identity);
/* Keep an answer. A failure is none: then it is asked again. */
void vw_caps_cache_write(const char *dir, const char *question, const char *identity,
			 const char *xml);
/* Remove the answer to that question, whatever it is. */
void vw_caps_cache_forget(const char *dir, const char *question);

#endif
