/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is left of the time that a run of the hook may take. */
#include "hooks/hook.h"
#include "lib/base/clock.h"

unsigned hook_time_left(const struct hook *h)
{
	const int64_t left = h->deadline - vw_clock_ms();

	return left > 0 ? (unsigned)left : 0;
}
