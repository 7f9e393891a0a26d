/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The prober on block devices: loop devices over scratch files. They are set to go
 * with their last user, so that none is left behind, however this ends. */
#include "tests/unit/test-probe.h"

#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

#define SIZE (64 << 20)

static int device = -1; /* keeps the loop device alive */
static char device_path[64];

/* A loop device over "image". Others may take the free one first: try again. */
static void attach(off_t size)
{
	struct loop_info64 info = { .lo_flags = LO_FLAGS_AUTOCLEAR };
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int backing = open(make_file("image", size), O_RDWR | O_CLOEXEC);

	assert_true(control >= 0 && backing >= 0);
	for (int i = 0; i < 50; i++) {
		int n = ioctl(control, LOOP_CTL_GET_FREE, 0);

		snprintf(device_path, sizeof(device_path), "/dev/loop%d", n);
		if (access(device_path, F_OK) < 0)
			assert_int_equal(
				mknod(device_path, S_IFBLK | 0600, makedev(7, (unsigned)n)), 0);
		device = open(device_path, O_RDWR | O_CLOEXEC);
		if (device >= 0 && ioctl(device, LOOP_SET_FD, backing) == 0)
			break;
		if (device >= 0)
			close(device);
		device = -1;
	}
	assert_true(device >= 0);
	assert_int_equal(ioctl(device, LOOP_SET_STATUS64, &info), 0);
	close(backing);
	close(control);
}

static int detach(void **state)
{
	if (device >= 0) {
		ioctl(device, LOOP_CLR_FD, 0);
		close(device);
	}
	device = -1;
	return teardown(state);
}

static void write_device(off_t off, const void *data, size_t len)
{
	assert_int_equal(pwrite(device, data, len, off), len);
	assert_int_equal(fsync(device), 0);
}

static struct vw_disk_facts look_at_device(const char *format)
{
	struct vw_disk_facts f = { 0 };

	vw_probe_disk(prober, device_path, format, false, ALL, 20000, &f);
	assert_int_equal(f.exists, VW_YES);
	assert_int_equal(f.block, VW_YES);
	assert_int_equal(f.odirect, VW_YES);
	return f;
}

static void test_blank(void **state)
{
	struct vw_disk_facts f;

	(void)state;
	attach(SIZE);
	f = look_at_device("raw");
	assert_int_equal(f.blank, VW_YES);
	assert_string_equal(f.why, "");
	/* By its symbolic link, too, as in /dev/disk/by-id. */
	assert_int_equal(symlink(device_path, in_dir("link")), 0);
	f = look_at(path, "raw");
	assert_int_equal(f.block, VW_YES);
}

static void test_data(void **state)
{
	/* The ends, the edges of the first and last MiB, and where no sample is taken. */
	static const off_t places[] = { 0,
					511,
					1048575,
					1048576,
					1200000,
					SIZE / 2 + 700000,
					SIZE - 1048577,
					SIZE - 1048576,
					SIZE - 1 };

	(void)state;
	attach(SIZE);
	for (size_t i = 0; i < VW_N_ELEMENTS(places); i++) {
		write_device(places[i], "x", 1);
		assert_int_equal(look_at_device("raw").blank, VW_NO);
		assert_int_equal(look_at_device("").blank, VW_NO);
		write_device(places[i], "", 1);
	}
	assert_int_equal(look_at_device("raw").blank, VW_YES);
}

/* Sizes that fit neither the pages nor the pieces that are read. */
static void test_odd_sizes(void **state)
{
	static const off_t sizes[] = { 512, 4096, 1536, 1048576 + 512, 3 * 1048576 - 512 };

	for (size_t i = 0; i < VW_N_ELEMENTS(sizes); i++) {
		attach(sizes[i]);
		assert_int_equal(look_at_device("raw").blank, VW_YES);
		write_device(sizes[i] - 1, "x", 1);
		assert_int_equal(look_at_device("raw").blank, VW_NO);
		detach(state);
		setup(state);
	}
}

