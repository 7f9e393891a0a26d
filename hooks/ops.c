/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The qemu hook's second stage: which operation does what. */
#include "hooks/hook.h"

#include "lib/base/clock.h"

#include <signal.h>
#include <syslog.h>
#include <time.h>

/* Those that main.c loads us for. */
static const struct {
	const char *name;
	int (*run)(struct hook *h);
} ops[] = {
	{ "prepare", hook_prepare },
	{ "migrate", hook_incoming },
	{ "restore", hook_incoming },
};

static void hook_clear(struct hook *h)
{
	vw_paths_clear(&h->paths);
	vw_xml_free(h->doc);
	free(h->text);
	free(h->name);
	if (h->log_fd >= 0)
		close(h->log_fd);
}

int vw_hook(char **argv)
{
	struct hook h = { .log_fd = -1, .deadline = vw_clock_ms() + HOOK_BUDGET_MS };
	struct vw_err err;
	int status = 0;

	for (size_t i = 0; i < VW_N_ELEMENTS(ops); i++) {
		if (!vw_streq(argv[2], ops[i].name))
			continue;
		h.op = ops[i].name;
		h.arg_name = argv[1];
		h.log_to_stderr = vw_streq(secure_getenv("VIRT_WARDEN_LOG"), "stderr");
		signal(SIGPIPE, SIG_IGN);
		hook_guard(&h);
		if (vw_paths_init(&h.paths, &err) == 0)
			status = ops[i].run(&h);
		else
			hook_log(&h, LOG_ERR, "op=%s: nothing was done: %s", h.op, err.text);
		hook_clear(&h);
	}
	return status;
}
