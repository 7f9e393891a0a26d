/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The parts of the collector of a host's facts (virt/hostfacts/collect.c, virt/hostfacts/collect-lists.c). */
#ifndef VW_HOST_COLLECT_H
#define VW_HOST_COLLECT_H

#include "virt/hostfacts/host.h"
#include "virt/collect.h"

/* "section: libvirt's last error" into "unasked". */
void host_unasked(json_t *facts, const char *section);
void host_set(json_t *object, const char *key, const char *value);

void host_collect_networks(virConnectPtr conn, json_t *facts);
void host_collect_storage(virConnectPtr conn, json_t *facts);
void host_collect_domains(virConnectPtr conn, json_t *facts);
/* Does each path open there? */
void host_collect_files(virConnectPtr conn, json_t *facts, const struct vw_words *paths);

#endif
