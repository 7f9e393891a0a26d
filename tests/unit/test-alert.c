/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The queue of alerts: raise, resolve, list; hostile text; bounds. Crashes: test-alert-crash.c. */
#include "lib/alert/alert-queue.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#define UUID "11111111-2222-3333-4444-555555555555"
#define NOW 1732300000

struct fixture {
	char dir[64];
	struct vw_alerts *q;
	struct vw_err err;
};

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/vw-alert-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(vw_alerts_open(f->dir, &f->q, &f->err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vw_alerts_close(f->q);
	nftw(f->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static struct vw_alert sample(const char *kind)
{
	static const struct vw_alert_detail details[] = { { "probe", "disk" }, { "seconds", "9" } };

	return (struct vw_alert){ .host = "beta",
				  .domain = "web1",
				  .uuid = UUID,
				  .kind = kind,
				  .severity = VW_ALERT_CRITICAL,
				  .summary = "web1 is dead",
				  .details = details,
				  .n_details = 2 };
}

static struct vw_alert_list list(struct fixture *f, unsigned states)
{
	struct vw_alert_list l = { 0 };

	assert_int_equal(vw_alerts_list(f->q, states, &l, &f->err), 0);
	return l;
}

static size_t count(struct fixture *f, unsigned states)
{
	VW_AUTOALERTLIST struct vw_alert_list l = list(f, states);

	return l.n;
}

static void test_raise_list(void **state)
{
	struct fixture *f = *state;
	struct vw_alert a = sample("verify-failed");
	char id[VW_ALERT_ID_SIZE];

	assert_false(vw_alerts_waiting(f->q));
	assert_int_equal(vw_alert_raise(f->q, &a, NOW, id, &f->err), 0);
	assert_int_equal(strlen(id), 32);
	assert_true(vw_alerts_waiting(f->q));
	VW_AUTOALERTLIST struct vw_alert_list l = list(f, VW_ALERT_LIST_ALL);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.states[0], VW_ALERT_OPEN);
	assert_string_equal(l.v[0]->id, id);
	assert_int_equal(l.v[0]->time, NOW);
	assert_int_equal(l.v[0]->resolved, 0);
	assert_int_equal(l.v[0]->count, 1);
	assert_int_equal(l.v[0]->severity, VW_ALERT_CRITICAL);
	assert_string_equal(l.v[0]->host, "beta");
	assert_string_equal(l.v[0]->domain, "web1");
	assert_string_equal(l.v[0]->uuid, UUID);
	assert_string_equal(l.v[0]->kind, "verify-failed");
	assert_string_equal(l.v[0]->summary, "web1 is dead");
	assert_int_equal(l.v[0]->n_details, 2);
	assert_string_equal(l.v[0]->details[1].key, "seconds");
	assert_string_equal(l.v[0]->details[1].value, "9");
}

static void test_same_is_one(void **state)
{
	struct fixture *f = *state;
	struct vw_alert a = sample("verify-failed"), b = sample("verify-failed");
	char id[VW_ALERT_ID_SIZE], again[VW_ALERT_ID_SIZE];

	assert_int_equal(vw_alert_raise(f->q, &a, NOW, id, NULL), 0);
	b.summary = "still dead";
	b.n_details = 1;
	assert_int_equal(vw_alert_raise(f->q, &b, NOW + 5, again, NULL), 1);
	assert_string_equal(id, again);
	b.kind = "guest-stalled";
	assert_int_equal(vw_alert_raise(f->q, &b, NOW + 6, NULL, NULL), 0);
	b.host = "alpha";
	assert_int_equal(vw_alert_raise(f->q, &b, NOW + 7, NULL, NULL), 0);
	VW_AUTOALERTLIST struct vw_alert_list l = list(f, VW_ALERT_LIST_OPEN);
	assert_int_equal(l.n, 3);
	assert_int_equal(l.v[0]->count, 2);
	assert_int_equal(l.v[0]->time, NOW);
	assert_string_equal(l.v[0]->summary, "still dead");
	assert_int_equal(l.v[0]->n_details, 1);
}

static void test_resolve(void **state)
{
	struct fixture *f = *state;
	struct vw_alert a = sample("verify-failed"), b = sample("guest-stalled");
	char id[VW_ALERT_ID_SIZE], next[VW_ALERT_ID_SIZE];

	assert_int_equal(vw_alert_resolve(f->q, NULL, UUID, "beta", NOW, &f->err), 0);
	vw_alert_raise(f->q, &a, NOW, id, NULL);
	vw_alert_raise(f->q, &b, NOW, NULL, NULL);
	assert_int_equal(vw_alert_resolve(f->q, "verify-failed", UUID, "alpha", NOW, NULL), 0);
	assert_int_equal(vw_alert_resolve(f->q, "verify-failed", UUID, "beta", NOW + 9, NULL), 1);
	VW_AUTOALERTLIST struct vw_alert_list l = list(f, VW_ALERT_LIST_OVER);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.v[0]->resolved, NOW + 9);
	assert_string_equal(l.v[0]->id, id);
	assert_int_equal(count(f, VW_ALERT_LIST_OPEN), 1);
	/* The next one of the kind is another alert. */
	assert_int_equal(vw_alert_raise(f->q, &a, NOW + 20, next, NULL), 0);
	assert_string_not_equal(id, next);
	assert_int_equal(vw_alert_resolve(f->q, NULL, UUID, "beta", NOW + 30, NULL), 2);
	assert_int_equal(count(f, VW_ALERT_LIST_OPEN), 0);
	assert_int_equal(vw_alert_finish(f->q, id, NULL), 0);
	assert_int_equal(vw_alert_finish(f->q, id, NULL), 0);
	assert_int_equal(count(f, VW_ALERT_LIST_OVER), 2);
	assert_int_equal(count(f, VW_ALERT_LIST_DONE), 1);
}

static void test_resolve_id(void **state)
{
	struct fixture *f = *state;
	struct vw_alert a = sample("verify-failed");
	char id[VW_ALERT_ID_SIZE], part[9];

	vw_alert_raise(f->q, &a, NOW, id, NULL);
	snprintf(part, sizeof(part), "%.8s", id);
	assert_int_equal(vw_alert_resolve_id(f->q, "", NOW, &f->err), -ENOENT);
	assert_int_equal(vw_alert_resolve_id(f->q, "../../etc/passwd", NOW, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "no alert of that id"));
	assert_int_equal(vw_alert_resolve_id(f->q, part, NOW, &f->err), 1);
	assert_int_equal(vw_alert_resolve_id(f->q, id, NOW, &f->err), 0);
}

/* Each byte of what is kept is what may be printed in a line. */
static void assert_clean(const char *s, size_t max)
{
	assert_true(strlen(s) <= max);
	for (; *s; s++)
		assert_true((unsigned char)*s >= 0x20 && *s != 0x7f);
}

static void test_hostile_text(void **state)
{
	struct fixture *f = *state;
	struct vw_alert_detail d[100];
	struct vw_alert a = sample("verify failed\nend 0");
	char *big = malloc(1 << 20);

	memset(big, 0xe2, 1 << 20); /* the first byte of a character, a million times */
	big[(1 << 20) - 1] = '\0';
	for (size_t i = 0; i < VW_N_ELEMENTS(d); i++)
		d[i] = (struct vw_alert_detail){ "a b\nc",
						 i % 2 ? big : "x\x1b[31m\xc2\x9b y\r\nz" };
	a.domain = "evil\nend 0123456789abcdef\nid 0";
	a.summary = big;
	a.host = "\xff\xfe\xc0\xaf\xed\xa0\x80 \xe2\x80\xae gnp.exe";
	a.uuid = NULL;
	a.details = d;
	a.n_details = VW_N_ELEMENTS(d);
	a.severity = (enum vw_alert_severity)77;
	assert_int_equal(vw_alert_raise(f->q, &a, NOW, NULL, &f->err), 0);
	assert_int_equal(vw_alert_raise(f->q, &a, NOW, NULL, &f->err),
			 1); /* the same, found again */
	VW_AUTOALERTLIST struct vw_alert_list l = list(f, VW_ALERT_LIST_ALL);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.damaged, 0);
	assert_string_equal(l.v[0]->domain, "evil end 0123456789abcdef id 0");
	assert_string_equal(l.v[0]->kind, "verify_failed_end_0");
	assert_string_equal(l.v[0]->host, "??????? ? gnp.exe");
	assert_string_equal(l.v[0]->uuid, "");
	assert_int_equal(l.v[0]->severity, VW_ALERT_CRITICAL);
	assert_int_equal(l.v[0]->n_details, VW_ALERT_MAX_DETAILS);
	assert_string_equal(l.v[0]->details[0].key, "a_b_c");
	assert_string_equal(l.v[0]->details[0].value, "x?[31m? y  z");
	assert_clean(l.v[0]->summary, VW_ALERT_MAX_TEXT);
	assert_clean(l.v[0]->details[1].value, VW_ALERT_MAX_TEXT);
	assert_string_equal(l.v[0]->summary + VW_ALERT_MAX_TEXT - 4, "?...");
	/* What is good stays as it is. */
	a = sample("ok");
	a.summary = "Grüße, 世界 \xf0\x9f\x98\x80";
	vw_alert_raise(f->q, &a, NOW + 1, NULL, NULL);
	VW_AUTOALERTLIST struct vw_alert_list m = list(f, VW_ALERT_LIST_ALL);
	assert_string_equal(m.v[1]->summary, a.summary);
	free(big);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct vw_alert a = sample("");
	struct vw_alerts *q = NULL;
	char path[128];

	assert_int_equal(vw_alert_raise(f->q, &a, NOW, NULL, &f->err), -EINVAL);
	snprintf(path, sizeof(path), "%s/x", f->dir);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/x/alerts", f->dir);
	assert_int_equal(symlink("/etc", path), 0);
	snprintf(path, sizeof(path), "%s/x", f->dir);
	assert_true(vw_alerts_open(path, &q, &f->err) < 0);
	assert_non_null(strstr(f->err.text, "it must be a directory, not a link"));
}

