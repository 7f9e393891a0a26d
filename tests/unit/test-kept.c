/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which kept answers are used, and which are not. */
#include "virt/cache/kept.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#define QUESTION "\nx86_64\nq35\nkvm"
#define HOLDS "boot 1 daemon 2"
#define ANSWER "1 2 3\nand more\n"

static char dir[64], file[128];

static struct vw_kept key(const char *question, const char *holds)
{
	return (struct vw_kept){ dir, "test", question, holds };
}

static void keep(void)
{
	const struct vw_kept k = key(QUESTION, HOLDS);

	vw_kept_write(&k, ANSWER);
}

static void forget(const char *question)
{
	const struct vw_kept k = key(question, NULL);

	vw_kept_forget(&k);
}

static void put(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static char *get(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY);
	char *text = calloc(1, 4096);
	ssize_t n = read(fd, text, 4095);

	assert_true(n > 0);
	close(fd);
	*ret_len = (size_t)n;
	return text;
}

static void check(bool hit)
{
	const struct vw_kept k = key(QUESTION, HOLDS);
	VW_AUTOFREE char *text = vw_kept_read(&k);

	if (hit)
		assert_string_equal(text, ANSWER);
	else
		assert_null(text);
}

/* A directory with one kept answer; its file, whatever it is called, is `file`. */
static int begin(void **state)
{
	VW_AUTOFREE char *list = NULL;
	char command[160];
	FILE *f;
	size_t room = 0;

	(void)state;
	strcpy(dir, "/tmp/vw-test-caps-XXXXXX");
	assert_non_null(mkdtemp(dir));
	keep();
	snprintf(command, sizeof(command), "ls %s", dir);
	f = popen(command, "r");
	assert_non_null(f);
	assert_true(getline(&list, &room, f) > 0);
	list[strcspn(list, "\n")] = 0;
	snprintf(file, sizeof(file), "%s/%.40s", dir, list);
	assert_int_equal(getline(&list, &room, f), -1); /* and nothing beside it */
	pclose(f);
	return 0;
}

static int end(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(dir);
}

static void test_hit(void **state)
{
	struct stat st;

	(void)state;
	check(true);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	keep();
	check(true);
}

static void test_other_question(void **state)
{
	const struct vw_kept others[] = {
		key(QUESTION "2", HOLDS),
		key(QUESTION, HOLDS "2"),
		key(QUESTION, ""),
		key(QUESTION "\n" HOLDS, ""),
		{ dir, "caps", QUESTION, HOLDS },
		{ "/nonexistent", "test", QUESTION, HOLDS },
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(others); i++)
		assert_null(vw_kept_read(&others[i]));
	check(true);
	forget(QUESTION "2");
	check(true);
	forget(QUESTION);
	check(false);
}

/* Any one byte that is another, and any end that is missing. */
static void test_damaged(void **state)
{
	VW_AUTOFREE char *text = NULL;
	size_t len;

	(void)state;
	text = get(file, &len);
	for (size_t i = 0; i < len; i++) {
		text[i] ^= 1;
		put(file, text, len);
		check(false);
		text[i] ^= 1;
		put(file, text, i);
		check(false);
	}
	text[len - 1] = 0;
	put(file, text, len);
	check(false);
}

static void test_old(void **state)
{
	const time_t now = time(NULL);
	const time_t times[] = { now - 2 * 3600, 0, now + 3600 };

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(times); i++) {
		const struct timespec ts[2] = { { .tv_sec = times[i] }, { .tv_sec = times[i] } };

		assert_int_equal(utimensat(AT_FDCWD, file, ts, 0), 0);
		check(false);
	}
}

static void test_huge(void **state)
{
	(void)state;
	assert_int_equal(truncate(file, (off_t)1 << 40), 0);
	check(false);
}

static void test_no_file(void **state)
{
	char other[160];

	(void)state;
	snprintf(other, sizeof(other), "%s.other", dir);
	assert_int_equal(rename(file, other), 0);
	assert_int_equal(symlink(other, file), 0);
	check(false);
	unlink(file);
	assert_int_equal(mkfifo(file, 0600), 0); /* nobody waits for its other end */
	check(false);
	unlink(file);
	assert_int_equal(rename(other, file), 0);
	check(true);
}

static void test_foreign(void **state)
{
	(void)state;
	assert_int_equal(chmod(file, 0620), 0);
	check(false);
	assert_int_equal(chmod(file, 0600), 0);
	assert_int_equal(chmod(dir, 0770), 0);
	check(false);
	keep();
	assert_int_equal(chmod(dir, 0700), 0);
	check(true);
	if (geteuid() == 0) {
		assert_int_equal(chown(file, 1, 1), 0);
		check(false);
		assert_int_equal(chown(file, 0, 0), 0);
		assert_int_equal(chown(dir, 1, 1), 0);
		check(false);
		assert_int_equal(chown(dir, 0, 0), 0);
	}
	check(true);
}

/* What can't be kept is not there, and harms nobody. */
static void test_nowhere(void **state)
{
	const struct vw_kept nowhere = { "/nonexistent", "test", QUESTION, HOLDS };
	const struct vw_kept k = key(QUESTION, HOLDS);
	VW_AUTOFREE char *huge = calloc(1, (256u << 10) + 1);

	(void)state;
	vw_kept_write(&nowhere, ANSWER);
	memset(huge, 'x', 256u << 10);
	forget(QUESTION);
	vw_kept_write(&k, huge);
	assert_int_equal(access(file, F_OK), -1);
	vw_kept_write(&k, "");
	huge[0] = 0;
	free(huge);
	huge = vw_kept_read(&k);
	assert_string_equal(huge, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hit, begin, end),
		cmocka_unit_test_setup_teardown(test_other_question, begin, end),
		cmocka_unit_test_setup_teardown(test_damaged, begin, end),
		cmocka_unit_test_setup_teardown(test_old, begin, end),
		cmocka_unit_test_setup_teardown(test_huge, begin, end),
		cmocka_unit_test_setup_teardown(test_no_file, begin, end),
		cmocka_unit_test_setup_teardown(test_foreign, begin, end),
		cmocka_unit_test_setup_teardown(test_nowhere, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
