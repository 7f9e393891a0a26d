/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work that goes on beside (see virt/ahead.h). */
#include "virt/ahead.h"

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
	if (CPU_COUNT(&a->all))
		sched_setaffinity(0, sizeof(a->all), &a->all);
	return a->work(a->arg);
}

static void start(struct vw_ahead *a, const pthread_attr_t *attr)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	a->running = pthread_create(&a->thread, attr, run, a) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!a->running)
		a->work(a->arg);
}

void vw_ahead_start(struct vw_ahead *a, void *(*work)(void *), void *arg)
{
	a->work = work;
	a->arg = arg;
	CPU_ZERO(&a->all);
	start(a, NULL);
}

/* The next CPU after this one on which we may run. Return: false: there is none. */
static bool other_cpu(cpu_set_t *ret_all, cpu_set_t *ret_one)
{
	int now = sched_getcpu();

	if (now < 0 || now >= CPU_SETSIZE || sched_getaffinity(0, sizeof(*ret_all), ret_all) < 0 ||
	    CPU_COUNT(ret_all) < 2)
		return false;
	CPU_ZERO(ret_one);
	for (int i = (now + 1) % CPU_SETSIZE; i != now; i = (i + 1) % CPU_SETSIZE)
		if (CPU_ISSET(i, ret_all)) {
			CPU_SET(i, ret_one);
			break;
		}
	return CPU_COUNT(ret_one) == 1;
}

void vw_ahead_start_elsewhere(struct vw_ahead *a, void *(*work)(void *), void *arg)
{
	pthread_attr_t attr;
	cpu_set_t one;

	a->work = work;
	a->arg = arg;
	CPU_ZERO(&a->all);
	if (!other_cpu(&a->all, &one) || pthread_attr_init(&attr)) {
		CPU_ZERO(&a->all);
		start(a, NULL);
		return;
	}
	pthread_attr_setaffinity_np(&attr, sizeof(one), &one);
	start(a, &attr);
	pthread_attr_destroy(&attr);
}

static void *run_apart(void *arg)
{
	const struct vw_ahead a = *(struct vw_ahead *)arg;

	free(arg);
	here = true;
	return a.work(a.arg);
}

bool vw_ahead_start_apart(void *(*work)(void *), void *arg)
{
	struct vw_ahead *a = calloc(1, sizeof(*a));
	sigset_t all, before;
	pthread_t thread;
	bool running;

	if (!a)
		return false;
	a->work = work;
	a->arg = arg;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	running = pthread_create(&thread, NULL, run_apart, a) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (running)
		pthread_detach(thread);
	else
		free(a);
	return running;
}

void vw_ahead_join(struct vw_ahead *a)
{
	if (a->running && CPU_COUNT(&a->all)) /* it may have this CPU now, if it has none yet */
		pthread_setaffinity_np(a->thread, sizeof(a->all), &a->all);
	if (a->running)
		pthread_join(a->thread, NULL);
	a->running = false;
}
