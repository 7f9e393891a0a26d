/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libvirtd has after a define is kept while virsh reports it and disconnects: a thread writes
 * it, and is waited for at the program's end, or when the history is needed again. */
#include "plugin/preload/preload.h"

#include "virt/ahead.h"

#include <errno.h>

static struct {
	struct vw_ahead ahead;
	bool begun;
	struct vw_context *ctx;
	char uuid[VIR_UUID_STRING_BUFLEN];
	char *name, *xml, *rules;
	enum vw_cause cause;
	struct vw_err err;
	int result;
} keeping;

static void *work(void *arg)
{
	(void)arg;
	keeping.result = vw_apply_keep(keeping.ctx, keeping.uuid, keeping.name, keeping.xml,
				       keeping.cause, keeping.rules, &keeping.err);
	return NULL;
}

void vw_keep_meanwhile(struct vw_context *ctx, const char *uuid, const char *name, char *xml,
		       enum vw_cause cause, char *rules)
{
	vw_keep_join();
	keeping.begun = true;
	keeping.ctx = ctx;
	snprintf(keeping.uuid, sizeof(keeping.uuid), "%s", uuid);
	keeping.name = strdup(name);
	keeping.xml = xml;
	keeping.rules = rules;
	keeping.cause = cause;
	keeping.err = (struct vw_err){ 0 };
	keeping.result = -ENOMEM;
	if (keeping.name && keeping.xml && keeping.rules)
		vw_ahead_start(&keeping.ahead, work, NULL);
}

void vw_keep_join(void)
{
	struct vw_notes notes = { 0 };

	if (!keeping.begun)
		return;
	keeping.begun = false;
	vw_ahead_join(&keeping.ahead);
	free(vw_steal(keeping.name));
	free(vw_steal(keeping.xml));
	free(vw_steal(keeping.rules));
	if (keeping.result < 0)
		vw_notes_add(&notes, "%s (the new XML is not in the history)", keeping.err.text);
	vw_notes_flush(&notes);
}

__attribute__((destructor)) static void stop(void)
{
	vw_keep_join();
}
