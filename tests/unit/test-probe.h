/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the test-probe-* programs share: a scratch directory, files in it, looks. */
#ifndef VW_TEST_PROBE_H
#define VW_TEST_PROBE_H

#include "lib/diskprobe/probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#define ALL (VW_PROBE_BLANK | VW_PROBE_DISCARD)

static char dir[64];
static char path[256];
static struct vw_prober *prober;

static inline int remove_entry(const char *p, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(p);
}

static inline int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/vw-probe-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(vw_prober_new("", &prober, NULL), 0);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	vw_prober_free(prober);
	nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	return 0;
}

/* The path of a name in the scratch directory. */
static inline const char *in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* Make a sparse file of that size. Return: its path. */
static inline const char *make_file(const char *name, off_t size)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
	return path;
}

static inline void put(const char *file, off_t off, const void *data, size_t len)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, data, len, off), len);
	close(fd);
}

static inline struct vw_disk_facts look_at(const char *file, const char *format)
{
	struct vw_disk_facts f = { 0 };

	vw_probe_disk(prober, file, format, false, ALL, 1000, &f);
	return f;
}

static inline void assert_why(const struct vw_disk_facts *f, const char *part)
{
	if (!strstr(f->why, part))
		fail_msg("\"%s\" does not tell \"%s\"", f->why, part);
}

static inline int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Run a program and wait for it; it must succeed. */
static inline void run(const char *const *argv)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("%s %s: status %d", argv[0], argv[1], status);
}
#define RUN(...) run((const char *const[]){ __VA_ARGS__, NULL })

/* How many of our children are probe workers; *ret_pid: one of them. */
static inline unsigned count_those(bool zombies, pid_t *ret_pid)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	unsigned n = 0;

	while ((entry = readdir(d))) {
		char stat_path[300], comm[32] = "", state = 0;
		int pid = 0, parent = 0;
		FILE *f;

		snprintf(stat_path, sizeof(stat_path), "/proc/%s/stat", entry->d_name);
		f = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? fopen(stat_path, "re")
								       : NULL;
		if (!f)
			continue;
		if (fscanf(f, "%d (%31[^)]) %c %d", &pid, comm, &state, &parent) == 4 &&
		    (zombies || state != 'Z') && parent == getpid() &&
		    strcmp(comm, "vw-probe") == 0) {
			n++;
			if (ret_pid)
				*ret_pid = pid;
		}
		fclose(f);
	}
	closedir(d);
	return n;
}

/* Zombies, too. */
static inline unsigned count_workers(pid_t *ret_pid)
{
	return count_those(true, ret_pid);
}

#endif
