/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a helper program of ours (see virt/run.h). */
#include "virt/run.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static int file_actions(posix_spawn_file_actions_t *fa, int out, bool shown)
{
	int r = posix_spawn_file_actions_addopen(fa, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

	r = r ? r : posix_spawn_file_actions_adddup2(fa, out, STDOUT_FILENO);
	if (!r && !shown)
		r = posix_spawn_file_actions_addopen(fa, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
#if __GLIBC_PREREQ(2, 34)
	r = r ? r : posix_spawn_file_actions_addclosefrom_np(fa, STDERR_FILENO + 1);
#endif
	return r;
}

/* The host program may ignore or block signals; its child must not. */
static int default_signals(posix_spawnattr_t *attr)
{
	sigset_t none, usual;
	int r;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGCHLD);
	sigaddset(&usual, SIGTERM);
	sigaddset(&usual, SIGINT);
	r = posix_spawnattr_setsigmask(attr, &none);
	r = r ? r : posix_spawnattr_setsigdefault(attr, &usual);
	return r ? r
		 : posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static int spawn(char *const argv[], int out, bool shown, pid_t *ret)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int r = posix_spawn_file_actions_init(&fa);

	if (r)
		return -r;
	r = posix_spawnattr_init(&attr);
	if (r == 0) {
		r = file_actions(&fa, out, shown);
		r = r ? r : default_signals(&attr);
		r = r ? r : posix_spawn(ret, argv[0], &fa, &attr, argv, environ);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&fa);
	return -r;
}

/* Take what comes until the child closes its end. Return: false if time is up first. */
static bool take(int fd, int64_t until, char *out, size_t size)
{
	char rest[512];
	size_t have = 0;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = until - vw_clock_ms();
		bool full = have + 1 >= size;
		ssize_t n;

		if (left <= 0)
			return false;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, full ? rest : out + have, full ? sizeof(rest) : size - 1 - have);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return true;
		have += full ? 0 : (size_t)n;
		out[have] = 0;
	}
}

/* Wait for this child; it may have closed stdout and live on, so not for ever. */
static int reap(pid_t pid, int64_t until, bool in_time)
{
	int status = 0;
	pid_t r;

	for (;;) {
		in_time = in_time && vw_clock_ms() < until;
		if (!in_time)
			kill(pid, SIGKILL);
		r = waitpid(pid, &status, in_time ? WNOHANG : 0);
		if (r == pid || (r < 0 && errno != EINTR))
			break;
		if (r == 0)
			poll(NULL, 0, 1);
	}
	if (!in_time)
		return -ETIME;
	if (r < 0) /* SIGCHLD is ignored here, or another thread waits for everything */
		return 0;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	return WTERMSIG(status) == SIGINT ? -EINTR : -ECHILD;
}

static int start(char *const argv[], bool shown, pid_t *ret_pid, int *ret_fd, struct vw_err *err)
{
	int fds[2] = { -1, -1 };
	int r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return vw_err_set(err, -errno, "%s: %s", argv[0], strerror(errno));
	r = spawn(argv, fds[1], shown, ret_pid);
	close(fds[1]);
	if (r < 0) {
		close(fds[0]);
		return vw_err_set(err, r, "%s: %s", argv[0], strerror(-r));
	}
	*ret_fd = fds[0];
	return 0;
}

int vw_run_start(char *const argv[], pid_t *ret_pid, int *ret_fd, struct vw_err *err)
{
	return start(argv, false, ret_pid, ret_fd, err);
}

static int run(char *const argv[], bool shown, unsigned timeout_ms, char *out, size_t size,
	       struct vw_err *err)
{
	int64_t until = vw_clock_ms() + timeout_ms;
	pid_t pid = -1;
	bool in_time;
	int fd = -1, r;

	*out = 0;
	r = start(argv, shown, &pid, &fd, err);
	if (r < 0)
		return r;
	in_time = take(fd, until, out, size);
	close(fd);
	r = reap(pid, until, in_time);
	if (r < 0)
		vw_err_set(err, r, "%s: %s", argv[0],
			   r == -ETIME ? "took too long and was ended" : "died");
	return r;
}

int vw_run(char *const argv[], unsigned timeout_ms, char *out, size_t size, struct vw_err *err)
{
	return run(argv, false, timeout_ms, out, size, err);
}

int vw_run_shown(char *const argv[], unsigned timeout_ms, char *out, size_t size,
		 struct vw_err *err)
{
	return run(argv, true, timeout_ms, out, size, err);
}
