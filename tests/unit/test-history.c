/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The history store: what is kept, in what order and for how long. Hostile names and
 * files: test-history-hostile.c; crashes: test-history-crash.c. */
#include "tests/unit/test-history.h"

#include <sys/file.h>
#include <time.h>

static void test_keep_list_read(void **state)
{
	struct fixture *f = *state;
	struct vw_version *v = NULL;
	size_t n = 0;

	assert_int_equal(keep(f, "web1", "<domain>1</domain>"), 1);
	assert_int_equal(keep(f, "web2", "<domain>2</domain>\n"), 2);
	assert_int_equal(vw_history_list(f->h, UUID, &v, &n, &f->err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(v[0].n, 1);
	assert_int_equal(v[0].time, NOW);
	assert_int_equal(v[0].cause, VW_CAUSE_CLIENT);
	assert_string_equal(v[0].name, "web1");
	assert_string_equal(v[0].who, "root@virsh[1]");
	assert_string_equal(v[0].rules, "disk-cache rng");
	assert_int_equal(v[0].size, 18);
	assert_int_equal(strlen(v[0].hash), 16);
	assert_string_not_equal(v[0].hash, v[1].hash);
	assert_string_equal(v[1].name, "web2");
	vw_versions_free(v, n);
	assert_xml(f, 1, "<domain>1</domain>");
	assert_xml(f, 2, "<domain>2</domain>\n");
	assert_xml(f, 0, "<domain>2</domain>\n");
}

static void test_none(void **state)
{
	struct fixture *f = *state;
	struct vw_version *v = NULL;
	char path[512], *xml = NULL;
	size_t n = 1;

	assert_int_equal(vw_history_list(f->h, UUID, &v, &n, &f->err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(vw_history_read(f->h, UUID, 0, &xml, &n, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "no version"));
	keep(f, "a", "<x/>");
	assert_int_equal(vw_history_read(f->h, UUID, 2, &xml, &n, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "no version 2"));
	/* Asking made nothing. */
	assert_string_equal(numbers(f, UUID2), "");
	snprintf(path, sizeof(path), "%s/history/" UUID2, f->dir);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_same_writes_nothing(void **state)
{
	struct fixture *f = *state;
	struct stat before, after;
	char path[512];

	keep(f, "a", "<x/>");
	snprintf(path, sizeof(path), "%s/history/" UUID, f->dir);
	assert_int_equal(stat(path, &before), 0);
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	assert_int_equal(keep(f, "a", "<x/>"), 1);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	/* Only the newest counts: what was there two versions ago is a new version. */
	assert_int_equal(keep(f, "a", "<y/>"), 2);
	assert_int_equal(keep(f, "a", "<x/>"), 3);
	assert_string_equal(numbers(f, UUID), "1 2 3");
}

static void test_bytes_are_kept(void **state)
{
	struct fixture *f = *state;
	const char xml[] = "\0\xff\n<!-- virt-warden-history 1 size=1 -->\n\n\r\n\0";
	VW_AUTOFREE char *back = NULL;
	size_t len = 0;

	assert_int_equal(vw_history_keep(f->h, UUID, "a", xml, sizeof(xml), VW_CAUSE_SEEN, "", "",
					 NOW, 9, 9, NULL, &f->err),
			 0);
	assert_int_equal(vw_history_read(f->h, UUID, 1, &back, &len, &f->err), 0);
	assert_int_equal(len, sizeof(xml));
	assert_memory_equal(back, xml, sizeof(xml));
	free(vw_steal(back));
	assert_int_equal(vw_history_keep(f->h, UUID, "a", "", 0, VW_CAUSE_SEEN, "", "", NOW, 9, 9,
					 NULL, &f->err),
			 0);
	assert_int_equal(vw_history_read(f->h, UUID, 0, &back, &len, &f->err), 0);
	assert_int_equal(len, 0);
}

static void test_size_limit(void **state)
{
	struct fixture *f = *state;
	VW_AUTOFREE char *big = malloc(VW_HISTORY_MAX_BYTES + 1);
	VW_AUTOFREE char *back = NULL;
	size_t len = 0;

	memset(big, 'x', VW_HISTORY_MAX_BYTES + 1);
	assert_int_equal(vw_history_keep(f->h, UUID, "a", big, VW_HISTORY_MAX_BYTES + 1,
					 VW_CAUSE_SEEN, "", "", NOW, 9, 9, NULL, &f->err),
			 -EFBIG);
	assert_string_equal(numbers(f, UUID), "");
	assert_int_equal(vw_history_keep(f->h, UUID, "a", big, VW_HISTORY_MAX_BYTES, VW_CAUSE_SEEN,
					 "", "", NOW, 9, 9, NULL, &f->err),
			 0);
	assert_int_equal(vw_history_read(f->h, UUID, 0, &back, &len, &f->err), 0);
	assert_int_equal(len, VW_HISTORY_MAX_BYTES);
	assert_memory_equal(back, big, len);
}

static void test_bounded_by_count(void **state)
{
	struct fixture *f = *state;
	char xml[32];
	unsigned n = 0;

	for (int i = 1; i <= 10; i++) {
		sprintf(xml, "<x>%d</x>", i);
		assert_int_equal(keep_at(f, UUID, "a", xml, NOW, 3, 730, &n), 0);
		assert_int_equal(n, i);
	}
	assert_string_equal(numbers(f, UUID), "8 9 10");
	/* A lower bound takes effect, down to the newest alone; numbers go on. */
	assert_int_equal(keep_at(f, UUID, "a", "<y/>", NOW, 0, 730, &n), 0);
	assert_string_equal(numbers(f, UUID), "11");
}

static void test_bounded_by_age(void **state)
{
	struct fixture *f = *state;
	char xml[32];
	unsigned n = 0;

	/* One a day: of those before the ten newest, two days' worth is kept. */
	for (int i = 1; i <= 14; i++) {
		sprintf(xml, "<x>%d</x>", i);
		assert_int_equal(keep_at(f, UUID, "a", xml, NOW + i * DAY, 100, 2, &n), 0);
	}
	assert_string_equal(numbers(f, UUID), "3 4 5 6 7 8 9 10 11 12 13 14");
	/* The same XML much later: nothing to do. */
	assert_int_equal(keep_at(f, UUID, "a", xml, NOW + 900 * DAY, 100, 2, &n), 0);
	assert_string_equal(numbers(f, UUID), "3 4 5 6 7 8 9 10 11 12 13 14");
	/* After ten that are much later the old ones go. */
	for (int i = 15; i <= 24; i++) {
		sprintf(xml, "<x>%d</x>", i);
		assert_int_equal(keep_at(f, UUID, "a", xml, NOW + 900 * DAY, 100, 2, &n), 0);
	}
	assert_string_equal(numbers(f, UUID), "15 16 17 18 19 20 21 22 23 24");
	assert_int_equal(keep_at(f, UUID, "a", "<f/>", -1, 100, 2, &n), -EINVAL);
}

/* A clock that jumps neither loses versions nor reuses numbers. */
static void test_clock_jumps(void **state)
{
	static const int days[] = { 0, 1, 3650, 3650, -3650, 2, 3650, 3, 4, -1, 5, 3650, 6, 7 };
	struct fixture *f = *state;
	char xml[32];
	unsigned n = 0;

	for (int i = 0; i < 42; i++) {
		sprintf(xml, "<x>%d</x>", i);
		assert_int_equal(keep_at(f, UUID, "a", xml, NOW + days[i % 14] * DAY, 100, 2, &n),
				 0);
		assert_int_equal(n, i + 1);
	}
	assert_true(vw_startswith(numbers(f, UUID), "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "
						    "19 20 21 22 23 24 25 26 27 28 29 30 31"));
}

static void test_busy(void **state)
{
	struct fixture *f = *state;
	struct timespec a, b;
	char path[512];
	int fd;

	keep(f, "a", "<x/>");
	snprintf(path, sizeof(path), "%s/history/" UUID, f->dir);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(keep_at(f, UUID, "a", "<y/>", NOW, 9, 9, NULL), -EBUSY);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_in_range(b.tv_sec - a.tv_sec, 1, 4);
	assert_non_null(strstr(f->err.text, "try again"));
	/* Reading needs no lock. */
	assert_xml(f, 0, "<x/>");
	close(fd);
	assert_int_equal(keep(f, "a", "<y/>"), 2);
}

/* What is kept for later is there at once, and safe after vw_history_settle. */
static void test_settle(void **state)
{
	struct fixture *f = *state;

	vw_history_disk(f->h, VW_DISK_LATER);
	assert_int_equal(keep(f, "a", "<x/>"), 1);
	assert_xml(f, 0, "<x/>");
	assert_int_equal(keep(f, "a", "<y/>"), 2);
	assert_int_equal(vw_history_settle(f->h, &f->err), 0);
	assert_int_equal(vw_history_settle(f->h, &f->err), 0);
	assert_xml(f, 0, "<y/>");
	vw_history_disk(f->h, VW_DISK_NEVER);
	assert_int_equal(keep(f, "a", "<z/>"), 3);
	vw_history_disk(f->h, VW_DISK_NOW);
	assert_int_equal(keep(f, "a", "<z/>"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keep_list_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_settle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_writes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bytes_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_size_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounded_by_count, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounded_by_age, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clock_jumps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
