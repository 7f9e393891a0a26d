/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An incoming guest on a host without an agent: a verifier is left behind that waits for the
 * end of the migration, looks, and raises an alert (virt-warden verify --await, see
 * virt/verify/await.c). The hook itself never waits.
 *
 * Nothing is inherited: libvirtd would wait for whoever holds its pipes, and what is left
 * behind must end neither with the hook nor with libvirtd's session. */
#include "hooks/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <syslog.h>

static const char program[] = VW_PREFIX "/bin/virt-warden";

bool hook_agent_runs(const struct vw_paths *paths)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	VW_AUTOFREE char *path = NULL;
	VW_AUTOCLOSE int fd = -1;

	if (asprintf(&path, "%s/virt-wardend.lock", paths->rundir) < 0) {
		path = NULL;
		return false;
	}
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	return fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* In the grandchild: becomes the verifier, or ends. */
static _Noreturn void become(const char *uuid)
{
	const char *uri = geteuid() == 0 ? "qemu:///system" : "qemu:///session";
	const char *const argv[] = {
		program, "-c", uri, "--quiet", "verify", "--await", uuid, NULL
	};
	sigset_t none;
	int null = open("/dev/null", O_RDWR);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0 || chdir("/") < 0)
		_exit(1);
	for (int fd = STDERR_FILENO + 1; fd < 1024; fd++) /* close_range(2) is not everywhere */
		close(fd);
	execv(program, (char *const *)argv);
	_exit(1);
}

void hook_leave_verifier(struct hook *h)
{
	pid_t pid;

	if (!*h->uuid || access(program, X_OK) < 0)
		return;
	pid = fork();
	if (pid == 0) {
		setsid();
		pid = fork();
		if (pid == 0)
			become(h->uuid);
		_exit(pid < 0);
	}
	if (pid < 0)
		hook_log(h, LOG_ERR, "op=%s uuid=%s: not verified after its migration: %s", h->op,
			 h->uuid, strerror(errno));
	else
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
}
