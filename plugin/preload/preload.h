/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virsh-warden.so: what its files share. The library stands between a program
 * (virsh, as a rule) and libvirt's public API. Its law: any failure of ours is
 * one line on stderr, and the program's call goes through untouched. */
#ifndef VW_PRELOAD_H
#define VW_PRELOAD_H

#include "lib/base/buf.h"
#include "virt/apply.h"

#include <libvirt/virterror.h>

/* libvirt's function of a name that we export, too (preload.map, with libvirt's versions). */
void *vw_next(const char *name);
#define VW_NEXT(fn) ((__typeof__(&(fn)))vw_next(#fn))

/* Begin our own work in this thread. From here on libvirt's errors do not reach
 * the program's error handler. Return: false = do nothing, pass the call on
 * (VIRT_WARDEN=off, or we are called by ourselves). */
bool vw_enter(void);
/* Let the program's handler hear libvirt's errors again, while its own call runs. */
void vw_listen(bool on);
/* End our work. ok: did the program's call succeed? If not, its error must still be the
 * thread's last one: no call into libvirt may stand between the two, not even a free
 * (each begins by forgetting the last error, and a program can't set one). */
void vw_leave(bool ok);
/* Give the program an error of our own: it becomes the thread's last one, and its handler
 * hears it. After vw_leave. code: VIR_ERR_… */
void vw_raise(int code, const char *text);
/* Is the program virsh? Of others more than one thread may define. */
bool vw_is_virsh(void);
/* virsh -q: no notes. */
bool vw_quiet(void);
/* virsh edit: what is defined was made by hand from the config that libvirt has. */
bool vw_is_edit(void);

/* A context of the caller's own, for one domain. For one thread at a time: virsh has but one that
 * defines. */
int vw_take_context(struct vw_context **ret, struct vw_err *err);
/* Give it back, NULL too: it is freed later, if ever. */
void vw_give_context(struct vw_context *c);

/* Keep what libvirtd has now, while the program goes on; a failure is a note later. ctx must stay and be
 * used by nobody until vw_keep_join, as one does that virsh gave back. xml and rules are taken over;
 * NULL = there was no memory for them. */
void vw_keep_meanwhile(struct vw_context *ctx, const char *uuid, const char *name, char *xml,
		       enum vw_cause cause, char *rules);
/* The end of that. Harmless if there is nothing. */
void vw_keep_join(void);

/* Notes for the user: collected, and printed when the call is over. */
struct vw_notes {
	struct vw_buf text;
};
void vw_notes_add(struct vw_notes *n, const char *fmt, ...) VW_PRINTF(2, 3);
/* What was done and what was not, of a plan. domain: printable. why_not: NULL, or why nothing was applied. */
void vw_notes_plan(struct vw_notes *n, virConnectPtr conn, const struct vw_plan *plan,
		   const char *os_note, const char *why_not);
/* To the system's log: libvirt refused a fix (why), and the host class alone, or the user's own
 * text, went through. */
void vw_log_refused(const char *uuid, const char *name, const char *why);
/* Print them (not with --quiet) and free them. */
void vw_notes_flush(struct vw_notes *n);

/* UUIDs. text as libvirt reads it (virUUIDParse: with or without dashes, blanks). */
bool vw_uuid_canonical(const char *text, char uuid[VIR_UUID_STRING_BUFLEN]);
bool vw_uuid_random(char uuid[VIR_UUID_STRING_BUFLEN]);
/* Write it into the XML. Return: false: no memory. */
bool vw_set_uuid(struct vw_xml *doc, const char *uuid);
/* The UUID under which the history is kept: the typed one, that of the domain that is redefined, or a
 * new one that goes into the XML (libvirt would make one up later).
 * Return: false if libvirt will refuse this XML: then it is left alone. */
bool vw_identify(struct vw_xml *doc, const struct vw_gathered *facts,
		 char uuid[VIR_UUID_STRING_BUFLEN]);

/* A define or create by the program. */
struct vw_define_call {
	virConnectPtr conn;
	const char *xml;
	unsigned flags, n_files;
	int *files;
	bool persistent; /* define; else create */
	virDomainPtr (*real)(const struct vw_define_call *call, const char *xml);
};
virDomainPtr vw_define(const struct vw_define_call *call);

/* What a define will need (plugin/preload/foresee.c). */
struct vw_foreseen {
	struct vw_context *ctx;
	struct vw_xml *doc; /* has been planned with */
	struct vw_gathered *facts;
	struct vw_plan *plan;
	struct vw_prepared *typed; /* the text for the history, NULL = it is not to be fixed */
	char uuid[VIR_UUID_STRING_BUFLEN];
};
/* Begin: virsh is going to define or create what this file says. prober: as for
 * vw_prober_program. Before main(), as nothing here concerns what that does. */
void vw_foresee(const char *file, const char *prober);
/* Is it what is now to be defined, and new to libvirtd? Then all of *ret is the caller's; else
 * perhaps context and facts, of a domain that it knows. Once. */
bool vw_foreseen(const struct vw_define_call *call, struct vw_foreseen *ret);

/* What a redefine means, by the history (plugin/preload/redefine.c). plan: of the typed XML as it is.
 * ret_hand: rules whose fixes the admin took back by hand, space-separated, "" = none;
 * malloc'ed. ret_again: the plan for a file from which the domain was made before, to be
 * used in place of `plan`, NULL = not so. Return: 0 or -ENOMEM. */
int vw_redefine_judge(struct vw_context *c, const char *uuid, const char *typed,
		      const char *previous, const struct vw_gathered *facts,
		      const struct vw_plan *plan, char **ret_hand, struct vw_plan **ret_again);
/* Has text at least as many lines in common with a as with b? Return: 1, 0 or -ENOMEM. */
int vw_text_nearer(const char *text, const char *a, const char *b);

/* An attach or update of a device by the program. */
struct vw_device_call {
	virDomainPtr dom;
	const char *xml;
	unsigned flags; /* VIR_DOMAIN_AFFECT_… */
	bool update;
	int (*real)(const struct vw_device_call *call, const char *xml);
};
int vw_device(const struct vw_device_call *call);

/* A migration by the program. */
struct vw_migrate_call {
	virDomainPtr dom;
	virConnectPtr dconn; /* NULL: */
	const char *desturi;
	virTypedParameterPtr params;
	unsigned nparams, flags;
	virDomainPtr moved; /* by the real call, where it returns one */
	int (*real)(struct vw_migrate_call *call);
};
/* Return: 0, or -1 as the real call, or because the policy refuses it. */
int vw_migrate(struct vw_migrate_call *call);

/* A migration has succeeded: look at the guest when the program is done with it. */
void vw_verify_later(const struct vw_migrate_call *call);
/* The program gives a domain back: look now, if there is something to look at. */
void vw_verify_now(void);

/* Say at the prompt what is wrong with the caches of a domain that is about to start. */
void vw_warn_at_start(virDomainPtr dom);

#endif