/* One damaged file hides no other, is left where it is, and is told. */
static void test_damaged(void **state)
{
	struct fixture *f = *state;
	struct vw_alert a = sample("one"), b = sample("two");
	char path[256], id[VW_ALERT_ID_SIZE];
	VW_AUTOALERTLIST struct vw_alert_list l = { 0 };
	int fd;

	vw_alert_raise(f->q, &a, NOW, id, NULL);
	vw_alert_raise(f->q, &b, NOW, NULL, NULL);
	snprintf(path, sizeof(path), "%s/0123456789abcdef-%032d.open",
		 f->q ? vw_alerts_path(f->q) : "", 7);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_int_equal(write(fd, "virt-warden-alert 1\n", 20), 20);
	close(fd);
	l = list(f, VW_ALERT_LIST_ALL);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.damaged, 1);
	assert_int_equal(access(path, F_OK), 0);
}

static void test_memory(void **state)
{
	struct fixture *f = *state;
	struct vw_alert_memory m, n;
	struct vw_alert_told *t;
	struct vw_alert a = sample("x");
	char id[VW_ALERT_ID_SIZE], name[16];

	vw_alert_raise(f->q, &a, NOW, id, NULL);
	vw_alert_memory_read(f->q, id, &m);
	assert_int_equal(m.n, 0);
	t = vw_alert_memory_get(&m, "webhook");
	t->raised = true;
	t->severity = VW_ALERT_WARNING;
	t->count = 3;
	t->last = NOW;
	t->next = NOW + 4;
	t->failures = 5;
	strcpy(t->progress, "10-a,20-b");
	snprintf(t->error, sizeof(t->error), "500\nfrom the server");
	assert_ptr_equal(vw_alert_memory_get(&m, "webhook"), t);
	vw_alert_memory_get(&m, "mail");
	assert_int_equal(vw_alert_memory_write(f->q, id, &m, &f->err), 0);
	vw_alert_memory_read(f->q, id, &n);
	assert_int_equal(n.n, 2);
	t = vw_alert_memory_get(&n, "webhook");
	assert_true(t->raised && !t->resolved && t->severity == VW_ALERT_WARNING);
	assert_true(t->count == 3 && t->last == NOW && t->next == NOW + 4 && t->failures == 5);
	assert_string_equal(t->error, "500 from the server");
	assert_string_equal(t->progress, "10-a,20-b");
	assert_string_equal(vw_alert_memory_get(&n, "mail")->progress, "");
	for (int i = 0; i < VW_ALERT_MAX_SINKS - 2; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		assert_non_null(vw_alert_memory_get(&n, name));
	}
	assert_null(vw_alert_memory_get(&n, "one-too-many"));
}

