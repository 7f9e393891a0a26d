/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* migrate, restore: a guest comes in with the XML of its source. Its caches are
 * set to the policy where this host is known to take that, and nothing else is
 * changed; stdout stays empty when nothing changed. A mark tells `prepare` that
 * this start must not be refused. */
#include "lib/history/history.h"
#include "hooks/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <syslog.h>
#include <time.h>

static void on_finding(struct hook *h, void *data, xmlNode *disk, const struct vw_finding *f)
{
	int *error = data;

	if (f->action == VW_ACTION_FIX && *error == 0)
		*error = vw_cache_apply(h->doc, disk, &h->policy);
	hook_log_finding(h, f);
}

/* Nothing lost: what came in is kept before it is replaced. Return: 0 or negative errno. */
static int keep(struct hook *h, struct vw_err *err)
{
	struct vw_history *history = NULL;
	char who[64];
	int r = vw_history_open(h->paths.statedir, &history, err);

	if (r < 0)
		return r;
	vw_history_bound(history, (uint64_t)h->policy.history_mib << 20, false);
	snprintf(who, sizeof(who), "hook@%s", h->op);
	r = vw_history_keep(history, h->uuid, h->name, h->text, h->len, VW_CAUSE_HOOK, who,
			    "disk-cache", time(NULL), h->policy.history_versions,
			    h->policy.history_days, NULL, err);
	vw_history_close(history);
	return r;
}

/* All of it fits into libvirtd's pipe, if that can be: never half of an XML, should we be ended. */
static int write_all(const char *text, size_t len)
{
	if (fcntl(STDOUT_FILENO, F_GETPIPE_SZ) < (int)len)
		fcntl(STDOUT_FILENO, F_SETPIPE_SZ, (int)len);
	while (len) {
		const ssize_t n = write(STDOUT_FILENO, text, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		text += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Set the caches; give the whole XML back if that changed something. Return: 0 or negative errno. */
static int adapt(struct hook *h, struct vw_err *err)
{
	VW_AUTOFREE char *text = NULL;
	int error = 0;
	size_t len = 0;
	int r = hook_judge_disks(h, on_finding, &error);

	if (r < 0 || error < 0)
		return vw_err_set(err, r < 0 ? r : error, "out of memory");
	if (!vw_xml_changed(h->doc))
		return 0;
	r = vw_xml_text(h->doc, &text, &len, err);
	if (r == 0)
		r = keep(h, err);
	if (r < 0)
		return r;
	r = write_all(text, len);
	return r < 0 ? vw_err_set(err, r, "stdout: %s", strerror(-r)) : 0;
}

int hook_incoming(struct hook *h)
{
	struct vw_err err = { 0 };
	int r;

	if (hook_read(h, &err) < 0) {
		hook_log(h, LOG_ERR, "op=%s: nothing was changed: %s", h->op, err.text);
		return 0;
	}
	if (hook_mark_write(&h->paths, h->uuid, &err) < 0)
		hook_log(h, LOG_ERR,
			 "op=%s uuid=%s: with start = refuse its start may be refused: %s", h->op,
			 *h->uuid ? h->uuid : "-", err.text);
	if (h->mode == VW_MODE_OFF)
		return 0;
	r = vw_conf_load(h->paths.conf, &h->policy, &err);
	if (r == 0 && vw_streq(h->op, "migrate") && h->policy.verify != VW_VERIFY_OFF &&
	    !hook_agent_runs(&h->paths))
		hook_leave_verifier(h);
	if (r == 0 && !h->skipped)
		r = adapt(h, &err);
	if (r < 0)
		hook_log(h, LOG_ERR, "op=%s uuid=%s: nothing was changed: %s", h->op,
			 *h->uuid ? h->uuid : "-", err.text);
	return 0;
}
