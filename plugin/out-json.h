/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON of the contract (design.md, JSON): "version": 1 at the top, stable keys. */
#ifndef VW_OUT_JSON_H
#define VW_OUT_JSON_H

#include "cmd.h"
#include "plan.h"

#include <jansson.h>

/* A string value; what is not UTF-8 is replaced by '?'. NULL becomes "". */
json_t *out_json_string(const char *s);
/* {"version": 1}. */
json_t *out_json_top(void);
/* {"name","uuid","os":{"id","source","confidence"},"findings":[…]}. */
json_t *out_json_plan(const struct vw_plan *plan);
/* Print a value, with jansson's flags; what may not be shown is a \u escape. Return: 0 or -1. */
int out_json_dump(FILE *f, const json_t *value, size_t flags);
/* Print and free. Return: CMD_OK, or CMD_UNKNOWN (with a line on stderr) if there is no memory. */
int out_json_print(struct cmd *cmd, json_t *top);

#endif
