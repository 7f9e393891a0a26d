/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A filesystem that hangs: a FUSE server that answers everything up to a chosen request.
 * One that was read but never answered cannot even be killed (the reader is in state D),
 * like on a dead NFS server. */
#ifndef VW_TEST_PROBE_FUSE_H
#define VW_TEST_PROBE_FUSE_H

#include "tests/unit/test-probe.h"

#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>

static pid_t server;

static inline void reply(int fd, const struct fuse_in_header *in, int error, const void *data,
			 size_t len)
{
	char buf[256];
	struct fuse_out_header out = { .len = (uint32_t)(sizeof(out) + len),
				       .error = error,
				       .unique = in->unique };

	memcpy(buf, &out, sizeof(out));
	if (len)
		memcpy(buf + sizeof(out), data, len);
	if (write(fd, buf, out.len) < 0)
		_exit(1);
}

static inline struct fuse_attr attributes(uint64_t node)
{
	struct fuse_attr a = {
		.ino = node, .nlink = 1, .mode = S_IFREG | 0600, .size = 1 << 20, .blocks = 2048
	};

	if (node == FUSE_ROOT_ID)
		a.mode = S_IFDIR | 0700;
	return a;
}

static inline void answer(int fd, const struct fuse_in_header *in)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
				      .minor = 31,
				      .max_write = 4096 };
	struct fuse_entry_out entry = { .nodeid = 2, .attr = attributes(2) };
	struct fuse_attr_out attr = { .attr = attributes(in->nodeid) };
	struct fuse_statfs_out fs = { .st.bsize = 4096 };
	struct fuse_open_out opened = { .fh = 1 };

	switch (in->opcode) {
	case FUSE_INIT: return reply(fd, in, 0, &init, sizeof(init));
	case FUSE_LOOKUP: return reply(fd, in, 0, &entry, sizeof(entry));
	case FUSE_GETATTR: return reply(fd, in, 0, &attr, sizeof(attr));
	case FUSE_STATFS: return reply(fd, in, 0, &fs, sizeof(fs));
	case FUSE_OPEN: return reply(fd, in, 0, &opened, sizeof(opened));
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT: return;
	default: return reply(fd, in, -ENOSYS, NULL, 0);
	}
}

static inline _Noreturn void serve(int fd, uint32_t hang_at)
{
	char buf[FUSE_MIN_READ_BUFFER + 4096];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct fuse_in_header in;

		if (read(fd, buf, sizeof(buf)) < (ssize_t)sizeof(in))
			_exit(0);
		memcpy(&in, buf, sizeof(in));
		if (in.opcode != hang_at)
			answer(fd, &in);
	}
}

/* Mount over the scratch directory's "mnt". hang_at 0: nothing is even read. */
static inline void start_server(uint32_t hang_at)
{
	char options[64];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(mkdir(in_dir("mnt"), 0700), 0);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40700,user_id=0,group_id=0", fd);
	assert_int_equal(mount("vw-test", path, "fuse", MS_NOSUID | MS_NODEV, options), 0);
	server = fork();
	if (server == 0) {
		if (hang_at)
			serve(fd, hang_at);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	close(fd);
}

/* Ends the connection: whoever hangs on it comes free. */
static inline void stop_server(void)
{
	if (!server)
		return;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	server = 0;
	umount2(in_dir("mnt"), MNT_DETACH);
}

static inline int stop_all(void **state)
{
	stop_server();
	return teardown(state);
}

/* Mounts of our own, which end with us. */
static inline bool own_mounts(void)
{
	if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0)
		return true;
	perror("a private mount namespace (run as root)");
	return false;
}

#endif
