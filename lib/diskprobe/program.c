/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The child as a small program of its own: to start that costs a large process much less than
 * to clone itself. Its socket is descriptor 0, the memory that it shares with us 1. */
#include "lib/diskprobe/probe-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define SOCKET 0
#define MEMORY 1

/* Above those that it will have, so that none of them overwrites another. */
static int move_up(int fd)
{
	int moved = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, MEMORY + 1);

	if (fd >= 0)
		close(fd);
	return moved;
}

/* Return: 0 or negative errno. */
static int spawn(const char *path, const char *sysroot, int sock, int memory, pid_t *ret_pid)
{
	char *argv[] = { (char *)(uintptr_t)VW_PROBER_PROGRAM, (char *)(uintptr_t)sysroot, NULL };
	char *env[] = { NULL };
	posix_spawn_file_actions_t fds;
	posix_spawnattr_t attr;
	sigset_t all;
	int r;

	if (posix_spawnattr_init(&attr))
		return -ENOMEM;
	if (posix_spawn_file_actions_init(&fds)) {
		posix_spawnattr_destroy(&attr);
		return -ENOMEM;
	}
	sigfillset(&all); /* no signal but SIGKILL, as the other kind of child */
	posix_spawnattr_setsigmask(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	r = posix_spawn_file_actions_adddup2(&fds, sock, SOCKET);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&fds, memory, MEMORY);
	if (r == 0)
		r = posix_spawn(ret_pid, path, &fds, &attr, argv, env);
	posix_spawn_file_actions_destroy(&fds);
	posix_spawnattr_destroy(&attr);
	return -r;
}

int vw_program_start(const char *path, const char *sysroot, struct vw_batch **ret, pid_t *ret_pid,
		     int *ret_sock)
{
	VW_AUTOCLOSE int memory = move_up(memfd_create("vw-probe", MFD_CLOEXEC));
	VW_AUTOCLOSE int theirs = -1;
	struct vw_batch *b;
	int sock[2], r;

	if (memory < 0 || ftruncate(memory, sizeof(*b)) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock) < 0)
		return -errno;
	theirs = move_up(sock[1]);
	b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	r = theirs < 0 || b == MAP_FAILED ? -errno : spawn(path, sysroot, theirs, memory, ret_pid);
	if (r < 0) {
		if (b != MAP_FAILED)
			munmap(b, sizeof(*b));
		close(sock[0]);
		return r;
	}
	*ret = b;
	*ret_sock = sock[0];
	return 0;
}

void vw_prober_program(struct vw_prober *p, const char *path)
{
	free(p->program);
	p->program = path && *path ? strdup(path) : NULL;
	p->start_program = vw_program_start;
}

int vw_prober_main(int argc, char **argv)
{
	struct stat st;
	struct vw_batch *b;

	if (argc != 2 || fstat(MEMORY, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != sizeof(*b))
		return 2;
	b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED, MEMORY, 0);
	if (b == MAP_FAILED)
		return 1;
	prctl(PR_SET_NAME, VW_PROBER_PROGRAM);
	vw_worker_main(argv[1], b, SOCKET);
}
