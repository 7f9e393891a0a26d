/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command's connection to libvirt: it never waits for ever for a daemon that does not answer.
 *
 * Opening has no deadline in libvirt, so a thread opens, and is left behind when it takes too
 * long. From then on there is keepalive, which needs libvirt's event loop in a thread of its
 * own: a call that waits for a silent daemon fails after VW_SILENT_S. How long a daemon that
 * answers works on a call has no limit: it may be long work. */
#include "plugin/cmd/cmd.h"

#include "virt/collect.h"
#include "virt/domain.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <time.h>

#define REMOTE_S 60 /* another host, where nobody can be asked for a password */

/* Never freed: the thread may outlive who waits for it. */
struct opening {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	char *uri; /* NULL = libvirt's default */
	bool read_only_will_do;
	bool done;
	virConnectPtr conn;
	struct vw_err err; /* conn is NULL */
};

static void *run_loop(void *arg)
{
	while (virEventRunDefaultImpl() == 0)
		continue;
	return arg;
}

static void *open_it(void *arg)
{
	struct opening *o = arg;
	virConnectPtr conn = virConnectOpenAuth(o->uri, virConnectAuthPtrDefault, 0);
	struct vw_err err = { 0 };

	if (!conn && o->read_only_will_do)
		conn = virConnectOpenReadOnly(o->uri);
	if (conn)
		virConnectSetKeepAlive(conn, 1, VW_SILENT_S - 1);
	else
		vw_virt_error(&err, o->uri ? o->uri : "no libvirt can be reached");
	virResetLastError();
	pthread_mutex_lock(&o->lock);
	o->conn = conn;
	o->err = err;
	o->done = true;
	pthread_cond_signal(&o->changed);
	pthread_mutex_unlock(&o->lock);
	return NULL;
}

static struct opening *opening_new(const struct cmd *cmd, bool read_only_will_do)
{
	struct opening *o = calloc(1, sizeof(*o));
	pthread_condattr_t attr;

	if (!o)
		return NULL;
	o->uri = cmd->uri ? strdup(cmd->uri) : NULL;
	o->read_only_will_do = read_only_will_do;
	pthread_mutex_init(&o->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&o->changed, &attr);
	pthread_condattr_destroy(&attr);
	return o;
}

/* Does this URI lead to a daemon of another host? Then ssh may ask the user something. */
static bool is_remote(const char *uri)
{
	const char *host = uri ? strstr(uri, "://") : NULL;

	return host && host[3] && host[3] != '/';
}

/* Seconds that opening may take; 0 = as long as the user likes. */
static int patience(const char *uri)
{
	if (!is_remote(uri))
		return VW_SILENT_S;
	return isatty(STDIN_FILENO) ? 0 : REMOTE_S;
}

/* Return: true if it is open, or failed. */
static bool wait_for(struct opening *o, int seconds)
{
	struct timespec until;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&o->lock);
	while (!o->done && r == 0)
		r = seconds ? pthread_cond_timedwait(&o->changed, &o->lock, &until)
			    : pthread_cond_wait(&o->changed, &o->lock);
	pthread_mutex_unlock(&o->lock);
	return r == 0;
}

static int start(struct cmd *cmd, struct opening *o)
{
	pthread_t thread;
	int r = 0;

	if (!cmd->loop_runs) {
		if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
			return -EIO;
		r = pthread_create(&thread, NULL, run_loop, NULL);
		if (r == 0)
			pthread_detach(thread);
		cmd->loop_runs = r == 0;
	}
	if (r == 0)
		r = pthread_create(&thread, NULL, open_it, o);
	if (r == 0)
		pthread_detach(thread);
	return -r;
}

int cmd_connect(struct cmd *cmd, bool read_only_will_do, struct vw_err *err)
{
	const char *uri = cmd->uri ? cmd->uri : getenv("LIBVIRT_DEFAULT_URI");
	struct opening *o;
	int seconds = patience(uri);

	if (cmd->conn)
		return 0;
	if (cmd->silent) /* once is enough */
		return vw_err_set(err, -ETIME, "%s", cmd->silent);
	o = opening_new(cmd, read_only_will_do);
	if (!o || start(cmd, o) < 0)
		return vw_err_set(err, -EAGAIN, "libvirt could not be initialised");
	if (!wait_for(o, seconds)) {
		if (asprintf(&cmd->silent, "%s: libvirtd does not answer (for %d s)",
			     uri ? uri : "libvirt", seconds) < 0)
			cmd->silent = NULL;
		return vw_err_set(err, -ETIME, "%s", cmd->silent ? cmd->silent : "out of memory");
	}
	cmd->conn = o->conn;
	if (cmd->conn)
		return 0;
	*err = o->err;
	return err->code;
}
