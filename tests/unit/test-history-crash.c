/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The history store under kill -9, several writers at once, and a full disk: every
 * version that is listed reads back whole, and what was acknowledged is there. */
#include "lib/history/history.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#define UUID "11111111-2222-3333-4444-555555555555"
#define NOW 1732300000
#define KILLS 200
#define BODY_MAX 200000

struct shared {
	volatile unsigned n; /* the last version that keep() acknowledged … */
	unsigned seed;       /* … and what its XML was made from */
};

static char dir[64];

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/vw-history-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

/* XML that can be made again from its seed; up to 200 kB. Return: its length. */
static size_t make_xml(unsigned seed, char *buf)
{
	unsigned x = seed * 2654435761u + 1;
	size_t body = x % BODY_MAX;
	size_t len = (size_t)sprintf(buf, "<domain seed='%u'>", seed);

	for (size_t i = 0; i < body; i++) {
		x = x * 1664525u + 1013904223u;
		buf[len++] = (char)('a' + (x >> 24) % 26);
	}
	return len + (size_t)sprintf(buf + len, "</domain>");
}

static int keep(struct vw_history *h, unsigned seed, unsigned max, unsigned *n, struct vw_err *err)
{
	VW_AUTOFREE char *xml = malloc(BODY_MAX + 100);
	size_t len = make_xml(seed, xml);

	return vw_history_keep(h, UUID, "web1", xml, len, VW_CAUSE_FIX, "test", "rng", NOW, max, 9,
			       n, err);
}

/* How many version files there are; a damaged one is not listed, but counts here. */
static size_t count_files(void)
{
	char path[256];
	struct dirent *entry;
	size_t n = 0;
	DIR *d;

	snprintf(path, sizeof(path), "%s/history/" UUID, dir);
	d = opendir(path);
	while (d && (entry = readdir(d)))
		n += strstr(entry->d_name, ".xml") != NULL;
	if (d)
		closedir(d);
	return n;
}

