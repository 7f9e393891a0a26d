/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verifier as a child of the agent: its output by the event loop, its end by a deadline. */
#include "agent/agent-verify.h"
#include "lib/base/clock.h"
#include "lib/daemon/unit.h"

#include "virt/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#define ARGS_MAX (UNIT_ARGS_MAX + 32)

static void close_output(struct agent_guest *g)
{
	if (g->watch >= 0)
		agent_unwatch(g->conn->agent, g->watch);
	if (g->fd >= 0)
		close(g->fd);
	g->watch = g->fd = -1;
}

static void on_output(int watch, int fd, void *opaque)
{
	struct agent_guest *g = opaque;
	char rest[4096];
	bool full = g->len >= VERIFY_OUTPUT;
	ssize_t n;

	(void)watch;
	n = full ? read(fd, rest, sizeof(rest)) : read(fd, g->out + g->len, VERIFY_OUTPUT - g->len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		g->len += full ? 0 : (size_t)n;
		return;
	}
	close_output(g);
	g->out[g->len] = '\0';
	g->output(g);
}

int agent_verify_start(struct agent_guest *g, const char *const *arguments, unsigned seconds,
		       struct vw_err *err)
{
	VW_AUTOFREE char *program = vw_context_command(g->conn->agent->ctx);
	const char *const command[] = { program, "-c", g->conn->uri, "verify", g->uuid };
	const char *argv[ARGS_MAX] = { NULL };
	char limit[UNIT_TEXT];
	size_t n = 0;
	int r;

	/* Our cage has no network (virt-wardend.service). */
	if (unit_is_needed()) {
		n = unit_begin(argv, unit_for_verify, seconds, limit);
		argv[n++] = "--";
	}
	for (size_t i = 0; i < VW_N_ELEMENTS(command); i++)
		argv[n++] = command[i];
	while (*arguments && n + 1 < ARGS_MAX)
		argv[n++] = *arguments++;
	g->len = 0;
	if (!g->out)
		g->out = malloc(VERIFY_OUTPUT + 1);
	if (!g->out || !program)
		return vw_err_set(err, -ENOMEM, "out of memory");
	r = vw_run_start((char *const *)argv, &g->pid, &g->fd, err);
	if (r < 0) {
		g->pid = 0;
		g->fd = -1;
		return r;
	}
	fcntl(g->fd, F_SETFL, O_NONBLOCK);
	g->deadline = vw_clock_ms() + (int64_t)seconds * 1000;
	g->watch = agent_watch(g->conn->agent, g->fd, on_output, g);
	if (g->watch >= 0)
		return 0;
	agent_verify_end(g);
	return vw_err_set(err, -ENOMEM, "out of memory");
}

void agent_verify_end(struct agent_guest *g)
{
	if (g->pid > 0)
		kill(g->pid, SIGKILL);
	close_output(g);
	free(vw_steal(g->out));
	g->len = 0;
}

bool agent_verify_reap(struct agent_guest *g)
{
	if (g->pid > 0 && waitpid(g->pid, NULL, WNOHANG) == 0)
		return false;
	g->pid = 0;
	return true;
}
