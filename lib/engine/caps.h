/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain capabilities (the XML of virConnectGetDomainCapabilities) as a sorted
 * set of "key=value" strings: "disk.bus=virtio", "video.modelType=qxl",
 * "cpu.mode=host-model", "hyperv.features=relaxed", "tpm.model=tpm-crb",
 * "tpm.backendModel=emulator", "os.firmware=efi", "rng.model=virtio" … */
#ifndef VW_CAPS_H
#define VW_CAPS_H

#include "lib/engine/facts.h"

struct vw_caps;

/* Parse domain capabilities. Return: 0 or negative errno; free with vw_caps_free. */
int vw_caps_parse(const char *xml, size_t len, struct vw_caps **ret, struct vw_err *err);
void vw_caps_free(struct vw_caps *caps);

/* The same as text, for a cache: a line each for the machine and the vcpus, then the set.
 * Return: malloc'ed, or NULL: no memory, or it would not fit into lines. */
char *vw_caps_to_lines(const struct vw_caps *caps);
/* lines: taken over, also on failure; NULL = no memory. Return: 0, -ENOMEM, or -EBADMSG: not
 * such a text. */
int vw_caps_from_lines(char *lines, struct vw_caps **ret);

/* Does the emulator offer value under key?
 * Return: VW_UNKNOWN if caps is NULL or says nothing about key at all. */
enum vw_known vw_caps_has(const struct vw_caps *caps, const char *key, const char *value);

/* The machine type that these capabilities are for ("pc-q35-7.2"); borrowed. */
const char *vw_caps_machine(const struct vw_caps *caps);
/* max vcpus, 0 = not said */
unsigned vw_caps_max_vcpus(const struct vw_caps *caps);

#endif
