/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes a small file for others to read: whole, or not at all. */
#ifndef VW_REPLACE_FILE_H
#define VW_REPLACE_FILE_H

#include "lib/base/util.h"

/* Write a file beside its place and move it there. Return: 0 or negative errno. */
int agent_replace_file(const char *path, const char *text, size_t len, unsigned mode, bool sync);

#endif
