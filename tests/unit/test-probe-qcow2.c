/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The walk through qcow2 tables: real images of qemu-img and hostile ones by hand. */
#include "lib/diskprobe/qcow2.h"
#include "tests/unit/test-probe.h"

#define CLUSTER 65536u

static const char *make_qcow2(const char *name, const char *options, const char *size)
{
	RUN("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, in_dir(name), size);
	return path;
}

static void qemu_io(const char *command)
{
	RUN("qemu-io", "-f", "qcow2", "-c", command, path);
}

static void expect(enum vw_known blank, const char *why)
{
	struct vw_disk_facts f = look_at(path, "qcow2");

	if (f.blank != blank)
		fail_msg("%s: blank is %d, not %d (%s)", path, (int)f.blank, (int)blank, f.why);
	assert_why(&f, why);
}

static void test_new(void **state)
{
	static const char *const options[] = {
		"compat=0.10",
		"compat=1.1",
		"cluster_size=512",
		"cluster_size=2M",
		"compat=1.1,extended_l2=on,cluster_size=128k",
		"compat=1.1,lazy_refcounts=on",
		"compat=1.1,compression_type=zstd",
		"refcount_bits=1",
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(options); i++) {
		make_qcow2("new.qcow2", options[i], "1G");
		expect(VW_YES, "");
	}
	make_qcow2("big.qcow2", "compat=1.1", "20T");
	expect(VW_YES, "");
	make_qcow2("none.qcow2", "compat=1.1", "0");
	expect(VW_YES, "");
	/* As raw the same file is data. */
	assert_int_equal(look_at(path, "raw").blank, VW_NO);
	assert_int_equal(look_at(path, "").blank, VW_NO);
}

/* As an image of which the XML names a backing store. */
static void expect_over_base(enum vw_known allocated)
{
	struct vw_disk_facts f = { 0 };

	vw_probe_disk(prober, path, "qcow2", true, ALL, 1000, &f);
	assert_int_equal(f.blank, VW_NO);
	assert_int_equal(f.magic, VW_MAGIC_QCOW2);
	assert_int_equal(f.allocated, allocated);
}

/* Was the image given the room of its disk? Also with data in it, and over another image. */
static void test_preallocated(void **state)
{
	static const struct {
		const char *options;
		enum vw_known allocated;
	} cases[] = {
		{ "preallocation=off", VW_NO },
		{ "preallocation=metadata", VW_NO },
		{ "preallocation=falloc", VW_YES },
		{ "preallocation=full", VW_YES },
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		make_qcow2("room.qcow2", cases[i].options, "16M");
		assert_int_equal(look_at(path, "qcow2").allocated, cases[i].allocated);
		qemu_io("write -P 1 1M 1M");
		assert_int_equal(look_at(path, "qcow2").allocated, cases[i].allocated);
		expect_over_base(cases[i].allocated);
	}
}

static void test_written(void **state)
{
	static const char *const options[] = { "compat=0.10", "compat=1.1",
					       "compat=1.1,extended_l2=on,cluster_size=128k" };
	static const char *const places[] = { "write 0 512", "write 900M 64k" };

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(options); i++) {
		for (size_t j = 0; j < VW_N_ELEMENTS(places); j++) {
			make_qcow2("written.qcow2", options[i], "1G");
			qemu_io(places[j]);
			expect(VW_NO, "allocated");
		}
	}
	/* Written and then zeroed, so that only zero flags remain: no data. */
	make_qcow2("zeroed.qcow2", "compat=1.1", "1G");
	qemu_io("write 5M 1M");
	qemu_io("write -z -u 5M 1M");
	expect(VW_YES, "");
	/* When unsure: metadata that was allocated beforehand is taken as data. */
	make_qcow2("prealloc.qcow2", "preallocation=metadata", "16M");
	expect(VW_NO, "allocated");
	make_qcow2("compressed.qcow2", "compat=1.1", "16M");
	qemu_io("write -c 0 64k");
	expect(VW_NO, "allocated");
}

static void test_other_holders_of_data(void **state)
{
	char base[256];

	(void)state;
	strcpy(base, make_qcow2("base.qcow2", "compat=1.1", "16M"));
	RUN("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base,
	    in_dir("over.qcow2"));
	expect(VW_NO, "backing file");
	make_qcow2("snap.qcow2", "compat=1.1", "16M");
	RUN("qemu-img", "snapshot", "-c", "one", path);
	expect(VW_NO, "snapshots");
	in_dir("data.raw");
	strcpy(base, "compat=1.1,data_file=");
	strcat(base, path);
	make_qcow2("external.qcow2", base, "16M");
	expect(VW_NO, "not looked into");
}

