/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which addresses of a guest this host sends packets to. */
#include "lib/health/address.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* How is this address asked, if the guest (or, trusted, the host) names it? The guest's bridges have
 * 10.77.0.1/22 and 2001:db8:1::1/64 here, or nothing. */
static enum vw_ask ask(const char *text, bool trusted, bool subnets)
{
	struct vw_subnet s[2] = { { .family = AF_INET, .prefix = 22 },
				  { .family = AF_INET6, .prefix = 64 } };
	struct vw_addresses a = { .n = 0 };

	assert_int_equal(inet_pton(AF_INET, "10.77.0.1", s[0].host), 1);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8:1::1", s[1].host), 1);
	vw_addresses_add(&a, text, trusted);
	return a.n ? vw_address_ask(&a, 0, s, subnets ? 2 : 0) : VW_ASK_NOT;
}

static void test_guest_named(void **state)
{
	(void)state;
	assert_int_equal(ask("10.77.3.254", false, true), VW_ASK_IP);
	assert_int_equal(ask("10.77.4.1", false, true), VW_ASK_NOT);
	assert_int_equal(ask("8.8.8.8", false, true), VW_ASK_NOT);
	assert_int_equal(ask("10.77.0.1", false, true), VW_ASK_NOT); /* the host itself */
	assert_int_equal(ask("2001:db8:1::2", false, true), VW_ASK_IP);
	assert_int_equal(ask("2001:db8:2::2", false, true), VW_ASK_NOT);
	/* A bridge on which the host has no address: the link itself, never the host's routes. */
	assert_int_equal(ask("8.8.8.8", false, false), VW_ASK_LINK);
	assert_int_equal(ask("2001:db8:1::2", false, false), VW_ASK_NOT);
}

static void test_never(void **state)
{
	static const char *const never[] = {
		"169.254.169.254", "127.0.0.1", "0.0.0.0",          "224.0.0.1", "::1",
		"fe80::1",         "fd00::1",   "::ffff:127.0.0.1", "web1"
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(never); i++) {
		assert_int_equal(ask(never[i], false, true), VW_ASK_NOT);
		assert_int_equal(ask(never[i], true, true), VW_ASK_NOT);
	}
}

static void test_trusted(void **state)
{
	(void)state;
	assert_int_equal(ask("10.99.0.5", true, true), VW_ASK_IP);
	assert_int_equal(ask("2001:db8:2::2", true, false), VW_ASK_IP);
}

/* A guest that names many leaves room for what the host and the owner name. */
static void test_room(void **state)
{
	struct vw_addresses a = { .n = 0 };
	char text[32];

	(void)state;
	for (int i = 1; i < 9; i++) {
		snprintf(text, sizeof(text), "10.0.0.%d", i);
		vw_addresses_add(&a, text, false);
	}
	assert_int_equal(a.n, VW_ADDRESSES_MAX);
	a.answered[0] = true;
	vw_addresses_add(&a, "10.1.1.1", true);
	assert_string_equal(a.text[0], "10.1.1.1");
	assert_true(a.trusted[0] && !a.answered[0]);
	for (int i = 2; i < 9; i++) {
		snprintf(text, sizeof(text), "10.1.1.%d", i);
		vw_addresses_add(&a, text, true);
	}
	assert_string_equal(a.text[3], "10.1.1.4"); /* those that came first stay */
	assert_int_equal(a.n, VW_ADDRESSES_MAX);
}

/* One address in two ways is one; who trusts it last counts. */
static void test_once(void **state)
{
	struct vw_addresses a = { .n = 0 };

	(void)state;
	vw_addresses_add(&a, "2001:0db8:0:0::1", false);
	vw_addresses_add(&a, "2001:db8::1", true);
	vw_addresses_add(&a, "2001:db8::1", false);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.text[0], "2001:db8::1");
	assert_true(a.trusted[0]);
	a.answered[0] = true;
	assert_int_equal(vw_addresses_answered(&a), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guest_named), cmocka_unit_test(test_never),
		cmocka_unit_test(test_trusted),     cmocka_unit_test(test_room),
		cmocka_unit_test(test_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
