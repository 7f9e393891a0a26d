/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asks libvirts in children of ours, many at once, each with a deadline (see host.h).
 * No connection is open in this process when it forks. */
#include "lib/json/json.h"
#include "lib/base/clock.h"
#include "virt/domain.h"
#include "virt/hostfacts/host.h"

#include "virt/open.h"

#include <errno.h>
#include <fcntl.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

static json_t *ask(const struct host_ask *a, struct vw_err *err)
{
	virConnectPtr conn = vw_open_mute_either(a->uri, 0);
	json_t *answer;

	if (!conn) {
		vw_virt_error(err, a->uri ? a->uri : "libvirt");
		return NULL;
	}
	answer = a->domain ? host_collect_domain(conn, a->domain, err)
			   : host_collect(conn, a->paths, err);
	if (answer && !a->domain && a->uri && strstr(a->uri, "://")) /* as it was given */
		json_object_set_new(answer, "uri", vw_json_string(a->uri));
	virConnectClose(conn);
	return answer;
}

/* The child: one JSON object into the pipe, {"error": …} if it could not be had. */
static void child(const struct host_ask *a, int fd)
{
	struct vw_err err = { 0 };
	json_t *answer;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid(); /* an ssh below us has no terminal, and ends with us */
	/* Nor a window, also where an alias or a default hides its URI from us. */
	unsetenv("DISPLAY");
	unsetenv("SSH_ASKPASS");
	answer = ask(a, &err);
	if (!answer)
		answer = json_pack("{s:s, s:i}", "error", err.text, "code", err.code);
	_exit(answer && json_dumpfd(answer, fd, JSON_COMPACT) == 0 ? 0 : 1);
}

static void start(struct host_ask *a)
{
	int fds[2];

	a->fd = -1;
	if (pipe2(fds, O_CLOEXEC) < 0) {
		vw_err_set(&a->err, -errno, "%s: %s", a->uri ? a->uri : "libvirt", strerror(errno));
		return;
	}
	fflush(NULL); /* or the child would have a copy to write */
	a->pid = fork();
	if (a->pid == 0)
		child(a, fds[1]);
	close(fds[1]);
	a->fd = fds[0];
	if (a->pid < 0) {
		vw_err_set(&a->err, -errno, "%s: %s", a->uri ? a->uri : "libvirt", strerror(errno));
		close(fds[0]);
		a->fd = -1;
	}
}

/* Return: false at the end, or when it says too much. */
static bool take(struct host_ask *a)
{
	ssize_t n;

	if (a->cap - a->len < 65536) {
		size_t cap = a->cap ? a->cap * 2 : 1 << 18;
		char *more = cap <= HOST_MAX_BYTES ? realloc(a->text, cap) : NULL;

		if (!more)
			return false;
		a->text = more;
		a->cap = cap;
	}
	n = read(a->fd, a->text + a->len, a->cap - a->len);
	if (n > 0)
		a->len += (size_t)n;
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static void understand(struct host_ask *a, bool in_time, unsigned deadline_ms)
{
	const char *uri = a->uri ? a->uri : "libvirt";
	json_t *error;

	if (!in_time) {
		vw_err_set(&a->err, -ETIME, "%s: no answer within %u s", uri, deadline_ms / 1000);
		return;
	}
	a->answer = json_loadb(a->text ? a->text : "", a->len, 0, NULL);
	if (!a->answer) {
		vw_err_set(&a->err, -EPROTO, "%s: no answer, or too long a one", uri);
		return;
	}
	error = json_object_get(a->answer, "error");
	if (!error)
		return;
	vw_err_set(&a->err, (int)json_integer_value(json_object_get(a->answer, "code")), "%s",
		   json_string_value(error));
	json_decref(a->answer);
	a->answer = NULL;
}

static void finish(struct host_ask *a, bool in_time, unsigned deadline_ms)
{
	close(a->fd);
	a->fd = -1;
	kill(-a->pid, SIGKILL);
	kill(a->pid, SIGKILL); /* it may not have got that far */
	while (waitpid(a->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	understand(a, in_time, deadline_ms);
	free(a->text);
	a->text = NULL;
}

static void wait_all(struct host_ask *asks, size_t n, unsigned deadline_ms)
{
	long long until = vw_clock_ms() + deadline_ms;

	for (;;) {
		struct pollfd p[HOST_PARALLEL];
		long long left = until - vw_clock_ms();
		size_t i, open = 0;

		for (i = 0; i < n; i++) {
			p[i] = (struct pollfd){ .fd = asks[i].fd, .events = POLLIN };
			open += asks[i].fd >= 0;
		}
		if (!open || left <= 0)
			break;
		if (poll(p, n, (int)left) <= 0)
			continue;
		for (i = 0; i < n; i++)
			if (p[i].fd >= 0 && p[i].revents && !take(&asks[i]))
				finish(&asks[i], true, deadline_ms);
	}
	for (size_t i = 0; i < n; i++)
		if (asks[i].fd >= 0)
			finish(&asks[i], false, deadline_ms);
}

void host_ask_all(struct host_ask *asks, size_t n, unsigned deadline_ms)
{
	for (size_t from = 0; from < n; from += HOST_PARALLEL) {
		size_t some = n - from < HOST_PARALLEL ? n - from : HOST_PARALLEL;

		for (size_t i = 0; i < some; i++)
			start(&asks[from + i]);
		wait_all(asks + from, some, deadline_ms);
	}
}

void host_ask_clear(struct host_ask *a)
{
	json_decref(a->answer);
	a->answer = NULL;
}
