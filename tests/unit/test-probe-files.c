/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The prober on files: what is blank, and what is never opened. */
#include "lib/diskprobe/probe-internal.h"
#include "lib/base/clock.h"
#include "tests/unit/test-probe.h"

#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static enum vw_known blank(const char *file, const char *format)
{
	return look_at(file, format).blank;
}

static void test_raw_blank(void **state)
{
	static const char zeros[100000];
	struct vw_disk_facts f;

	(void)state;
	assert_int_equal(blank(make_file("empty", 0), "raw"), VW_YES);
	assert_int_equal(blank(make_file("hole", 1 << 30), "raw"), VW_YES);
	make_file("zeros", 5000000);
	put(path, 1234567, zeros, sizeof(zeros));
	f = look_at(path, "raw");
	assert_int_equal(f.blank, VW_YES);
	assert_int_equal(f.exists, VW_YES);
	assert_int_equal(f.block, VW_NO);
	assert_string_equal(f.why, "");
	/* libvirt takes a format that is not said as raw. */
	assert_int_equal(blank(path, ""), VW_YES);
	assert_int_equal(blank(path, NULL), VW_YES);
}

static void test_raw_data(void **state)
{
	static const off_t places[] = { 0, 1, 511, 4095, 4096, 1048575, 1048576, 4999999 };

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(places); i++) {
		make_file("data", 5000000);
		put(path, places[i], "x", 1);
		assert_int_equal(blank(path, "raw"), VW_NO);
		assert_int_equal(blank(path, ""), VW_NO);
	}
	/* One byte behind a lot of zero data, at the very end. */
	{
		VW_AUTOFREE char *zeros = calloc(1, 3000001);

		put(make_file("data", 0), 0, zeros, 3000001);
		assert_int_equal(blank(path, "raw"), VW_YES);
		put(path, 3000001, "x", 1);
		assert_int_equal(blank(path, "raw"), VW_NO);
	}
}

static void test_out_of_time(void **state)
{
	VW_AUTOFREE char *buf = aligned_alloc(4096, VW_LOOK_BUFFER);
	struct vw_source s = { .direct = -1, .size = 8192, .buf = buf };
	static const char zeros[8192];

	(void)state;
	put(make_file("zeros", 0), 0, zeros, sizeof(zeros));
	s.fd = open(path, O_RDONLY | O_CLOEXEC);
	s.until = vw_clock_ms();
	assert_int_equal(vw_source_zero_file(&s), -ETIMEDOUT);
	assert_int_equal(vw_source_zero_device(&s), -ETIMEDOUT);
	assert_int_equal(vw_source_read(&s, 0, buf, 1), -ETIMEDOUT);
	s.until += 10000;
	assert_int_equal(vw_source_zero_file(&s), 1);
	assert_int_equal(vw_source_zero_device(&s), 1);
	close(s.fd);
}

static void test_other_formats(void **state)
{
	struct vw_disk_facts f;

	(void)state;
	put(make_file("disk.vmdk", 0), 0, "KDMV", 4);
	f = look_at(path, "vmdk");
	assert_int_equal(f.blank, VW_NO);
	assert_int_equal(f.allocated, VW_UNKNOWN);
	assert_why(&f, "format");
}

/* How an image begins, whatever it is said to be: and what begins so is data. */
static void test_magic(void **state)
{
	static const struct {
		off_t off;
		const char *text;
		size_t len;
		enum vw_magic magic;
	} cases[] = {
		{ 0, "QFI\xfb\0\0\0\3", 8, VW_MAGIC_QCOW2 },
		{ 0, "QFI\xfb\0\0\0\1", 8, VW_MAGIC_QCOW },
		{ 0, "QED", 4, VW_MAGIC_QED },
		{ 0, "KDMV", 4, VW_MAGIC_VMDK },
		{ 64, "\x7f\x10\xda\xbe", 4, VW_MAGIC_VDI },
		{ 0, "vhdxfile", 8, VW_MAGIC_VHDX },
		{ 0, "conectix", 8, VW_MAGIC_VPC },
		{ 0, "QFI", 3, VW_MAGIC_NONE },
		{ 1, "QFI\xfb", 4, VW_MAGIC_NONE },
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		put(make_file("image", 1 << 20), cases[i].off, cases[i].text, cases[i].len);
		assert_int_equal(look_at(path, "raw").magic, cases[i].magic);
		assert_int_equal(look_at(path, "").blank, VW_NO);
		assert_int_equal(look_at(path, "qcow2").magic, cases[i].magic);
	}
	assert_int_equal(look_at(make_file("empty", 0), "qcow2").magic, VW_MAGIC_NONE);
	assert_int_equal(look_at(make_file("hole", 1 << 20), "raw").magic, VW_MAGIC_NONE);
	put(make_file("short", 0), 0, "vhdxfile", 8);
	assert_int_equal(look_at(path, "raw").magic, VW_MAGIC_VHDX);
	assert_int_equal(look_at(in_dir("absent"), "raw").magic, VW_MAGIC_UNKNOWN);
}

