/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* prepare: a domain is about to be started. The last gate for its disk caches:
 * findings go to the system log; with start = refuse a cold start is refused. */
#include "lib/base/buf.h"
#include "hooks/hook.h"
#include "lib/base/text.h"

#include <errno.h>
#include <syslog.h>

#define MAX_LOGGED 256 /* findings; a guest has at most some hundred disks */
#define MAX_NAMED 8    /* disks in the line of a refusal */

struct gate {
	size_t found;        /* findings */
	size_t fixable;      /* of them: known to be wrong, and a fix would mend it */
	struct vw_buf disks; /* "vda ('writeback'), vdb ('default')" */
};

static void on_finding(struct hook *h, void *data, xmlNode *disk, const struct vw_finding *f)
{
	struct gate *g = data;

	(void)disk;
	if (g->found++ < MAX_LOGGED)
		hook_log_finding(h, f);
	if (f->action != VW_ACTION_FIX)
		return;
	if (g->fixable++ < MAX_NAMED)
		vw_buf_printf(&g->disks, "%s%s ('%s')", g->fixable > 1 ? ", " : "", f->device,
			      f->before);
}

/* The one line that reaches the user's prompt: what, and the command that mends it. */
static int refuse(struct hook *h, struct gate *g)
{
	VW_AUTOFREE char *disks = vw_buf_take(&g->disks);
	VW_AUTOFREE char *name = vw_printable(h->name, 255);
	VW_AUTOFREE char *command = vw_command_text("fix", h->name);
	char more[48] = "";

	if (!disks || !name || !command)
		return 0;
	if (g->fixable > MAX_NAMED)
		snprintf(more, sizeof(more), " and %zu more", g->fixable - MAX_NAMED);
	hook_log(h, LOG_ERR, "refused op=%s uuid=%s disks=%zu: the cache mode is not allowed: %s",
		 h->op, *h->uuid ? h->uuid : "-", g->fixable, command);
	fprintf(stderr,
		"virt-warden: %s is not started: the cache mode of %s%s is not allowed (start = "
		"refuse in %s); to mend it: %s\n",
		name, disks, more, h->paths.conf, command);
	return 1;
}

static int judge(struct hook *h, bool incoming)
{
	struct gate g = { 0 };
	int status = 0;
	VW_AUTOFREE char *command = vw_command_text("check", h->name);
	int r = hook_judge_disks(h, on_finding, &g);

	if (r < 0)
		hook_log(h, LOG_ERR, "op=%s: %s", h->op, strerror(-r));
	if (g.found > MAX_LOGGED && command)
		hook_log(h, LOG_WARNING, "op=%s uuid=%s: %zu more findings: %s", h->op,
			 *h->uuid ? h->uuid : "-", g.found - MAX_LOGGED, command);
	if (r == 0 && g.fixable && h->policy.start == VW_START_REFUSE && !incoming)
		status = refuse(h, &g);
	vw_buf_free(&g.disks);
	return status;
}

int hook_prepare(struct hook *h)
{
	struct vw_err err = { 0 };
	bool incoming;

	if (vw_conf_load(h->paths.conf, &h->policy, &err) < 0 || hook_read(h, &err) < 0) {
		hook_log(h, LOG_ERR, "op=%s: nothing was checked: %s", h->op, err.text);
		return 0;
	}
	incoming = hook_mark_take(&h->paths, h->uuid);
	if (h->policy.start == VW_START_OFF || h->mode == VW_MODE_OFF || h->skipped)
		return 0;
	return judge(h, incoming);
}
