/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON of the contract (design.md, JSON): "version": 1 at the top, stable keys. */
#ifndef VW_OUT_JSON_H
#define VW_OUT_JSON_H

#include "lib/engine/plan.h"

#include <jansson.h>
#include <stdio.h>

/* {"version": 1}. */
json_t *out_json_top(void);
/* {"name","uuid","os":{"id","source","confidence"},"findings":[…]}. */
json_t *out_json_plan(const struct vw_plan *plan);
/* Print a value, with jansson's flags; what may not be shown is a \u escape. Return: 0 or -1. */
int out_json_dump(FILE *f, const json_t *value, size_t flags);
#endif
