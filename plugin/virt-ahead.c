/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work that goes on beside (see virt-ahead.h). */
#include "virt-ahead.h"

#include <signal.h>

static _Thread_local bool here;

bool vw_ahead_is_here(void)
{
	return here;
}

static void *run(void *arg)
{
	const struct vw_ahead *a = arg;

	here = true;
	return a->work(a->arg);
}

void vw_ahead_start(struct vw_ahead *a, void *(*work)(void *), void *arg)
{
	sigset_t all, before;

	a->work = work;
	a->arg = arg;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	a->running = pthread_create(&a->thread, NULL, run, a) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!a->running)
		work(arg);
}

void vw_ahead_join(struct vw_ahead *a)
{
	if (a->running)
		pthread_join(a->thread, NULL);
	a->running = false;
}
