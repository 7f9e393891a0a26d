/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verification's thread for what <w:health> declares: a TCP port that must accept, a check
 * of this host's admin that must succeed.
 *
 * The metadata gives a check's name, never a command; the program is what root put into
 * health.d under that name. It gets facts in its environment, nothing of ours is inherited. */
#include "lib/base/text.h"
#include "lib/base/clock.h"
#include "lib/base/trust.h"
#include "virt/verify/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define AGAIN_MS 500
#define CONNECT_MS 1000
#define CHECK_MS 5000 /* a check that takes longer has failed */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

static void result(struct verify *v, size_t i, bool ok, const char *fmt, ...) VW_PRINTF(4, 5);
static void result(struct verify *v, size_t i, bool ok, const char *fmt, ...)
{
	struct vw_declared *d = &v->s.declared[i];
	va_list ap;

	verify_lock(v);
	d->ok = d->done = ok; /* what fails is tried again until the window is over */
	d->unasked = false;
	va_start(ap, fmt);
	vsnprintf(d->detail, sizeof(d->detail), fmt, ap);
	va_end(ap);
	vw_text_clean(d->detail);
	verify_unlock(v);
}

static void not_asked(struct verify *v, size_t i, const char *why)
{
	struct vw_declared *d = &v->s.declared[i];

	verify_lock(v);
	d->unasked = true;
	snprintf(d->detail, sizeof(d->detail), "%s", why);
	verify_unlock(v);
}

/* Return: 0 or negative errno. */
static int connect_once(const char *address, unsigned port)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	bool is4 = inet_pton(AF_INET, address, &v4.sin_addr) == 1;
	VW_AUTOCLOSE int fd = -1;
	struct pollfd p;
	int error = 0;
	socklen_t len = sizeof(error);

	if (!is4 && inet_pton(AF_INET6, address, &v6.sin6_addr) != 1)
		return -EINVAL;
	fd = socket(is4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, is4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
		    is4 ? sizeof(v4) : sizeof(v6)) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	p = (struct pollfd){ .fd = fd, .events = POLLOUT };
	if (poll(&p, 1, CONNECT_MS) <= 0)
		return -ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	return -error;
}

static void try_tcp(struct verify *v, size_t i, unsigned port)
{
	struct vw_addresses a;
	bool asked = false;
	int r = 0;

	verify_lock(v);
	a = v->addresses;
	verify_unlock(v);
	for (unsigned k = 0; k < a.n; k++) {
		if (vw_address_ask(&a, k, v->subnets, v->n_subnets) != VW_ASK_IP)
			continue;
		asked = true;
		r = connect_once(a.text[k], port);
		if (r == 0) {
			result(v, i, true, "%s accepts", a.text[k]);
			return;
		}
	}
	if (asked)
		result(v, i, false, "%s", strerror(-r));
	else
		not_asked(v, i,
			  a.n ? "not asked: none of its addresses is in a subnet of its bridges "
				"here: declare one (<w:address ip='…'/>)"
			      : "not asked: none of its addresses is known: declare one "
				"(<w:address ip='…'/>)");
}

/* In a thread that is given up. It is run, not read, so its owner counts.
 * May it be run: root's (or ours), a file that nobody else can write, in such a directory? */
static int look_at_check(const char *path, const char *dir, const char **ret_why)
{
	struct stat d, f;

	if (lstat(path, &f) < 0) {
		*ret_why = "there is no such check on this host";
		return -ENOENT;
	}
	if (stat(dir, &d) < 0 || !S_ISREG(f.st_mode) || (f.st_mode | d.st_mode) & 022 ||
	    (f.st_uid != 0 && f.st_uid != geteuid()) || (d.st_uid != 0 && d.st_uid != geteuid()) ||
	    !(f.st_mode & 0111) || vw_trust(path, NULL) < 0) {
		*ret_why = "must be an executable file of root that only root can write, and so "
			   "must its directory";
		return -EPERM;
	}
	return 0;
}

/* Between fork and exec of a program with threads: system calls only. */
static _Noreturn void child(char *path, char *const env[], int out)
{
	char *argv[] = { path, NULL };
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (setsid() < 0 || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 ||
	    chdir("/") < 0)
		_exit(126);
	if (syscall(SYS_close_range, 3u, ~0u, 0) < 0)
		for (int fd = 3; fd < 65536; fd++)
			close(fd);
	execve(path, argv, env);
	_exit(127);
}

