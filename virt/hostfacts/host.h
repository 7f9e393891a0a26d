/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hosts and domains as facts: asked of a libvirt in a child that can be left behind
 * (a stopped or unreachable libvirtd must not hold us up), or read from a facts file. */
#ifndef VW_HOST_H
#define VW_HOST_H

#include "lib/migrate/migrate.h"
#include "virt/context.h"

#include <jansson.h>

#define HOST_DEADLINE_MS 9000 /* a host that says nothing for so long is unknown */
#define HOST_VIRSH_MS 4500    /* the same in front of virsh migrate */
#define HOST_PARALLEL 16      /* hosts that are asked at once */
#define HOST_MAX_DOMAINS 5000 /* listed per host, and so on: bounds of what a host may say */
#define HOST_MAX_VOLUMES 10000
#define HOST_MAX_BYTES (64u << 20)

/* One question, answered by a child process with one JSON object. */
struct host_ask {
	const char *uri;              /* NULL = libvirt's default */
	const char *domain;           /* NULL = the host's facts, else this domain's */
	const struct vw_words *paths; /* also: do these open there? May be NULL */
	json_t *answer;               /* NULL = none, then: */
	struct vw_err err;
	pid_t pid;
	int fd;
	char *text;
	size_t len, cap;
};
/* Ask all, HOST_PARALLEL at a time; each has its own deadline. */
void host_ask_all(struct host_ask *asks, size_t n, unsigned deadline_ms);
void host_ask_clear(struct host_ask *a);

/* What the child runs (virt/hostfacts/collect.c, virt/hostfacts/domain.c). Return: new object, or NULL with err. */
json_t *host_collect(virConnectPtr conn, const struct vw_words *paths, struct vw_err *err);
json_t *host_collect_domain(virConnectPtr conn, const char *name, struct vw_err *err);
/* The features of a <cpu> or <mode> element, expanded by that host; NULL = it can't. */
json_t *host_expand_cpu(virConnectPtr conn, const char *emulator, const char *arch,
			const char *type, struct vw_xml *x, const xmlNode *cpu);

/* Facts of a host, from where they may come. */
struct host {
	const char *arg; /* URI or file */
	json_t *json;    /* owns the strings of facts */
	struct vw_host_facts facts;
	bool known;
	struct vw_err err; /* why not */
};
/* A strict reader: types, bounds, version. Takes the object over. Return: 0; -EPROTO for a newer
 * version, -EINVAL with what is wrong. */
int host_load(struct host *h, json_t *json, const char *name, struct vw_features *t,
	      struct vw_err *err);
/* Is the argument a facts file, not a URI? */
bool host_is_file(const char *arg);
/* Fill all from files and by asking. What could not be had has known = false and err. */
void host_get_all(struct host *hosts, size_t n, const struct vw_words *paths, struct vw_features *t,
		  unsigned deadline_ms);
void host_clear(struct host *h);

/* A domain with what its libvirt says of it. */
struct host_domain {
	json_t *json;
	struct vw_xml *doc, *sent;
	struct vw_live live;
	bool has_live; /* false: from a file */
};
/* name: a DOMAIN of uri, or an XML FILE (then nothing is asked). */
int host_domain_get(const char *uri, const char *name, unsigned deadline_ms,
		    struct host_domain *ret, struct vw_err *err);
void host_domain_clear(struct host_domain *d);
/* The paths that the destination must have. Return: 0 or -ENOMEM; free ret->v. */
int host_domain_paths(const struct host_domain *d, struct vw_words *ret);

/* {"id", "severity", …} of all reasons. */
json_t *host_reasons_json(const struct vw_judgement *j);

#endif
