/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The history store: what is kept, in what order, for how long, and what hostile
 * names, links and modes do to it. Crashes: test-history-crash.c. */
#include "history.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#define UUID "11111111-2222-3333-4444-555555555555"
#define UUID2 "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
#define NOW 1732300000
#define DAY 86400

struct fixture {
	char dir[64];
	struct vw_history *h;
	struct vw_err err;
};

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/vw-history-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(vw_history_open(f->dir, &f->h, &f->err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vw_history_close(f->h);
	nftw(f->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static int keep_at(struct fixture *f, const char *uuid, const char *name, const char *xml,
		   int64_t now, unsigned max, unsigned days, unsigned *n)
{
	return vw_history_keep(f->h, uuid, name, xml, strlen(xml), VW_CAUSE_CLIENT, "root@virsh[1]",
			       "disk-cache rng", now, max, days, n, &f->err);
}

static unsigned keep(struct fixture *f, const char *name, const char *xml)
{
	unsigned n = 0;

	assert_int_equal(keep_at(f, UUID, name, xml, NOW, 100, 730, &n), 0);
	return n;
}

/* The numbers of all versions as "1 2 3". */
static const char *numbers(struct fixture *f, const char *uuid)
{
	static char text[4096];
	struct vw_version *v = NULL;
	size_t n = 0, len = 0;

	assert_int_equal(vw_history_list(f->h, uuid, &v, &n, &f->err), 0);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		len += (size_t)sprintf(text + len, "%s%u", i ? " " : "", v[i].n);
	vw_versions_free(v, n);
	return text;
}

static void assert_xml(struct fixture *f, unsigned n, const char *expected)
{
	VW_AUTOFREE char *xml = NULL;
	size_t len = 0;

	assert_int_equal(vw_history_read(f->h, UUID, n, &xml, &len, &f->err), 0);
	assert_string_equal(xml, expected);
	assert_int_equal(len, strlen(expected));
}

/* Path of the only (or first) version's file. */
static void file_of(struct fixture *f, unsigned n, char path[512])
{
	snprintf(path, 512, "%s/history/" UUID "/%06u-%d.xml", f->dir, n, NOW);
}

static void test_keep_list_read(void **state)
{
	struct fixture *f = *state;
	struct vw_version *v = NULL;
	size_t n = 0;

	assert_int_equal(keep(f, "web1", "<domain>1</domain>"), 1);
	assert_int_equal(keep(f, "web2", "<domain>2</domain>\n"), 2);
	assert_int_equal(vw_history_list(f->h, UUID, &v, &n, &f->err), 0);
	assert_int_equal(n, 2);
	assert_int_equal(v[0].n, 1);
	assert_int_equal(v[0].time, NOW);
	assert_int_equal(v[0].cause, VW_CAUSE_CLIENT);
	assert_string_equal(v[0].name, "web1");
	assert_string_equal(v[0].who, "root@virsh[1]");
	assert_string_equal(v[0].rules, "disk-cache rng");
	assert_int_equal(v[0].size, 18);
	assert_int_equal(strlen(v[0].hash), 16);
	assert_string_not_equal(v[0].hash, v[1].hash);
	assert_string_equal(v[1].name, "web2");
	vw_versions_free(v, n);
	assert_xml(f, 1, "<domain>1</domain>");
	assert_xml(f, 2, "<domain>2</domain>\n");
	assert_xml(f, 0, "<domain>2</domain>\n");
}

static void test_none(void **state)
{
	struct fixture *f = *state;
	struct vw_version *v = NULL;
	char path[512], *xml = NULL;
	size_t n = 1;

	assert_int_equal(vw_history_list(f->h, UUID, &v, &n, &f->err), 0);
	assert_int_equal(n, 0);
	assert_int_equal(vw_history_read(f->h, UUID, 0, &xml, &n, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "no version"));
	keep(f, "a", "<x/>");
	assert_int_equal(vw_history_read(f->h, UUID, 2, &xml, &n, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "no version 2"));
	/* Asking made nothing. */
	assert_string_equal(numbers(f, UUID2), "");
	snprintf(path, sizeof(path), "%s/history/" UUID2, f->dir);
	assert_int_equal(access(path, F_OK), -1);
}

static void test_same_writes_nothing(void **state)
{
	struct fixture *f = *state;
	struct stat before, after;
	char path[512];

	keep(f, "a", "<x/>");
	snprintf(path, sizeof(path), "%s/history/" UUID, f->dir);
	assert_int_equal(stat(path, &before), 0);
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	assert_int_equal(keep(f, "a", "<x/>"), 1);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	/* Only the newest counts: what was there two versions ago is a new version. */
	assert_int_equal(keep(f, "a", "<y/>"), 2);
	assert_int_equal(keep(f, "a", "<x/>"), 3);
	assert_string_equal(numbers(f, UUID), "1 2 3");
}

static void test_bytes_are_kept(void **state)
{
	struct fixture *f = *state;
	const char xml[] = "\0\xff\n<!-- virt-warden-history 1 size=1 -->\n\n\r\n\0";
	VW_AUTOFREE char *back = NULL;
	size_t len = 0;

	assert_int_equal(vw_history_keep(f->h, UUID, "a", xml, sizeof(xml), VW_CAUSE_SEEN, "", "",
					 NOW, 9, 9, NULL, &f->err), 0);
	assert_int_equal(vw_history_read(f->h, UUID, 1, &back, &len, &f->err), 0);
	assert_int_equal(len, sizeof(xml));
	assert_memory_equal(back, xml, sizeof(xml));
	free(vw_steal(back));
	assert_int_equal(vw_history_keep(f->h, UUID, "a", "", 0, VW_CAUSE_SEEN, "", "", NOW, 9, 9,
					 NULL, &f->err), 0);
	assert_int_equal(vw_history_read(f->h, UUID, 0, &back, &len, &f->err), 0);
	assert_int_equal(len, 0);
}

static void test_size_limit(void **state)
{
	struct fixture *f = *state;
	VW_AUTOFREE char *big = malloc(VW_HISTORY_MAX_BYTES + 1);
	VW_AUTOFREE char *back = NULL;
	size_t len = 0;

	memset(big, 'x', VW_HISTORY_MAX_BYTES + 1);
	assert_int_equal(vw_history_keep(f->h, UUID, "a", big, VW_HISTORY_MAX_BYTES + 1, VW_CAUSE_SEEN,
					 "", "", NOW, 9, 9, NULL, &f->err), -EFBIG);
	assert_string_equal(numbers(f, UUID), "");
	assert_int_equal(vw_history_keep(f->h, UUID, "a", big, VW_HISTORY_MAX_BYTES, VW_CAUSE_SEEN, "",
					 "", NOW, 9, 9, NULL, &f->err), 0);
	assert_int_equal(vw_history_read(f->h, UUID, 0, &back, &len, &f->err), 0);
	assert_int_equal(len, VW_HISTORY_MAX_BYTES);
	assert_memory_equal(back, big, len);
}

static void test_bounded_by_count(void **state)
{
	struct fixture *f = *state;
	char xml[32];
	unsigned n = 0;

	for (int i = 1; i <= 10; i++) {
		sprintf(xml, "<x>%d</x>", i);
		assert_int_equal(keep_at(f, UUID, "a", xml, NOW, 3, 730, &n), 0);
		assert_int_equal(n, i);
	}
	assert_string_equal(numbers(f, UUID), "8 9 10");
	/* A lower bound takes effect, down to the newest alone; numbers go on. */
	assert_int_equal(keep_at(f, UUID, "a", "<y/>", NOW, 0, 730, &n), 0);
	assert_string_equal(numbers(f, UUID), "11");
}

static void test_bounded_by_age(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;

	assert_int_equal(keep_at(f, UUID, "a", "<a/>", NOW, 100, 2, &n), 0);
	assert_int_equal(keep_at(f, UUID, "a", "<b/>", NOW + DAY, 100, 2, &n), 0);
	assert_int_equal(keep_at(f, UUID, "a", "<c/>", NOW + 2 * DAY + 1, 100, 2, &n), 0);
	assert_string_equal(numbers(f, UUID), "2 3");
	/* The same XML much later: the newest stays though it is old. */
	assert_int_equal(keep_at(f, UUID, "a", "<c/>", NOW + 900 * DAY, 100, 2, &n), 0);
	assert_string_equal(numbers(f, UUID), "2 3");
	assert_int_equal(keep_at(f, UUID, "a", "<d/>", NOW + 900 * DAY, 100, 2, &n), 0);
	assert_string_equal(numbers(f, UUID), "4");
	/* A clock that went back neither loses versions nor reuses numbers. */
	assert_int_equal(keep_at(f, UUID, "a", "<e/>", NOW, 100, 2, &n), 0);
	assert_string_equal(numbers(f, UUID), "4 5");
	assert_int_equal(keep_at(f, UUID, "a", "<f/>", -1, 100, 2, &n), -EINVAL);
}

static void test_uuid_is_checked(void **state)
{
	static const char *const bad[] = {
		"", "x", "../../etc", "11111111-2222-3333-4444-55555555555",
		"11111111-2222-3333-4444-5555555555555", "1111111122223333444455555555555555555",
		"11111111-2222-3333-4444-55555555555g", "11111111-2222-3333-4444-5555555555/5",
		"111111112222-3333-4444-5555-55555555", " 1111111-2222-3333-4444-555555555555",
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
	assert_int_equal(keep_at(f, "AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE", "a", "<x/>", NOW, 9, 9, NULL), 0);
	assert_string_equal(numbers(f, UUID2), "1");
}

static void test_find_name(void **state)
{
	static const char *const hostile[] = {
		"../../../etc/passwd", "a --> <b", "-- name=web1 who=", "%2F", "a%00b", "tab\there",
		"line\nbreak name=web1", "\xc3\xa4\xff", " ", "",
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
	/* The temporary file and the lock as links: nothing is written through them. */
	snprintf(path, sizeof(path), "%s/history/" UUID "/.new", f->dir);
	assert_int_equal(symlink("/nonexistent/target", path), 0);
	assert_int_equal(keep(f, "a", "<y/>"), 3);
	snprintf(path, sizeof(path), "%s/history/" UUID "/.lock", f->dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(keep_at(f, UUID, "a", "<z/>", NOW, 9, 9, NULL), -ELOOP);
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
	static const char *const names[] = { "1-1.xml", "000001-5.xml~", "README", "000001--5.xml",
					     "99999999999-1.xml", "0000001-1732300000.xml" };
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

static void test_busy(void **state)
{
	struct fixture *f = *state;
	struct timespec a, b;
	char path[512];
	int fd;

	keep(f, "a", "<x/>");
	snprintf(path, sizeof(path), "%s/history/" UUID "/.lock", f->dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(keep_at(f, UUID, "a", "<y/>", NOW, 9, 9, NULL), -EBUSY);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_in_range(b.tv_sec - a.tv_sec, 1, 4);
	assert_non_null(strstr(f->err.text, "try again"));
	/* Reading needs no lock. */
	assert_xml(f, 0, "<x/>");
	close(fd);
	assert_int_equal(keep(f, "a", "<y/>"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keep_list_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_same_writes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bytes_are_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_size_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounded_by_count, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounded_by_age, setup, teardown),
		cmocka_unit_test_setup_teardown(test_uuid_is_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_links_are_not_followed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damage_is_seen, setup, teardown),
		cmocka_unit_test_setup_teardown(test_foreign_files_are_left, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
