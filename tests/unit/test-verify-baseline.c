/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Baselines: from samples, as text and back, and hostile text from a domain's metadata. */
#include "lib/health/sample.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct vw_baseline full = {
	.known = true,
	.cpu = VW_CPU_CLASS_BUSY,
	.cpu_permille = 1999,
	.wakes = true,
	.paused = true,
	.panicked = true,
	.disk = { 960, 0, 1000000000 },
	.n_disks = 3,
	.rx = 12,
	.tx = 13,
	.console = 14,
	.agent = VW_YES,
	.skew_known = true,
	.skew = -3600,
	.reachable = true,
	.address = { "10.77.0.101", "2001:db8::1" },
	.n_addresses = 2,
};

static void test_there_and_back(void **state)
{
	static const struct vw_baseline least = { .known = true };
	const struct vw_baseline *all[] = { &full, &least };
	char text[VW_BASELINE_SIZE], again[VW_BASELINE_SIZE];

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(all); i++) {
		struct vw_baseline b;
		size_t len = vw_baseline_format(all[i], text);

		assert_int_equal(len, strlen(text));
		assert_int_equal(vw_baseline_parse(text, &b), 0);
		assert_false(vw_baseline_differs(&b, all[i]));
		vw_baseline_format(&b, again);
		assert_string_equal(text, again);
	}
}

static void test_longest(void **state)
{
	struct vw_baseline b = full, back;
	char text[VW_BASELINE_SIZE];

	(void)state;
	b.n_disks = VW_SAMPLE_DISKS;
	for (unsigned i = 0; i < VW_SAMPLE_DISKS; i++)
		b.disk[i] = 1000000000;
	b.n_addresses = 0;
	for (unsigned i = 0; i < VW_ADDRESSES_MAX; i++)
		snprintf(b.address[b.n_addresses++], sizeof(b.address[0]),
			 "2001:1111:2222:3333:4444:5555:6666:777%u", i);
	assert_true(vw_baseline_format(&b, text) < VW_BASELINE_SIZE);
	assert_int_equal(vw_baseline_parse(text, &back), 0);
	assert_false(vw_baseline_differs(&b, &back));
}