static void test_not_asked(void **state)
{
	struct vw_disk_facts f = { .target = dir, .blank = VW_YES };

	(void)state;
	vw_probe_disk(prober, make_file("hole", 4096), "raw", false, 0, 1000, &f);
	assert_int_equal(f.blank, VW_UNKNOWN);
	assert_int_equal(f.discard, VW_UNKNOWN);
	assert_int_equal(f.exists, VW_YES);
	assert_string_equal(f.why, "");
	assert_ptr_equal(f.target, dir);
	/* A backing store in the XML: data, whatever is in the file. */
	vw_probe_disk(prober, path, "raw", true, ALL, 1000, &f);
	assert_int_equal(f.blank, VW_NO);
	vw_probe_disk(prober, in_dir("absent"), "qcow2", true, ALL, 1000, &f);
	assert_int_equal(f.blank, VW_NO);
}

static void test_allocated(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(look_at(make_file("thin", 1 << 20), "raw").allocated, VW_NO);
	assert_int_equal(look_at(make_file("empty", 0), "raw").allocated, VW_NO);
	fd = open(make_file("thick", 0), O_WRONLY | O_CLOEXEC);
	assert_int_equal(posix_fallocate(fd, 0, 1 << 20), 0);
	close(fd);
	assert_int_equal(look_at(path, "raw").allocated, VW_YES);
	assert_int_equal(look_at(path, "").allocated, VW_YES);
	assert_int_equal(look_at(path, "qcow2").allocated, VW_UNKNOWN); /* it is none */
	assert_int_equal(blank(path, "raw"), VW_YES);
}

static void test_absent(void **state)
{
	struct vw_disk_facts f, there;

	(void)state;
	there = look_at(make_file("there", 4096), "raw");
	f = look_at(in_dir("absent"), "raw");
	assert_int_equal(f.exists, VW_NO);
	assert_int_equal(f.blank, VW_UNKNOWN);
	assert_int_equal(f.block, VW_UNKNOWN);
	assert_why(&f, "not there");
	/* Nothing that is said of the directory may be wrong of a file in it. */
	if (f.odirect)
		assert_int_equal(f.odirect, there.odirect);
	assert_int_equal(f.discard, there.discard);
	f = look_at(in_dir("no/such/file"), "raw");
	assert_int_equal(f.exists, VW_NO);
	assert_int_equal(f.odirect, VW_UNKNOWN);
	assert_why(&f, "directory");
	f = look_at(in_dir("there/file"), "raw");
	assert_int_equal(f.exists, VW_NO);
	assert_int_equal(symlink("/nonexistent/x", in_dir("dangling")), 0);
	f = look_at(path, "raw");
	assert_int_equal(f.exists, VW_NO);
	assert_int_equal(f.odirect, VW_UNKNOWN);
	assert_why(&f, "symbolic link");
	f = look_at("/vw-absent", "raw");
	assert_int_equal(f.exists, VW_NO);
}

/* O_DIRECT as the kernel itself has it, on a filesystem of our own. */
static void test_tmpfs(void **state)
{
	struct vw_disk_facts f;
	int fd;

	(void)state;
	assert_int_equal(mount("none", dir, "tmpfs", 0, "size=2m"), 0);
	fd = open(make_file("file", 4096), O_RDONLY | O_DIRECT | O_CLOEXEC);
	f = look_at(path, "raw");
	assert_int_equal(f.odirect, fd >= 0 ? VW_YES : VW_NO);
	assert_int_equal(f.discard, VW_YES);
	assert_int_equal(look_at(in_dir("absent"), "raw").odirect, f.odirect);
	assert_int_equal(look_at(path, "raw").discard, VW_YES);
	if (fd >= 0)
		close(fd);
	umount(dir);
	/* ramfs never had it. */
	assert_int_equal(mount("none", dir, "ramfs", 0, NULL), 0);
	f = look_at(make_file("file", 4096), "raw");
	assert_int_equal(f.odirect, VW_NO);
	assert_int_equal(f.discard, VW_NO);
	assert_int_equal(look_at(in_dir("absent"), "raw").odirect, VW_NO);
	umount(dir);
}

/* Long paths fill a request before its number of entries does. */
static void test_long_paths(void **state)
{
	static struct vw_probe_ask asks[64];
	static struct vw_disk_facts facts[64];
	VW_AUTOFREE char *longpath = malloc(4001);

	(void)state;
	make_file("file", 4096);
	memset(longpath, '/', 4000);
	strcpy(longpath + 4000 - strlen(path), path);
	for (unsigned i = 0; i < 64; i++)
		asks[i] = (struct vw_probe_ask){ i % 3 ? longpath : path, "raw", false, ALL,
						 &facts[i] };
	asks[40].path = NULL;
	strcpy(facts[40].why, "as it was");
	vw_probe_disks(prober, asks, 64, 1000, 5000);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(facts[i].blank, i == 40 ? VW_UNKNOWN : VW_YES);
	assert_string_equal(facts[40].why, "as it was");
}

