/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Probe "console": what a serial port wrote to a file of this host, or to its pty. */
#include "lib/health/verify-probe.h"

#define ENOUGH 8 /* bytes */

static const struct {
	const char *text;
	int sign; /* 2 = it is dead, 1 = it may live on */
} signs[] = {
	{ "Kernel panic - not syncing", 2 },
	{ "end Kernel panic", 2 },
	{ "*** STOP: 0x", 2 }, /* Windows, EMS */
	{ "A problem has been detected and Windows has been shut down", 2 },
	{ "!!!! X64 Exception Type", 2 }, /* EDK II */
	{ "panic: ", 2 },                 /* BSD: at the start of a line */
	{ "BUG: unable to handle", 1 },
	{ "BUG: kernel NULL pointer dereference", 1 },
	{ "Oops: ", 1 },
	{ "soft lockup - CPU#", 1 },
	{ "rcu_sched self-detected stall", 1 },
	{ "Remounting filesystem read-only", 1 },
	{ "blocked for more than 120 seconds", 1 },
};

static bool holds(const char *line, size_t len, const char *text)
{
	return memmem(line, len, text, strlen(text)) != NULL;
}

int vw_console_sign(const char *line, size_t len)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(signs); i++) {
		if (vw_streq(signs[i].text, "panic: ") &&
		    (len < 7 || memcmp(line, "panic: ", 7) != 0))
			continue;
		if (holds(line, len, signs[i].text))
			return signs[i].sign;
	}
	return 0;
}

static void judge_silent(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_baseline *b = v->s->before;
	struct vw_delta d;

	if (!b->known || !b->console) {
		vw_result(r, VW_SKIP, "silent, and nothing bad is on it");
		return;
	}
	if (!vw_late(v->s, VW_HAVE_CONSOLE, &d) || vw_expected(b->console, d.ms) < ENOUGH)
		vw_result_wait(v, r, VW_SKIP, "silent");
	else if (d.console || v->life & VW_LIFE_USER)
		vw_result(r, VW_SKIP, "silent");
	else
		vw_result_wait(v, r, v->life & VW_LIFE_KERNEL ? VW_WARN : VW_FAIL,
			       "it has written nothing for %lld s (before: %.0f bytes a second)",
			       (long long)d.ms / 1000, b->console / 60.0);
}

/* What stood there before we watched may be of another boot: it counts if the guest neither
 * works nor sleeps and wakes now. */
static bool is_past(const struct vw_view *v)
{
	return v->s->console.old && v->life & (VW_LIFE_USER | VW_LIFE_WAKE);
}

static void judge_panic(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;

	if (s->console.old && s->now - s->started < VW_LEAST_MS)
		vw_result_wait(v, r, VW_FAIL, "an old \"%s\"", s->console.text);
	else
		vw_result(r, v->life & VW_LIFE_USER ? VW_WARN : VW_FAIL,
			  "the guest's kernel died: \"%s\": virsh reset %s", s->console.text,
			  s->name);
}

/* Its host noted that it panicked. The note may be old: it counts as an old line does. */
static bool died_there(const struct vw_view *v)
{
	return v->s->before->panicked && v->s->state == VW_DOM_RUNNING &&
	       !(v->life & (VW_LIFE_USER | VW_LIFE_WAKE));
}

static void judge_unread(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;

	if (died_there(v) && s->now - s->started < VW_LEAST_MS)
		vw_result_wait(v, r, VW_FAIL, "its host noted that its kernel died");
	else if (died_there(v))
		vw_result(
			r, VW_FAIL,
			"the guest's kernel died, as its host read on its console: virsh reset %s",
			s->name);
	else
		vw_result(r, VW_SKIP, "%s",
			  *s->console.refused
				  ? s->console.refused
				  : "no serial port writes to a file that can be read here");
}

void vw_probe_console(const struct vw_view *v, struct vw_probe_result *r)
{
	const struct vw_signals *s = v->s;
	struct vw_delta d;

	if (!s->console.readable)
		judge_unread(v, r);
	else if (s->console.panic && !is_past(v))
		judge_panic(v, r);
	else if (s->console.oops && !s->console.old)
		vw_result(r, VW_WARN, "\"%s\"", s->console.text);
	else if (vw_since(s, VW_HAVE_CONSOLE, VW_RECENT_MS, &d) && d.console)
		vw_result(r, VW_PASS, "%llu bytes written, nothing bad among them",
			  (unsigned long long)d.console);
	else
		judge_silent(v, r);
}
