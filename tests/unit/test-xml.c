/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain XML in and out: bounds, byte-exact round trips, edits that touch nothing else. */
#include "lib/xml/xml.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static struct vw_xml *parse_ok(const char *text)
{
	struct vw_xml *x = NULL;
	struct vw_err err = { 0 };

	if (vw_xml_parse(text, strlen(text), "t.xml", NULL, &x, &err) < 0)
		fail_msg("%s", err.text);
	return x;
}

static void assert_text(struct vw_xml *x, const char *want)
{
	char *text = NULL;

	assert_int_equal(vw_xml_text(x, &text, NULL, NULL), 0);
	assert_string_equal(text, want);
	free(text);
}

static void assert_refused(const char *text, size_t len, int code, const char *words)
{
	struct vw_xml *x = NULL;
	struct vw_err err = { 0 };

	assert_int_equal(vw_xml_parse(text, len, "bad.xml", "domain", &x, &err), code);
	assert_null(x);
	if (!strstr(err.text, words))
		fail_msg("'%s' lacks '%s'", err.text, words);
	assert_true(vw_startswith(err.text, "bad.xml"));
	assert_null(strchr(err.text, '\n'));
}

static void test_xml_unchanged(void **state)
{
	static const char *const texts[] = {
		"<domain type='kvm'><name>a</name></domain>",
		"<?xml version=\"1.0\"?>\n<!-- c -->\n<domain\n  type = \"kvm\" >\n <a/>\t<b x='1' />x&amp;y</domain>\n<!-- end -->\n",
		"\xef\xbb\xbf<domain><![CDATA[<x>]]><a></a></domain>",
		"<domain xmlns:qemu='u'><qemu:commandline><qemu:arg value='-x'/></qemu:commandline></domain>",
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(texts); i++) {
		struct vw_xml *x = parse_ok(texts[i]);

		assert_false(vw_xml_changed(x));
		assert_text(x, texts[i]);
		vw_xml_free(x);
	}
}

static void test_xml_edit_attr(void **state)
{
	struct vw_xml *x = parse_ok(
		"<domain>\n  <disk  type=\"file\"\n\tdevice='disk' q:a='&lt;' xmlns:q='u'>\n    <target dev='hda' bus='ide'/><!-- k -->\n  </disk>\n</domain>\n");
	xmlNode *disk = vw_xml_child(vw_xml_root(x), "disk");
	xmlNode *target = vw_xml_child(disk, "target");

	(void)state;
	assert_int_equal(vw_xml_set_attr(x, target, "bus", "ide"), 0);
	assert_false(vw_xml_changed(x));
	vw_xml_set_attr(x, target, "bus", "virtio");
	vw_xml_set_attr(x, disk, "device", NULL);
	vw_xml_set_attr(x, disk, "snapshot", "a'b\"<");
	assert_text(
		x,
		"<domain>\n  <disk  type=\"file\" q:a=\"&lt;\" xmlns:q='u' snapshot=\"a'b&quot;&lt;\">\n    <target dev='hda' bus=\"virtio\"/><!-- k -->\n  </disk>\n</domain>\n");
	vw_xml_free(x);
}

static void test_xml_add_remove(void **state)
{
	struct vw_xml *x = parse_ok(
		"<domain>\n  <devices>\n    <a/>\n    <b>1</b>\n    <c/>\n  </devices>\n  <x/>\n</domain>");
	xmlNode *dev = vw_xml_child(vw_xml_root(x), "devices");
	xmlNode *n = NULL;

	(void)state;
	vw_xml_remove(x, vw_xml_child(dev, "b"));
	vw_xml_add(x, dev, vw_xml_child(dev, "a"), "new", &n);
	vw_xml_set_attr(x, n, "k", "v");
	vw_xml_add_text(x, dev, NULL,
			"<rng model='virtio'> <backend model='random'>/dev/urandom</backend></rng>",
			NULL);
	vw_xml_add(x, vw_xml_child(vw_xml_root(x), "x"), NULL, "y", NULL);
	assert_text(
		x,
		"<domain>\n  <devices>\n    <a/>\n    <new k='v'/>\n    <c/>\n    <rng model='virtio'>\n      <backend model='random'>/dev/urandom</backend>\n    </rng>\n  </devices>\n  <x>\n    <y/>\n  </x>\n</domain>");
	vw_xml_free(x);
}

