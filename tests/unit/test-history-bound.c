/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The history's bound in bytes over all domains: what goes first, what never goes, ages of what is gone,
 * a full store; kills and writers while it is swept. */
#include "tests/unit/test-history.h"

#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define KIB 1024u
#define MIB (1024u * 1024u)

static void uuid_of(unsigned i, char uuid[37])
{
	snprintf(uuid, 37, "%08x-0000-0000-0000-000000000000", i);
}

/* A version of that size (at least 64), whose text `seed` tells. Return: as vw_history_keep. */
static int keep_size(struct fixture *f, const char *uuid, enum vw_cause cause, size_t size,
		     unsigned seed, int64_t now)
{
	VW_AUTOFREE char *xml = malloc(size + 1);
	int n = snprintf(xml, size, "<domain n='%u'/>", seed);

	memset(xml + n, ' ', size - (size_t)n);
	return vw_history_keep(f->h, uuid, "web1", xml, size, cause, "test", "", now, 1000, 36500,
			       NULL, &f->err);
}

static uint64_t bytes(struct fixture *f)
{
	uint64_t n = 0;
	bool full;

	assert_int_equal(vw_history_size(f->h, &n, &full, &f->err), 0);
	return n;
}

static struct vw_swept sweep(struct fixture *f, uint64_t max, int64_t now, unsigned days,
			     const struct vw_domains *known)
{
	const struct vw_sweep how = { .now = now, .days = days, .bytes = max, .known = known };
	struct vw_swept swept = { 0 };

	assert_int_equal(vw_history_sweep(f->h, &how, &swept, &f->err), 0);
	assert_int_equal(bytes(f), swept.bytes);
	return swept;
}

/* define 3 MB, undefine, again and again: it stays bounded, and another's history stays. */
static void test_define_undefine(void **state)
{
	struct fixture *f = *state;
	char uuid[37];

	vw_history_bound(f->h, 16 * MIB, true);
	for (unsigned i = 1; i <= 10; i++)
		assert_int_equal(keep_size(f, UUID, VW_CAUSE_CLIENT, 100, i, NOW), 0);
	for (unsigned i = 1; i <= 20; i++) {
		uuid_of(i, uuid);
		assert_int_equal(keep_size(f, uuid, VW_CAUSE_CLIENT, 3 * MIB, 1, NOW), 0);
		assert_int_equal(vw_history_gone(f->h, uuid, NOW), 0);
		assert_true(bytes(f) <= 16 * MIB);
	}
	assert_string_equal(numbers(f, UUID), "1 2 3 4 5 6 7 8 9 10");
	assert_string_equal(numbers(f, uuid), "1");
	assert_true(sweep(f, 0, NOW, 0, NULL).bytes <= 16 * MIB);
}

/* The domain with the most bytes loses first; of a living one the newest stays, and our last change
 * with the one before it. */
static void test_most_bytes_first(void **state)
{
	struct fixture *f = *state;

	vw_history_bound(f->h, 1 * MIB, true);
	for (unsigned i = 1; i <= 5; i++)
		assert_int_equal(keep_size(f, UUID2, VW_CAUSE_CLIENT, 10 * KIB, i, NOW), 0);
	assert_int_equal(keep_size(f, UUID, VW_CAUSE_CLIENT, 100 * KIB, 1, NOW), 0);
	assert_int_equal(keep_size(f, UUID, VW_CAUSE_SEEN, 100 * KIB, 2, NOW), 0); /* before ours */
	assert_int_equal(keep_size(f, UUID, VW_CAUSE_FIX, 100 * KIB, 3, NOW), 0);
	for (unsigned i = 4; i <= 40; i++)
		assert_int_equal(keep_size(f, UUID, VW_CAUSE_CLIENT, 100 * KIB, i, NOW), 0);
	assert_true(bytes(f) <= 1 * MIB);
	assert_string_equal(numbers(f, UUID2), "1 2 3 4 5");
	assert_true(vw_startswith(numbers(f, UUID), "2 3 "));
	/* all that may go */
	assert_true(sweep(f, 1, NOW, 0, NULL).full);
	assert_string_equal(numbers(f, UUID), "2 3 40");
	assert_string_equal(numbers(f, UUID2), "5");
}