/* Its first line, until it ends or time is up. Return: its wait status, -1 = time was up. */
static int wait_for(struct verify *v, pid_t pid, int fd, char *line, size_t size)
{
	int64_t until = vw_clock_ms() + CHECK_MS;
	size_t len = 0;
	int status;
	pid_t r;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		char buf[256];
		ssize_t n = poll(&p, 1, 50) > 0 ? read(fd, buf, sizeof(buf)) : -1;

		for (ssize_t i = 0; i < n && len < size - 1 && !memchr(line, '\n', len); i++)
			line[len++] = buf[i];
		line[len] = '\0';
		line[strcspn(line, "\n")] = '\0';
		r = waitpid(pid, &status, WNOHANG);
		if (r == pid)
			return status;
		if (vw_clock_ms() > until || v->stop)
			break;
		if (n == 0)
			verify_sleep(v, 50);
	}
	kill(-pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static void run_check(struct verify *v, size_t i, char *path)
{
	char line[80] = "", name[300], uuid[64], address[64];
	char path_of[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *env[] = { name, uuid, address, path_of, NULL };
	int fds[2], status;
	pid_t pid;

	snprintf(name, sizeof(name), "VW_DOMAIN=%s", virDomainGetName(v->dom));
	snprintf(uuid, sizeof(uuid), "VW_UUID=%s", v->uuid);
	snprintf(address, sizeof(address), "VW_ADDRESS=");
	verify_lock(v);
	for (unsigned k = v->addresses.n; k-- > 0;) /* the first that may be asked */
		if (vw_address_ask(&v->addresses, k, v->subnets, v->n_subnets) == VW_ASK_IP)
			snprintf(address, sizeof(address), "VW_ADDRESS=%s", v->addresses.text[k]);
	verify_unlock(v);
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
	pid = fork();
	if (pid == 0)
		child(path, env, fds[1]);
	close(fds[1]);
	status = pid > 0 ? wait_for(v, pid, fds[0], line, sizeof(line)) : -1;
	close(fds[0]);
	if (status < 0)
		result(v, i, false, "no end within %d s", CHECK_MS / 1000);
	else if (WIFEXITED(status))
		result(v, i, WEXITSTATUS(status) == 0, "exit %d%s%s", WEXITSTATUS(status),
		       *line ? ": " : "", line);
	else
		result(v, i, false, "killed by signal %d", WTERMSIG(status));
}

static void try_check(struct verify *v, size_t i, const char *name)
{
	const char *why = NULL;
	char path[512];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", v->o->health_d, name) >= sizeof(path))
		return;
	if (look_at_check(path, v->o->health_d, &why) < 0)
		result(v, i, false, "%s: %s", path, why);
	else
		run_check(v, i, path);
}

static void declare(struct verify *v)
{
	size_t n = 0;

	verify_lock(v);
	for (size_t i = 0; i < v->d.n_tcp; i++, n++) {
		snprintf(v->s.declared[n].what, sizeof(v->s.declared[n].what), "tcp %u",
			 v->d.tcp[i]);
		v->s.declared[n].kernel = true;
	}
	for (size_t i = 0; i < v->d.n_check; i++, n++)
		snprintf(v->s.declared[n].what, sizeof(v->s.declared[n].what), "check %s",
			 v->d.check[i]);
	if (*v->d.bad && n < VW_DECLARED_MAX) {
		snprintf(v->s.declared[n].what, sizeof(v->s.declared[n].what), "<w:%s>", v->d.bad);
		snprintf(v->s.declared[n].detail, sizeof(v->s.declared[n].detail),
			 "the metadata is not understood");
		v->s.declared[n++].done = true;
	}
	v->s.n_declared = n;
	verify_unlock(v);
}

void *verify_declared(void *arg)
{
	struct verify *v = arg;

	declare(v);
	do {
		for (size_t i = 0; i < v->d.n_tcp && !v->stop; i++)
			if (!v->s.declared[i].done)
				try_tcp(v, i, v->d.tcp[i]);
		for (size_t i = 0; i < v->d.n_check && !v->stop; i++)
			if (!v->s.declared[v->d.n_tcp + i].done)
				try_check(v, v->d.n_tcp + i, v->d.check[i]);
	} while (v->s.n_declared && verify_sleep(v, AGAIN_MS));
	return NULL;
}
