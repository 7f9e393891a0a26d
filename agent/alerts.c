/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts virt-warden-alert when the queue of alerts holds what nobody delivers. Below systemd its
 * path unit does that: a child of ours would have our cage, and no network. */
#include "agent/agent.h"

#include "lib/alert/alert-queue.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <syslog.h>

#define AGAIN_MS 5000 /* between two looks while there is something to deliver */

extern char **environ;

struct agent_alerts {
	struct agent *agent;
	struct vw_alerts *q;
	int inotify, watch; /* of the queue; -1 = none */
	pid_t pid;          /* of the last that was started, 0 = it ended */
	int64_t next;       /* nothing before, ms */
	bool failed;        /* to start it; said once */
};

static void on_alert(int watch, int fd, void *opaque)
{
	struct agent_alerts *al = opaque;
	char buf[4096];

	(void)watch;
	while (read(fd, buf, sizeof(buf)) > 0)
		continue;
	agent_wake(al->agent);
}

void agent_alerts_open(struct agent *a)
{
	struct agent_alerts *al = getenv("NOTIFY_SOCKET") ? NULL : calloc(1, sizeof(*al));
	struct vw_err err = { 0 };

	a->alerts = al;
	if (!al)
		return;
	al->agent = a;
	al->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	al->watch = -1;
	if (vw_alerts_open(vw_context_paths(a->ctx)->statedir, &al->q, &err) < 0) {
		agent_log(a, LOG_ERR, "alerts", NULL, NULL, "%s", err.text);
		return;
	}
	if (al->inotify >= 0 &&
	    inotify_add_watch(al->inotify, vw_alerts_path(al->q), IN_MOVED_TO) >= 0)
		al->watch = agent_watch(a, al->inotify, on_alert, al);
}

void agent_alerts_close(struct agent *a)
{
	struct agent_alerts *al = a->alerts;

	a->alerts = NULL;
	if (!al)
		return;
	if (al->watch >= 0)
		agent_unwatch(a, al->watch);
	if (al->inotify >= 0)
		close(al->inotify);
	vw_alerts_close(al->q);
	free(al); /* virt-warden-alert goes on until it is done */
}

/* In a session of its own, with no descriptor of ours. Return: 0 or negative errno. */
static int start(const char *program, pid_t *ret)
{
	char *argv[] = { (char *)(uintptr_t)program, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, usual;
	int r;

	sigemptyset(&none);
	sigfillset(&usual);
	sigdelset(&usual, SIGKILL);
	sigdelset(&usual, SIGSTOP);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	r = posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null", O_RDWR, 0);
	r = r ? r : posix_spawn_file_actions_adddup2(&fa, STDIN_FILENO, STDOUT_FILENO);
	r = r ? r : posix_spawn_file_actions_adddup2(&fa, STDIN_FILENO, STDERR_FILENO);
#if __GLIBC_PREREQ(2, 34)
	r = r ? r : posix_spawn_file_actions_addclosefrom_np(&fa, STDERR_FILENO + 1);
#endif
	r = r ? r : posix_spawnattr_setsigmask(&attr, &none);
	r = r ? r : posix_spawnattr_setsigdefault(&attr, &usual);
	r = r ? r
	      : posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
							POSIX_SPAWN_SETSID);
	r = r ? r : posix_spawn(ret, program, &fa, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return -r;
}

/* Return: when to be called again, ms; 0 = when an alert is raised. */
int64_t agent_alerts_tick(struct agent *a)
{
	struct agent_alerts *al = a->alerts;
	VW_AUTOFREE char *program = NULL;
	int r;

	if (!al || !al->q)
		return 0;
	if (al->pid && waitpid(al->pid, NULL, WNOHANG) != 0)
		al->pid = 0;
	if (vw_clock_ms() < al->next)
		return al->next;
	if (!vw_alerts_waiting(al->q))
		return al->pid || vw_alerts_stamp(al->q) ? vw_clock_ms() + AGAIN_MS : 0;
	al->next = vw_clock_ms() + AGAIN_MS; /* one that ends at once is not started in a circle */
	program = vw_context_program(a->ctx, "virt-warden-alert");
	r = program ? start(program, &al->pid) : -ENOMEM;
	if (r < 0 && !al->failed)
		agent_log(a, LOG_ERR, "alerts", NULL, NULL, "%s: can't be started: %s",
			  program ? program : "virt-warden-alert", strerror(-r));
	al->failed = r < 0;
	return al->next;
}
