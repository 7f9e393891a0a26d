/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What root may use: nothing that somebody else owns or may write, on the whole way to it; for
 * another user nothing is checked. Run by root it tries both. */
#include "lib/base/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#define OTHER 12345

static char dir[] = "/tmp/vw-trust-XXXXXX";
static char sub[64], file[80];
static bool root;

static void expect(const char *path, int want, const char *says)
{
	struct vw_err err = { 0 };

	assert_int_equal(vw_trust(path, &err), root ? want : 0);
	if (root && says && !strstr(err.text, says))
		fail_msg("'%s' does not say '%s'", err.text, says);
}

/* The owner of a path for one check. */
static void owned(const char *path, const char *asked, const char *says)
{
	if (root)
		assert_int_equal(lchown(path, OTHER, OTHER), 0);
	expect(asked, -EPERM, says);
	if (root)
		assert_int_equal(lchown(path, 0, 0), 0);
	expect(asked, 0, NULL);
}

static void mode(const char *path, mode_t mode, mode_t good, int want, const char *says)
{
	assert_int_equal(chmod(path, mode), 0);
	expect(file, want, says);
	assert_int_equal(chmod(path, good), 0);
	expect(file, 0, NULL);
}

static void test_owner(void **state)
{
	char says[128];

	(void)state;
	snprintf(says, sizeof(says), "user 12345 could change it: chown root %s,", file);
	owned(file, file, says);
	snprintf(says, sizeof(says), "chown root %s,", sub);
	owned(sub, file, says);
	snprintf(says, sizeof(says), "chown root %s,", dir);
	owned(dir, file, says);
}

static void test_writers(void **state)
{
	(void)state;
	mode(file, 0664, 0644, -EPERM, "its group could change it: chmod go-w");
	mode(file, 0646, 0644, -EPERM, "everybody could change it: chmod go-w");
	mode(sub, 0775, 0755, -EPERM, "its group");
	mode(dir, 0777, 0700, -EPERM, "everybody");
	mode(sub, 01777, 0755, 0, NULL); /* as /tmp: nobody else can replace the file */
	assert_int_equal(chmod(sub, 01777), 0);
	expect(sub, -EPERM, "everybody"); /* but anybody can add one */
	owned(file, file, "chown root");
	assert_int_equal(chmod(sub, 0755), 0);
}

static void test_links(void **state)
{
	char link[80], loop[80], other[80], target[128];

	(void)state;
	snprintf(link, sizeof(link), "%s/link", dir);
	snprintf(loop, sizeof(loop), "%s/loop", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	snprintf(target, sizeof(target), "../%s/./sub/file", strrchr(dir, '/') + 1);
	assert_int_equal(symlink(target, link), 0);
	assert_int_equal(symlink("loop", loop), 0);
	assert_int_equal(symlink("sub", other), 0);
	expect(link, 0, NULL);
	owned(sub, link, "chown root");
	owned(link, link, "chown root");
	snprintf(target, sizeof(target), "%s/../other/file", sub);
	owned(file, target, "chown root");
	expect(loop, 0, NULL); /* it can't be opened either */
	unlink(link);
	unlink(loop);
	unlink(other);
}

static void test_not_there(void **state)
{
	char path[80];

	(void)state;
	snprintf(path, sizeof(path), "%s/none/x", dir);
	expect(path, 0, NULL);
	expect("", 0, NULL);
	owned(dir, path, "chown root");
	assert_int_equal(chdir(sub), 0);
	owned(file, "file", "chown root");
	owned(dir, "file", "chown root");
	assert_int_equal(chdir("/"), 0);
}

/* Run this program, or a copy, as PROGRAM FILE. Return: what vw_trust says of the file, -1 = ours. */
static int ask(const char *program, bool namespace)
{
	int status = 0;
	const pid_t pid = fork();

	if (pid == 0) {
		if (namespace) {
			int fd;

			if (unshare(CLONE_NEWUSER) < 0)
				_exit(99);
			fd = open("/proc/self/uid_map", O_WRONLY);
			if (write(fd, "0 0 1", 5) != 5)
				_exit(98);
		}
		execl(program, program, file, NULL);
		_exit(97);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_owner_of_the_program(void **state)
{
	char copy[80], command[512], self[256] = "";

	(void)state;
	if (!root)
		return;
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	snprintf(copy, sizeof(copy), "%s/program", dir);
	snprintf(command, sizeof(command), "cp '%s' '%s'", self, copy);
	assert_int_equal(system(command), 0);
	assert_int_equal(ask(copy, false), 0);
	assert_int_equal(chown(file, OTHER, OTHER), 0);
	assert_int_equal(ask(copy, false), 1);
	assert_int_equal(chown(copy, OTHER, OTHER), 0);
	assert_int_equal(ask(copy, false), 0); /* who owns the program may as well own the file */
	assert_int_equal(chown(copy, 0, 0), 0);
	/* Who is outside of our user namespace is no user in it; its modes count there, too. */
	assert_int_equal(ask(copy, true), 0);
	assert_int_equal(chmod(file, 0666), 0);
	assert_int_equal(ask(copy, true), 1);
	assert_int_equal(chmod(file, 0644), 0);
	assert_int_equal(chown(file, 0, 0), 0);
	unlink(copy);
}

static void test_another_user(void **state)
{
	(void)state;
	if (!root)
		return; /* all of the above was it */
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chown(file, OTHER, OTHER), 0);
	assert_int_equal(seteuid(OTHER), 0);
	assert_int_equal(vw_trust(file, NULL), 0);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(chown(file, 0, 0), 0);
	assert_int_equal(chmod(dir, 0700), 0);
}

static int setup(void **state)
{
	(void)state;
	root = geteuid() == 0;
	umask(022);
	if (!mkdtemp(dir))
		return -1;
	snprintf(sub, sizeof(sub), "%s/sub", dir);
	snprintf(file, sizeof(file), "%s/file", sub);
	return mkdir(sub, 0755) < 0 || close(open(file, O_CREAT | O_WRONLY, 0644)) < 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(file);
	rmdir(sub);
	return rmdir(dir);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_writers),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_not_there),
		cmocka_unit_test(test_owner_of_the_program),
		cmocka_unit_test(test_another_user),
	};

	if (argc == 2)
		return vw_trust(argv[1], NULL) < 0;
	return cmocka_run_group_tests(tests, setup, teardown);
}
