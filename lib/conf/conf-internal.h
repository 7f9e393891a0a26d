/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the table of warden.conf's keys (conf.c) and the setters of their values share. */
#ifndef VW_CONF_INTERNAL_H
#define VW_CONF_INTERNAL_H

#include "lib/conf/conf.h"

#define MAX_KEYS 64

struct conf_state {
	const char *name;   /* of the file, for messages */
	const char *p;      /* what is left of the text */
	int line;           /* the line that was read last */
	int seen[MAX_KEYS]; /* line of each key, 0 = not yet */
	struct vw_policy policy;
	struct vw_err err; /* the first error; nothing more is read then */
};

struct conf_key {
	const char *section, *name;
	size_t offset;             /* of the member of struct vw_policy */
	const char *const *values; /* enum: the names, in the order of the enum */
	unsigned min, max;         /* number */
	int (*set)(struct conf_state *st, const struct conf_key *k, const char *value);
};

/* Append "a, b, c" to the text in err. */
void conf_add_names(struct vw_err *err, const char *const *names);
int conf_index_of(const char *const *names, const char *name);

/* Set the key's member of the policy. Return: 0, or -EINVAL with the line in st->err. */
int conf_set_enum(struct conf_state *st, const struct conf_key *k, const char *value);
int conf_set_caches(struct conf_state *st, const struct conf_key *k, const char *value);
int conf_set_model(struct conf_state *st, const struct conf_key *k, const char *value);
int conf_set_number(struct conf_state *st, const struct conf_key *k, const char *value);
/* Text members of at most k->max bytes with their NUL: the full path of a file; a URL;
 * libvirt URIs; mail addresses. "" is fine. */
int conf_set_path(struct conf_state *st, const struct conf_key *k, const char *value);
int conf_set_url(struct conf_state *st, const struct conf_key *k, const char *value);
int conf_set_uris(struct conf_state *st, const struct conf_key *k, const char *value);
int conf_set_addresses(struct conf_state *st, const struct conf_key *k, const char *value);

#endif
