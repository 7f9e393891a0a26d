/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs an admin's program for a sink: no shell, no inherited descriptors, a process group of its
 * own that is ended when the program ends or its time is up. */
#include "messenger/messenger.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/daemon/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

#define DRAIN_BYTES 4096
#define PIPE_BYTES 65536               /* that a pipe holds (pipe(7)) */
#define WORDS_MAX (UNIT_ARGS_MAX + 48) /* of a unit: its options, environment, command */
#define STEP_MS 20 /* between two looks whether it ended, when it says nothing */

struct program {
	pid_t pid;
	int in, out; /* its stdin, its stdout and stderr */
	const char *input;
	size_t left; /* of the input */
	char *why;
	size_t have, size;
	bool whole; /* the first line is */
};

/* The one global: a signal handler has nowhere else to look. */
static volatile sig_atomic_t running_group;

void alert_run_kill(void)
{
	if (running_group > 0)
		kill(-(pid_t)running_group, SIGKILL);
}

static int set_up(posix_spawn_file_actions_t *fa, posix_spawnattr_t *attr, int in, int out)
{
	sigset_t none, usual;
	int r;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGTERM);
	sigaddset(&usual, SIGINT);
	r = posix_spawn_file_actions_adddup2(fa, in, STDIN_FILENO);
	r = r ? r : posix_spawn_file_actions_adddup2(fa, out, STDOUT_FILENO);
	r = r ? r : posix_spawn_file_actions_adddup2(fa, out, STDERR_FILENO);
#if __GLIBC_PREREQ(2, 34)
	r = r ? r : posix_spawn_file_actions_addclosefrom_np(fa, STDERR_FILENO + 1);
#endif
	r = r ? r : posix_spawn_file_actions_addchdir_np(fa, "/");
	r = r ? r : posix_spawnattr_setsigmask(attr, &none);
	r = r ? r : posix_spawnattr_setsigdefault(attr, &usual);
	r = r ? r : posix_spawnattr_setpgroup(attr, 0);
	return r ? r
		 : posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
							  POSIX_SPAWN_SETPGROUP);
}

static int start(char *const argv[], char *const env[], struct program *p)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	int in[2], out[2], r;

	if (pipe2(in, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(out, O_CLOEXEC) < 0) {
		r = -errno;
		close(in[0]);
		close(in[1]);
		return r;
	}
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	r = set_up(&fa, &attr, in[0], out[1]);
	r = r ? r : posix_spawn(&p->pid, argv[0], &fa, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	close(in[0]);
	close(out[1]);
	p->in = in[1];
	p->out = out[0];
	fcntl(p->in, F_SETFL, O_NONBLOCK);
	fcntl(p->out, F_SETFL, O_NONBLOCK);
	return -r;
}

static void feed(struct program *p)
{
	const ssize_t n = p->left ? write(p->in, p->input, p->left) : 0;

	if (n > 0) {
		p->input += n;
		p->left -= (size_t)n;
	}
	if (!p->left || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		close(p->in); /* it has all, or does not want it */
		p->in = -1;
	}
}

/* Keep the first line, drop the rest. Return: false at its end. */
static bool drain(struct program *p)
{
	char buf[DRAIN_BYTES];
	const ssize_t n = read(p->out, buf, sizeof(buf));

	if (n <= 0)
		return n < 0 && (errno == EAGAIN || errno == EINTR);
	for (ssize_t i = 0; i < n && !p->whole; i++) {
		p->whole = p->have + 1 >= p->size || buf[i] == '\n';
		if (!p->whole)
			p->why[p->have++] = buf[i] ? buf[i] : ' ';
	}
	p->why[p->have] = '\0';
	return true;
}

/* Return: its status as waitpid tells, or -ETIME. */
static int attend(struct program *p, int64_t until, int *ret_status)
{
	for (;;) {
		struct pollfd fds[] = { { .fd = p->in, .events = POLLOUT },
					{ .fd = p->out, .events = POLLIN } };
		const pid_t r = waitpid(p->pid, ret_status, WNOHANG);

		if (r == p->pid || (r < 0 && errno != EINTR))
			break;
		if (vw_clock_ms() >= until)
			return -ETIME;
		poll(fds, 2, STEP_MS);
		if (fds[0].revents)
			feed(p);
		if (fds[1].revents && !drain(p)) {
			close(p->out);
			p->out = -1;
		}
	}
	/* What is in the pipe: a process that it left behind may go on writing for ever. */
	for (int i = 0; p->out >= 0 && i < PIPE_BYTES / DRAIN_BYTES && !p->whole && drain(p); i++)
		;
	return 0;
}

/* A word of a unit's command, in which systemd would expand "$". Return: malloc'ed or NULL. */
static char *unit_word(const char *word)
{
	struct vw_buf b = { 0 };

	for (; *word; word++)
		vw_buf_add(&b, *word == '$' ? "$$" : word, *word == '$' ? 2 : 1);
	return vw_buf_take(&b);
}

/* Below systemd we are caged (virt-warden-alert.service); what an admin has us run is not: it gets a
 * unit of its own, in which env(1) sees to it that it has this environment and no other. */
static int start_unit(char *const argv[], char *const env[], unsigned seconds, struct program *p)
{
	char *words[WORDS_MAX + 1] = { NULL }, limit[UNIT_TEXT];
	size_t n = unit_begin((const char **)words, unit_for_admin, seconds, limit), own;
	int r = 0;

	words[n++] = (char *)"--";
	words[n++] = (char *)"/usr/bin/env";
	words[n++] = (char *)"-i";
	own = n;
	for (size_t i = 0; env[i] && n < WORDS_MAX; i++)
		words[n++] = unit_word(env[i]);
	for (size_t i = 0; argv[i] && n < WORDS_MAX; i++)
		words[n++] = unit_word(argv[i]);
	for (size_t i = own; i < n; i++)
		r = words[i] ? r : -ENOMEM;
	r = r ? r : start(words, env, p);
	for (size_t i = own; i < n; i++)
		free(words[i]);
	return r;
}

int alert_run(char *const argv[], char *const env[], const char *input, size_t len,
	      unsigned seconds, char *why, size_t size)
{
	struct program p = {
		.in = -1, .out = -1, .input = input, .left = len, .why = why, .size = size
	};
	int status = 0;
	int r;

	*why = '\0';
	r = unit_is_needed() ? start_unit(argv, env, seconds, &p) : start(argv, env, &p);
	if (r == 0) {
		running_group = p.pid;
		r = attend(&p, vw_clock_ms() + (int64_t)seconds * 1000, &status);
		kill(-p.pid, SIGKILL); /* and what it left */
		if (r < 0)
			waitpid(p.pid, &status, 0);
		running_group = 0;
	}
	if (p.in >= 0)
		close(p.in);
	if (p.out >= 0)
		close(p.out);
	if (r < 0)
		return r;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
