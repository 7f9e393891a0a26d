/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The monotonic clock. */
#include "lib/base/clock.h"

#include <time.h>

int64_t vw_clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