static void test_todo(void **state)
{
	struct fixture *f = *state;
	struct vw_alert a = sample("x");
	struct vw_alerts *other = NULL;
	uint64_t stamp;

	assert_int_equal(vw_alerts_stamp(f->q), 0);
	vw_alert_raise(f->q, &a, NOW, NULL, NULL);
	stamp = vw_alerts_stamp(f->q);
	assert_int_not_equal(stamp, 0);
	assert_int_equal(vw_alerts_open(f->dir, &other, NULL), 0);
	assert_int_equal(vw_alerts_deliver_lock(other, &f->err), 0);
	assert_int_equal(vw_alerts_deliver_lock(f->q, &f->err), -EBUSY);
	assert_false(vw_alerts_waiting(f->q)); /* somebody is at it */
	vw_alert_raise(f->q, &a, NOW + 1, NULL, NULL);
	assert_int_equal(vw_alerts_all_done(other, stamp, &f->err), -EAGAIN);
	stamp = vw_alerts_stamp(f->q);
	assert_int_equal(vw_alerts_all_done(other, stamp, &f->err), 0);
	vw_alerts_close(other);
	assert_false(vw_alerts_waiting(f->q));
	vw_alert_resolve(f->q, NULL, UUID, "beta", NOW + 2, NULL);
	assert_true(vw_alerts_waiting(f->q));
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_raise_list), CASE(test_same_is_one),  CASE(test_resolve),
		CASE(test_resolve_id), CASE(test_hostile_text), CASE(test_refused),
		CASE(test_damaged),    CASE(test_memory),       CASE(test_todo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
