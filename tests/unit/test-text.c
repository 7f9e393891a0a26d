/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text that others wrote: what a terminal obeys, what turns or hides the text and what is no
 * UTF-8 is never shown; all else is, as it is; JSON keeps the value. */
#include "lib/base/err.h"
#include "lib/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

/* What must not be shown, and what stands there instead. */
static const struct {
	const char *in, *out;
} hostile[] = {
	{ "\x1b[31m", "?[31m" },
	{ "a\nb", "a b" },
	{ "a\tb\r", "a b " },
	{ "\x7f", "?" },
	{ "\xc2\x9b"
	  "2J",
	  "?2J" }, /* C1 as UTF-8: CSI */
	{ "\x9b"
	  "2J",
	  "?2J" },           /* C1 as one byte */
	{ "\xc2\x85", "?" }, /* NEL */
	{ "\xd8\x9c", "?" }, /* U+061C */
	{ "\xe2\x80\x8b|\xe2\x80\x8e|\xe2\x80\x8f", "?|?|?" },
	{ "\xe2\x80\xa8|\xe2\x80\xa9", "?|?" },
	{ "\xe2\x80\xaa|\xe2\x80\xae", "?|?" },
	{ "\xe2\x81\xa6|\xe2\x81\xa9", "?|?" },
	{ "\xef\xbb\xbf|\xc2\xad", "?|?" },
	{ "\xf3\xa0\x81\x81", "?" }, /* a tag */
	{ "\xef\xbf\xbe", "?" },     /* U+FFFE */
	{ "\xff\xfe", "??" },        /* no UTF-8 from here on */
	{ "\xc0\xaf", "??" },        /* '/' in too long a form */
	{ "\xe0\x82\x9b", "???" },   /* U+009B in too long a form */
	{ "\xed\xa0\x80", "???" },   /* a surrogate */
	{ "\xf4\x90\x80\x80", "????" },
	{ "x\xe2\x80", "x??" }, /* cut */
	{ "\xe2\x80|", "??|" },
};

static const char *const harmless[] = {
	"",
	"web1",
	("Gr\xc3\xb6\xc3\x9f"
	 "e"),
	"\xd0\xbc\xd0\xb8\xd1\x80",
	"\xe6\x97\xa5\xe6\x9c\xac",
	"\xd8\xb9\xd8\xb1\xd8\xa8",
	"\xf0\x9f\x98\x80",
	"e\xcc\x81",
	"\xe2\x86\x92 \xc2\xa0",
};

static void test_what_is_shown(void **state)
{
	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(hostile); i++) {
		VW_AUTOFREE char *copy = vw_printable(hostile[i].in, 100);
		VW_AUTOFREE char *place = strdup(hostile[i].in);

		vw_text_clean(place);
		assert_string_equal(copy, hostile[i].out);
		assert_string_equal(place, hostile[i].out);
		assert_false(vw_text_is_clean(hostile[i].in));
		assert_true(vw_text_is_clean(hostile[i].out));
	}
	for (size_t i = 0; i < VW_N_ELEMENTS(harmless); i++) {
		VW_AUTOFREE char *copy = vw_printable(harmless[i], 100);

		assert_string_equal(copy, harmless[i]);
		assert_true(vw_text_is_clean(harmless[i]));
	}
}

/* Each length of each text: bounded, no character cut, marked as cut. */
static void test_bounds(void **state)
{
	static const char text[] = "a\xc3\xb6\xe2\x86\x92\xf0\x9f\x98\x80z\xf0\x9f\x98\x80";

	(void)state;
	for (size_t max = 3; max < sizeof(text) + 2; max++) {
		VW_AUTOFREE char *copy = vw_printable(text, max);

		assert_true(strlen(copy) <= max);
		assert_null(strchr(copy, '?'));
		assert_int_equal(strstr(copy, "...") != NULL, max < sizeof(text) - 1);
	}
}

/* An error's line, also where it is cut in a character. */
static void test_error_texts(void **state)
{
	struct vw_err err;

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(hostile); i++) {
		vw_err_set(&err, -1, "%s", hostile[i].in);
		assert_string_equal(err.text, hostile[i].out);
		vw_err_wrap(&err, -1, "%s", hostile[i].in);
		assert_true(vw_text_is_clean(err.text));
	}
	for (size_t n = 480; n < 520; n++) {
		VW_AUTOFREE char *pad = calloc(1, n + 1);

		memset(pad, 'x', n);
		vw_err_set(&err, -1, "%s\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80", pad);
		assert_null(strchr(err.text, '?'));
		vw_err_wrap(&err, -1, "%s\xf0\x9f\x98\x80", pad + 260);
		assert_null(strchr(err.text, '?'));
		assert_true(strlen(err.text) < sizeof(err.text));
	}
}

static void test_quoted_field(void **state)
{
	VW_AUTOBUF struct vw_buf b = { 0 };

	(void)state;
	vw_text_quote(&b, "web1: fixed: uuid=0\" kind=\\x\n\xc2\x9b", 100);
	assert_string_equal(b.p, "\"web1: fixed: uuid=0\\\" kind=\\\\x ?\"");
}

/* The value stays, for a reader of JSON; the bytes are harmless. */
static void test_json(void **state)
{
	static const char in[] =
		"{\n \"a\": \"\xc2\x9b|\x7f|\xe2\x80\xae|\xf3\xa0\x81\x81|\xc3\xb6\"}";
	VW_AUTOBUF struct vw_buf b = { 0 };
	VW_AUTOFREE char *valid = vw_utf8_valid("a\xff\xc2\x9b\xe2\x80");

	(void)state;
	vw_json_escape(&b, in, strlen(in));
	assert_string_equal(b.p, "{\n \"a\": \"\\u009b|\\u007f|\\u202e|\\udb40\\udc41|\xc3\xb6\"}");
	assert_string_equal(valid, "a?\xc2\x9b??");
}

static void test_commands_hold_no_such_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(hostile); i++) {
		VW_AUTOFREE char *text = vw_command_text("fix", hostile[i].in);

		assert_string_equal(text, "virt-warden fix DOMAIN");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_shown),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_error_texts),
		cmocka_unit_test(test_quoted_field),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_commands_hold_no_such_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
