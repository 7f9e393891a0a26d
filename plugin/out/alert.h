/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An alert as JSON (design.md, JSON): for `virt-warden alerts`, scripts and webhooks. */
#ifndef VW_OUT_ALERT_H
#define VW_OUT_ALERT_H

#include "lib/alert/alert-queue.h"

#include <jansson.h>

#define OUT_ALERT_TIME 32
/* RFC 3339, UTC: "2026-11-22T22:13:54Z". */
void out_alert_time(int64_t when, char ret[OUT_ALERT_TIME]);

/* {"version":1,"id","time","host","domain","uuid","kind","severity","summary","details":{…}},
 * and "state" (raised, resolved), "resolved" (a time; null = it is not), "count".
 * Return: a new reference, or NULL (no memory). */
json_t *out_alert_json(const struct vw_alert *a, bool resolved);

/* As one line of text, malloc'ed. */
char *out_alert_text(const struct vw_alert *a, bool resolved);

#endif