static void test_hostile(void **state)
{
	static const struct {
		const char *text;
		int want;
	} rows[] = {
		{ "", -EINVAL },
		{ " ", -EINVAL },
		{ "one", -EINVAL },
		{ "2 cpu=idle,1", -ENOTSUP },
		{ "1", 0 },
		{ "1 cpu=idle,7 new-word=what,ever", 0 },
		{ "1 cpu=idle", -EINVAL },
		{ "1 cpu=idle,", -EINVAL },
		{ "1 cpu=idle,-1", -EINVAL },
		{ "1 cpu=idle,99999999999999999999", -EINVAL },
		{ "1 cpu=fast,1", -EINVAL },
		{ "1 cpu=idle,1 cpu=idle,1", -EINVAL },
		{ "1 disk=", -EINVAL },
		{ "1 disk=1,2,x", -EINVAL },
		{ "1 disk=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", 0 },
		{ "1 disk=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", -EINVAL },
		{ "1 rx=1,2", -EINVAL },
		{ "1 agent=maybe", -EINVAL },
		{ "1 skew=--1", -EINVAL },
		{ "1 skew=-1000000001", -EINVAL },
		{ "1 address=127.0.0.1", -EINVAL },
		{ "1 address=169.254.1.1", 0 },
		{ "1 address=224.0.0.1", -EINVAL },
		{ "1 address=255.255.255.255", -EINVAL },
		{ "1 address=0.0.0.0", -EINVAL },
		{ "1 address=::1", -EINVAL },
		{ "1 address=fe80::1", -EINVAL },
		{ "1 address=::ffff:127.0.0.1", -EINVAL },
		{ "1 address=10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4", 0 },
		{ "1 address=10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5", -EINVAL },
		{ "1 address=evil.example.com", -EINVAL },
		{ "1 wakes=1", -EINVAL },
		{ "1 cpu=idle,1\x01", -EINVAL },
		{ "1 cpu=idle,1 \xff", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(rows); i++) {
		struct vw_baseline b = { .rx = 77 };
		int r = vw_baseline_parse(rows[i].text, &b);

		if (r != rows[i].want)
			print_error("'%s': %d, not %d\n", rows[i].text, r, rows[i].want);
		assert_int_equal(r, rows[i].want);
		if (r < 0)
			assert_int_equal(b.rx, 77);
	}
}

/* Every cut and every changed byte of a text: no crash, and what is read can be written. */
static void test_mangled(void **state)
{
	char text[VW_BASELINE_SIZE], copy[VW_BASELINE_SIZE], out[VW_BASELINE_SIZE];
	size_t len = vw_baseline_format(&full, text);
	unsigned seed = 1;

	(void)state;
	for (unsigned round = 0; round < 200000; round++) {
		struct vw_baseline b, again;

		memcpy(copy, text, len + 1);
		for (unsigned k = 0; k < 1 + round % 3; k++) {
			seed = seed * 1103515245 + 12345;
			copy[(seed >> 8) % len] = (char)(seed >> 20);
		}
		if (round % 7 == 0)
			copy[(seed >> 4) % len] = '\0';
		if (vw_baseline_parse(copy, &b) < 0)
			continue;
		assert_true(b.n_disks <= VW_SAMPLE_DISKS && b.n_addresses <= VW_ADDRESSES_MAX);
		vw_baseline_format(&b, out);
		assert_int_equal(vw_baseline_parse(out, &again), 0);
	}
}

static void test_too_long(void **state)
{
	char text[4096];
	struct vw_baseline b;

	(void)state;
	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(vw_baseline_parse(text, &b), -E2BIG);
	memset(text, ' ', sizeof(text) - 2);
	assert_true(vw_baseline_parse(text, &b) < 0);
}

static struct vw_sample at(int64_t t, double cpu, uint64_t disk, uint64_t tx)
{
	return (struct vw_sample){ .t = t,
				   .have = VW_HAVE_VCPU | VW_HAVE_DISK | VW_HAVE_NET,
				   .n_vcpus = 1,
				   .n_disks = 1,
				   .vcpu = { (uint64_t)(cpu * 1e9) },
				   .disk = { disk },
				   .tx = tx };
}

static void test_classify(void **state)
{
	struct vw_watch w = { 0 };
	struct vw_baseline b = { .agent = VW_YES };
	struct vw_sample s = at(5000, 1, 100, 0);

	(void)state;
	vw_watch_add(&w, &s, 60000);
	s = at(5500, 1, 100, 0); /* too early: ignored */
	vw_watch_add(&w, &s, 60000);
	for (unsigned i = 1; i <= VW_WATCH_INTERVALS; i++) {
		assert_false(vw_watch_classify(&w, &b));
		s = at(5000 + 10000 * i, 1 + 0.1 * i, 100 + 160 * i, i == 2 ? 5 : 0);
		vw_watch_add(&w, &s, 60000);
	}
	assert_true(vw_watch_classify(&w, &b));
	assert_true(b.known && b.wakes);
	assert_int_equal(b.cpu, VW_CPU_CLASS_IDLE);
	assert_int_equal(b.disk[0], 960);
	assert_int_equal(b.tx, 0); /* not in every interval */
	assert_int_equal(b.agent, VW_YES);
	s = at(500000, 1, 100, 0); /* a gap: what was seen is stale */
	vw_watch_add(&w, &s, 60000);
	assert_false(vw_watch_classify(&w, &b));
}

/* What a guest does in each interval of 15 s. */
struct phase {
	double cpu;
	unsigned disk, tx, console;
};

static void go(struct vw_watch *w, struct vw_sample *s, unsigned intervals, struct phase p)
{
	for (unsigned i = 0; i < intervals; i++) {
		s->t += 15000;
		s->vcpu[0] += (uint64_t)(p.cpu * 15e9);
		s->disk[0] += p.disk;
		s->tx += p.tx;
		s->console += p.console;
		vw_watch_add(w, s, 60000);
	}
}

/* A guest that died spins, and what it steadily did does not come any more: that is not learnt. */
static void test_panicked(void **state)
{
	static const struct {
		const char *before;
		bool console; /* its bytes are seen */
		struct phase now;
		bool lost;
	} rows[] = {
		{ "1 cpu=idle,40 wakes disk=960", false, { 1, 0, 0, 0 }, true },
		{ "1 cpu=idle,40 wakes disk=960", false, { 1, 0, 9, 0 }, true }, /* answers pings */
		{ "1 cpu=busy,990 wakes disk=960", false, { 1, 0, 0, 0 }, true },
		{ "1 cpu=idle,40 wakes disk=0 console=90", true, { 1, 0, 0, 0 }, true },
		{ "1 cpu=idle,40 wakes disk=0 tx=50", false, { 1, 0, 0, 0 }, true },
		{ "1 cpu=idle,40 wakes disk=0 tx=50", false, { 1, 0, 9, 0 }, false },
		{ "1 cpu=idle,40 wakes disk=960", false, { 1, 9, 0, 0 }, false }, /* computes */
		{ "1 cpu=idle,40 wakes disk=960", true, { 1, 0, 0, 9 }, false },
		{ "1 cpu=idle,40 wakes disk=960", false, { 0.3, 0, 0, 0 }, false }, /* idles on */
		{ "1 cpu=idle,40 wakes console=90", false, { 1, 0, 0, 0 }, false }, /* not seen */
		{ "1 cpu=idle,40 wakes disk=0", false, { 1, 0, 0, 0 }, false }, /* did nothing */
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(rows); i++) {
		struct vw_sample s = at(1000, 0, 0, 0);
		struct vw_watch w = { .n = 0 };
		struct vw_baseline old;

		if (rows[i].console)
			s.have |= VW_HAVE_CONSOLE;
		assert_int_equal(vw_baseline_parse(rows[i].before, &old), 0);
		vw_watch_add(&w, &s, 60000);
		assert_false(vw_watch_lost(&w, &old));
		go(&w, &s, 3, (struct phase){ 0.04, 240, 13, 20 });
		assert_false(vw_watch_lost(&w, &old));
		go(&w, &s, 1, rows[i].now);
		if (vw_watch_lost(&w, &old) != rows[i].lost)
			fail_msg("row %zu: %s", i, rows[i].before);
		assert_false(vw_watch_lost(&w, &(struct vw_baseline){ .known = false }));
	}
}

/* Seen for the first time when it spins: busy only if anything comes of it. */
static void test_spins_from_the_first(void **state)
{
	static const struct {
		struct phase now;
		enum vw_cpu_class want;
	} rows[] = {
		{ { 1, 0, 0, 0 }, VW_CPU_CLASS_UNKNOWN }, { { 1, 9, 0, 0 }, VW_CPU_CLASS_BUSY },
		{ { 1, 0, 9, 0 }, VW_CPU_CLASS_BUSY },    { { 1, 0, 0, 9 }, VW_CPU_CLASS_BUSY },
		{ { 0.1, 0, 0, 0 }, VW_CPU_CLASS_IDLE },
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(rows); i++) {
		struct vw_sample s = at(1000, 0, 0, 0);
		struct vw_watch w = { .n = 0 };
		struct vw_baseline b = { 0 };

		s.have |= VW_HAVE_CONSOLE;
		vw_watch_add(&w, &s, 60000);
		go(&w, &s, VW_WATCH_INTERVALS, rows[i].now);
		assert_true(vw_watch_classify(&w, &b));
		assert_true(b.known);
		assert_int_equal(b.cpu, rows[i].want);
	}
}

/* Counters that jump by more than there is time for: the most that the text holds, never less. */
static void test_jump(void **state)
{
	char text[VW_BASELINE_SIZE];
	struct vw_watch w = { .n = 0 };
	struct vw_baseline b = { 0 };

	(void)state;
	for (uint64_t i = 0; i < 5; i++) {
		struct vw_sample s = { .t = 1000 + (int64_t)i * 5000,
				       .have = VW_HAVE_VCPU | VW_HAVE_NET,
				       .n_vcpus = 1,
				       .vcpu = { i << 61 },
				       .tx = i << 61 };

		vw_watch_add(&w, &s, 60000);
	}
	assert_true(vw_watch_classify(&w, &b));
	assert_int_equal(b.tx, 1000000000);
	assert_true(b.cpu_permille > 400000000 && b.cpu_permille <= 1000000000);
	vw_baseline_format(&b, text);
	assert_int_equal(vw_baseline_parse(text, &(struct vw_baseline){ 0 }), 0);
}

static void test_differs(void **state)
{
	struct vw_baseline b = full;

	(void)state;
	b.disk[0] = 500; /* the same order of magnitude */
	b.cpu_permille = 1700;
	b.skew++;
	assert_false(vw_baseline_differs(&full, &b));
	b.disk[0] = 50;
	assert_true(vw_baseline_differs(&full, &b));
	b = full;
	b.panicked = false;
	assert_true(vw_baseline_differs(&full, &b));
	b = full;
	b.disk[1] = 1;
	assert_true(vw_baseline_differs(&full, &b));
	b = full;
	b.agent = VW_NO;
	assert_true(vw_baseline_differs(&full, &b));
	b = full;
	b.cpu = VW_CPU_CLASS_IDLE;
	assert_true(vw_baseline_differs(&full, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_longest),
		cmocka_unit_test(test_hostile),        cmocka_unit_test(test_mangled),
		cmocka_unit_test(test_too_long),       cmocka_unit_test(test_classify),
		cmocka_unit_test(test_differs),        cmocka_unit_test(test_jump),
		cmocka_unit_test(test_panicked),       cmocka_unit_test(test_spins_from_the_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
