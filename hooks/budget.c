/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hooks/hook.h"
#include "lib/base/clock.h"

unsigned hook_time_left(const struct hook *h)
{
	const int64_t left = h->deadline - vw_clock_ms();

	return left > 0 ? (unsigned)left : 0;
}