/* What the hook and undo keep is itself the version before the change. */
static void test_before_hook(void **state)
{
	struct fixture *f = *state;

	keep_size(f, UUID, VW_CAUSE_FIX, 100, 1, NOW);
	keep_size(f, UUID, VW_CAUSE_HOOK, 100, 2, NOW);
	keep_size(f, UUID, VW_CAUSE_CLIENT, 100, 3, NOW);
	keep_size(f, UUID, VW_CAUSE_CLIENT, 100, 4, NOW);
	keep_size(f, UUID2, VW_CAUSE_UNDO, 100, 1, NOW);
	keep_size(f, UUID2, VW_CAUSE_SEEN, 100, 2, NOW);
	sweep(f, 1, NOW, 0, NULL);
	assert_string_equal(numbers(f, UUID), "2 4");
	assert_string_equal(numbers(f, UUID2), "1 2");
}

/* Of a domain that is gone the last version stays for 90 days, if it is small. */
static void test_gone(void **state)
{
	struct fixture *f = *state;
	char path[512];

	keep_size(f, UUID, VW_CAUSE_CLIENT, 100, 1, NOW);
	keep_size(f, UUID, VW_CAUSE_FIX, 100, 2, NOW);
	keep_size(f, UUID2, VW_CAUSE_CLIENT, 1 * MIB, 1, NOW);
	vw_history_gone(f->h, UUID, NOW);
	vw_history_gone(f->h, UUID2, NOW);
	sweep(f, 1, NOW + 89 * DAY, 0, NULL);
	assert_string_equal(numbers(f, UUID), "2");
	assert_string_equal(numbers(f, UUID2), "");
	assert_int_equal(sweep(f, 1, NOW + 91 * DAY, 0, NULL).domains, 1);
	assert_string_equal(numbers(f, UUID), "");
	snprintf(path, sizeof(path), "%s/history/" UUID, f->dir);
	assert_int_equal(access(path, F_OK), -1);
	/* it is kept again as if it had never been there */
	assert_int_equal(keep(f, "web1", "<x/>"), 1);
}

/* Who keeps a version says that the domain is there. */
static void test_back_again(void **state)
{
	struct fixture *f = *state;

	keep_size(f, UUID, VW_CAUSE_CLIENT, 1 * MIB, 1, NOW);
	vw_history_gone(f->h, UUID, NOW);
	assert_int_equal(keep_size(f, UUID, VW_CAUSE_CLIENT, 1 * MIB, 1, NOW + 1), 0);
	assert_int_equal(sweep(f, 1, NOW + 365 * DAY, 0, NULL).gone, 0);
	assert_string_equal(numbers(f, UUID), "1");
	vw_history_gone(f->h, UUID, NOW);
	vw_history_gone(f->h, UUID, 0);
	assert_int_equal(sweep(f, 1, NOW + 365 * DAY, 0, NULL).gone, 0);
	assert_string_equal(numbers(f, UUID), "1");
}

/* `days` holds for what is gone, too; but not because the clock jumped. */
static void test_days(void **state)
{
	struct fixture *f = *state;
	char uuids[1][37] = { UUID2 };
	const struct vw_domains known = { uuids, 1 };

	keep_size(f, UUID, VW_CAUSE_CLIENT, 100, 1, NOW);
	keep_size(f, UUID, VW_CAUSE_FIX, 100, 2, NOW);
	keep_size(f, UUID2, VW_CAUSE_CLIENT, 100, 1, NOW);
	assert_int_equal(sweep(f, 0, NOW, 30, &known).gone, 1); /* marked now */
	assert_int_equal(sweep(f, 0, NOW + DAY, 30, &known).versions, 0);
	assert_int_equal(sweep(f, 0, NOW + 4000 * DAY, 30, &known).versions, 0); /* a jump */
	assert_int_equal(sweep(f, 0, NOW + 2 * DAY, 30, &known).versions, 0);    /* and back */
	assert_string_equal(numbers(f, UUID), "1 2");
	sweep(f, 0, NOW + 30 * DAY, 30, &known);
	sweep(f, 0, NOW + 30 * DAY + 60, 30, &known); /* just now does not count */
	assert_string_equal(numbers(f, UUID), "1 2");
	sweep(f, 0, NOW + 31 * DAY, 30, &known);
	assert_string_equal(numbers(f, UUID), "2"); /* its last one not before 90 days */
	sweep(f, 0, NOW + 89 * DAY, 30, &known);
	sweep(f, 0, NOW + 91 * DAY, 30, &known);
	assert_string_equal(numbers(f, UUID), "");
	assert_string_equal(numbers(f, UUID2), "1");
}

