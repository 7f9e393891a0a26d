/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The prober on many paths at once: what hangs or dies loses as little as can be. */
#include "tests/unit/test-probe-fuse.h"

#define MANY 100u

/* Disk i of many: every 40th hangs, the others are blank or absent by turns. */
static void make_many(struct vw_probe_ask *asks, struct vw_disk_facts *facts,
		      char (*paths)[sizeof(path)])
{
	memset(facts, 0, MANY * sizeof(*facts));
	for (unsigned i = 0; i < MANY; i++) {
		char name[32];

		snprintf(name, sizeof(name), i % 40 == 20 ? "mnt/disk%u" : "disk%u", i);
		snprintf(paths[i], sizeof(paths[i]), "%s", in_dir(name));
		if (i % 40 != 20 && i % 2)
			make_file(name, 4096);
		asks[i] = (struct vw_probe_ask){ paths[i], "raw", false, ALL, &facts[i] };
	}
}

/* One that hangs among many loses itself alone, and is named. */
static void test_hang_among_many(void **state)
{
	static struct vw_probe_ask asks[MANY];
	static struct vw_disk_facts facts[MANY];
	static char paths[MANY][sizeof(path)];
	int64_t start = clock_ms();

	(void)state;
	start_server(FUSE_OPEN);
	make_many(asks, facts, paths);
	vw_probe_disks(prober, asks, MANY, 300, 5000);
	assert_in_range(clock_ms() - start, 600, 2500);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(facts[i].exists, i % 40 == 20 ? VW_UNKNOWN
						  : i % 2      ? VW_YES
							       : VW_NO);
		assert_int_equal(facts[i].blank, i % 40 != 20 && i % 2 ? VW_YES : VW_UNKNOWN);
		if (i % 40 == 20)
			assert_string_equal(facts[i].why, "no answer within 300 ms");
	}
}

/* All together have a limit, too: what comes after it was not looked at. */
static void test_all_too_long(void **state)
{
	static struct vw_probe_ask asks[MANY];
	static struct vw_disk_facts facts[MANY];
	static char paths[MANY][sizeof(path)];
	int64_t start = clock_ms();

	(void)state;
	start_server(FUSE_OPEN);
	make_many(asks, facts, paths);
	vw_probe_disks(prober, asks, MANY, 1000, 500);
	assert_in_range(clock_ms() - start, 450, 1000);
	assert_int_equal(facts[19].blank, VW_YES);
	assert_why(&facts[20], "no answer");
	for (unsigned i = 21; i < MANY; i++) {
		assert_int_equal(facts[i].exists, VW_UNKNOWN);
		assert_why(&facts[i], "took too long");
	}
}

/* A prober for one call: the child ends behind the last answer, not behind the first batch of them;
 * and who calls again is answered. */
static void test_once(void **state)
{
	static struct vw_probe_ask asks[MANY];
	static struct vw_disk_facts facts[MANY];
	static char paths[MANY][sizeof(path)];

	(void)state;
	vw_prober_once(prober);
	for (int calls = 0; calls < 2; calls++) {
		make_many(asks, facts, paths);
		vw_probe_disks(prober, asks, MANY, 1000, 5000);
		for (unsigned i = 0; i < MANY; i++)
			if (i % 40 != 20)
				assert_int_equal(facts[i].exists, i % 2 ? VW_YES : VW_NO);
		for (int i = 0; i < 2000 && count_those(false, NULL); i++)
			usleep(1000);
		assert_int_equal(count_those(false, NULL), 0);
	}
}

/* Killed again and again while it has many paths before it: all are answered. */
static void test_child_dies_among_many(void **state)
{
	static struct vw_probe_ask asks[MANY];
	static struct vw_disk_facts facts[MANY];
	static char paths[MANY][sizeof(path)];
	const pid_t us = getpid();
	pid_t killer;

	(void)state;
	make_many(asks, facts, paths);
	killer = fork();
	if (killer == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			char list[64], text[256] = "";
			FILE *f;

			nanosleep(&(struct timespec){ .tv_nsec = 3000000 }, NULL);
			snprintf(list, sizeof(list), "/proc/%d/task/%d/children", us, us);
			f = fopen(list, "re");
			if (f && fgets(text, sizeof(text), f))
				for (char *p = text, *e; strtol(p, &e, 10) > 0 && e != p; p = e)
					if (strtol(p, NULL, 10) != getpid())
						kill((pid_t)strtol(p, NULL, 10), SIGKILL);
			if (f)
				fclose(f);
		}
	}
	for (int n = 0; n < 200; n++) {
		vw_probe_disks(prober, asks, MANY, 1000, 10000);
		for (unsigned i = 0; i < MANY; i++)
			if (facts[i].exists == VW_UNKNOWN)
				assert_string_equal(facts[i].why, "the look at it crashed");
	}
	kill(killer, SIGKILL);
	waitpid(killer, NULL, 0);
	vw_probe_disks(prober, asks, MANY, 1000, 10000);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_not_equal(facts[i].exists, VW_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hang_among_many, setup, stop_all),
		cmocka_unit_test_setup_teardown(test_all_too_long, setup, stop_all),
		cmocka_unit_test_setup_teardown(test_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_child_dies_among_many, setup, stop_all),
	};

	if (!own_mounts())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
