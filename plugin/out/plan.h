/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A plan for people: one heading, one row per finding, and what it would gain. */
#ifndef VW_OUT_PLAN_H
#define VW_OUT_PLAN_H

#include "plugin/out/term.h"
#include "lib/engine/plan.h"

/* "Debian 12", "unknown OS". malloc'ed. */
char *out_plan_os(const struct vw_plan *plan);
/* "web1  Debian 12 (metadata)  3 findings". label: how the user named it. */
void out_plan_heading(const struct out *o, const struct vw_plan *plan, const char *label,
		      bool is_file);
/* The findings with one of these actions, as rows. */
#define OUT_ACTION(action) (1u << (action))
#define OUT_ACTIONS_ALL \
	(OUT_ACTION(VW_ACTION_FIX) | OUT_ACTION(VW_ACTION_SKIP) | OUT_ACTION(VW_ACTION_REFUSE))
void out_plan_table(const struct out *o, const struct vw_plan *plan, unsigned actions);

/* What a guest gains when the findings are mended, most wanted first. */
struct out_gain {
	const char *name;         /* "faster disk" */
	const char *const *rules; /* NULL-terminated */
};
size_t out_gains(const struct out_gain **ret);
/* Bit i: gains[i]. */
unsigned out_plan_gains(const struct vw_plan *plan);
/* "safe live migration, faster disk". malloc'ed. */
char *out_gain_names(unsigned gains);

#endif
