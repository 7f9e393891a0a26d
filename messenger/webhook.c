/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sink webhook: each alert as JSON by POST. */
#include "messenger/messenger.h"
#include "plugin/out/alert.h"

#include <errno.h>

static bool wanted(const struct sink_context *c)
{
	return *c->policy->webhook;
}

static int send_one(const struct sink_context *c, struct message *m, size_t n, struct vw_err *err)
{
	VW_AUTOFREE char *body = out_alert_text(m->alert, m->resolved);

	(void)n;
	if (!body)
		return vw_err_set(err, -EAGAIN, "out of memory");
	return alert_post(c, c->policy->webhook, c->policy->webhook_auth, body, m->alert->id, err);
}

const struct sink sink_webhook = {
	.name = "webhook",
	.limited = true,
	.wanted = wanted,
	.send = send_one,
};