static void test_not_qcow2(void **state)
{
	static const char zeros[CLUSTER];

	(void)state;
	make_file("empty", 0);
	expect(VW_UNKNOWN, "damaged");
	put(make_file("zeros", 0), 0, zeros, sizeof(zeros));
	expect(VW_UNKNOWN, "not qcow2");
	RUN("qemu-img", "create", "-q", "-f", "vmdk", in_dir("x.vmdk"), "16M");
	expect(VW_UNKNOWN, "not qcow2");
}

/* An image in memory, for what qemu-img would not make. */
struct memory {
	unsigned char *data;
	size_t size;
	int error; /* that reads at `error_at` and behind give */
	uint64_t error_at;
};

static int read_memory(void *ctx, uint64_t off, void *buf, size_t len)
{
	const struct memory *m = ctx;

	if (m->error && off + len > m->error_at)
		return m->error;
	if (off > m->size || len > m->size - off)
		return -ENODATA;
	memcpy(buf, m->data + off, len);
	return 0;
}

static void set32(struct memory *m, size_t off, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		m->data[off + (size_t)i] = (unsigned char)(value >> (24 - 8 * i));
}

static void set64(struct memory *m, size_t off, uint64_t value)
{
	set32(m, off, (uint32_t)(value >> 32));
	set32(m, off + 4, (uint32_t)value);
}

/* A blank image of 16 MiB: header, L1 table in cluster 1, room for L2 tables from cluster 2 on. */
static void fill(struct memory *m)
{
	m->size = 6 * CLUSTER;
	m->data = realloc(m->data, m->size);
	memset(m->data, 0, m->size);
	set32(m, 0, 0x514649fb);
	set32(m, 4, 3);
	set32(m, 20, 16);
	set64(m, 24, 16 << 20);
	set32(m, 36, 1);
	set64(m, 40, CLUSTER);
	set32(m, 100, 104);
}

static void assert_answer(struct memory *m, enum vw_known blank, const char *why)
{
	struct vw_qcow2_answer a = vw_qcow2_blank(read_memory, m, m->size);

	assert_int_equal(a.blank, blank);
	if (!strstr(a.why, why) || (blank == VW_YES) != !*a.why)
		fail_msg("\"%s\" does not tell \"%s\"", a.why, why);
}

static void test_hostile_header(void **state)
{
	static const struct {
		size_t off;
		unsigned bytes;
		uint64_t value;
		enum vw_known blank;
	} cases[] = {
		{ 0, 4, 0x514649fc, VW_UNKNOWN },
		{ 4, 4, 0, VW_UNKNOWN },
		{ 4, 4, 1, VW_UNKNOWN },
		{ 4, 4, 4, VW_UNKNOWN },
		{ 8, 8, UINT64_MAX, VW_NO }, /* backing file */
		{ 20, 4, 8, VW_UNKNOWN },    /* cluster bits */
		{ 20, 4, 22, VW_UNKNOWN },
		{ 20, 4, 64, VW_UNKNOWN },
		{ 20, 4, UINT32_MAX, VW_UNKNOWN },
		{ 24, 8, UINT64_MAX, VW_UNKNOWN }, /* virtual size */
		{ 24, 8, INT64_MAX, VW_UNKNOWN },
		{ 24, 8, UINT64_C(1) << 40, VW_UNKNOWN }, /* more than its L1 table can hold */
		{ 36, 4, 0, VW_UNKNOWN },                 /* L1 entries */
		{ 36, 4, UINT32_MAX, VW_UNKNOWN },
		{ 36, 4, 4 * 1024 * 1024 + 1, VW_UNKNOWN },
		{ 36, 4, 5 * CLUSTER / 8 + 1, VW_UNKNOWN }, /* beyond the end */
		{ 40, 8, 1, VW_UNKNOWN },                   /* L1 offset */
		{ 40, 8, UINT64_MAX, VW_UNKNOWN },
		{ 40, 8, UINT64_C(0xffffffffffff0000), VW_UNKNOWN },
		{ 40, 8, 6 * CLUSTER, VW_UNKNOWN },
		{ 60, 4, 1, VW_NO },      /* snapshots */
		{ 72, 8, 2, VW_UNKNOWN }, /* features: corrupt */
		{ 72, 8, 4, VW_NO },      /* external data file */
		{ 72, 8, 32, VW_NO },     /* not known yet */
		{ 72, 8, UINT64_C(1) << 63, VW_NO },
		{ 72, 8, 9, VW_YES },       /* dirty, compression type */
		{ 100, 4, 72, VW_UNKNOWN }, /* header length */
	};
	struct memory m = { 0 };

	(void)state;
	fill(&m);
	assert_answer(&m, VW_YES, "");
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		fill(&m);
		if (cases[i].bytes == 4)
			set32(&m, cases[i].off, (uint32_t)cases[i].value);
		else
			set64(&m, cases[i].off, cases[i].value);
		assert_answer(&m, cases[i].blank, "");
	}
	for (size_t size = 0; size < 104; size++) {
		fill(&m);
		m.size = size;
		assert_answer(&m, VW_UNKNOWN, "");
	}
	free(m.data);
}

