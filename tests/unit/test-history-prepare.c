/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A first version that is written ahead: in no history before it is used, gone if it is not. */
#include "tests/unit/test-history.h"

#include <dirent.h>
#include <sys/wait.h>

static struct vw_prepared *prepare(struct fixture *f, const char *xml)
{
	struct vw_prepared *p = NULL;

	assert_int_equal(vw_history_prepare(f->h, UUID, "web1", xml, strlen(xml), VW_CAUSE_CLIENT,
					    "root@virsh[1]", NOW, &p, &f->err),
			 0);
	return p;
}

/* How many directories lie in .ahead? */
static int ahead(const struct fixture *f)
{
	char path[512];
	struct dirent *e;
	DIR *d;
	int n = 0;

	snprintf(path, sizeof(path), "%s/history/.ahead", f->dir);
	d = opendir(path);
	while (d && (e = readdir(d)))
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static void test_used(void **state)
{
	static const enum vw_history_disk when[] = { VW_DISK_NOW, VW_DISK_LATER, VW_DISK_NEVER };
	struct fixture *f = *state;
	char path[512];

	for (size_t i = 0; i < VW_N_ELEMENTS(when); i++) {
		struct vw_prepared *p = prepare(f, "<x>typed</x>");

		assert_string_equal(numbers(f, UUID), "");
		assert_int_equal(ahead(f), 1);
		vw_history_disk(f->h, when[i]);
		assert_int_equal(vw_history_use(p), 0);
		vw_history_abandon(p);
		assert_int_equal(ahead(f), 0);
		assert_string_equal(numbers(f, UUID), "1");
		assert_xml(f, 1, "<x>typed</x>");
		assert_int_equal(vw_history_settle(f->h, &f->err), 0);
		assert_int_equal(keep(f, "web1", "<x>fixed</x>"), 2);
		file_of(f, 1, path);
		unlink(path);
		file_of(f, 2, path);
		unlink(path);
		*strrchr(path, '/') = 0;
		assert_int_equal(rmdir(path), 0);
	}
}

static void test_not_used(void **state)
{
	struct fixture *f = *state;

	vw_history_abandon(prepare(f, "<x/>"));
	assert_string_equal(numbers(f, UUID), "");
	assert_int_equal(ahead(f), 0);
	vw_history_abandon(NULL);
}

/* Who has a history keeps it, whole; one that begins in between, too, even if it is empty yet. */
static void test_has_a_history(void **state)
{
	struct fixture *f = *state;
	struct vw_prepared *p = prepare(f, "<x>new</x>");
	char path[512];

	snprintf(path, sizeof(path), "%s/history/" UUID, f->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(vw_history_use(p), -EEXIST);
	assert_int_equal(keep(f, "web1", "<x>old</x>"), 1);
	assert_int_equal(vw_history_use(p), -EEXIST);
	vw_history_abandon(p);
	p = NULL;
	assert_int_equal(vw_history_prepare(f->h, UUID, "web1", "<x/>", 4, VW_CAUSE_CLIENT, "", NOW,
					    &p, &f->err),
			 -EEXIST);
	assert_null(p);
	assert_string_equal(numbers(f, UUID), "1");
	assert_xml(f, 1, "<x>old</x>");
	assert_int_equal(ahead(f), 0);
}

static void test_bad(void **state)
{
	struct fixture *f = *state;
	struct vw_prepared *p = NULL;

	assert_int_equal(vw_history_prepare(f->h, "../x", "a", "<x/>", 4, VW_CAUSE_CLIENT, "", NOW,
					    &p, &f->err),
			 -EINVAL);
	assert_int_equal(vw_history_prepare(f->h, UUID, "a", "<x/>", 4, VW_CAUSE_CLIENT, "", -1, &p,
					    &f->err),
			 -EINVAL);
	assert_int_equal(vw_history_prepare(f->h, UUID, "a", "<x/>", VW_HISTORY_MAX_BYTES + 1,
					    VW_CAUSE_CLIENT, "", NOW, &p, &f->err),
			 -EFBIG);
	assert_null(p);
	assert_int_equal(ahead(f), 0);
}

/* What a killed process left goes with the next, that of one that lives stays. */
static void test_leftovers(void **state)
{
	struct fixture *f = *state;
	struct vw_prepared *p;
	char path[512];
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		prepare(f, "<x>dead</x>");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(ahead(f), 1);
	snprintf(path, sizeof(path), "%s/history/.ahead/1", f->dir); /* init lives */
	assert_int_equal(mkdir(path, 0700), 0);
	p = prepare(f, "<x>mine</x>");
	assert_int_equal(ahead(f), 2);
	assert_int_equal(vw_history_use(p), 0);
	vw_history_abandon(p);
	assert_xml(f, 1, "<x>mine</x>");
	assert_int_equal(ahead(f), 1);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_used, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_used, setup, teardown),
		cmocka_unit_test_setup_teardown(test_has_a_history, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leftovers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
