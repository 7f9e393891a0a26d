/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Unified diff: known texts as diff -u prints them; random texts must apply with
 * patch(1); pathological sizes stay bounded. */
#include "lib/base/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>

extern char **environ;

static char *diff(const char *a, const char *b)
{
	char *text = NULL;

	assert_int_equal(vw_diff_unified(a, "a", b, "b", &text), 0);
	assert_non_null(text);
	return text;
}

static void assert_diff(const char *a, const char *b, const char *want)
{
	VW_AUTOFREE char *text = diff(a, b);

	assert_string_equal(text, want);
}

static void test_equal(void **state)
{
	(void)state;
	assert_diff("", "", "");
	assert_diff("x\ny", "x\ny", "");
}

static void test_known(void **state)
{
	(void)state;
	assert_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
		    "--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
	assert_diff("", "x\n", "--- a\n+++ b\n@@ -0,0 +1 @@\n+x\n");
	assert_diff("x\n", "", "--- a\n+++ b\n@@ -1 +0,0 @@\n-x\n");
	assert_diff("x", "x\n",
		    "--- a\n+++ b\n@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+x\n");
	assert_diff("a\nb\nc\n", "a\nc\n", "--- a\n+++ b\n@@ -1,3 +1,2 @@\n a\n-b\n c\n");
}

/* Seven equal lines between two edits part them into two hunks, six do not. */
static void test_hunks(void **state)
{
	VW_AUTOFREE char *two = diff("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n");
	VW_AUTOFREE char *one = diff("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n");

	(void)state;
	assert_non_null(strstr(strstr(two, "@@ -") + 1, "@@ -6,4 +6,4 @@"));
	assert_null(strstr(strstr(one, "@@ -") + 4, "@@ -"));
}

static void test_hostile_name(void **state)
{
	VW_AUTOFREE char *text = NULL;

	(void)state;
	assert_int_equal(vw_diff_unified("x\n", "a\n+++ evil\x1b[0m", "y\n", "b", &text), 0);
	assert_true(vw_startswith(text, "--- a +++ evil?[0m\n+++ b\n"));
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* A random text of few distinct lines, with or without its last newline. */
static size_t random_text(uint32_t *seed, char *buf, size_t max_lines)
{
	size_t lines = next_random(seed) % max_lines, len = 0, i;

	for (i = 0; i < lines; i++)
		len += (size_t)sprintf(buf + len, "line %u\n", next_random(seed) % 7);
	if (len && next_random(seed) % 3 == 0)
		len--;
	buf[len] = '\0';
	return len;
}

static void write_file(const char *path, const char *text)
{
	VW_AUTOFCLOSE FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
}

static void read_file(const char *path, char *buf, size_t size)
{
	VW_AUTOFCLOSE FILE *f = fopen(path, "r");

	assert_non_null(f);
	buf[fread(buf, 1, size - 1, f)] = '\0';
}

/* patch -s a p: Return: its exit status. */
static int run_patch(void)
{
	char *argv[] = { (char *)"patch", (char *)"-s",         (char *)"--posix",
			 (char *)"text",  (char *)"patch.diff", NULL };
	pid_t pid;
	int status;

	assert_int_equal(posix_spawnp(&pid, "patch", NULL, NULL, argv, environ), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_random_apply(void **state)
{
	static char a[4096], b[4096], got[4096];
	char dir[] = "/tmp/test-diff-XXXXXX";
	uint32_t seed = 20240229;
	int i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	for (i = 0; i < 150; i++) {
		VW_AUTOFREE char *text = NULL;

		random_text(&seed, a, 40);
		random_text(&seed, b, 40);
		text = diff(a, b);
		if (!*text)
			continue;
		write_file("text", a);
		write_file("patch.diff", text);
		assert_int_equal(run_patch(), 0);
		if (*b) {
			read_file("text", got, sizeof(got));
			assert_string_equal(got, b);
		}
	}
	unlink("text");
	unlink("patch.diff");
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* The number of edits of small random texts is the least possible: n + m - 2 LCS. */
static void test_shortest(void **state)
{
	uint32_t seed = 7;
	int round;

	(void)state;
	for (round = 0; round < 300; round++) {
		char a[25] = "", b[25] = "";
		int lcs[13][13] = { { 0 } };
		int n = (int)(next_random(&seed) % 12), m = (int)(next_random(&seed) % 12), i, j,
		    edits = 0;
		VW_AUTOFREE char *text = NULL;
		const char *p;

		for (i = 0; i < n; i++)
			sprintf(a + 2 * i, "%c\n", 'a' + (char)(next_random(&seed) % 3));
		for (j = 0; j < m; j++)
			sprintf(b + 2 * j, "%c\n", 'a' + (char)(next_random(&seed) % 3));
		for (i = 1; i <= n; i++)
			for (j = 1; j <= m; j++)
				lcs[i][j] = a[2 * i - 2] == b[2 * j - 2]    ? lcs[i - 1][j - 1] + 1
					    : lcs[i - 1][j] > lcs[i][j - 1] ? lcs[i - 1][j]
									    : lcs[i][j - 1];
		text = diff(a, b);
		for (p = strchr(text, '@'); p && *p; p = strchr(p, '\n') + 1)
			edits += *p == '+' || *p == '-';
		assert_int_equal(edits, n + m - 2 * lcs[n][m]);
	}
}

/* 200,000 lines that all differ: whole replacement, within seconds. */
static void test_pathological(void **state)
{
	size_t lines = 200000, i, la = 0, lb = 0;
	VW_AUTOFREE char *a = malloc(lines * 16);
	VW_AUTOFREE char *b = malloc(lines * 16);
	VW_AUTOFREE char *text = NULL;
	clock_t start = clock();

	(void)state;
	assert_true(a && b);
	for (i = 0; i < lines; i++) {
		la += (size_t)sprintf(a + la, "a %zu\n", i);
		lb += (size_t)sprintf(b + lb, "%c %zu\n", i % 2 ? 'a' : 'b', i);
	}
	text = diff(a, b);
	assert_true(strlen(text) > la);
	assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal),        cmocka_unit_test(test_known),
		cmocka_unit_test(test_hunks),        cmocka_unit_test(test_hostile_name),
		cmocka_unit_test(test_random_apply), cmocka_unit_test(test_shortest),
		cmocka_unit_test(test_pathological),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