/* Nothing may go: nothing is kept, and that is said. */
static void test_full(void **state)
{
	struct fixture *f = *state;
	struct vw_prepared *p = NULL;
	char uuid[37];
	uint64_t before;
	int r = 0;
	unsigned i;

	vw_history_bound(f->h, 1 * MIB, true);
	for (i = 1; r == 0 && i < 100; i++) {
		uuid_of(i, uuid);
		r = keep_size(f, uuid, VW_CAUSE_CLIENT, 100 * KIB, 1, NOW);
	}
	assert_int_equal(r, -EDQUOT);
	assert_int_equal(i, 11);
	assert_string_equal(numbers(f, uuid), "");
	assert_non_null(strstr(f->err.text, "size-mib"));
	before = bytes(f);
	assert_int_equal(vw_history_prepare(f->h, UUID, "web1", "<x/>", 4, VW_CAUSE_CLIENT, "", NOW,
					    &p, &f->err),
			 0);
	assert_true(bytes(f) > before);
	vw_history_abandon(p);
	assert_int_equal(bytes(f), before);
	/* the admin raises the bound */
	vw_history_bound(f->h, 2 * MIB, true);
	assert_int_equal(keep_size(f, uuid, VW_CAUSE_CLIENT, 100 * KIB, 1, NOW), 0);
}

/* Who may not sweep neither walks nor removes. */
static void test_may_not_sweep(void **state)
{
	struct fixture *f = *state;
	uint64_t n;
	bool full;

	vw_history_bound(f->h, 1 * MIB, false);
	assert_int_equal(keep_size(f, UUID, VW_CAUSE_HOOK, 900 * KIB, 1, NOW), 0);
	assert_int_equal(vw_history_size(f->h, &n, &full, &f->err), -ENODATA);
	sweep(f, 0, NOW, 0, NULL);
	assert_int_equal(keep_size(f, UUID, VW_CAUSE_HOOK, 900 * KIB, 2, NOW), -EDQUOT);
	assert_string_equal(numbers(f, UUID), "1");
	vw_history_bound(f->h, 1 * MIB, true);
	assert_int_equal(keep_size(f, UUID, VW_CAUSE_CLIENT, 200 * KIB, 2, NOW), -EDQUOT);
	assert_int_equal(keep_size(f, UUID2, VW_CAUSE_CLIENT, 20 * KIB, 1, NOW), 0);
}

/* A store of the first release, or a damaged count: counted once. The count is what a walk finds. */
static void test_count(void **state)
{
	struct fixture *f = *state;
	char path[512];
	uint64_t counted;
	int fd;

	for (unsigned i = 1; i <= 20; i++)
		assert_int_equal(keep_size(f, UUID, VW_CAUSE_CLIENT, 10 * KIB, i, NOW), 0);
	vw_history_bound(f->h, 1024 * MIB, true);
	assert_int_equal(keep_size(f, UUID, VW_CAUSE_CLIENT, 10 * KIB, 21, NOW), 0);
	assert_true(bytes(f) >= 21 * 12 * KIB);
	/* what is pruned is given back */
	assert_int_equal(vw_history_keep(f->h, UUID, "web1", "<x/>", 4, VW_CAUSE_CLIENT, "", "",
					 NOW, 5, 36500, NULL, &f->err),
			 0);
	counted = bytes(f);
	assert_true(counted < 7 * 12 * KIB);
	assert_int_equal(sweep(f, 0, NOW, 0, NULL).bytes, counted);
	snprintf(path, sizeof(path), "%s/history/.size", f->dir);
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "12 garbage", 10), 10);
	close(fd);
	assert_int_equal(keep_size(f, UUID, VW_CAUSE_CLIENT, 10 * KIB, 22, NOW), 0);
	assert_true(bytes(f) > 5 * 12 * KIB && bytes(f) < 8 * 12 * KIB);
}

