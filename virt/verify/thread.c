/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the threads of a verification share: clock, lock, sleep (internal.h). */
#include "virt/verify/internal.h"

#include "lib/base/clock.h"

#include <time.h>

void verify_lock(struct verify *v)
{
	pthread_mutex_lock(&v->lock);
}

void verify_unlock(struct verify *v)
{
	pthread_cond_broadcast(&v->wake);
	pthread_mutex_unlock(&v->lock);
}

void verify_wait_until(struct verify *v, int64_t ms)
{
	struct timespec t = { .tv_sec = (time_t)(ms / 1000),
			      .tv_nsec = (long)(ms % 1000) * 1000000 };

	pthread_cond_timedwait(&v->wake, &v->lock, &t);
}

bool verify_sleep(struct verify *v, unsigned ms)
{
	int64_t until = vw_clock_ms() + ms;

	pthread_mutex_lock(&v->lock);
	while (!v->stop && vw_clock_ms() < until)
		verify_wait_until(v, until);
	pthread_mutex_unlock(&v->lock);
	return !v->stop;
}

int verify_thread(void *arg, void *(*run)(void *))
{
	pthread_attr_t attr;
	pthread_t thread;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	r = pthread_create(&thread, &attr, run, arg);
	pthread_attr_destroy(&attr);
	return -r;
}
