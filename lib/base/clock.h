/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clock for deadlines and intervals. */
#ifndef VW_CLOCK_H
#define VW_CLOCK_H

#include <stdint.h>

/* Return: CLOCK_MONOTONIC, milliseconds. */
int64_t vw_clock_ms(void);

#endif
