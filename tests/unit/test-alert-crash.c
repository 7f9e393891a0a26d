/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The queue of alerts under kill -9 and several writers at once: what was acknowledged is there,
 * nothing is half, nothing comes back to life. */
#include "lib/alert/alert-queue.h"

#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#define NOW 1732300000
#define KILLS 60
#define WRITERS 4
#define EACH 25

static char dir[64];

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/vw-alert-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static struct vw_alert sample(unsigned n, char uuid[40])
{
	snprintf(uuid, 40, "%08u-0000-4000-8000-000000000000", n);
	return (struct vw_alert){
		.kind = "test",
		.host = "beta",
		.domain = "web",
		.uuid = uuid,
		.summary = "a summary that is long enough to be written in pieces"
	};
}

/* Raises one alert after the other, and resolves each third; says how far it came. */
static void work(volatile unsigned *done, unsigned from)
{
	struct vw_alerts *q = NULL;

	if (vw_alerts_open(dir, &q, NULL) < 0)
		_exit(1);
	for (unsigned n = from;; n++) {
		char uuid[40];
		const struct vw_alert a = sample(n, uuid);

		if (vw_alert_raise(q, &a, NOW + n, NULL, NULL) < 0)
			_exit(1);
		if (n % 3 == 0 && vw_alert_resolve(q, "test", uuid, "beta", NOW + n, NULL) < 0)
			_exit(1);
		*done = n;
	}
}

static void check(unsigned done)
{
	struct vw_alerts *q = NULL;
	VW_AUTOALERTLIST struct vw_alert_list l = { 0 };
	VW_AUTOFREE unsigned char *seen = calloc(done + 2, 1);

	assert_int_equal(vw_alerts_open(dir, &q, NULL), 0);
	assert_int_equal(vw_alerts_list(q, VW_ALERT_LIST_ALL, &l, NULL), 0);
	assert_int_equal(l.damaged, 0);
	for (size_t i = 0; i < l.n; i++) {
		const unsigned n = (unsigned)strtoul(l.v[i]->uuid, NULL, 10);

		assert_true(n <= done + 1);
		/* The one that was under way may be begun anew by the next worker, and be two. */
		seen[n]++;
		if (n <= done)
			assert_int_equal(l.v[i]->resolved != 0, n % 3 == 0);
	}
	for (unsigned n = 1; n <= done; n++)
		assert_true(seen[n] >= 1);
	assert_true(done == 0 || vw_alerts_stamp(q) != 0);
	vw_alerts_close(q);
}

static void test_kill(void **state)
{
	volatile unsigned *done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned seed = (unsigned)getpid();

	(void)state;
	assert_true(done != MAP_FAILED);
	for (int i = 0; i < KILLS; i++) {
		const struct timespec pause = { .tv_nsec = rand_r(&seed) % 20000000 };
		const pid_t pid = fork();

		if (pid == 0)
			work(done, *done + 1);
		nanosleep(&pause, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		check(*done);
	}
	munmap((void *)(uintptr_t)done, sizeof(*done));
}

/* All raise the same alerts: each is one, its count is of all. */
static void test_writers(void **state)
{
	VW_AUTOALERTLIST struct vw_alert_list l = { 0 };
	struct vw_alerts *q = NULL;

	(void)state;
	for (int w = 0; w < WRITERS; w++)
		if (fork() == 0) {
			if (vw_alerts_open(dir, &q, NULL) < 0)
				_exit(1);
			for (unsigned n = 1; n <= EACH; n++) {
				char uuid[40];
				const struct vw_alert a = sample(n, uuid);

				if (vw_alert_raise(q, &a, NOW, NULL, NULL) < 0)
					_exit(1);
			}
			_exit(0);
		}
	for (int w = 0; w < WRITERS; w++) {
		int status = -1;

		wait(&status);
		assert_int_equal(status, 0);
	}
	assert_int_equal(vw_alerts_open(dir, &q, NULL), 0);
	assert_int_equal(vw_alerts_list(q, VW_ALERT_LIST_OPEN, &l, NULL), 0);
	assert_int_equal(l.n, EACH);
	for (size_t i = 0; i < l.n; i++)
		assert_int_equal(l.v[i]->count, WRITERS);
	vw_alerts_close(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
