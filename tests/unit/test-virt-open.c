/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* URIs of connections that must not prompt: what the user wrote stays, no_tty=1 comes last. */
#include "virt/open.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
	const char *uri, *mute; /* NULL = as it is */
} rows[] = {
	{ "qemu:///system", NULL },
	{ "qemu+unix:///system?socket=/run/x+ssh", NULL },
	{ "qemu+tcp://beta/system", NULL },
	{ "qemu+tls://beta/system?pkipath=/ssh", NULL },
	{ "qemu+ext://beta/system?command=/bin/x", NULL },
	{ "test:///default", NULL },
	{ "alias", NULL },
	{ "alias+ssh", NULL },
	{ "", NULL },
	{ "qemu+ssh://beta/system", "qemu+ssh://beta/system?no_tty=1" },
	{ "QEMU+SSH://me@beta:2222/system", "QEMU+SSH://me@beta:2222/system?no_tty=1" },
	{ "qemu+ssh://beta/system?", "qemu+ssh://beta/system?no_tty=1" },
	{ "qemu+ssh://beta/system?keyfile=/root/a%26b&command=/opt/ssh",
	  "qemu+ssh://beta/system?keyfile=/root/a%26b&command=/opt/ssh&no_tty=1" },
	{ "qemu+ssh://beta/system?no_tty=0", "qemu+ssh://beta/system?no_tty=0&no_tty=1" },
	{ "qemu+ssh://beta/system#part", "qemu+ssh://beta/system?no_tty=1#part" },
	{ "qemu+ssh://beta/system?#part", "qemu+ssh://beta/system?no_tty=1#part" },
	{ "qemu+libssh://beta/system?known_hosts=/k",
	  "qemu+libssh://beta/system?known_hosts=/k&no_tty=1" },
	{ "qemu+libssh2://beta/system", "qemu+libssh2://beta/system?no_tty=1" },
	{ "qemu+ssh://[2001:db8::1]/system", "qemu+ssh://[2001:db8::1]/system?no_tty=1" },
};

static void test_mute(void **state)
{
	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(rows); i++) {
		char *mute = vw_uri_mute(rows[i].uri);

		assert_string_equal(mute, rows[i].mute ? rows[i].mute : rows[i].uri);
		free(mute);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_mute) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
