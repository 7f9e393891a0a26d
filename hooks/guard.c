/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hook's last deadline. libvirtd waits for us, and some things have no deadline of their own: a
 * history on a dead file server, a reader of our stdout that does not read. A thread sleeps
 * beside, and ends the process with 0: the guest goes on as if there were no hook. */
#include "hooks/hook.h"

#include <errno.h>
#include <pthread.h>
#include <syslog.h>
#include <time.h>

#define STACK (64 << 10) /* bytes */

/* A copy: the thread outlives the frame that its caller's is in. */
static struct hook last;

static void *end_it(void *unused)
{
	struct timespec left = { .tv_sec = HOOK_LAST_MS / 1000 };

	(void)unused;
	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
		continue;
	hook_log(&last, LOG_ERR,
		 "op=%s: given up after %d s, for something hangs (the history's disk, or who "
		 "reads our output)",
		 last.op, HOOK_LAST_MS / 1000);
	_exit(0);
}

void hook_guard(const struct hook *h)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (pthread_attr_init(&attr))
		return;
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	last = (struct hook){
		.op = h->op,
		.log_to_stderr = h->log_to_stderr,
		.log_fd = -1, /* one of its own: the other thread may be about to use h's */
	};
	pthread_create(&thread, &attr, end_it, NULL);
	pthread_attr_destroy(&attr);
}
