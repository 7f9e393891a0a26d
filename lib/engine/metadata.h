/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a domain's <metadata> tells us: who may change what, who owns it, which OS it runs. */
#ifndef VW_METADATA_H
#define VW_METADATA_H

#include "lib/engine/plan.h"

#define VW_METADATA_NS "urn:virt-warden:domain:1"
#define VW_METADATA_OS_NS "http://libosinfo.org/xmlns/libvirt/domain/1.0"

/* <w:warden mode='…'>. root: <domain>. Return: VW_MODE_DEFAULT if it says
 * nothing; VW_MODE_AUDIT for a word that we don't know (a slip must not lead to a change). */
enum vw_mode vw_metadata_mode(const xmlNode *root);

/* What that comes to: never VW_MODE_DEFAULT. Without a word of the admin a
 * domain is VW_MODE_ENFORCE, one of another owner (below) VW_MODE_AUDIT. */
enum vw_mode vw_metadata_effective_mode(const xmlNode *root);

/* Return: true if the domain has <w:skip rule='…'> for this rule. */
bool vw_metadata_skips(const xmlNode *root, const char *rule);

/* Return: true if a manager (OpenStack, oVirt, KubeVirt, OpenNebula, CloudStack) runs this
 * domain: its metadata, or its product name in the SMBIOS, is there. */
bool vw_metadata_foreign_owner(const xmlNode *root);

/* Why nothing is to be changed without the admin's word (mode audit, or another owner): a clause
 * for messages, NULL = it may be. */
const char *vw_metadata_audit_why(const xmlNode *root);

/* Return: true if it is QEMU's guest (type kvm or qemu, or no type): no other is judged. */
bool vw_metadata_is_qemu(const xmlNode *root);

/* The OS as libosinfo's metadata names it ("http://debian.org/debian/11").
 * Return: borrowed from the tree, NULL = not there or empty. */
const char *vw_metadata_os_id(const xmlNode *root);

#define VW_HEALTH_MAX 4

/* <w:health agent='required'><w:tcp port='22'/><w:check name='web'/><w:address ip='10.0.0.5'/>
 * </w:health>: what the domain's owner wants to be looked at after a migration. Hostile: a
 * check is a name of [a-z0-9-] only, never a command. Strings are borrowed from the tree. */
struct vw_health_wish {
	bool agent; /* must answer */
	unsigned tcp[VW_HEALTH_MAX];
	const char *check[VW_HEALTH_MAX];
	const char *address[VW_HEALTH_MAX]; /* text, not looked at */
	size_t n_tcp, n_check, n_address;
	const char *bad; /* an element that makes no sense: its name, NULL = none */
};
void vw_metadata_health(const xmlNode *root, struct vw_health_wish *ret);

#endif
