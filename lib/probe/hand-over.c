/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A child that is started before an exec and used after it. The process stays the same, and
 * so does its child; the socket and the shared memory go along as open descriptors. */
#include "probe-internal.h"

#include <fcntl.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

int vw_prober_hand_over(const char *sysroot, char *text)
{
	VW_AUTOCLOSE int memory = memfd_create("vw-probe", 0);
	struct vw_batch *b;
	pid_t pid;
	int sock, r;

	if (memory < 0 || ftruncate(memory, sizeof(*b)) < 0)
		return -errno;
	b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (b == MAP_FAILED)
		return -errno;
	r = vw_worker_start(sysroot ? sysroot : "", b, &pid, &sock);
	munmap(b, sizeof(*b));
	if (r < 0)
		return r;
	fcntl(sock, F_SETFD, 0);
	snprintf(text, VW_PROBER_TEXT, "%d %d %d %d", (int)getpid(), (int)pid, sock, memory);
	memory = -1;
	return 0;
}

/* Is it what vw_prober_hand_over left open? From here on no other exec takes it along. */
static bool check_fd(int fd, mode_t type, off_t size)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_size == size &&
	       fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

void vw_prober_adopt(struct vw_prober *p, const char *text)
{
	struct vw_batch *b;
	int us, pid, sock, memory;

	if (!text || sscanf(text, "%d %d %d %d", &us, &pid, &sock, &memory) != 4 ||
	    us != (int)getpid() || pid <= 0 || !check_fd(sock, S_IFSOCK, 0) ||
	    !check_fd(memory, S_IFREG, sizeof(*b)))
		return;
	b = mmap(NULL, sizeof(*b), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	close(memory);
	if (b == MAP_FAILED) {
		close(sock);
		return;
	}
	p->pid = pid;
	p->sock = sock;
	p->batch = b;
}
