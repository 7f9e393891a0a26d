/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* <w:health> in a domain's metadata: what is taken from it, and what is not. */
#include "lib/engine/metadata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct vw_xml *parse(const char *health, struct vw_health_wish *h)
{
	struct vw_xml *x = NULL;
	char text[2048];

	snprintf(text, sizeof(text),
		 "<domain type='qemu'><name>g</name><metadata><w:warden xmlns:w='%s'>%s</w:warden>"
		 "</metadata></domain>",
		 VW_METADATA_NS, health);
	assert_int_equal(vw_xml_parse(text, strlen(text), "test", "domain", &x, NULL), 0);
	vw_metadata_health(vw_xml_root(x), h);
	return x;
}

static void test_all(void **state)
{
	struct vw_health_wish h;
	struct vw_xml *x = parse(
		"<w:health agent='required'><w:tcp port='22'/><w:tcp port='65535'/>"
		"<w:check name='web-1'/><w:address ip='10.0.0.5'/></w:health>",
		&h);

	(void)state;
	assert_true(h.agent);
	assert_int_equal(h.n_tcp, 2);
	assert_int_equal(h.tcp[1], 65535);
	assert_int_equal(h.n_check, 1);
	assert_string_equal(h.check[0], "web-1");
	assert_int_equal(h.n_address, 1);
	assert_null(h.bad);
	vw_xml_free(x);
}

static void test_nothing(void **state)
{
	static const char *const texts[] = { "", "<w:health/>", "<health agent='required'/>",
					     "<w:health agent='no'/>" };

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(texts); i++) {
		struct vw_health_wish h;
		struct vw_xml *x = parse(texts[i], &h);

		assert_false(h.agent || h.n_tcp || h.n_check || h.n_address || h.bad);
		vw_xml_free(x);
	}
}

static void test_hostile(void **state)
{
	static const char *const texts[] = {
		"<w:check name='../x'/>",
		"<w:check name='/bin/sh'/>",
		"<w:check name='a b'/>",
		"<w:check name='A'/>",
		"<w:check name=''/>",
		"<w:check name='-rf'/>",
		"<w:check name='a.b'/>",
		"<w:check name='abcdefghijklmnopqrstuvwxyzabcdefg'/>",
		"<w:check/>",
		"<w:check command='reboot'/>",
		"<w:command>reboot</w:command>",
		"<w:tcp/>",
		"<w:tcp port='0'/>",
		"<w:tcp port='65536'/>",
		"<w:tcp port='-1'/>",
		"<w:tcp port='22x'/>",
		"<w:tcp port='4294967318'/>",
		"<w:address/>",
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(texts); i++) {
		struct vw_health_wish h;
		char text[256];
		struct vw_xml *x;

		snprintf(text, sizeof(text), "<w:health>%s</w:health>", texts[i]);
		x = parse(text, &h);
		if (!h.bad)
			print_error("%s was taken\n", texts[i]);
		assert_non_null(h.bad);
		assert_int_equal(h.n_tcp + h.n_check + h.n_address, 0);
		vw_xml_free(x);
	}
}

static void test_too_many(void **state)
{
	struct vw_health_wish h;
	struct vw_xml *x = parse(
		"<w:health><w:check name='a'/><w:check name='b'/><w:check name='c'/>"
		"<w:check name='d'/><w:check name='e'/></w:health>",
		&h);

	(void)state;
	assert_int_equal(h.n_check, VW_HEALTH_MAX);
	assert_string_equal(h.bad, "check");
	vw_xml_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
