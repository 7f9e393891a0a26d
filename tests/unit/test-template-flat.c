/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One template as a text of its own says of an OS what the whole set says of it. */
#include "lib/engine/template.h"

#include "lib/engine/plan.h"

#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <libxml/tree.h>

static const char *const shipped[] = { VW_SRCDIR "/xml-templates", NULL };

static struct vw_templates *load(const char *const *dirs)
{
	struct vw_templates *set = NULL;
	struct vw_err err = { 0 };

	if (vw_templates_load(dirs, &set, &err) < 0)
		fail_msg("%s", err.text);
	return set;
}

/* An element as text, without its comments. */
static char *text_of(const xmlNode *node)
{
	xmlBuffer *b = xmlBufferCreate();
	char *text, *from, *to;

	assert_true(xmlNodeDump(b, node->doc, (xmlNode *)(uintptr_t)node, 0, 0) >= 0);
	text = strdup((const char *)xmlBufferContent(b));
	xmlBufferFree(b);
	while ((from = strstr(text, "<!--"))) {
		to = strstr(from, "-->");
		assert_non_null(to);
		memmove(from, to + 3, strlen(to + 3) + 1);
	}
	return text;
}

static void same_rules(const struct vw_template *whole, const struct vw_template *flat)
{
	unsigned n = 0;

	for (size_t i = 0; vw_rule_id(i); i++) {
		const xmlNode *a = vw_template_rule(whole, vw_rule_id(i));
		const xmlNode *b = vw_template_rule(flat, vw_rule_id(i));
		VW_AUTOFREE char *x = a ? text_of(a) : NULL;
		VW_AUTOFREE char *y = b ? text_of(b) : NULL;

		assert_int_equal(a != NULL, b != NULL);
		if (a)
			assert_string_equal(x, y);
		n += a != NULL;
	}
	assert_true(n > 0);
}

/* Each of those that are shipped, and whatever OS it is then asked for. */
static void test_same(void **state)
{
	struct vw_templates *set = load(shipped);
	struct vw_os os = { .id = (char *)"http://x/y",
			    .short_id = (char *)"y",
			    .name = (char *)"Y",
			    .family = (char *)"none-such",
			    .distro = (char *)"",
			    .version = (char *)"",
			    .release_date = (char *)"" };

	(void)state;
	assert_true(vw_templates_count(set) > 10);
	for (size_t i = 0; i < vw_templates_count(set); i++) {
		const struct vw_template *t = vw_templates_get(set, i);
		VW_AUTOFREE char *text = vw_template_flat(t);
		VW_AUTOFREE char *again = NULL;
		struct vw_templates *flat = NULL;
		struct vw_err err = { 0 };

		assert_null(strstr(text, "<!--"));
		if (vw_templates_load_text(text, strlen(text), "flat", &flat, &err) < 0)
			fail_msg("%s: %s", vw_template_id(t), err.text);
		assert_int_equal(vw_templates_count(flat), 1);
		assert_string_equal(vw_template_id(vw_templates_get(flat, 0)), vw_template_id(t));
		assert_ptr_equal(vw_templates_pick(flat, NULL, VW_UNKNOWN),
				 vw_templates_get(flat, 0));
		assert_ptr_equal(vw_templates_pick(flat, &os, VW_YES), vw_templates_get(flat, 0));
		same_rules(t, vw_templates_get(flat, 0));
		again = vw_template_flat(vw_templates_get(flat, 0));
		assert_string_equal(again, text);
		vw_templates_free(flat);
	}
	vw_templates_free(set);
}

static char dir[64], path[128];

static int remove_entry(const char *p, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(p);
}

static void put(const char *name, const char *text)
{
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* Did the last change show? What is said is said twice the same. */
static void changed(char **last, const char *const *dirs)
{
	VW_AUTOFREE char *now = vw_templates_files(dirs);
	VW_AUTOFREE char *again = vw_templates_files(dirs);

	assert_non_null(now);
	assert_string_equal(now, again);
	if (*last)
		assert_string_not_equal(*last, now);
	free(*last);
	*last = vw_steal(now);
}

static void test_files(void **state)
{
	const char *dirs[] = { VW_SRCDIR "/xml-templates", dir, NULL };
	const struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	VW_AUTOFREE char *last = NULL;

	(void)state;
	strcpy(dir, "/tmp/vw-test-flat-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(rmdir(dir), 0);
	changed(&last, dirs); /* it need not be there */
	assert_int_equal(mkdir(dir, 0755), 0);
	changed(&last, dirs);
	put("a.xml", "<template/>");
	changed(&last, dirs);
	put("a.xml", "<template>"); /* in place, and shorter */
	changed(&last, dirs);
	assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	changed(&last, dirs);
	put("b.xml", "");
	changed(&last, dirs);
	unlink(path);
	changed(&last, dirs);
	put("link.xml", "");
	unlink(path);
	assert_int_equal(symlink("/nonexistent", path), 0);
	assert_null(vw_templates_files(dirs)); /* can't be told, so nothing is kept */
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