/* Another host writes to the LUN: its data must be seen, not our page cache. */
static void test_not_from_cache(void **state)
{
	static char buf[4096];
	int backing;

	(void)state;
	attach(SIZE);
	assert_int_equal(pread(device, buf, sizeof(buf), 8 << 20), sizeof(buf)); /* now cached */
	backing = open(in_dir("image"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(backing, "x", 1, (8 << 20) + 5), 1);
	assert_int_equal(fsync(backing), 0);
	close(backing);
	assert_int_equal(look_at_device("raw").blank, VW_NO);
}

static void test_qcow2(void **state)
{
	struct vw_disk_facts f;

	(void)state;
	attach(SIZE);
	f = look_at_device("qcow2");
	assert_int_equal(f.blank, VW_UNKNOWN);
	assert_why(&f, "not qcow2");
	RUN("qemu-img", "create", "-q", "-f", "qcow2", device_path, "1G");
	assert_int_equal(look_at_device("qcow2").blank, VW_YES);
	assert_int_equal(look_at_device("raw").blank, VW_NO);
	RUN("qemu-io", "-f", "qcow2", "-c", "write -q 900M 4k", device_path);
	assert_int_equal(look_at_device("qcow2").blank, VW_NO);
}

/* An unused loop device is like a drive without medium. */
static void test_no_medium(void **state)
{
	struct vw_disk_facts f;

	(void)state;
	assert_int_equal(mknod(in_dir("loop"), S_IFBLK | 0600, makedev(7, 7777)), 0);
	f = look_at(path, "raw");
	assert_int_equal(f.exists, VW_YES);
	assert_int_equal(f.blank, VW_UNKNOWN);
	assert_true(*f.why);
}

/* discard comes from sysfs: here from one that we made. */
static void fake_sysfs(const char *value, bool partition)
{
	char dev[64], text[256];
	struct stat st;
	FILE *f;

	assert_int_equal(stat(device_path, &st), 0);
	snprintf(dev, sizeof(dev), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	snprintf(text, sizeof(text), "%s/sys/devices/sda/sda1", dir);
	RUN("mkdir", "-p", text);
	snprintf(text, sizeof(text), "%s/sys/devices/sda/queue", dir);
	RUN("mkdir", "-p", text);
	snprintf(text, sizeof(text), "%s/sys/dev/block", dir);
	RUN("mkdir", "-p", text);
	strcat(text, "/");
	strcat(text, dev);
	unlink(text);
	assert_int_equal(symlink(partition ? "../../devices/sda/sda1" : "../../devices/sda", text),
			 0);
	f = fopen(in_dir("sys/devices/sda/queue/discard_max_bytes"), "we");
	fputs(value, f);
	fclose(f);
}

static void test_discard(void **state)
{
	static const struct {
		const char *value;
		enum vw_known discard;
	} cases[] = { { "0\n", VW_NO },
		      { "4294966784\n", VW_YES },
		      { "x\n", VW_UNKNOWN },
		      { "", VW_UNKNOWN } };
	struct vw_disk_facts f;

	(void)state;
	attach(SIZE);
	vw_prober_free(prober);
	assert_int_equal(vw_prober_new(dir, &prober, NULL), 0);
	f = look_at_device("raw");
	assert_int_equal(f.discard, VW_UNKNOWN);
	assert_why(&f, "sysfs");
	for (size_t i = 0; i < 2 * VW_N_ELEMENTS(cases); i++) {
		fake_sysfs(cases[i / 2].value, i % 2);
		assert_int_equal(look_at_device("raw").discard, cases[i / 2].discard);
	}
}

/* A file below our sysroot. */
static void fake_file(const char *name, const char *text)
{
	char parent[256];
	FILE *f;

	snprintf(parent, sizeof(parent), "%s", in_dir(name));
	*strrchr(parent, '/') = '\0';
	RUN("mkdir", "-p", parent);
	f = fopen(in_dir(name), "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* By which name a LUN should be used: sysfs and udev's links, here of our making. */
static void test_lun(void **state)
{
	struct vw_disk_facts f;

	(void)state;
	attach(SIZE);
	vw_prober_free(prober);
	assert_int_equal(vw_prober_new(dir, &prober, NULL), 0);
	fake_sysfs("0\n", false);
	f = look_at_device("raw");
	assert_int_equal(f.one_path, VW_NO);
	assert_string_equal(f.better, "");

	/* a WWN alone is no name; one that is another device's is not ours */
	fake_file("sys/devices/sda/device/wwid", "naa.6001405aabbccdd\n");
	assert_string_equal(look_at_device("raw").better, "");
	RUN("mkdir", "-p", in_dir("dev/disk/by-id"));
	assert_int_equal(symlink("/dev/null", in_dir("dev/disk/by-id/wwn-0x6001405aabbccdd")), 0);
	assert_string_equal(look_at_device("raw").better, "");
	assert_int_equal(unlink(in_dir("dev/disk/by-id/wwn-0x6001405aabbccdd")), 0);
	assert_int_equal(symlink(device_path, in_dir("dev/disk/by-id/wwn-0x6001405aabbccdd")), 0);
	f = look_at_device("raw");
	assert_int_equal(f.one_path, VW_NO);
	assert_string_equal(f.better, "/dev/disk/by-id/wwn-0x6001405aabbccdd");

	/* held by LVM: nothing; by a multipath map: that */
	fake_file("sys/devices/sda/holders/dm-3/dm/uuid", "LVM-abc\n");
	fake_file("sys/devices/sda/holders/dm-3/dm/name", "vg-root\n");
	assert_int_equal(look_at_device("raw").one_path, VW_NO);
	fake_file("sys/devices/sda/holders/dm-7/dm/uuid", "mpath-36001405aabbccdd\n");
	fake_file("sys/devices/sda/holders/dm-7/dm/name", "mpatha\n");
	f = look_at_device("raw");
	assert_int_equal(f.one_path, VW_YES);
	assert_string_equal(f.better, "/dev/mapper/mpatha");
}

/* The real one: loop devices over a file whose filesystem punches holes can discard. */
static void test_real_discard(void **state)
{
	VW_AUTOFCLOSE FILE *f = NULL;
	unsigned long long max = 0;
	char attribute[128];

	(void)state;
	attach(SIZE);
	snprintf(attribute, sizeof(attribute), "/sys/block/%s/queue/discard_max_bytes",
		 device_path + 5);
	f = fopen(attribute, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%llu", &max), 1);
	assert_int_equal(look_at_device("raw").discard, max ? VW_YES : VW_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_blank, setup, detach),
		cmocka_unit_test_setup_teardown(test_data, setup, detach),
		cmocka_unit_test_setup_teardown(test_odd_sizes, setup, detach),
		cmocka_unit_test_setup_teardown(test_not_from_cache, setup, detach),
		cmocka_unit_test_setup_teardown(test_qcow2, setup, detach),
		cmocka_unit_test_setup_teardown(test_no_medium, setup, detach),
		cmocka_unit_test_setup_teardown(test_discard, setup, detach),
		cmocka_unit_test_setup_teardown(test_lun, setup, detach),
		cmocka_unit_test_setup_teardown(test_real_discard, setup, detach),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
