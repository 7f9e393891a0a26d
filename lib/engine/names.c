/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The contract's names of classes, actions and modes; apart, so that the hook links no rules. */
#include "lib/engine/plan.h"

const char *vw_class_name(enum vw_class c)
{
	static const char *const names[] = { "host", "additive", "visible", "boot" };

	return names[c];
}

const char *vw_action_name(enum vw_action a)
{
	static const char *const names[] = { "fix", "skip", "refuse" };

	return names[a];
}

const char *vw_mode_name(enum vw_mode m)
{
	static const char *const names[] = { "default", "enforce", "audit", "off" };

	return names[m];
}

const char *vw_judged_name(enum vw_judged j)
{
	static const char *const names[] = { "all", "host", "none" };

	return names[j];
}
