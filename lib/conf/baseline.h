/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* [cpu] baseline: inside lib/conf. */
#ifndef VW_CONF_BASELINE_H
#define VW_CONF_BASELINE_H

#include "lib/base/err.h"
#include "lib/engine/policy.h"

/* What names of CPU models and features are made of. */
#define VW_BASELINE_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

/* If baseline (of VW_BASELINE_MAX bytes) is the path of a file, read it and put in its
 * place what it holds. Return: 0, or negative errno with a line that names the file. */
int vw_baseline_load(char *baseline, struct vw_err *err);

#endif
