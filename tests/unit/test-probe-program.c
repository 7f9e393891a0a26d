/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A prober whose child is a small program: this one, started again. */
#include "tests/unit/test-probe.h"

#include <signal.h>
#include <sys/prctl.h>

static char self[4096];

/* The one child that there is. */
static pid_t worker(void)
{
	pid_t pid = 0;

	/* it gives itself its name when it gets a CPU */
	for (int i = 0; i < 2000 && count_workers(&pid) != 1; i++)
		usleep(1000);
	assert_int_equal(count_workers(&pid), 1);
	return pid;
}

/* A first look at a file, `path`, by this program. Return: its process. */
static pid_t begin(void)
{
	struct vw_disk_facts f;

	make_file("file", 4096);
	vw_prober_program(prober, self);
	f = look_at(path, "raw");
	assert_int_equal(f.blank, VW_YES);
	return worker();
}

static void test_looks(void **state)
{
	const pid_t before = begin();
	struct vw_disk_facts f;

	(void)state;
	f = look_at(path, "raw");
	assert_int_equal(f.blank, VW_YES);
	assert_int_equal(worker(), before);
	vw_prober_free(vw_steal(prober));
	assert_int_equal(count_workers(NULL), 0);
}

/* One that has gone is replaced by its like. */
static void test_killed(void **state)
{
	const pid_t before = begin();
	struct vw_disk_facts f;
	siginfo_t info;

	(void)state;
	assert_int_equal(kill(before, SIGKILL), 0);
	/* One that is still on its way out would be waited for at the next look only. */
	assert_int_equal(waitid(P_PID, (id_t)before, &info, WEXITED | WNOWAIT), 0);
	f = look_at(path, "raw");
	assert_int_equal(f.blank, VW_YES);
	assert_int_not_equal(worker(), before);
}

/* One that can't be run, or that is no prober: a clone does it. */
static void test_no_program(void **state)
{
	static const char *const none[] = { NULL,          "",  "/nonexistent",
					    "/etc/passwd", "/", "/bin/false" };
	struct vw_disk_facts f;

	(void)state;
	make_file("file", 4096);
	for (size_t i = 0; i < VW_N_ELEMENTS(none); i++) {
		vw_prober_free(prober);
		assert_int_equal(vw_prober_new("", &prober, NULL), 0);
		vw_prober_program(prober, none[i]);
		f = look_at(path, "raw");
		assert_int_equal(f.blank, VW_YES);
		assert_int_equal(count_workers(NULL), 1);
	}
}

/* Who started it is killed: it goes, too. */
static void test_left_over(void **state)
{
	pid_t pid, orphan;
	int status, i;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* so that it can be seen */
	make_file("file", 4096);
	pid = fork();
	if (pid == 0) {
		struct vw_prober *own = NULL;
		struct vw_disk_facts f = { 0 };

		vw_prober_new("", &own, NULL);
		vw_prober_program(own, self);
		vw_probe_disk(own, path, "raw", false, ALL, 1000, &f);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (i = 0; i < 200 && (orphan = waitpid(-1, &status, __WALL | WNOHANG)) <= 0; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	assert_in_range(i, 0, 199);
	assert_true(WIFEXITED(status));
	assert_int_equal(count_workers(NULL), 0);
}

/* Started by hand it says what it is. */
static void test_by_hand(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execl(self, VW_PROBER_PROGRAM, "", NULL);
		_exit(100);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 2);
}

/* Both kinds of looking at once: while it works, others are begun, and are done first. */
static void test_two_steps(void **state)
{
	struct vw_disk_facts a = { 0 }, b = { 0 };
	char other[256];
	struct vw_probe_ask ask = { .path = other, .format = "raw", .want = ALL, .out = &a };

	(void)state;
	make_file("one", 4096);
	strcpy(other, path);
	make_file("two", 4096);
	vw_prober_program(prober, self);
	vw_probe_start(prober, &ask, 1, 1000, 1000);
	b = look_at(path, "raw"); /* finishes what was begun */
	assert_int_equal(a.blank, VW_YES);
	assert_int_equal(b.blank, VW_YES);
	vw_probe_finish(prober); /* nothing is left */
	vw_probe_start(prober, &ask, 1, 1000, 1000);
	a.blank = VW_UNKNOWN;
	vw_probe_finish(prober);
	assert_int_equal(a.blank, VW_YES);
	vw_probe_start(prober, &ask, 1, 1000, 1000); /* and is given up with the prober */
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_looks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_program, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_by_hand, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_steps, setup, teardown),
	};

	if (argc > 0 && !strcmp(argv[0], VW_PROBER_PROGRAM))
		return vw_prober_main(argc, argv);
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
