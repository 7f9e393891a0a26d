/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps a sampler for each libvirtd: `virt-warden verify --watch-all`, a child that notes in
 * each running guest's live metadata what is normal for it (virt/verify/watch.c). It prints
 * a dot each time; when none comes some QEMU stands still, and the child is started anew. */
#include "agent/agent.h"

#include "lib/base/clock.h"
#include "virt/run.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <syslog.h>

#define LATE_MS 30000 /* beyond the interval: no dot for so long */
#define BACKOFF_MS 5000
#define REAP_MS 200

static void close_output(struct agent_conn *c)
{
	struct agent_sampler *s = &c->sampler;

	if (s->watch >= 0)
		agent_unwatch(c->agent, s->watch);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = s->watch = -1;
}

static int64_t interval_ms(const struct agent_conn *c)
{
	return (int64_t)vw_context_policy(c->agent->ctx)->sample_seconds * 1000;
}

static void on_output(int watch, int fd, void *opaque)
{
	struct agent_conn *c = opaque;
	char dots[256];
	ssize_t n = read(fd, dots, sizeof(dots));

	(void)watch;
	if (n > 0)
		c->sampler.late = vw_clock_ms() + interval_ms(c) + LATE_MS;
	else
		close_output(c); /* no guest runs, or libvirtd is gone */
	agent_wake(c->agent);
}

static void start(struct agent_conn *c)
{
	struct agent_sampler *s = &c->sampler;
	VW_AUTOFREE char *program = vw_context_command(c->agent->ctx);
	char seconds[16];
	const char *argv[] = { program, "-c", c->uri, "verify", "--watch-all", seconds, NULL };
	struct vw_err err = { 0 };

	snprintf(seconds, sizeof(seconds), "%u", vw_context_policy(c->agent->ctx)->sample_seconds);
	s->wanted = false;
	s->next = vw_clock_ms() + BACKOFF_MS;
	if (!program || vw_run_start((char *const *)argv, &s->pid, &s->fd, &err) < 0) {
		s->pid = 0;
		s->fd = -1;
		agent_log(c->agent, LOG_ERR, "sampler", NULL, NULL, "%s", err.text);
		return;
	}
	fcntl(s->fd, F_SETFL, O_NONBLOCK);
	s->late = vw_clock_ms() + interval_ms(c) + LATE_MS;
	s->watch = agent_watch(c->agent, s->fd, on_output, c);
}

/* Is the child gone? Waits for nothing. */
static bool reaped(struct agent_sampler *s)
{
	if (s->pid > 0 && waitpid(s->pid, NULL, WNOHANG) == 0)
		return false;
	s->pid = 0;
	return true;
}

void agent_sampler_want(struct agent_conn *c)
{
	c->sampler.wanted = true;
}

int64_t agent_sampler_tick(struct agent_conn *c)
{
	struct agent_sampler *s = &c->sampler;
	int64_t now = vw_clock_ms();

	if (s->pid > 0 && s->fd >= 0 && interval_ms(c)) {
		if (now < s->late)
			return s->late;
		agent_log(c->agent, LOG_WARNING, "sampler", NULL, NULL,
			  "%s: a guest's QEMU does not answer: virsh domcontrol tells which",
			  c->uri);
		s->wanted = true;
	}
	if (s->pid > 0) { /* it ended, or has to */
		if (s->fd >= 0 || !interval_ms(c))
			kill(s->pid, SIGKILL);
		close_output(c);
		if (!reaped(s))
			return now + REAP_MS;
	}
	if (!s->wanted || !c->virt || !interval_ms(c))
		return 0;
	if (now < s->next)
		return s->next;
	start(c);
	return s->pid > 0 ? s->late : s->next;
}

void agent_sampler_stop(struct agent_conn *c)
{
	if (c->sampler.pid > 0)
		kill(c->sampler.pid, SIGKILL);
	close_output(c);
}
