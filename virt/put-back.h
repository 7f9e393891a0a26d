/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does a config put back what we had fixed? For the preload library, which sees what is
 * typed, and for the agent, which sees what is stored. */
#ifndef VW_VIRT_PUT_BACK_H
#define VW_VIRT_PUT_BACK_H

#include "lib/base/buf.h"
#include "virt/collect.h"

/* Keys with a value each, sorted; all borrowed. The XML chooses the keys: so neither a walk nor a
 * hash. */
struct vw_index {
	struct vw_index_item {
		const char *key, *value;
		const void *data;
		size_t place; /* of equal ones the first counts */
	} * v;
	size_t n;
};

/* Everything that the question needs, of one domain. All is borrowed but what load and
 * the caller (versions) fill in. */
struct vw_put_back {
	struct vw_context *ctx;
	struct vw_history *store;
	const char *uuid, *typed, *previous;
	const struct vw_gathered *facts;
	const struct vw_plan *plan; /* of the typed XML, as it is */
	struct vw_version *versions;
	size_t n_versions;
	struct vw_outline *previous_outline;
	struct vw_xml *previous_doc;
	struct vw_plan *previous_plan;
	/* Looked up for each finding, and there may be as many as disks: made by load. */
	struct vw_index ours;                 /* rules that we ever set in this domain */
	struct vw_index typed_disks;          /* targets of `typed` */
	struct vw_index by_source, by_target; /* disks of `previous`; value: the target */
	struct vw_index macs;                 /* of `previous` */
	struct vw_index needed;               /* rules of previous_plan, value: the device */
};

bool vw_version_is(const struct vw_version *v, enum vw_cause a, enum vw_cause b);

/* Plan a text with the given facts, without the rules leave_out (NULL = with all). */
int vw_put_back_plan(const struct vw_put_back *h, const char *text, const struct vw_facts *facts,
		     const char *leave_out, bool findings_only, struct vw_plan **ret);
/* Read and judge `previous`; needs the versions. Return: 0 or negative errno. Either way
 * free with vw_put_back_clear. */
int vw_put_back_load(struct vw_put_back *h);
void vw_put_back_clear(struct vw_put_back *h);

/* Has the config until now what this finding about the typed XML asks for, and from us? */
bool vw_put_back_carries(const struct vw_put_back *h, const struct vw_finding *f);
/* Add a rule to space-separated rules, once. */
void vw_put_back_add(struct vw_buf *rules, const char *rule);
/* The rules whose fixes the typed XML undoes. */
void vw_put_back_rules(const struct vw_put_back *h, struct vw_buf *rules);

/* Record <w:skip rule='…'/> for each of the space-separated rules in the domain's metadata.
 * Return: 0 or -ENOMEM. */
int vw_record_skips(struct vw_xml *doc, const char *rules);

#endif