static void test_xml_content(void **state)
{
	struct vw_xml *x = parse_ok("<domain><m unit='KiB'> 12 </m><e/><n>a &amp; b</n></domain>");
	xmlNode *r = vw_xml_root(x);

	(void)state;
	assert_string_equal(vw_xml_content(x, vw_xml_child(r, "m")), "12");
	assert_string_equal(vw_xml_content(x, vw_xml_child(r, "n")), "a & b");
	vw_xml_set_content(x, vw_xml_child(r, "m"), "12");
	assert_false(vw_xml_changed(x));
	vw_xml_set_content(x, vw_xml_child(r, "e"), "<");
	vw_xml_set_content(x, vw_xml_child(r, "n"), "c");
	assert_text(x, "<domain><m unit='KiB'> 12 </m><e>&lt;</e><n>c</n></domain>");
	vw_xml_free(x);
}

/* White space alone is not in the tree, where it is part of a text it is, and all of it comes out again. */
static void test_xml_blanks(void **state)
{
	static const char text[] =
		"<domain>\n  <name>a&amp; &amp;\n b\n</name>\n\n\t<e> \r\n </e>\n"
		"<c>a<!-- c --> <!-- d --> b</c><d><![CDATA[a]]> <![CDATA[b]]></d>"
		"<t> &lt; <i/> \n </t> <!-- c --> </domain>\n";
	struct vw_xml *x = parse_ok(text);
	xmlNode *r = vw_xml_root(x);

	(void)state;
	assert_string_equal(vw_xml_content(x, vw_xml_child(r, "name")), "a& &\n b");
	assert_string_equal(vw_xml_content(x, vw_xml_child(r, "e")), "");
	assert_null(vw_xml_child(r, "e")->children);
	assert_string_equal(vw_xml_content(x, vw_xml_child(r, "c")), "a  b");
	assert_string_equal(vw_xml_content(x, vw_xml_child(r, "d")), "a b");
	assert_ptr_equal(vw_xml_child(r, "name")->next, vw_xml_child(r, "e"));
	assert_string_equal((char *)vw_xml_child(r, "t")->children->content, "< ");
	assert_text(x, text);
	vw_xml_set_attr(x, vw_xml_child(r, "e"), "k", "v");
	vw_xml_set_attr(x, vw_xml_child(vw_xml_child(r, "t"), "i"), "k", "v");
	assert_text(x, "<domain>\n  <name>a&amp; &amp;\n b\n</name>\n\n\t<e k='v'> \r\n </e>\n"
		       "<c>a<!-- c --> <!-- d --> b</c><d><![CDATA[a]]> <![CDATA[b]]></d>"
		       "<t> &lt; <i k='v'/> \n </t> <!-- c --> </domain>\n");
	vw_xml_free(x);
}

static void test_xml_names(void **state)
{
	struct vw_xml *x = parse_ok(
		"<domain xmlns:q='u'><q:os/><os q:type='z' type='y'><type arch='x'>hvm</type></os></domain>");

	(void)state;
	assert_string_equal(vw_xml_attr(vw_xml_child(vw_xml_root(x), "os"), "type"), "y");
	assert_string_equal(vw_xml_attr(vw_xml_path(vw_xml_root(x), "os/type"), "arch"), "x");
	assert_null(vw_xml_path(vw_xml_root(x), "os/none/deeper"));
	vw_xml_free(x);
}

static void test_xml_latin1(void **state)
{
	static const char text[] =
		"<?xml version='1.0' encoding='ISO-8859-1'?>\n<domain> <name>\xe4</name>\n<a/></domain>";
	struct vw_xml *x = parse_ok(text);
	char *out = NULL;

	(void)state;
	assert_text(x, text);
	assert_string_equal(vw_xml_content(x, vw_xml_child(vw_xml_root(x), "name")), "\xc3\xa4");
	vw_xml_set_attr(x, vw_xml_child(vw_xml_root(x), "a"), "b", "c");
	vw_xml_text(x, &out, NULL, NULL);
	assert_non_null(strstr(out, "<domain> <name>\xc3\xa4</name>\n<a "));
	assert_non_null(strstr(out, "encoding=\"UTF-8\""));
	free(out);
	vw_xml_free(x);
}

static void test_xml_bad(void **state)
{
	static const char bomb[] =
		"<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><domain>&b;</domain>";
	static const char ext[] = "<!DOCTYPE d SYSTEM 'file:///etc/passwd'><domain/>";
	size_t deep = 100000;
	char *text = malloc(deep * 3 + 1);

	(void)state;
	assert_refused("", 0, -EINVAL, "empty");
	assert_refused("<domain>", 8, -EINVAL, "bad.xml:1: not well-formed");
	assert_refused("<domain>\n<a></b></domain>", 25, -EINVAL, "bad.xml:2:");
	assert_refused("<network/>", 10, -EINVAL, "<network>");
	assert_refused("<domain xmlns='u'/>", 19, -EINVAL, "domain");
	assert_refused("<domain>\0</domain>", 18, -EINVAL, "NUL");
	assert_refused("<domain>\xff\xfe</domain>", 19, -EINVAL, "not well-formed");
	assert_refused("<domain>&x;</domain>", 20, -EINVAL, "not well-formed");
	assert_refused(bomb, strlen(bomb), -EINVAL, "DTD");
	assert_refused(ext, strlen(ext), -EINVAL, "DTD");
	for (size_t i = 0; i < deep; i++)
		memcpy(text + i * 3, "<a>", 3);
	assert_refused(text, deep * 3, -ELOOP, "more than 200 levels of elements");
	free(text);
	text = calloc(1, VW_XML_MAX_BYTES + 1);
	assert_refused(text, VW_XML_MAX_BYTES + 1, -EFBIG, "larger than 10 MiB");
	free(text);
}

