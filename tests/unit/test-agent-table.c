/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The agent's table of domains: thousands of entries, what is due first, removal. */
#include "agent/table.c" /* not in any archive */

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void make_uuid(unsigned char uuid[16], unsigned n)
{
	memset(uuid, 0, 16);
	memcpy(uuid + 12, &n, sizeof(n));
}

static void test_many(void **state)
{
	struct agent_table t = { .mark = 7 };
	unsigned char uuid[16];
	size_t seen = 0;
	bool made;

	(void)state;
	make_uuid(uuid, 1);
	assert_null(agent_table_find(&t, uuid));
	assert_null(agent_table_next(&t, NULL));
	for (unsigned i = 0; i < 5000; i++) {
		struct agent_entry *e;

		make_uuid(uuid, i);
		e = agent_table_get(&t, uuid, &made);
		assert_true(made);
		assert_int_equal(e->mark, 7);
		assert_ptr_equal(agent_table_get(&t, uuid, &made), e);
		assert_false(made);
	}
	assert_int_equal(t.n, 5000);
	for (unsigned i = 0; i < 5000; i += 2) {
		make_uuid(uuid, i);
		agent_table_remove(&t, agent_table_find(&t, uuid));
		assert_null(agent_table_find(&t, uuid));
	}
	for (struct agent_entry *e = agent_table_next(&t, NULL); e; e = agent_table_next(&t, e))
		seen++;
	assert_int_equal(seen, 2500);
	agent_table_clear(&t);
	assert_int_equal(t.n, 0);
}

static void test_due(void **state)
{
	struct agent_table t = { 0 };
	struct agent_entry *e[3];
	unsigned char uuid[16];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		make_uuid(uuid, i);
		e[i] = agent_table_get(&t, uuid, NULL);
	}
	assert_int_equal(agent_table_due(&t), 0);
	assert_null(agent_table_take(&t, 1000));
	agent_entry_due(e[0], 500);
	agent_entry_due(e[1], 300);
	agent_entry_due(e[1], 400); /* later than it was: stays */
	assert_int_equal(agent_table_due(&t), 300);
	assert_null(agent_table_take(&t, 299));
	assert_ptr_equal(agent_table_take(&t, 1000), e[1]);
	e[1]->due = 0;
	assert_ptr_equal(agent_table_take(&t, 1000), e[0]);
	agent_table_clear(&t);
}

/* As the history store's hash: published test vectors of FNV-1a, 64 bits. */
static void test_hash(void **state)
{
	(void)state;
	assert_true(agent_hash("", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(agent_hash("a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(agent_hash("foobar", 6) == UINT64_C(0x85944171f73967e8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