static void test_bad_paths(void **state)
{
	static const char *const bad[] = { "", "relative", "./x", " /tmp" };
	VW_AUTOFREE char *longpath = malloc(6001);
	struct vw_disk_facts f;

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(bad); i++) {
		f = look_at(bad[i], "raw");
		assert_int_equal(f.exists, VW_UNKNOWN);
		assert_why(&f, "absolute");
	}
	f = look_at(NULL, "raw");
	assert_why(&f, "absolute");
	memset(longpath, '/', 6000);
	longpath[6000] = '\0';
	f = look_at(longpath, "raw");
	assert_why(&f, "too long");
	longpath[4095] = '\0';
	f = look_at(longpath, "raw");
	assert_why(&f, "directory");
	assert_int_equal(symlink("loop", in_dir("loop")), 0);
	f = look_at(path, "raw");
	assert_int_equal(f.exists, VW_UNKNOWN);
	assert_why(&f, "symbolic links");
}

static void test_unreadable(void **state)
{
	struct vw_disk_facts f;

	(void)state;
	make_file("secret", 1 << 20);
	assert_int_equal(chmod(dir, 0711), 0);
	assert_int_equal(seteuid(65534), 0);
	f = look_at(path, "raw");
	assert_int_equal(f.exists, VW_YES);
	assert_int_equal(f.block, VW_NO);
	assert_int_equal(f.allocated, VW_NO);
	assert_int_equal(f.blank, VW_UNKNOWN);
	assert_why(&f, "Permission denied");
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(seteuid(65534), 0);
	f = look_at(path, "raw");
	assert_int_equal(f.exists, VW_UNKNOWN);
	assert_why(&f, "Permission denied");
	assert_int_equal(seteuid(0), 0);
}

static void test_kernel_files(void **state)
{
	static const char *const files[] = { "/proc/kmsg", "/proc/self/mem",
					     "/sys/kernel/uevent_seqnum", "/proc/sysrq-trigger" };

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(files); i++) {
		struct vw_disk_facts f = look_at(files[i], "raw");

		if (f.exists == VW_NO)
			continue;
		assert_int_equal(f.exists, VW_YES);
		assert_int_equal(f.block, VW_UNKNOWN);
		assert_int_equal(f.blank, VW_UNKNOWN);
		assert_why(&f, "kernel makes");
	}
}

/* Was the watched path opened since the last call? (O_PATH is no open to inotify.) */
static bool was_opened(int inotify)
{
	char events[4096];

	return read(inotify, events, sizeof(events)) > 0;
}

static void make_odd(const char *kind)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	in_dir(kind);
	if (vw_streq(kind, "directory")) {
		assert_int_equal(mkdir(path, 0700), 0);
	} else if (vw_streq(kind, "FIFO")) {
		assert_int_equal(mkfifo(path, 0600), 0);
	} else if (vw_streq(kind, "socket")) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		strcpy(address.sun_path, path);
		assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
		close(fd);
	} else { /* /dev/zero; /dev/watchdog is one of the same type */
		assert_int_equal(mknod(path, S_IFCHR | 0600, makedev(1, 5)), 0);
	}
}

static void test_odd_files_are_not_opened(void **state)
{
	static const char *const kinds[] = { "directory", "FIFO", "socket", "character device" };
	static const char *const formats[] = { "raw", "qcow2", "", "vmdk" };
	int inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(kinds); i++) {
		make_odd(kinds[i]);
		assert_true(inotify_add_watch(inotify, path, IN_OPEN | IN_ACCESS) >= 0);
		for (size_t j = 0; j < VW_N_ELEMENTS(formats); j++) {
			struct vw_disk_facts f = look_at(path, formats[j]);

			assert_int_equal(f.exists, VW_YES);
			assert_int_equal(f.block, VW_UNKNOWN);
			assert_int_equal(f.blank, VW_UNKNOWN);
			assert_int_equal(f.odirect, VW_UNKNOWN);
			assert_why(&f, kinds[i]);
		}
		assert_false(was_opened(inotify));
	}
	/* The same watch does see what is opened. */
	make_file("file", 4096);
	assert_true(inotify_add_watch(inotify, path, IN_OPEN) >= 0);
	look_at(path, "raw");
	assert_true(was_opened(inotify));
	close(inotify);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_raw_blank, setup, teardown),
		cmocka_unit_test_setup_teardown(test_raw_data, setup, teardown),
		cmocka_unit_test_setup_teardown(test_out_of_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_other_formats, setup, teardown),
		cmocka_unit_test_setup_teardown(test_magic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_allocated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_absent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tmpfs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_paths, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kernel_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_files_are_not_opened, setup, teardown),
	};

	/* Mounts of our own, which end with us. */
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0) {
		perror("a private mount namespace (run as root)");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
