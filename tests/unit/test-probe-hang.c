/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The prober on a filesystem that hangs (test-probe-fuse.h). Also: the child's own life. */
#include "tests/unit/test-probe-fuse.h"

#include <poll.h>

#define TIMEOUT 1000u
#define LIMIT_MS 1500

/* Workers vanish soon after their connection has ended. */
static void assert_no_worker(void)
{
	for (int i = 0; count_workers(NULL) && i < 200; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	assert_int_equal(count_workers(NULL), 0);
}

static struct vw_disk_facts look_hanging(const char *format, unsigned timeout_ms)
{
	struct vw_disk_facts f = { .exists = VW_YES };
	int64_t start = clock_ms();

	vw_probe_disk(prober, in_dir("mnt/disk.img"), format, false, ALL, timeout_ms, &f);
	assert_in_range(clock_ms() - start, 0, LIMIT_MS);
	return f;
}

/* Hang at this request: unknown, in time, and the next path is looked at. What was known
 * before the image was read stays. */
static void hang_at(uint32_t opcode)
{
	const bool read = opcode == FUSE_READ;
	struct vw_disk_facts f;

	start_server(opcode);
	f = look_hanging("raw", TIMEOUT);
	assert_int_equal(f.exists, read ? VW_YES : VW_UNKNOWN);
	assert_int_equal(f.block, read ? VW_NO : VW_UNKNOWN);
	assert_int_equal(f.allocated, read ? VW_YES : VW_UNKNOWN);
	assert_int_equal(f.odirect != VW_UNKNOWN, read);
	assert_int_equal(f.blank, VW_UNKNOWN);
	assert_string_equal(f.why, "no answer within 1 s");
	f = look_at(make_file("next", 4096), "raw");
	assert_int_equal(f.blank, VW_YES);
	stop_server();
	vw_prober_free(prober);
	prober = NULL;
	assert_no_worker();
}

static void test_dead(void **state)
{
	(void)state;
	hang_at(0);
}

static void test_hang_lookup(void **state)
{
	(void)state;
	hang_at(FUSE_LOOKUP);
}

static void test_hang_statfs(void **state)
{
	(void)state;
	hang_at(FUSE_STATFS);
}

static void test_hang_open(void **state)
{
	(void)state;
	hang_at(FUSE_OPEN);
}

static void test_hang_read(void **state)
{
	(void)state;
	hang_at(FUSE_READ);
}

/* The server itself is sound: else the tests above show nothing. */
static void test_no_hang(void **state)
{
	struct vw_disk_facts f;

	(void)state;
	start_server(UINT32_MAX);
	f = look_hanging("qcow2", TIMEOUT);
	assert_int_equal(f.exists, VW_YES);
	assert_int_equal(f.block, VW_NO);
	assert_int_equal(f.blank, VW_UNKNOWN);
	assert_why(&f, "can't be read: Function not implemented");
	f = look_at(in_dir("mnt"), "raw");
	assert_why(&f, "directory");
}

/* Children that can't be killed are bounded, and reaped when they come free. */
static void test_many_hang(void **state)
{
	struct vw_disk_facts f;
	unsigned n = 0;

	(void)state;
	start_server(FUSE_LOOKUP);
	do
		f = look_hanging("raw", 200);
	while (strstr(f.why, "no answer within 200 ms") && ++n < 100);
	assert_in_range(n, 2, 20);
	assert_why(&f, "too many");
	assert_in_range(count_workers(NULL), 2, n);
	f = look_at(make_file("next", 4096), "raw");
	assert_why(&f, "too many");
	stop_server();
	for (int i = 0; i < 200 && f.blank != VW_YES; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		f = look_at(make_file("next", 4096), "raw");
	}
	assert_int_equal(f.blank, VW_YES);
}

/* A prober that is freed while its child hangs does not wait for it. */
static void test_free_while_hanging(void **state)
{
	int64_t start;

	(void)state;
	start_server(FUSE_LOOKUP);
	look_hanging("raw", 200);
	assert_int_equal(count_workers(NULL), 1);
	start = clock_ms();
	vw_prober_free(prober);
	prober = NULL;
	assert_in_range(clock_ms() - start, 0, 500);
	stop_server();
	/* What is left of it now is ours to reap, as whoever exits leaves it to init. */
	assert_int_equal(waitpid(-1, NULL, __WALL) > 0, 1);
}

static void test_child_dies(void **state)
{
	struct vw_disk_facts f;
	pid_t pid = 0;

	(void)state;
	f = look_at(make_file("file", 4096), "raw");
	assert_int_equal(f.blank, VW_YES);
	assert_int_equal(count_workers(&pid), 1);
	assert_int_equal(kill(pid, SIGTERM), 0); /* is not heard: a ^C is not for it */
	assert_int_equal(kill(pid, SIGKILL), 0);
	f = look_at(path, "raw");
	assert_int_equal(f.blank, VW_YES);
	assert_in_range(count_workers(&pid), 1, 2); /* the old one may still be on its way out */
	vw_prober_free(prober);
	prober = NULL;
	assert_int_equal(count_workers(NULL), 0);
}

static volatile sig_atomic_t signals;

static void on_signal(int number)
{
	(void)number;
	signals++;
}

/* The program that we are part of notices nothing: no SIGCHLD, no child in wait(2). */
static void test_not_noticed(void **state)
{
	struct sigaction count = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };
	sigset_t before, after;

	(void)state;
	sigaction(SIGCHLD, &count, NULL);
	sigprocmask(SIG_BLOCK, NULL, &before);
	assert_int_equal(look_at(make_file("file", 4096), "raw").blank, VW_YES);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	vw_prober_free(prober);
	sigprocmask(SIG_BLOCK, NULL, &after);
	for (int i = 1; i < SIGRTMAX; i++)
		assert_int_equal(sigismember(&before, i), sigismember(&after, i));
	assert_int_equal(signals, 0);
	/* A program that ignores SIGCHLD has its children reaped by the kernel. */
	sigaction(SIGCHLD, &ignore, NULL);
	assert_int_equal(vw_prober_new(NULL, &prober, NULL), 0);
	assert_int_equal(look_at(path, "raw").blank, VW_YES);
	assert_int_equal(count_workers(NULL), 1);
	vw_prober_free(prober);
	prober = NULL;
	assert_int_equal(count_workers(NULL), 0);
	signal(SIGCHLD, SIG_DFL);
}

