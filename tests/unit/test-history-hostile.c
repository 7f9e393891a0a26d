/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The history store against hostile names, links, modes, damage and foreign files. */
#include "tests/unit/test-history.h"

static void test_uuid_is_checked(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"../../etc",
		"11111111-2222-3333-4444-55555555555",
		"11111111-2222-3333-4444-5555555555555",
		"1111111122223333444455555555555555555",
		"11111111-2222-3333-4444-55555555555g",
		"11111111-2222-3333-4444-5555555555/5",
		"111111112222-3333-4444-5555-55555555",
		" 1111111-2222-3333-4444-555555555555",
		"11111111-2222-3333-4444-555555555555\n",
	};
	struct fixture *f = *state;
	struct vw_version *v = NULL;
	char *xml = NULL;
	size_t n = 0;

	for (size_t i = 0; i < VW_N_ELEMENTS(bad); i++) {
		assert_int_equal(keep_at(f, bad[i], "a", "<x/>", NOW, 9, 9, NULL), -EINVAL);
		assert_int_equal(vw_history_list(f->h, bad[i], &v, &n, &f->err), -EINVAL);
		assert_int_equal(vw_history_read(f->h, bad[i], 0, &xml, &n, &f->err), -EINVAL);
	}
	assert_int_equal(keep_at(f, NULL, "a", "<x/>", NOW, 9, 9, NULL), -EINVAL);
	/* Upper case is the same domain. */
	assert_int_equal(
		keep_at(f, "AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE", "a", "<x/>", NOW, 9, 9, NULL),
		0);
	assert_string_equal(numbers(f, UUID2), "1");
}

static void test_find_name(void **state)
{
	static const char *const hostile[] = {
		"../../../etc/passwd",
		"a --> <b",
		"-- name=web1 who=",
		"%2F",
		"a%00b",
		"tab\there",
		"line\nbreak name=web1",
		"\xc3\xa4\xff",
		" ",
		"",
	};
	struct fixture *f = *state;
	char uuid[37], buf[37], longname[2000];

	for (unsigned i = 0; i < VW_N_ELEMENTS(hostile); i++) {
		snprintf(uuid, sizeof(uuid), "00000000-0000-0000-0000-%012u", i);
		assert_int_equal(keep_at(f, uuid, hostile[i], "<x/>", NOW, 9, 9, NULL), 0);
		assert_int_equal(vw_history_find_name(f->h, hostile[i], buf, &f->err), 0);
		assert_string_equal(buf, uuid);
	}
	assert_int_equal(vw_history_find_name(f->h, "web1", buf, &f->err), -ENOENT);
	/* The one that had it last. */
	assert_int_equal(keep_at(f, UUID, "web1", "<x/>", NOW, 9, 9, NULL), 0);
	assert_int_equal(keep_at(f, UUID2, "web1", "<x/>", NOW + 5, 9, 9, NULL), 0);
	assert_int_equal(keep_at(f, UUID, "renamed", "<y/>", NOW + 9, 9, 9, NULL), 0);
	assert_int_equal(vw_history_find_name(f->h, "web1", buf, &f->err), 0);
	assert_string_equal(buf, UUID2);
	/* Names that were cut are not mistaken for one another. */
	memset(longname, 'n', sizeof(longname));
	longname[1500] = '\0';
	assert_int_equal(keep_at(f, UUID, longname, "<z/>", NOW, 9, 9, NULL), 0);
	assert_int_equal(vw_history_find_name(f->h, longname, buf, &f->err), -ENOENT);
	longname[VW_HISTORY_NAME_MAX] = '\0';
	assert_int_equal(vw_history_find_name(f->h, longname, buf, &f->err), -ENOENT);
}

