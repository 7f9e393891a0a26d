/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The error object: last argument of every function that can fail.
 *
 * The contract: such a function returns 0 or a negative errno; on failure it
 * has filled the object (unless it is NULL) with ONE line for the user that
 * names the file, the line where known, and the remedy. Outputs named ret_…
 * are written on success only. Libraries return errors, mains print them. */
#ifndef VW_ERR_H
#define VW_ERR_H

#include "lib/base/util.h"

struct vw_err {
	int code;       /* negative errno, 0 = none */
	char text[512]; /* one line, no newline, always terminated */
};

/* Fill err (may be NULL) with code (negative errno) and a line.
 * Return: code, so that `return vw_err_set(err, -EINVAL, …);` reads well. */
int vw_err_set(struct vw_err *err, int code, const char *fmt, ...) VW_PRINTF(3, 4);

/* Put "prefix: " before the text that err has. Return: err->code (or code if err is NULL). */
int vw_err_wrap(struct vw_err *err, int code, const char *fmt, ...) VW_PRINTF(3, 4);

#endif