/* Every version that is listed can be read. Return: how many. */
static size_t assert_readable(struct fixture *f, const char *uuid)
{
	struct vw_version *v = NULL;
	size_t n = 0;

	assert_int_equal(vw_history_list(f->h, uuid, &v, &n, &f->err), 0);
	for (size_t i = 0; i < n; i++) {
		VW_AUTOFREE char *xml = NULL;
		size_t len;
		int r = vw_history_read(f->h, uuid, v[i].n, &xml, &len, &f->err);

		assert_int_equal(r, 0);
	}
	vw_versions_free(v, n);
	return n;
}

static _Noreturn void churn(const char *dir, unsigned seed)
{
	struct fixture f = { .h = NULL };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (vw_history_open(dir, &f.h, NULL) < 0)
		_exit(1);
	vw_history_disk(f.h, VW_DISK_NEVER);
	vw_history_bound(f.h, 512 * KIB, true);
	for (;; seed++) {
		char uuid[37];
		const struct vw_sweep how = { .now = NOW + (int64_t)(seed % 100) * DAY,
					      .bytes = 256 * KIB };

		uuid_of(seed % 8, uuid);
		keep_size(&f, uuid, seed % 3 ? VW_CAUSE_CLIENT : VW_CAUSE_FIX, 20 * KIB, seed, NOW);
		if (seed % 5 == 0)
			vw_history_gone(f.h, uuid, NOW);
		if (seed % 7 == 0)
			vw_history_sweep(f.h, &how, NULL, NULL);
	}
}

/* Two that write and sweep, killed at any instant: what is there is whole, what must stay is there, and
 * the next sweep counts right. */
static void test_kill(void **state)
{
	struct fixture *f = *state;
	unsigned random = (unsigned)time(NULL);

	keep_size(f, UUID, VW_CAUSE_CLIENT, 100, 1, NOW);
	keep_size(f, UUID, VW_CAUSE_FIX, 100, 2, NOW);
	for (unsigned i = 0; i < 40; i++) {
		pid_t pid[2];
		char uuid[37];

		for (unsigned k = 0; k < 2; k++) {
			pid[k] = fork();
			if (pid[k] == 0)
				churn(f->dir, i * 1000 + k * 500);
		}
		random = random * 1664525u + 1013904223u;
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 + (random >> 8) % 30000000 },
			  NULL);
		for (unsigned k = 0; k < 2; k++) {
			kill(pid[k], SIGKILL);
			assert_int_equal(waitpid(pid[k], NULL, 0), pid[k]);
		}
		for (unsigned k = 0; k < 8; k++) {
			uuid_of(k, uuid);
			assert_readable(f, uuid);
		}
		assert_string_equal(numbers(f, UUID), "1 2");
		sweep(f, 512 * KIB, NOW, 0, NULL);
	}
	vw_history_bound(f->h, 512 * KIB, true);
	assert_int_equal(keep_size(f, UUID, VW_CAUSE_CLIENT, 100, 3, NOW), 0);
}

/* A domain is removed, all of it, while others keep versions of it: who was told that it is kept finds
 * it. */
static void test_remove_and_keep(void **state)
{
	struct fixture *f = *state;
	pid_t pid = fork();

	if (pid == 0) {
		struct fixture other = { .h = NULL };
		const struct vw_sweep how = { .now = NOW + 100 * DAY, .bytes = 1 };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (vw_history_open(f->dir, &other.h, NULL) < 0)
			_exit(1);
		for (;;) {
			vw_history_gone(other.h, UUID, NOW);
			vw_history_sweep(other.h, &how, NULL, NULL);
		}
	}
	vw_history_disk(f->h, VW_DISK_NEVER);
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(keep_size(f, UUID, VW_CAUSE_CLIENT, 100, i, NOW), 0);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(keep_size(f, UUID, VW_CAUSE_CLIENT, 100, 1000, NOW), 0);
	assert_readable(f, UUID);
	assert_int_equal(vw_history_gone(f->h, UUID, 0), 0);
	sweep(f, 1, NOW, 0, NULL);
	assert_int_equal(assert_readable(f, UUID), 1);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_define_undefine),
		CASE(test_most_bytes_first),
		CASE(test_before_hook),
		CASE(test_gone),
		CASE(test_back_again),
		CASE(test_days),
		CASE(test_full),
		CASE(test_may_not_sweep),
		CASE(test_count),
		CASE(test_kill),
		CASE(test_remove_and_keep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
