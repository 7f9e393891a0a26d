/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a sink is due, how long it is left alone after failures, and what is remembered of it. */
#include "messenger/due.c" /* not in any archive */

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NOW 1732300000

static const struct sink plain = { .name = "plain" };
static const struct sink manager = { .name = "manager", .again = true };

static struct vw_alert_policy policy(void)
{
	struct vw_alert_policy p = { .retry_seconds = 10,
				     .retry_max_seconds = 300,
				     .repeat_seconds = 3600 };
	return p;
}

static struct due due(const struct sink *s, const struct vw_alert *a, const struct vw_alert_told *t)
{
	const struct vw_alert_policy p = policy();

	return alert_due(s, &p, a, t, NOW);
}

static void assert_due(struct due d, enum due_what what, int64_t when)
{
	assert_int_equal(d.what, what);
	if (what != DUE_NOTHING)
		assert_true(when <= NOW ? d.when <= NOW : d.when == when);
}

static void test_life(void **state)
{
	struct vw_alert a = { .time = NOW - 100, .count = 1, .severity = VW_ALERT_WARNING };
	struct vw_alert_told t = { .count = 0 };

	(void)state;
	assert_due(due(&plain, &a, &t), DUE_RAISED, NOW);
	alert_told(&t, DUE_RAISED, a.severity, a.count, NOW);
	assert_due(due(&plain, &a, &t), DUE_NOTHING, 0);
	assert_due(due(&manager, &a, &t), DUE_AGAIN, NOW);
	a.resolved = NOW;
	assert_due(due(&plain, &a, &t), DUE_RESOLVED, NOW);
	alert_told(&t, DUE_RESOLVED, a.severity, a.count, NOW);
	assert_due(due(&plain, &a, &t), DUE_NOTHING, 0);
	assert_due(due(&manager, &a, &t), DUE_NOTHING, 0);
	/* Over before it was told: raised first, then over. */
	t = (struct vw_alert_told){ .count = 0 };
	assert_due(due(&plain, &a, &t), DUE_RAISED, NOW);
	alert_told(&t, DUE_RAISED, a.severity, a.count, NOW);
	assert_due(due(&plain, &a, &t), DUE_RESOLVED, NOW);
}

static void test_again(void **state)
{
	struct vw_alert a = { .count = 1, .severity = VW_ALERT_WARNING };
	struct vw_alert_told t = { .count = 0 };

	(void)state;
	alert_told(&t, DUE_RAISED, a.severity, a.count, NOW - 3599);
	a.count = 7;
	assert_due(due(&plain, &a, &t), DUE_NOTHING, 0); /* not before repeat-seconds */
	t.last = NOW - 3600;
	assert_due(due(&plain, &a, &t), DUE_RAISED, NOW);
	alert_told(&t, DUE_RAISED, a.severity, a.count, NOW);
	assert_due(due(&plain, &a, &t), DUE_NOTHING, 0);
	a.severity = VW_ALERT_CRITICAL; /* worse: at once */
	assert_due(due(&plain, &a, &t), DUE_RAISED, NOW);
}

static void test_backoff(void **state)
{
	const struct vw_alert_policy p = policy();
	const int64_t want[] = { 10, 20, 40, 80, 160, 300, 300 };
	struct vw_alert a = { .count = 1 };
	struct vw_alert_told t = { .count = 0 };

	(void)state;
	for (unsigned i = 0; i < VW_N_ELEMENTS(want); i++)
		assert_int_equal(alert_backoff(&p, i + 1), want[i]);
	assert_int_equal(alert_backoff(&p, UINT32_MAX), 300);
	for (unsigned i = 0; i < 1000; i++) /* a sink that is not up is never given up */
		alert_failed(&t, &p, true, DUE_RAISED, "down", NOW);
	assert_due(due(&plain, &a, &t), DUE_RAISED, NOW + 300);
	assert_string_equal(t.error, "down");
	/* The clock was put back: no longer than it would have been. */
	t.next = NOW + 301;
	assert_due(due(&plain, &a, &t), DUE_RAISED, NOW);
	alert_told(&t, DUE_RAISED, a.severity, a.count, NOW);
	assert_int_equal(t.failures, 0);
	assert_string_equal(t.error, "");
	a.count = 2;
	t.last = NOW + 1000000;
	assert_due(due(&plain, &a, &t), DUE_NOTHING, 0);
}

/* Refused for what it is: twenty times, then nobody waits for it; why stays. */
static void test_refused(void **state)
{
	const struct vw_alert_policy p = policy();
	struct vw_alert a = { .count = 1 };
	struct vw_alert_told t = { .count = 0 };

	(void)state;
	for (unsigned i = 0; i < 19; i++)
		alert_failed(&t, &p, false, DUE_RAISED, "status 400", NOW - 1000);
	assert_due(due(&plain, &a, &t), DUE_RAISED, NOW);
	alert_failed(&t, &p, false, DUE_RAISED, "status 400", NOW);
	assert_due(due(&plain, &a, &t), DUE_NOTHING, 0);
	assert_string_equal(t.error, "status 400");
	a.resolved = NOW;
	assert_due(due(&plain, &a, &t), DUE_RESOLVED, NOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_backoff),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
