/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A FILE that a user names on the command line. */
#ifndef VW_INPUT_H
#define VW_INPUT_H

#include "lib/base/err.h"

/* Is this argument a FILE ("-", an existing file, has '/', ends in .xml), not a DOMAIN? */
bool vw_input_is_file(const char *arg);
/* Is it a regular file, so that opening it does no harm? */
bool vw_input_is_regular(const char *path);
/* Read a FILE or "-": only regular files and pipes, never waiting for ever for a named pipe; max bytes
 * and one more at most, by which the caller sees that it is too long. *ret is malloc'ed and
 * NUL-terminated; *ret_len without it. Return: 0 or negative errno. */
int vw_input_read(const char *path, size_t max, char **ret, size_t *ret_len, struct vw_err *err);

#endif
