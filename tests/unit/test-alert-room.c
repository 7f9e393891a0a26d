/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A full queue of alerts: the least severe make room, a critical one always finds it, and what was lost
 * is counted and told. */
#include "lib/alert/alert-store.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cmocka.h>

#define UUID "11111111-2222-3333-4444-555555555555"
#define NOW 1732300000

struct fixture {
	char dir[64];
	struct vw_alerts *q;
	struct vw_err err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/vw-alert-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(mount("none", f->dir, "tmpfs", 0, "mode=700"), 0); /* so many files */
	assert_int_equal(vw_alerts_open(f->dir, &f->q, &f->err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vw_alerts_close(f->q);
	assert_int_equal(umount(f->dir), 0);
	rmdir(f->dir);
	free(f);
	return 0;
}

/* An alert's file as raise writes it; number i is `age` seconds old. */
static void put_as(struct fixture *f, unsigned i, enum vw_alert_state state,
		   enum vw_alert_severity severity, int age)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	struct alert_slot slot = { .state = state };
	const struct timespec times[2] = { { .tv_sec = NOW - age }, { .tv_sec = NOW - age } };
	struct vw_alert a = { .time = NOW,
			      .host = "beta",
			      .domain = "web1",
			      .uuid = UUID,
			      .kind = "cannot-start",
			      .severity = severity,
			      .summary = "s",
			      .count = 1 };
	char name[ALERT_NAME_SIZE];
	int fd;

	snprintf(slot.subject, sizeof(slot.subject), "%016x", i);
	snprintf(slot.id, sizeof(slot.id), "%032x", i);
	memcpy(a.id, slot.id, sizeof(a.id));
	alert_slot_name(&slot, name);
	alert_format(&b, &a);
	fd = openat(f->q->dirfd, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(write(fd, b.p, b.len), b.len);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static void put(struct fixture *f, unsigned i, enum vw_alert_severity severity, int age)
{
	put_as(f, i, VW_ALERT_OPEN, severity, age);
}

static void fill(struct fixture *f, enum vw_alert_severity severity)
{
	for (unsigned i = 0; i < VW_ALERT_MAX_QUEUE; i++)
		put(f, i, severity, (int)i);
}

static int raise_one(struct fixture *f, const char *kind, enum vw_alert_severity severity)
{
	const struct vw_alert a = { .host = "beta",
				    .domain = "db1",
				    .uuid = UUID,
				    .kind = kind,
				    .severity = severity,
				    .summary = "db1 is dead" };

	return vw_alert_raise(f->q, &a, NOW, NULL, &f->err);
}

static bool is_there(struct fixture *f, unsigned i)
{
	char name[ALERT_NAME_SIZE];

	snprintf(name, sizeof(name), "%016x-%032x.open", i, i);
	return faccessat(f->q->dirfd, name, F_OK, 0) == 0;
}

/* Is an alert of that kind open? Return: its count, 0 = none. */
static unsigned open_of(struct fixture *f, const char *kind)
{
	VW_AUTOALERTLIST struct vw_alert_list l = { 0 };
	unsigned count = 0;

	assert_int_equal(vw_alerts_list(f->q, VW_ALERT_LIST_OPEN, &l, &f->err), 0);
	for (size_t i = 0; i < l.n; i++)
		if (vw_streq(l.v[i]->kind, kind))
			count = l.v[i]->count;
	assert_true(l.n <= VW_ALERT_MAX_QUEUE + 1);
	return count;
}

static void test_critical_finds_room(void **state)
{
	struct fixture *f = *state;

	fill(f, VW_ALERT_WARNING);
	assert_int_equal(raise_one(f, "verify-failed", VW_ALERT_CRITICAL), 0);
	assert_int_equal(open_of(f, "verify-failed"), 1);
	assert_false(is_there(f, VW_ALERT_MAX_QUEUE - 1)); /* the oldest */
	assert_true(is_there(f, VW_ALERT_MAX_QUEUE - 2));
	/* it is said, and counted */
	assert_int_equal(open_of(f, "alerts-lost"), 1);
	assert_int_equal(raise_one(f, "guest-stalled", VW_ALERT_CRITICAL), 0);
	assert_int_equal(open_of(f, "alerts-lost"), 2);
	/* the same once more needs no room */
	assert_int_equal(raise_one(f, "guest-stalled", VW_ALERT_CRITICAL), 1);
	assert_int_equal(open_of(f, "alerts-lost"), 2);
	/* one that is no more severe is not kept: that is counted, too */
	assert_int_equal(raise_one(f, "cannot-start", VW_ALERT_WARNING), -EDQUOT);
	assert_non_null(strstr(f->err.text, "no more are kept"));
	assert_int_equal(open_of(f, "alerts-lost"), 3);
	assert_true(is_there(f, 0));
}

/* The least severe goes, though it is the youngest. */
static void test_least_severe_goes(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 1; i < VW_ALERT_MAX_QUEUE; i++)
		put(f, i, i % 2 ? VW_ALERT_CRITICAL : VW_ALERT_WARNING, (int)i);
	put(f, 0, VW_ALERT_INFO, VW_ALERT_MAX_QUEUE - 100);
	assert_int_equal(raise_one(f, "cannot-start", VW_ALERT_WARNING), 0);
	assert_false(is_there(f, 0));
	assert_int_equal(raise_one(f, "verify-failed", VW_ALERT_CRITICAL), 0);
	assert_false(is_there(f, VW_ALERT_MAX_QUEUE - 2)); /* the oldest that is even: a warning */
	assert_true(is_there(f, VW_ALERT_MAX_QUEUE - 1));
}

/* All are critical: a new one tells more than the oldest, and what tells of the loss stays. */
static void test_all_critical(void **state)
{
	struct fixture *f = *state;

	fill(f, VW_ALERT_CRITICAL);
	assert_int_equal(raise_one(f, "verify-failed", VW_ALERT_CRITICAL), 0);
	assert_false(is_there(f, VW_ALERT_MAX_QUEUE - 1));
	assert_int_equal(raise_one(f, "guest-stalled", VW_ALERT_CRITICAL), 0);
	assert_int_equal(open_of(f, "alerts-lost"), 2);
	assert_int_equal(raise_one(f, "cannot-start", VW_ALERT_INFO), -EDQUOT);
}

/* What is over goes before anything that is open; nothing is lost then. */
static void test_over_goes_first(void **state)
{
	struct fixture *f = *state;
	char id[VW_ALERT_ID_SIZE];

	for (unsigned i = 1; i < VW_ALERT_MAX_QUEUE; i++)
		put(f, i, VW_ALERT_INFO, (int)i);
	put_as(f, 0, VW_ALERT_OVER, VW_ALERT_CRITICAL, 0);
	assert_int_equal(raise_one(f, "cannot-start", VW_ALERT_INFO), 0);
	snprintf(id, sizeof(id), "%032x", 0);
	assert_int_equal(vw_alert_resolve_id(f->q, id, NOW, &f->err), -ENOENT);
	assert_true(is_there(f, VW_ALERT_MAX_QUEUE - 1));
	assert_int_equal(open_of(f, "alerts-lost"), 0);
}

/* What can't be read keeps nobody out. */
static void test_damaged_goes(void **state)
{
	struct fixture *f = *state;
	char name[ALERT_NAME_SIZE];

	for (unsigned i = 0; i < VW_ALERT_MAX_QUEUE; i++) {
		snprintf(name, sizeof(name), "%016x-%032x.open", i, i);
		close(openat(f->q->dirfd, name, O_WRONLY | O_CREAT | O_EXCL, 0600));
	}
	assert_int_equal(raise_one(f, "cannot-start", VW_ALERT_INFO), 0);
	assert_int_equal(open_of(f, "cannot-start"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_critical_finds_room), TEST(test_least_severe_goes),
		TEST(test_all_critical),        TEST(test_over_goes_first),
		TEST(test_damaged_goes),
	};

	/* No mount is left behind, however this ends. */
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
