/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths that others chose: looked at before they are opened (lib/base/open.h). */
#include "lib/base/open.h"
#include "tests/unit/test-probe.h"

#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

/* What vw_open says of a path: "" = it was opened. */
static const char *said(const char *p, unsigned may)
{
	static struct vw_err err;
	int fd;

	err = (struct vw_err){ 0 };
	fd = vw_open(AT_FDCWD, p, may, NULL, &err);
	if (fd >= 0)
		close(fd);
	assert_int_equal(fd < 0, *err.text != '\0');
	return *err.text ? err.text + strlen(p) + 2 : "";
}

static void test_regular(void **state)
{
	struct stat st;
	char text[8] = "";
	int fd, at;

	(void)state;
	put(make_file("file", 0), 0, "data", 4);
	assert_int_equal(symlink("file", in_dir("link")), 0);
	fd = vw_open(AT_FDCWD, path, 0, &st, NULL);
	assert_true(fd >= 0 && S_ISREG(st.st_mode) && st.st_size == 4);
	assert_int_equal(read(fd, text, sizeof(text)), 4);
	assert_string_equal(text, "data");
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(write(fd, "x", 1), -1);
	close(fd);
	assert_string_equal(said(path, VW_OPEN_NOLINK), "it is a symbolic link");
	at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = vw_open(at, "file", VW_OPEN_NOLINK, NULL, NULL);
	assert_true(fd >= 0);
	close(fd);
	close(at);
	assert_string_equal(said(in_dir("absent"), 0), strerror(ENOENT));
	assert_int_equal(vw_open(AT_FDCWD, path, 0, NULL, NULL), -ENOENT);
}

/* By its own name, by a link, and through a link in the path's parents. */
static void all_ways(const char *name, unsigned may, const char *want)
{
	char way[300];

	snprintf(way, sizeof(way), "%s/%s", dir, name);
	assert_string_equal(said(way, may), want);
	snprintf(way, sizeof(way), "%s/parent/%s", dir, name);
	assert_string_equal(said(way, may), want);
	unlink(in_dir("way"));
	assert_int_equal(symlink(name, path), 0);
	assert_string_equal(said(path, may), want);
}

static void test_odd(void **state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(symlink(".", in_dir("parent")), 0);
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	assert_int_equal(mkdir(in_dir("folder"), 0700), 0);
	assert_int_equal(mknod(in_dir("null"), S_IFCHR | 0600, makedev(1, 3)), 0);
	assert_int_equal(mknod(in_dir("disk"), S_IFBLK | 0600, makedev(259, 999)), 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/socket", dir);
	assert_int_equal(bind(sock, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(sock);
	all_ways("fifo", VW_OPEN_BLOCK, "it is a FIFO");
	all_ways("folder", VW_OPEN_BLOCK, "it is a directory");
	all_ways("null", VW_OPEN_BLOCK | VW_OPEN_FIFO, "it is a character device");
	all_ways("socket", VW_OPEN_BLOCK, "it is a socket");
	all_ways("disk", 0, "it is a block device");
	all_ways("disk", VW_OPEN_BLOCK, strerror(ENXIO)); /* no driver: it was opened */
	all_ways("fifo", VW_OPEN_FIFO, "");
}

/* Nobody who waits to write is let go: an open for reading would. */
static void test_writer_of_fifo(void **state)
{
	pid_t writer;
	int status;

	(void)state;
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	writer = fork();
	if (writer == 0) {
		alarm(20);
		_exit(open(path, O_WRONLY) < 0);
	}
	for (int i = 0; i < 20; i++)
		assert_string_equal(said(path, VW_OPEN_BLOCK), "it is a FIFO");
	assert_int_equal(waitpid(writer, &status, WNOHANG), 0);
	kill(writer, SIGKILL);
	assert_int_equal(waitpid(writer, &status, 0), writer);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Whatever is mounted here and has no data is known, also where it is bound elsewhere. */
static void test_kernel_files(void **state)
{
	static const char *const files[] = { "/proc/kmsg", "/proc/self/mem", "/proc/version",
					     "/sys/kernel/uevent_seqnum" };
	static const char *const kinds[] = { "proc",     "sysfs",      "debugfs", "tracefs",
					     "cgroup2",  "securityfs", "mqueue",  "bpf",
					     "configfs", "devpts",     "pstore",  "binfmt_misc" };
	char odd[] = "it is a file that the kernel makes (/proc, /sys …)";
	int tried = 0;

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(files); i++)
		assert_string_equal(said(files[i], VW_OPEN_BLOCK | VW_OPEN_FIFO), odd);
	make_file("log", 0);
	assert_int_equal(mount("/proc/version", path, "none", MS_BIND, NULL), 0);
	assert_string_equal(said(path, 0), odd);
	umount(path);
	assert_int_equal(mkdir(in_dir("mnt"), 0700), 0);
	for (size_t i = 0; i < VW_N_ELEMENTS(kinds); i++) {
		struct statfs fs;

		if (mount("none", path, kinds[i], 0, NULL) < 0)
			continue; /* not in this kernel */
		assert_int_equal(statfs(path, &fs), 0);
		if (!vw_open_fs_is_kernel((uint32_t)fs.f_type))
			fail_msg("%s: not known", kinds[i]);
		umount(path);
		tried++;
	}
	assert_true(tried >= 2);
	assert_false(vw_open_fs_is_kernel(TMPFS_MAGIC));
	assert_false(vw_open_fs_is_kernel(EXT4_SUPER_MAGIC));
	assert_false(vw_open_fs_is_kernel(NFS_SUPER_MAGIC));
}

/* The name is given to something else after the look: what was judged is opened. */
static void test_swap(void **state)
{
	struct vw_seen seen;
	char text[8] = "";
	int fd;

	(void)state;
	put(make_file("file", 0), 0, "mine", 4);
	assert_int_equal(vw_open_look(AT_FDCWD, path, 0, &seen), 0);
	assert_null(seen.odd);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/proc/version", path), 0);
	fd = vw_open_again(seen.fd, 0);
	assert_int_equal(read(fd, text, sizeof(text)), 4);
	assert_string_equal(text, "mine");
	close(fd);
	close(seen.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_regular, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_writer_of_fifo, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kernel_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_swap, setup, teardown),
	};

	/* What is mounted here goes with us. */
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0) {
		fprintf(stderr, "no mount namespace: root is needed\n");
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
