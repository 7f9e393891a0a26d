/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The child of a prober: made by clone(2) without an exit signal, so that the
 * program that we are part of gets no SIGCHLD from it, and neither its wait(2)
 * nor its SIG_IGN can reap it under us (its pid stays ours until we reap it).
 *
 * It holds no descriptor but its socket (a hung child must not keep anybody's pipe
 * open), stands in /, takes no signal but SIGKILL, and dies with its parent. */
#include "lib/diskprobe/probe-internal.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef SYS_close_range
#define SYS_close_range 436 /* the same on every architecture but alpha */
#endif
#define CLOSE_MAX 65536 /* by hand, where close_range is not known (Linux < 5.9) */

#define SOCKET 0 /* the only descriptor of the child */

static void drop_descriptors(int sock)
{
	struct rlimit limit = { .rlim_cur = CLOSE_MAX };

	if (sock != SOCKET && dup2(sock, SOCKET) < 0)
		_exit(1);
	if (syscall(SYS_close_range, SOCKET + 1, ~0u, 0) == 0)
		return;
	getrlimit(RLIMIT_NOFILE, &limit);
	for (int fd = SOCKET + 1; fd < CLOSE_MAX && (rlim_t)fd < limit.rlim_cur; fd++)
		close(fd);
}

struct publish {
	struct vw_batch *b;
	uint32_t i;
	struct vw_look_reply *r;
};

static void publish_basic(void *ctx)
{
	struct publish *p = ctx;

	p->b->replies[p->i].basic = *p->r;
	__atomic_store_n(&p->b->replies[p->i].state, VW_BATCH_BASIC, __ATOMIC_RELEASE);
}

static void answer(const char *sysroot, char *buf, struct vw_batch *b, uint32_t i)
{
	const int64_t now = vw_clock_ms();
	struct vw_look_reply r = { 0 };
	struct vw_look_request q = {
		.want = b->asks[i].want,
		.format = b->asks[i].format,
		.until = now + b->budget_ms < b->until ? now + b->budget_ms : b->until,
		.path = b->paths + b->asks[i].path,
	};

	__atomic_store_n(&b->replies[i].began, now, __ATOMIC_RELEASE);
	vw_look(sysroot, buf, &q, &r, publish_basic, &(struct publish){ b, i, &r });
	b->replies[i].whole = r;
	__atomic_store_n(&b->replies[i].state, VW_BATCH_DONE, __ATOMIC_RELEASE);
}

/* Answer requests until the parent hangs up. */
static _Noreturn void serve(const char *sysroot, struct vw_batch *b)
{
	char byte;
	char *buf = mmap(NULL, VW_LOOK_BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	if (buf == MAP_FAILED)
		_exit(1);
	while (recv(SOCKET, &byte, 1, 0) == 1) {
		for (uint32_t i = 0; i < b->n; i++)
			answer(sysroot, buf, b, i);
		if (send(SOCKET, &byte, 1, MSG_NOSIGNAL) != 1 || b->last)
			break;
	}
	_exit(0);
}

_Noreturn void vw_worker_main(const char *sysroot, struct vw_batch *b, int sock)
{
	drop_descriptors(sock);
	if (chdir("/") < 0)
		_exit(1);
	serve(sysroot, b);
}

static _Noreturn void run_child(const char *sysroot, struct vw_batch *b, int sock, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	prctl(PR_SET_NAME, "vw-probe");
	vw_worker_main(sysroot, b, sock);
}

int vw_worker_start(const char *sysroot, struct vw_batch *b, pid_t *ret_pid, int *ret_sock)
{
	sigset_t all, before;
	pid_t parent = getpid();
	int sock[2];
	long pid;
	int error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		return -errno;
	/* No handler of the program may run in the child: it inherits this mask. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	/* Without flags it is a fork; all arguments 0, so their order, which differs
	 * between architectures, does not matter. */
	pid = syscall(SYS_clone, 0L, 0L, 0L, 0L, 0L);
	error = errno;
	if (pid == 0)
		run_child(sysroot, b, sock[1], parent);
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(sock[1]);
	if (pid < 0) {
		close(sock[0]);
		return -error;
	}
	*ret_pid = (pid_t)pid;
	*ret_sock = sock[0];
	return 0;
}
