/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unified diff of two texts, line by line, as `diff -u` prints it. */
#ifndef VW_DIFF_H
#define VW_DIFF_H

#include "lib/base/err.h"

/* Return: 0 or -ENOMEM; *ret is malloc'ed, "" if the texts are equal; with
 * "--- a_name" and "+++ b_name" heads and 3 lines of context. */
int vw_diff_unified(const char *a, const char *a_name, const char *b, const char *b_name,
		    char **ret);

#endif
