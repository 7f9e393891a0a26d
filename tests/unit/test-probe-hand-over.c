/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A prober's child that was started before an exec: this program execs itself. */
#include "test-probe.h"

#include <sys/prctl.h>

static char text[VW_PROBER_TEXT];

/* After the exec. argv: "adopt" TEXT FILE. Return: what went wrong. */
static int adopt(const char *handed, const char *file)
{
	struct vw_disk_facts f = { 0 };
	pid_t before = 0, after = 0;
	int us, pid, sock, memory;

	if (sscanf(handed, "%d %d %d %d", &us, &pid, &sock, &memory) != 4)
		return 10;
	/* it gives itself its name when it gets a CPU */
	for (int i = 0; i < 2000 && count_workers(&before) != 1; i++)
		usleep(1000);
	if (before != pid)
		return 11;
	if (vw_prober_new("", &prober, NULL) < 0)
		return 12;
	vw_prober_adopt(prober, handed);
	if (fcntl(sock, F_GETFD) != FD_CLOEXEC || fcntl(memory, F_GETFD) >= 0)
		return 13;
	vw_probe_disk(prober, file, "raw", false, ALL, 1000, &f);
	if (f.blank != VW_YES)
		return 14;
	if (count_workers(&after) != 1 || after != before)
		return 15;
	vw_prober_free(prober);
	return count_workers(NULL) ? 16 : 0;
}

/* In a child: start a prober's child and exec this program again. Return: its status. */
static int exec_with(const char *what)
{
	int status = -1;
	char self[4096] = "";
	pid_t pid = fork();

	if (pid == 0) {
		if (vw_prober_hand_over("", text) < 0)
			_exit(100);
		if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0) /* not valgrind's */
			_exit(102);
		execl(self, "again", what, text, path, NULL);
		_exit(101);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_after_exec(void **state)
{
	(void)state;
	make_file("file", 4096);
	assert_int_equal(exec_with("adopt"), 0);
}

/* A text that is not for this process, or that is none: the prober works without. */
static void test_not_ours(void **state)
{
	static const char *const texts[] = { NULL,       "",          "x",          "1 2 3 4",
					     "%d 1 0 0", "%d -1 0 0", "%d 1 98 99", "%d 1 2" };
	struct vw_disk_facts f;

	(void)state;
	make_file("file", 4096);
	for (size_t i = 0; i < VW_N_ELEMENTS(texts); i++) {
		const char *rest = texts[i] && !strncmp(texts[i], "%d", 2) ? texts[i] + 2 : NULL;

		vw_prober_free(prober);
		assert_int_equal(vw_prober_new("", &prober, NULL), 0);
		if (rest)
			snprintf(text, sizeof(text), "%d%s", (int)getpid(), rest);
		vw_prober_adopt(prober, rest ? text : texts[i]);
		f = look_at(path, "raw");
		assert_int_equal(f.blank, VW_YES);
		assert_int_equal(count_workers(NULL), 1);
	}
}

/* Nobody takes it over: it goes with the process. */
static void test_left_over(void **state)
{
	pid_t pid, worker = 0;
	int status, i;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* so that it can be seen */
	make_file("file", 4096);
	assert_int_equal(exec_with("ignore"), 0);
	for (i = 0; i < 200 && (pid = waitpid(-1, &status, __WALL | WNOHANG)) <= 0; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
	assert_in_range(i, 0, 199);
	assert_true(WIFSIGNALED(status) || WIFEXITED(status));
	assert_int_equal(count_workers(&worker), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_after_exec, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_left_over, setup, teardown),
	};

	if (argc == 4)
		return strcmp(argv[1], "adopt") ? 0 : adopt(argv[2], argv[3]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