/* before, n times unit (printf of its number), after */
static char *repeat(const char *before, const char *unit, int n, const char *after)
{
	size_t size = strlen(before) + strlen(after) + (size_t)n * (strlen(unit) + 10) + 1;
	char *text = malloc(size), *p = text;

	assert_non_null(text);
	p += sprintf(p, "%s", before);
	for (int i = 0; i < n; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		p += sprintf(p, unit, i);
#pragma GCC diagnostic pop
	}
	sprintf(p, "%s", after);
	return text;
}

/* Each of these kept libxml2 busy for seconds, or took hundreds of MiB. */
static void test_xml_too_many(void **state)
{
	static const struct {
		const char *before, *unit;
		int n;
		const char *after;
		int code;
		const char *words;
	} cases[] = {
		{ "<domain>\n<a ", "a%d='' ", 300000, "/></domain>", -ELOOP,
		  "bad.xml:2: more than 256 attributes of one element" },
		{ "<domain><a ", "xmlns:a%d='u' ", 300, "/></domain>", -ELOOP, "attributes" },
		{ "<domain>&x;<a ", "a%d='' ", 300000, "/></domain>", -ELOOP, "attributes" },
		{ "<?xml version='1.0' encoding='UTF-7'?><domain><a ", "a%d+AD0AJwAn- ", 1000,
		  "/></domain>", -EINVAL, "save it as UTF-8" },
		{ "<domain>", "<a xmlns:a%d='u'>", 199, "", -EINVAL, "not well-formed" },
		{ "<domain>", "<a xmlns:a%d='u' xmlns:b='u'>", 199, "", -ELOOP, "namespaces" },
		{ "<domain>", "<a xml:id='a%d'/>", 2000, "</domain>", -ELOOP, "attributes xml:" },
		{ "<domain>", "<a%d/>", 30000, "</domain>", -ELOOP, "20000 different names" },
		{ "<domain>", "<a b='%d'/>", 200000, "</domain>", -ELOOP, "400000 elements" },
		{ "<domain>", "<!--%d-->", 600000, "</domain>", -ELOOP, "comments" },
		{ "<domain>", "<?p %d?>", 600000, "</domain>", -ELOOP, "comments" },
		{ "<domain>", "%d<!---->", 300000, "</domain>", -ELOOP, "comments" },
		{ "<domain>", "<![CDATA[%d]]>", 510000, "</domain>", -ELOOP, "texts" },
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		char *text = repeat(cases[i].before, cases[i].unit, cases[i].n, cases[i].after);

		assert_refused(text, strlen(text), cases[i].code, cases[i].words);
		free(text);
	}
}

/* What only looks like many attributes, and what is far from too many. */
static void test_xml_not_too_many(void **state)
{
	static const char *const cases[][3] = {
		{ "<domain><!-- <a ", "a%d='' ", "--></domain>" },
		{ "<domain><![CDATA[<a ", "a%d=\" ", "]]></domain>" },
		{ "<domain><?p <a ", "a%d=\" ", "?></domain>" },
		{ "<domain a='>' b=\"'", "=%d>", "\" c='\"'/>" },
		{ "<domain>", " it's%d = \"", "</domain>" },
		{ "<domain>", "<a b='%d' c='' d=''/>", "</domain>" },
		{ "<domain>", "<a><b xmlns:c='%d'/></a>", "</domain>" },
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		char *text = repeat(cases[i][0], cases[i][1], 5000, cases[i][2]);
		struct vw_xml *x = parse_ok(text);

		assert_text(x, text);
		vw_xml_free(x);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xml_unchanged),  cmocka_unit_test(test_xml_edit_attr),
		cmocka_unit_test(test_xml_add_remove), cmocka_unit_test(test_xml_content),
		cmocka_unit_test(test_xml_blanks),     cmocka_unit_test(test_xml_names),
		cmocka_unit_test(test_xml_latin1),     cmocka_unit_test(test_xml_bad),
		cmocka_unit_test(test_xml_too_many),   cmocka_unit_test(test_xml_not_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