static void test_modes(void **state)
{
	static const mode_t masks[] = { 0, 022, 0777 };
	struct fixture *f = *state;
	struct stat st;
	char path[512], xml[32];

	for (unsigned i = 0; i < VW_N_ELEMENTS(masks); i++) {
		mode_t old = umask(masks[i]);

		sprintf(xml, "<x>%u</x>", i);
		assert_int_equal(keep(f, "a", xml), i + 1);
		umask(old);
		file_of(f, i + 1, path);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	snprintf(path, sizeof(path), "%s/history/" UUID, f->dir);
	assert_int_equal(chmod(path, 0755), 0);
	keep(f, "a", "<y/>");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	/* A store that is made under a bad umask, several levels deep. */
	snprintf(path, sizeof(path), "%s/deep/er", f->dir);
	vw_history_close(f->h);
	umask(0);
	assert_int_equal(vw_history_open(path, &f->h, &f->err), 0);
	umask(022);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_links_are_not_followed(void **state)
{
	struct fixture *f = *state;
	struct vw_history *h = NULL;
	char path[512], other[512];

	/* A version's file that is a link, a FIFO: not a version. */
	keep(f, "a", "<x/>");
	snprintf(other, sizeof(other), "%s/elsewhere", f->dir);
	file_of(f, 1, path);
	assert_int_equal(rename(path, other), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_string_equal(numbers(f, UUID), "");
	assert_int_equal(keep(f, "a", "<x/>"), 2);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_string_equal(numbers(f, UUID), "2");
	/* The temporary file as a link: nothing is written through it. (.lock: see lib/store.) */
	snprintf(path, sizeof(path), "%s/history/" UUID "/.new", f->dir);
	assert_int_equal(symlink("/nonexistent/target", path), 0);
	assert_int_equal(keep(f, "a", "<y/>"), 3);
	snprintf(path, sizeof(path), "%s/history/" UUID "/.lock", f->dir);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(keep(f, "a", "<z/>"), 4);
	/* A domain's directory that is a link; the store itself. */
	snprintf(path, sizeof(path), "%s/history/" UUID2, f->dir);
	assert_int_equal(symlink("/tmp", path), 0);
	assert_int_equal(keep_at(f, UUID2, "a", "<z/>", NOW, 9, 9, NULL), -ENOTDIR);
	assert_non_null(strstr(f->err.text, "not a link"));
	snprintf(path, sizeof(path), "%s/linked", f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	strcat(path, "/history");
	assert_int_equal(symlink(f->dir, path), 0);
	*strrchr(path, '/') = '\0';
	assert_int_equal(vw_history_open(path, &h, &f->err), -ENOTDIR);
}

static void test_damage_is_seen(void **state)
{
	struct fixture *f = *state;
	char path[512];
	char *xml = NULL;
	size_t len = 0;
	int fd;

	keep(f, "a", "<x>one</x>");
	keep(f, "a", "<x>two</x>");
	keep(f, "a", "<x>three</x>");
	file_of(f, 1, path);
	assert_int_equal(truncate(path, 20), 0);
	file_of(f, 3, path);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "X", 1, 4), 1);
	close(fd);
	assert_string_equal(numbers(f, UUID), "2 3");
	assert_int_equal(vw_history_read(f->h, UUID, 1, &xml, &len, &f->err), -EBADMSG);
	assert_int_equal(vw_history_read(f->h, UUID, 3, &xml, &len, &f->err), -EBADMSG);
	assert_int_equal(vw_history_read(f->h, UUID, 0, &xml, &len, &f->err), -EBADMSG);
	assert_xml(f, 2, "<x>two</x>");
	/* The newest is damaged, so the same XML is kept again, under a new number. */
	assert_int_equal(keep(f, "a", "<x>three</x>"), 4);
}

static void test_foreign_files_are_left(void **state)
{
	static const char *const names[] = {
		"1-1.xml",       "000001-5.xml~",     "README",
		"000001--5.xml", "99999999999-1.xml", "0000001-1732300000.xml"
	};
	struct fixture *f = *state;
	char path[512];

	keep(f, "a", "<x/>");
	for (size_t i = 0; i < VW_N_ELEMENTS(names); i++) {
		snprintf(path, sizeof(path), "%s/history/" UUID "/%s", f->dir, names[i]);
		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	}
	assert_int_equal(keep_at(f, UUID, "a", "<y/>", NOW, 1, 1, NULL), 0);
	assert_string_equal(numbers(f, UUID), "2");
	for (size_t i = 0; i < VW_N_ELEMENTS(names); i++) {
		snprintf(path, sizeof(path), "%s/history/" UUID "/%s", f->dir, names[i]);
		assert_int_equal(access(path, F_OK), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_uuid_is_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links_are_not_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_files_are_left, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
