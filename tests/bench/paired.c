/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Times two commands in pairs: A B, B A, A B … and prints the median of the ratios A/B.
 *
 * usage: paired [-n PAIRS] [-w WARMUPS] [-i STDIN] [-u PROGRAM] [-c] [-x] [-v] A [ARG]… -- B [ARG]…
 *   -n PAIRS    pairs to time (default 60)
 *   -w WARMUPS  pairs before them that don't count (default 3)
 *   -i STDIN    file given to both on stdin, through a pipe, as libvirtd does (default: /dev/null)
 *   -u PROGRAM  run after each of them, without arguments; not timed (to undo what it did)
 *   -c          compare CPU time (user + system, children that were waited for included)
 *               instead of elapsed time
 *   -x          the commands may fail; else any exit status but 0 ends the run
 *   -v          the medians of both, in microseconds, and the quartiles of the ratio, on stderr
 * stdout and stderr of the commands go to /dev/null. Elapsed time is that of spawn, feeding
 * stdin and wait. A ratio of two runs that stand side by side does not care about a machine
 * that is slower for a while; the median does not care about single hiccups. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PAIRS 100000

extern char **environ;

struct options {
	long pairs, warmups;
	bool cpu, may_fail, verbose;
	char *undo;  /* NULL: nothing */
	char *input; /* NULL: /dev/null */
	size_t input_len;
};

static void die(const char *what)
{
	fprintf(stderr, "paired: %s\n", what);
	exit(2);
}

static void die_errno(const char *what)
{
	fprintf(stderr, "paired: %s: %s\n", what, strerror(errno));
	exit(2);
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void read_input(struct options *o, const char *path)
{
	FILE *f = fopen(path, "r");
	struct stat sb;

	if (!f || fstat(fileno(f), &sb) < 0)
		die_errno(path);
	o->input_len = (size_t)sb.st_size;
	o->input = malloc(o->input_len + 1);
	if (!o->input || fread(o->input, 1, o->input_len, f) != o->input_len)
		die_errno(path);
	fclose(f);
}

/* The command need not read all of it. */
static void feed(int fd, const char *p, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		p += n;
		len -= (size_t)n;
	}
	close(fd);
}

static pid_t spawn(char **argv, int in)
{
	posix_spawn_file_actions_t a;
	posix_spawnattr_t attr;
	sigset_t pipes;
	pid_t pid;
	int r;

	sigemptyset(&pipes);
	sigaddset(&pipes, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &pipes);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&a);
	if (in >= 0)
		posix_spawn_file_actions_adddup2(&a, in, 0);
	else
		posix_spawn_file_actions_addopen(&a, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&a, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&a, 2, "/dev/null", O_WRONLY, 0);
	r = posix_spawnp(&pid, argv[0], &a, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&a);
	posix_spawnattr_destroy(&attr);
	if (r) {
		errno = r;
		die_errno(argv[0]);
	}
	return pid;
}

static void undo(const struct options *o)
{
	char *argv[] = { o->undo, NULL };
	int status = 0;
	pid_t pid = spawn(argv, -1);

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die_errno("waitpid");
	if (status && !o->may_fail)
		die("-u: it failed");
}

/* Run it once. Return: microseconds. */
static double run(const struct options *o, char **argv)
{
	int fds[2] = { -1, -1 }, status;
	struct rusage u;
	double start, end;
	pid_t pid;

	start = now_us();
	if (o->input && pipe2(fds, O_CLOEXEC) < 0)
		die_errno("pipe");
	pid = spawn(argv, fds[0]);
	if (o->input) {
		close(fds[0]);
		feed(fds[1], o->input, o->input_len);
	}
	while (wait4(pid, &status, 0, &u) < 0)
		if (errno != EINTR)
			die_errno("wait4");
	end = now_us();
	if (status && !o->may_fail) {
		fprintf(stderr, "paired: %s: exit status %d, signal %d\n", argv[0],
			WIFEXITED(status) ? WEXITSTATUS(status) : -1,
			WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		exit(2);
	}
	if (o->undo)
		undo(o);
	if (!o->cpu)
		return end - start;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The value below which the given part lies; sorts v. */
static double quantile(double *v, long n, double part)
{
	qsort(v, (size_t)n, sizeof(*v), compare);
	if (part == 0.5 && n % 2 == 0)
		return (v[n / 2 - 1] + v[n / 2]) / 2;
	return v[(long)(part * (double)(n - 1) + 0.5)];
}

static void measure(const struct options *o, char **a, char **b)
{
	double *ratio = calloc((size_t)o->pairs * 3, sizeof(double));
	double *ta = ratio + o->pairs, *tb = ta + o->pairs;

	if (!ratio)
		die("out of memory");
	for (long i = -o->warmups; i < o->pairs; i++) {
		const bool b_first = i & 1;
		const double first = run(o, b_first ? b : a);
		const double second = run(o, b_first ? a : b);

		if (i < 0)
			continue;
		ta[i] = b_first ? second : first;
		tb[i] = b_first ? first : second;
		if (tb[i] <= 0)
			die("too short to measure");
		ratio[i] = ta[i] / tb[i];
	}
	printf("%.3f\n", quantile(ratio, o->pairs, 0.5));
	if (o->verbose)
		fprintf(stderr, "A %.0f us, B %.0f us, ratio %.3f (quartiles %.3f %.3f)\n",
			quantile(ta, o->pairs, 0.5), quantile(tb, o->pairs, 0.5),
			quantile(ratio, o->pairs, 0.5), quantile(ratio, o->pairs, 0.25),
			quantile(ratio, o->pairs, 0.75));
	free(ratio);
}

static long number(const char *s, long min, long max)
{
	char *end;
	const long n = strtol(s, &end, 10);

	if (!*s || *end || n < min || n > max)
		die("-n and -w want a number");
	return n;
}

int main(int argc, char **argv)
{
	struct options o = { .pairs = 60, .warmups = 3 };
	int c, i;

	while ((c = getopt(argc, argv, "+n:w:i:u:cxv")) != -1) {
		switch (c) {
		case 'n': o.pairs = number(optarg, 1, MAX_PAIRS); break;
		case 'w': o.warmups = number(optarg, 0, MAX_PAIRS); break;
		case 'i': read_input(&o, optarg); break;
		case 'u': o.undo = optarg; break;
		case 'c': o.cpu = true; break;
		case 'x': o.may_fail = true; break;
		case 'v': o.verbose = true; break;
		default: return 2;
		}
	}
	for (i = optind; i < argc && strcmp(argv[i], "--") != 0;)
		i++;
	if (i == optind || i + 1 >= argc)
		die("usage: paired [-n PAIRS] [-w WARMUPS] [-i STDIN] [-u PROGRAM] [-c] [-x] [-v] A [ARG]… -- B [ARG]…");
	argv[i] = NULL;
	signal(SIGPIPE, SIG_IGN);
	measure(&o, argv + optind, argv + i + 1);
	free(o.input);
	return 0;
}