static void test_hostile_tables(void **state)
{
	static const struct {
		uint64_t l1, l2;
		enum vw_known blank;
	} cases[] = {
		{ 2 * CLUSTER, 0, VW_YES },
		{ UINT64_C(1) << 63 | 2 * CLUSTER, 0, VW_YES },
		{ 2 * CLUSTER, 1, VW_YES },               /* zero flag */
		{ 2 * CLUSTER, 3 * CLUSTER | 1, VW_YES }, /* … on an allocated cluster */
		{ 2 * CLUSTER, 3 * CLUSTER, VW_NO },
		{ 2 * CLUSTER, UINT64_C(1) << 63, VW_NO },     /* odd, so not surely empty */
		{ 2 * CLUSTER, UINT64_C(1) << 62 | 1, VW_NO }, /* compressed */
		{ UINT64_C(1) << 63, 0, VW_UNKNOWN },          /* an L2 table at 0 */
		{ 2 * CLUSTER + 512, 0, VW_UNKNOWN },          /* not aligned */
		{ 6 * CLUSTER, 0, VW_UNKNOWN },                /* beyond the end */
		{ UINT64_C(0x00ffffffffff0000), 0, VW_UNKNOWN },
		{ UINT64_C(1) << 57 | 2 * CLUSTER, 0, VW_UNKNOWN }, /* reserved bits */
		{ 2 * CLUSTER | 1, 0, VW_UNKNOWN },
	};
	struct memory m = { 0 };

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		fill(&m);
		set64(&m, CLUSTER, cases[i].l1);
		set64(&m, 3 * CLUSTER - 8, cases[i].l2);
		assert_answer(&m, cases[i].blank, "");
	}
	/* Version 2 has no zero flag. */
	fill(&m);
	set32(&m, 4, 2);
	set64(&m, CLUSTER, 2 * CLUSTER);
	assert_answer(&m, VW_YES, "");
	set64(&m, 2 * CLUSTER, 1);
	assert_answer(&m, VW_NO, "allocated");
	/* A million L1 entries that share one L2 table: no more work than the file is large. */
	fill(&m);
	m.size = 66 * CLUSTER;
	m.data = realloc(m.data, m.size);
	memset(m.data + 6 * CLUSTER, 0, 60 * CLUSTER);
	set32(&m, 36, 64 * CLUSTER / 8);
	for (size_t i = 0; i < 64 * CLUSTER / 8; i++)
		set64(&m, CLUSTER + i * 8, 65 * CLUSTER);
	assert_answer(&m, VW_UNKNOWN, "damaged");
	free(m.data);
}

static void test_extended_l2(void **state)
{
	static const struct {
		uint64_t entry, bitmap;
		enum vw_known blank;
	} cases[] = {
		{ 0, 0, VW_YES },
		{ 0, UINT64_C(0xffffffff00000000), VW_YES }, /* all read as zero */
		{ 3 * CLUSTER, UINT64_C(1) << 40, VW_YES },
		{ 3 * CLUSTER, 1, VW_NO },
		{ 0, UINT64_C(0x80000000), VW_NO },
		{ UINT64_C(1) << 62, 0, VW_NO },
		{ 1, 0, VW_NO },
	};
	struct memory m = { 0 };

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		fill(&m);
		set64(&m, 72, 16);
		set64(&m, CLUSTER, 2 * CLUSTER);
		set64(&m, 3 * CLUSTER - 16, cases[i].entry);
		set64(&m, 3 * CLUSTER - 8, cases[i].bitmap);
		assert_answer(&m, cases[i].blank, "");
	}
	free(m.data);
}

static void test_read_errors(void **state)
{
	static const uint64_t places[] = { 0, 80, CLUSTER, 2 * CLUSTER };
	struct memory m = { 0 };
	struct vw_qcow2_answer a;

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(places); i++) {
		fill(&m);
		set64(&m, CLUSTER, 2 * CLUSTER);
		m.error_at = places[i];
		m.error = -EIO;
		a = vw_qcow2_blank(read_memory, &m, m.size);
		assert_int_equal(a.blank, VW_UNKNOWN);
		assert_int_equal(a.error, -EIO);
		m.error = -ETIMEDOUT;
		a = vw_qcow2_blank(read_memory, &m, m.size);
		assert_int_equal(a.blank, VW_UNKNOWN);
		assert_int_equal(a.error, 0);
		assert_non_null(strstr(a.why, "too large"));
	}
	free(m.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_new, setup, teardown),
		cmocka_unit_test_setup_teardown(test_preallocated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_written, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_holders_of_data, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_qcow2, setup, teardown),
		cmocka_unit_test(test_hostile_header),
		cmocka_unit_test(test_hostile_tables),
		cmocka_unit_test(test_extended_l2),
		cmocka_unit_test(test_read_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