/* Every version file is listed and is what some seed makes. Return: how many there are. */
static size_t assert_all_whole(struct vw_history *h)
{
	VW_AUTOFREE char *expected = malloc(BODY_MAX + 100);
	struct vw_version *v = NULL;
	size_t n = 0;

	assert_int_equal(vw_history_list(h, UUID, &v, &n, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		VW_AUTOFREE char *xml = NULL;
		size_t len = 0;
		unsigned seed = 0;

		assert_int_equal(vw_history_read(h, UUID, v[i].n, &xml, &len, NULL), 0);
		assert_int_equal(sscanf(xml, "<domain seed='%u'>", &seed), 1);
		assert_int_equal(len, make_xml(seed, expected));
		assert_memory_equal(xml, expected, len);
		assert_true(!i || v[i].n > v[i - 1].n);
	}
	vw_versions_free(v, n);
	assert_int_equal(n, count_files());
	return n;
}

static _Noreturn void write_for_ever(struct shared *shared)
{
	struct vw_history *h = NULL;
	unsigned n = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (vw_history_open(dir, &h, NULL) < 0)
		_exit(1);
	for (unsigned seed = shared->seed + 1;; seed++) {
		if (keep(h, seed, 20, &n, NULL) < 0)
			_exit(2);
		shared->n = n;
		shared->seed = seed;
	}
}

static void test_kill(void **state)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct vw_history *h = NULL;
	unsigned random = (unsigned)time(NULL), interrupted = 0;
	char path[256];

	(void)state;
	assert_ptr_not_equal(shared, MAP_FAILED);
	assert_int_equal(vw_history_open(dir, &h, NULL), 0);
	snprintf(path, sizeof(path), "%s/history/" UUID "/.new", dir);
	for (int i = 0; i < KILLS; i++) {
		unsigned acknowledged = shared->n;
		pid_t pid = fork();
		int status = 0;

		if (pid == 0)
			write_for_ever(shared);
		/* Now and then let it keep something first, however slow this machine is. */
		for (int ms = 0; i % 4 == 0 && shared->n == acknowledged && ms < 5000; ms++)
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		random = random * 1664525u + 1013904223u;
		nanosleep(&(struct timespec){ .tv_nsec = 500000 + (random >> 8) % 9000000 }, NULL);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_true(shared->n >= acknowledged);
		interrupted += access(path, F_OK) == 0;
		if (i % 10 == 9)
			assert_all_whole(h);
	}
	assert_true(shared->n > 0);
	print_message("%u versions, %u of %d kills left a temporary file\n", shared->n, interrupted,
		      KILLS);
	/* What was acknowledged last is there, or what came right after it. */
	{
		struct vw_version *v = NULL;
		size_t n = 0;

		assert_int_equal(vw_history_list(h, UUID, &v, &n, NULL), 0);
		assert_true(n > 0 && v[n - 1].n >= shared->n && v[0].n <= shared->n);
		vw_versions_free(v, n);
	}
	/* The next writer sweeps what the last one left. */
	assert_int_equal(keep(h, shared->seed + 1000, 20, NULL, NULL), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(assert_all_whole(h), 20);
	vw_history_close(h);
	munmap(shared, sizeof(*shared));
}

static _Noreturn void write_some(unsigned first, unsigned count)
{
	struct vw_history *h = NULL;
	int r = vw_history_open(dir, &h, NULL);

	for (unsigned i = 0; r == 0 && i < count; i++) {
		int tries = 10;

		do /* busy for 2 s is fair where a machine is slow and all write on and on */
			r = keep(h, first + i, 1000, NULL, NULL);
		while (r == -EBUSY && --tries);
	}
	_exit(r < 0);
}

static void test_writers_at_once(void **state)
{
	enum { WRITERS = 4, EACH = 15 };
	struct vw_history *h = NULL;
	struct vw_version *v = NULL;
	pid_t pid[WRITERS];
	size_t n = 0;

	(void)state;
	for (unsigned w = 0; w < WRITERS; w++) {
		pid[w] = fork();
		if (pid[w] == 0)
			write_some(w * 1000, EACH);
	}
	for (unsigned w = 0; w < WRITERS; w++) {
		int status = -1;

		assert_int_equal(waitpid(pid[w], &status, 0), pid[w]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(vw_history_open(dir, &h, NULL), 0);
	assert_int_equal(assert_all_whole(h), WRITERS * EACH);
	assert_int_equal(vw_history_list(h, UUID, &v, &n, NULL), 0);
	assert_int_equal(v[n - 1].n, WRITERS * EACH); /* no number twice, none left out */
	vw_versions_free(v, n);
	vw_history_close(h);
}

/* In a mount namespace of its own: no mount is left behind, however this ends. */
static void test_full_disk(void **state)
{
	struct vw_history *h = NULL;
	struct vw_err err = { 0 };
	char path[256];
	size_t n;
	int r = 0;

	(void)state;
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", dir, "tmpfs", 0, "size=1m,mode=700"), 0);
	assert_int_equal(vw_history_open(dir, &h, &err), 0);
	for (unsigned seed = 1; r == 0 && seed < 1000; seed++)
		r = keep(h, seed, 1000, NULL, &err);
	assert_int_equal(r, -ENOSPC);
	assert_non_null(strstr(err.text, "free some space"));
	assert_non_null(strstr(err.text, dir));
	snprintf(path, sizeof(path), "%s/history/" UUID "/.new", dir);
	assert_int_equal(access(path, F_OK), -1);
	n = assert_all_whole(h);
	assert_true(n > 3);
	/* Small ones may still fit; all of it stays readable until nothing fits. */
	for (r = 0; r == 0; n++)
		r = vw_history_keep(h, UUID, "a", n % 2 ? "<a/>" : "<b/>", 4, VW_CAUSE_FIX, "", "",
				    NOW, 1000, 9, NULL, &err);
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(access(path, F_OK), -1);
	vw_history_close(h);
	/* Not even a directory or a lock can be made. */
	assert_int_equal(mount("none", dir, "tmpfs", 0, "nr_inodes=3,mode=700"), 0);
	assert_int_equal(vw_history_open(dir, &h, &err), 0);
	assert_int_equal(keep(h, 1, 9, NULL, &err), -ENOSPC);
	vw_history_close(h);
	/* Read-only: an error before anything, reading still works. */
	assert_int_equal(mount("none", dir, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL), 0);
	assert_int_equal(vw_history_open(dir, &h, &err), 0);
	assert_int_equal(keep(h, 1, 9, NULL, &err), -EROFS);
	assert_int_equal(assert_all_whole(h), 0);
	vw_history_close(h);
	umount(dir);
	umount(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writers_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
