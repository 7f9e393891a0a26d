/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON of texts that others wrote. */
#ifndef VW_JSON_H
#define VW_JSON_H

#include <jansson.h>

/* A string value; what is not UTF-8 is replaced by '?'. NULL becomes "".
 * Return: a new reference; NULL: out of memory (json_pack frees the rest then). */
json_t *vw_json_string(const char *s);

#endif