/* A pipe that the program closes is closed, though the child still lives. */
static void test_holds_no_descriptor(void **state)
{
	struct pollfd end = { .events = POLLIN };
	int fd[2];
	char c;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	assert_int_equal(look_at(make_file("file", 4096), "raw").blank, VW_YES);
	close(fd[1]);
	end.fd = fd[0];
	assert_int_equal(poll(&end, 1, 1000), 1);
	assert_int_equal(read(fd[0], &c, 1), 0);
	close(fd[0]);
}

/* When the program is killed, the child goes too. */
static void test_dies_with_parent(void **state)
{
	int fd[2];
	pid_t pid, worker = 0;
	int i;

	(void)state;
	make_file("file", 4096);
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (pid == 0) {
		look_at(path, "raw");
		count_workers(&worker);
		if (write(fd[1], &worker, sizeof(worker)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(fd[0], &worker, sizeof(worker)), sizeof(worker));
	assert_true(worker > 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (i = 0; i < 200 && kill(worker, 0) == 0; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	assert_in_range(i, 0, 199);
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_no_hang, setup, stop_all),
		cmocka_unit_test_setup_teardown(test_dead, setup, stop_all),
		cmocka_unit_test_setup_teardown(test_hang_lookup, setup, stop_all),
		cmocka_unit_test_setup_teardown(test_hang_statfs, setup, stop_all),
		cmocka_unit_test_setup_teardown(test_hang_open, setup, stop_all),
		cmocka_unit_test_setup_teardown(test_hang_read, setup, stop_all),
		cmocka_unit_test_setup_teardown(test_many_hang, setup, stop_all),
		cmocka_unit_test_setup_teardown(test_free_while_hanging, setup, stop_all),
		cmocka_unit_test_setup_teardown(test_child_dies, setup, stop_all),
		cmocka_unit_test_setup_teardown(test_not_noticed, setup, stop_all),
		cmocka_unit_test_setup_teardown(test_holds_no_descriptor, setup, stop_all),
		cmocka_unit_test_setup_teardown(test_dies_with_parent, setup, stop_all),
	};

	if (!own_mounts())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
