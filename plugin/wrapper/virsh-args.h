/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virsh's global options, read as virsh reads them ("+:c:d:e:hk:K:l:qrtvV", tools/virsh.c):
 * the wrapper needs to know where the command stands, the preload whether it
 * is to be quiet. Header only: the wrapper links nothing of ours. */
#ifndef VW_VIRSH_ARGS_H
#define VW_VIRSH_ARGS_H

#include "lib/base/util.h"

struct vw_virsh_args {
	const char *uri; /* -c/--connect, borrowed from argv; NULL = not given */
	bool quiet;
	bool answers; /* -h, -v, -V: virsh answers by itself, whatever follows */
	int command;  /* index in argv of the first word that is no option; argc = none */
};

struct vw_virsh_option {
	const char *name;
	char letter;
	bool takes_value;
};

static const struct vw_virsh_option vw_virsh_options[] = {
	{ "connect", 'c', true },   { "debug", 'd', true },
	{ "escape", 'e', true },    { "help", 'h', false },
	{ "log", 'l', true },       { "keepalive-interval", 'k', true },
	{ "quiet", 'q', false },    { "keepalive-count", 'K', true },
	{ "readonly", 'r', false }, { "timing", 't', false },
	{ "version", 'v', false },  { "\n", 'V', false },
};

/* By letter, or by name or what begins it (getopt_long takes abbreviations). */
static inline const struct vw_virsh_option *vw_virsh_option_find(char letter, const char *name,
								 size_t len)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(vw_virsh_options); i++) {
		const struct vw_virsh_option *o = &vw_virsh_options[i];

		if (name ? len > 0 && !strncmp(o->name, name, len) : o->letter == letter)
			return o;
	}
	return NULL;
}

static inline void vw_virsh_args_take(struct vw_virsh_args *a, const struct vw_virsh_option *o,
				      const char *value)
{
	if (o->letter == 'c')
		a->uri = value;
	a->quiet |= o->letter == 'q';
	a->answers |= o->letter == 'h' || o->letter == 'v' || o->letter == 'V';
}

/* One "--name[=value]" at argv[i]. Return: how many words it takes. */
static inline int vw_virsh_args_long(struct vw_virsh_args *a, int argc, char **argv, int i)
{
	const char *name = argv[i] + 2;
	size_t len = strcspn(name, "=");
	const struct vw_virsh_option *o = vw_virsh_option_find(0, name, len);
	bool next = o && o->takes_value && !name[len];

	if (o)
		vw_virsh_args_take(a, o,
				   name[len]              ? name + len + 1
				   : next && i + 1 < argc ? argv[i + 1]
							  : NULL);
	return next ? 2 : 1;
}

/* One "-qc" at argv[i]. Return: how many words it takes. */
static inline int vw_virsh_args_short(struct vw_virsh_args *a, int argc, char **argv, int i)
{
	for (const char *p = argv[i] + 1; *p; p++) {
		const struct vw_virsh_option *o = vw_virsh_option_find(*p, NULL, 0);

		if (!o)
			continue;
		if (o->takes_value) {
			vw_virsh_args_take(a, o, p[1] ? p + 1 : i + 1 < argc ? argv[i + 1] : NULL);
			return p[1] ? 1 : 2;
		}
		vw_virsh_args_take(a, o, NULL);
	}
	return 1;
}

static inline struct vw_virsh_args vw_virsh_args_parse(int argc, char **argv)
{
	struct vw_virsh_args a = { .command = argc };
	int i = 1;

	while (i < argc && argv[i][0] == '-' && argv[i][1]) {
		if (!strcmp(argv[i], "--")) {
			i++;
			break;
		}
		i += argv[i][1] == '-' ? vw_virsh_args_long(&a, argc, argv, i)
				       : vw_virsh_args_short(&a, argc, argv, i);
	}
	if (i < argc)
		a.command = i;
	return a;
}

/* The environment that the wrapper hands to the preload library, and that its
 * constructor takes away again. */
#define VW_ENV_LD_PRELOAD "VIRT_WARDEN_LD_PRELOAD" /* LD_PRELOAD as it was, "" = not set */
#define VW_ENV_PROBER "VIRT_WARDEN_PROBER"         /* the wrapper, for vw_prober_program */
#define VW_ENV_CHAIN "VIRT_WARDEN_CHAIN" /* the wrappers that ran in this chain of execs */

#endif
