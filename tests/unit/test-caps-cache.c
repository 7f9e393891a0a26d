/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain capabilities from the disk are those that libvirtd gave, for the emulator that it is. */
#include "virt/cache/caps-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#define QUESTION "\nx86_64\nq35\nkvm"
#define IDENTITY "boot 1 daemon 2"
#define CAPS_MAX 65536

static char dir[64], emulator[128], xml[CAPS_MAX + 256];

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* libvirt's own, with another emulator. */
static void read_caps(const char *name)
{
	static char text[CAPS_MAX];
	char path[512];
	char *begin, *end;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/tests/corpus/caps/%s", VW_SRCDIR, name);
	fd = open(path, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = 0;
	close(fd);
	begin = strstr(text, "<path>");
	end = strstr(text, "</path>");
	assert_non_null(begin);
	assert_non_null(end);
	*begin = 0;
	snprintf(xml, sizeof(xml), "%s<path>%s%s", text, emulator, end);
}

static struct vw_caps *parse(const char *text)
{
	struct vw_caps *caps = NULL;

	assert_int_equal(vw_caps_parse(text, strlen(text), &caps, NULL), 0);
	return caps;
}

static int begin(void **state)
{
	struct vw_caps *caps;

	(void)state;
	strcpy(dir, "/tmp/vw-test-caps-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(emulator, sizeof(emulator), "%s.emulator", dir);
	put(emulator, "x");
	read_caps("q35.xml");
	caps = parse(xml);
	vw_caps_cache_write(dir, QUESTION, IDENTITY, xml, caps);
	vw_caps_free(caps);
	return 0;
}

static int end(void **state)
{
	(void)state;
	vw_caps_cache_forget(dir, QUESTION);
	unlink(emulator);
	return rmdir(dir);
}

static void check(bool hit)
{
	struct vw_caps *caps = vw_caps_cache_read(dir, QUESTION, IDENTITY);

	assert_int_equal(caps != NULL, hit);
	vw_caps_free(caps);
}

/* The same to the last line, and the answers that the engine gets. */
static void test_same(void **state)
{
	struct vw_caps *whole = parse(xml), *kept = vw_caps_cache_read(dir, QUESTION, IDENTITY);
	VW_AUTOFREE char *a = vw_caps_to_lines(whole);
	VW_AUTOFREE char *b = NULL;

	(void)state;
	assert_non_null(kept);
	b = vw_caps_to_lines(kept);
	assert_string_equal(a, b);
	assert_string_equal(vw_caps_machine(kept), vw_caps_machine(whole));
	assert_int_equal(vw_caps_max_vcpus(kept), vw_caps_max_vcpus(whole));
	assert_true(vw_caps_max_vcpus(kept) > 0);
	assert_int_equal(vw_caps_has(kept, "disk.bus", "virtio"), VW_YES);
	assert_int_equal(vw_caps_has(kept, "disk.bus", "none-such"), VW_NO);
	assert_int_equal(vw_caps_has(kept, "none-such.bus", "virtio"), VW_UNKNOWN);
	vw_caps_free(whole);
	vw_caps_free(kept);
}

static void test_emulator_changed(void **state)
{
	struct vw_caps *caps = parse(xml);

	(void)state;
	put(emulator, "xy");
	check(false);
	vw_caps_cache_write(dir, QUESTION, IDENTITY, xml, caps);
	check(true);
	unlink(emulator);
	check(false);
	vw_caps_free(caps);
}

static void test_other(void **state)
{
	(void)state;
	assert_null(vw_caps_cache_read(dir, QUESTION "2", IDENTITY));
	assert_null(vw_caps_cache_read(dir, QUESTION, IDENTITY "2"));
	check(true);
	vw_caps_cache_forget(dir, QUESTION);
	check(false);
}

/* What is no answer of libvirt's is not kept. */
static void test_odd_answer(void **state)
{
	static const char *const odd[] = {
		"", "<x/>", "<domainCapabilities><path>/</domainCapabilities>",
		"<domainCapabilities><path>rel</path></domainCapabilities>",
		"<domainCapabilities><path>/nonexistent/x</path></domainCapabilities>"
	};
	struct vw_caps *caps = parse(xml);

	(void)state;
	vw_caps_cache_forget(dir, QUESTION);
	for (size_t i = 0; i < VW_N_ELEMENTS(odd); i++)
		vw_caps_cache_write(dir, QUESTION, IDENTITY, odd[i], caps);
	check(false);
	vw_caps_free(caps);
}

/* Lines that are none of ours: refused, never read beyond. */
static void test_odd_lines(void **state)
{
	static const char *const odd[] = {
		"",         "pc",           "pc\n",       "pc\n1",           "pc\nx\n",  "pc\n\n",
		"pc\n1\na", "pc\n1\na=\nb", "pc\n1\na\n", "pc\n1\nb=\na=\n", "pc\n1x\n",
	};
	struct vw_caps *caps = NULL;

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(odd); i++)
		assert_int_equal(vw_caps_from_lines(strdup(odd[i]), &caps), -EBADMSG);
	assert_int_equal(vw_caps_from_lines(NULL, &caps), -ENOMEM);
	assert_int_equal(vw_caps_from_lines(strdup("pc\n1\na=\na=b\n"), &caps), 0);
	assert_int_equal(vw_caps_has(caps, "a", "b"), VW_YES);
	vw_caps_free(caps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_same, begin, end),
		cmocka_unit_test_setup_teardown(test_emulator_changed, begin, end),
		cmocka_unit_test_setup_teardown(test_other, begin, end),
		cmocka_unit_test_setup_teardown(test_odd_answer, begin, end),
		cmocka_unit_test(test_odd_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
