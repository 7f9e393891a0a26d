/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a domain needs of its host: the paths are its own, and a look at one may hang. */
#include "agent/needs.c" /* not in any archive */
#include "agent/table.c"
#include "tests/unit/test-probe-fuse.h"

/* What is known of these needs, as letters: y n ?. In time, whatever they are. */
static const char *look(const char *const *texts, size_t n)
{
	static char said[AGENT_NEEDS_MAX + 1];
	struct agent_needs needs = { .n = n };
	enum vw_known met[AGENT_NEEDS_MAX];
	const int64_t start = clock_ms();

	for (size_t i = 0; i < n; i++)
		needs.v[i] = strdup(texts[i]);
	agent_needs_look(dir, prober, &needs, met);
	assert_in_range(clock_ms() - start, 0, 3000);
	for (size_t i = 0; i < n; i++)
		said[i] = met[i] == VW_YES ? 'y' : met[i] == VW_NO ? 'n' : '?';
	said[n] = '\0';
	agent_needs_clear(&needs);
	return said;
}

static void test_there(void **state)
{
	char file[300], fifo[300];
	const char *const needs[] = { file, "block /dev/vw-absent", "net br0", "net br1", fifo };

	(void)state;
	snprintf(file, sizeof(file), "block %s", make_file("lun", 4096));
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	snprintf(fifo, sizeof(fifo), "block %s", path);
	assert_int_equal(mkdir(in_dir("sys"), 0700), 0);
	assert_int_equal(mkdir(in_dir("sys/class"), 0700), 0);
	assert_int_equal(mkdir(in_dir("sys/class/net"), 0700), 0);
	assert_int_equal(mkdir(in_dir("sys/class/net/br0"), 0700), 0);
	assert_string_equal(look(needs, VW_N_ELEMENTS(needs)), "ynyny");
}

/* A dead file server: unknown, and nobody waits for it longer than a second, however many name it. */
static void test_hung(void **state)
{
	char hung[300], file[300];
	const char *needs[40] = { "net br0", file };

	(void)state;
	snprintf(file, sizeof(file), "block %s", make_file("lun", 4096));
	start_server(0);
	snprintf(hung, sizeof(hung), "block %s", in_dir("mnt/lun"));
	for (size_t i = 2; i < VW_N_ELEMENTS(needs); i++)
		needs[i] = hung;
	assert_string_equal(look(needs, VW_N_ELEMENTS(needs)),
			    "ny??????????????????????????????????????");
	stop_server();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hung, setup, stop_all),
	};

	return own_mounts() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
