/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A host's facts with as many files, volumes and LUNs as a facts file may hold, and a domain with
 * 20,000 disks: each look-up takes log n steps. */
#include "lib/migrate/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#define FILES 90000
#define DISKS 20000

static char names[FILES][72];
static const char *words[FILES];
static struct vw_host_file files[FILES];
static struct vw_host_lun luns[FILES];

/* In an order that is not theirs. All are equal for long. */
static void fill(void)
{
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(names[i], sizeof(names[i]),
			 "/var/lib/libvirt/images/a-long-name-as-people-have-them-%u",
			 i * 7919u % FILES);
		words[i] = names[i];
		files[i] = (struct vw_host_file){ names[i], i % 2 };
		luns[i] = (struct vw_host_lun){ .path = names[i], .bytes = i };
	}
}

static void test_same_answers(void **state)
{
	struct vw_host_pool pool = { .volumes = { .v = words, .n = 100 } };
	struct vw_host_facts h = { .pools = &pool,
				   .n_pools = 1,
				   .files = files + 100,
				   .n_files = 100,
				   .luns = luns + 200,
				   .n_luns = 100 };
	char there[72], not_there[72];
	enum vw_known before[400];

	(void)state;
	fill();
	strcpy(there, names[101]);
	strcpy(not_there, names[102]);
	for (size_t i = 0; i < 400; i++)
		before[i] = vw_host_file(&h, names[i]);
	vw_host_sort(&h);
	for (size_t i = 0; i < 400; i++)
		assert_int_equal(vw_host_file(&h, names[i]), before[i]);
	assert_int_equal(vw_host_file(&h, there), VW_YES);
	assert_int_equal(vw_host_file(&h, not_there), VW_NO);
	assert_int_equal(vw_host_file(&h, ""), VW_UNKNOWN);
	assert_int_equal(vw_host_lun(&h, names[250])->bytes, 250);
	assert_null(vw_host_lun(&h, names[350]));
}

/* Whichever way a sort goes: a path that is listed twice has its first answer, as before the sort. */
static void test_first_answer(void **state)
{
	struct vw_host_facts h = { .files = files, .n_files = 1000, .luns = luns, .n_luns = 1000 };

	(void)state;
	fill();
	for (unsigned i = 0; i < 1000; i++) {
		strcpy(names[i], i % 2 ? "/twice" : "/often");
		files[i].there = i >= 2;
		luns[i].bytes = i + 1;
	}
	files[1].there = true;
	vw_host_sort(&h);
	assert_int_equal(h.n_files, 2);
	assert_int_equal(vw_host_file(&h, "/often"), VW_NO);
	assert_int_equal(vw_host_file(&h, "/twice"), VW_YES);
	assert_int_equal(vw_host_lun(&h, "/often")->bytes, 1);
	assert_int_equal(vw_host_lun(&h, "/twice")->bytes, 2);
}

static void test_many(void **state)
{
	struct vw_host_pool pool = { .volumes = { .v = words, .n = FILES } };
	struct vw_host_facts h = { .pools = &pool,
				   .n_pools = 1,
				   .files = files,
				   .n_files = FILES,
				   .luns = luns,
				   .n_luns = FILES };
	char path[96];
	clock_t start;

	(void)state;
	fill();
	start = clock();
	vw_host_sort(&h);
	for (unsigned i = 0; i < DISKS; i++) {
		snprintf(path, sizeof(path), "%.80s-gone", names[i]);
		assert_int_equal(vw_host_file(&h, path), VW_UNKNOWN);
		assert_int_not_equal(vw_host_file(&h, names[i]), VW_UNKNOWN);
		assert_non_null(vw_host_lun(&h, names[i]));
	}
	/* Each with each is 5 thousand million comparisons, minutes; sorted: 0.2 s, 5 under valgrind. */
	assert_true(clock() - start < 20 * CLOCKS_PER_SEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_answers),
		cmocka_unit_test(test_first_answer),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
