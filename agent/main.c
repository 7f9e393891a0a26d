/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-wardend: options, start and end, and the tick that does the work. */
#include "agent/agent.h"
#include "lib/base/clock.h"
#include "lib/base/set-id.h"

#include "lib/base/private-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>
#include <malloc.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>

#define URIS_MAX 16
#define WORK_MAX 16    /* domains per tick, then events have their turn … */
#define WORK_MS 50     /* … and no more when so much time is gone */
#define REPORT_MS 1000 /* status and metrics are written so often at most */

enum { EXIT_USAGE = 2 };

struct options {
	const char *uris[URIS_MAX], *pidfile;
	size_t n_uris;
	bool foreground;
};

static const char usage[] =
	"Usage: virt-wardend [OPTION]…\n"
	"\n"
	"Watches libvirt and gives every domain that anybody defines or changes the devices\n"
	"that suit its guest OS; keeps every version of every config.\n"
	"\n"
	"Options:\n"
	"  -c, --connect URI   watch this libvirt (again for more; default qemu:///system)\n"
	"  -f, --foreground    do not become a daemon\n"
	"  -p, --pidfile FILE  write the process id there\n"
	"  -h, --help          this text\n"
	"  -V, --version       the version\n"
	"\n"
	"SIGHUP: read the configuration anew, compare all domains. SIGTERM: end.\n"
	"Exit: 0 = ended by a signal; 1 = could not start; 2 = wrong usage.\n";

/* The earlier of two times; 0 and less = none. */
static int64_t earlier(int64_t a, int64_t b)
{
	if (a <= 0 || b <= 0)
		return a > b ? a : b;
	return a < b ? a : b;
}

/* Return: when to be called again, ms; 0 = when something happens. */
static int64_t tick_conn(struct agent_conn *c)
{
	int64_t began, next = agent_conn_tick(c), sampler = agent_sampler_tick(c);

	if (!c->virt)
		return earlier(sampler, next);
	began = vw_clock_ms();
	for (int i = 0; i < WORK_MAX && !c->broken && vw_clock_ms() < began + WORK_MS; i++) {
		struct agent_entry *e = agent_table_take(&c->table, vw_clock_ms());

		if (!e)
			break;
		agent_work(c, e);
	}
	next = earlier(sampler, agent_sync_tick(c));
	return c->broken ? vw_clock_ms() : earlier(next, agent_table_due(&c->table));
}

/* Return: when to report again, ms; 0 = nothing to tell. */
static int64_t report(struct agent *a)
{
	int64_t now = vw_clock_ms();

	if (!a->dirty)
		return 0;
	if (a->reported && now < a->reported + REPORT_MS)
		return a->reported + REPORT_MS;
	agent_state_write(a);
	agent_metrics_write(a);
	malloc_trim(0);
	a->reported = now;
	a->dirty = false;
	return 0;
}

/* Return: so long there is nothing to do, ms; -1 = until something happens. */
static int64_t tick(struct agent *a)
{
	int64_t next = 0, wait;

	if (a->reload) {
		a->reload = a->conf_bad = false;
		a->stale = true;
		agent_context(a);
		for (size_t i = 0; i < a->n_conns; i++)
			a->conns[i].sync.wanted = true;
		agent_sweep_want(a);
		agent_notify("READY=1");
	}
	for (size_t i = 0; i < a->n_conns; i++)
		next = earlier(next, tick_conn(&a->conns[i]));
	next = earlier(next, report(a));
	next = earlier(next, agent_notify_tick(a));
	next = earlier(next, agent_host_tick(a));
	next = earlier(next, agent_verify_tick(a));
	next = earlier(next, agent_alerts_tick(a));
	next = earlier(next, agent_sweep_tick(a));
	wait = next - vw_clock_ms();
	return next <= 0 ? -1 : wait < 0 ? 0 : wait;
}

/* libvirt prints errors by itself unless told not to; we say what matters. */
static void no_print(void *opaque, virErrorPtr error)
{
	(void)opaque;
	(void)error;
}

static void no_xml_print(void *opaque, const char *fmt, ...)
{
	(void)opaque;
	(void)fmt;
}

/* One agent per run directory. A record lock: unlike flock(2) no child inherits it, so it
 * ends with us however we end. Return: 0 or negative errno. */
static int lock_rundir(const struct agent *a, struct vw_err *err)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	const char *rundir = vw_context_paths(a->ctx)->rundir;
	VW_AUTOFREE char *path = NULL;
	int fd;

	if (asprintf(&path, "%s/virt-wardend.lock", rundir) < 0) {
		path = NULL;
		return vw_err_set(err, -ENOMEM, "out of memory");
	}
	mkdir(vw_context_paths(a->ctx)->statedir, 0700);
	mkdir(rundir, 0755);
	fd = vw_private_file(AT_FDCWD, path); /* kept open */
	if (fd < 0)
		return vw_err_set(err, fd, "%s: %s", path, strerror(-fd));
	if (fcntl(fd, F_SETLK, &lock) == 0)
		return 0;
	fcntl(fd, F_GETLK, &lock);
	return vw_err_set(err, -EBUSY, "virt-wardend runs already (pid %d, by %s)", (int)lock.l_pid,
			  path);
}

static int write_pidfile(const char *path, struct vw_err *err)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	int r = path ? agent_replace_file(path, text, (size_t)len, 0644, false) : 0;

	return r < 0 ? vw_err_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}

/* Become a daemon. The parent ends when the child is up: with what it says. Return: a
 * descriptor to say it by, or -1. */
static int become_daemon(void)
{
	int ends[2], null;
	char status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		perror("virt-wardend");
		exit(EXIT_FAILURE);
	}
	if (pid > 0) {
		close(ends[1]);
		_exit(read(ends[0], &status, 1) == 1 ? status : EXIT_FAILURE);
	}
	close(ends[0]);
	setsid();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || chdir("/") < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(null, STDOUT_FILENO) < 0)
		_exit(EXIT_FAILURE);
	return ends[1]; /* stderr follows when all is well */
}

static void daemon_is_up(int fd)
{
	if (fd < 0)
		return;
	dup2(STDOUT_FILENO, STDERR_FILENO);
	(void)!write(fd, "", 1);
	close(fd);
}

static int start(struct agent *a, const struct options *opt, struct vw_err *err)
{
	int r = vw_context_open(&a->ctx, err);

	if (r == 0)
		r = lock_rundir(a, err);
	if (r < 0)
		return r;
	a->conf_stamp = agent_conf_stamp(a);
	a->started = time(NULL);
	a->dirty = true;
	r = agent_loop_open(a, opt->pidfile, err);
	if (r < 0)
		return r;
	agent_alerts_open(a);
	agent_sweep_open(a);
	agent_udev_open(a);
	a->conns = calloc(opt->n_uris, sizeof(*a->conns));
	if (!a->conns)
		return vw_err_set(err, -ENOMEM, "out of memory");
	for (; r == 0 && a->n_conns < opt->n_uris; a->n_conns++)
		r = agent_conn_open(&a->conns[a->n_conns], a, opt->uris[a->n_conns], err);
	return r == 0 ? write_pidfile(opt->pidfile, err) : r;
}

static void stop(struct agent *a, const struct options *opt)
{
	agent_notify("STOPPING=1");
	agent_verify_stop(a);
	agent_news_drop(a);
	for (size_t i = 0; i < a->n_conns; i++)
		agent_conn_close(&a->conns[i]);
	free(a->conns);
	agent_udev_close(a);
	agent_alerts_close(a);
	agent_sweep_close(a);
	if (a->started)
		agent_state_remove(a);
	if (a->started && opt->pidfile)
		unlink(opt->pidfile);
	agent_log_close(a);
	vw_context_close(a->ctx);
	agent_loop_close(a);
}

static int run(const struct options *opt)
{
	/* static: libvirt's thread has it until the process is gone */
	static struct agent a = { .log_fd = -1, .news.lock = PTHREAD_MUTEX_INITIALIZER };
	int up = opt->foreground ? -1 : become_daemon();
	struct vw_err err = { 0 };
	int r;

	/* A second thread is short-lived: it needs no heap of its own. And what a request to
	 * libvirtd needs goes back to the kernel when all is done (report), not each time. */
	a.foreground = opt->foreground;
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
	virSetErrorFunc(NULL, no_print);
	xmlSetGenericErrorFunc(NULL, no_xml_print);
	agent_log_open(&a);
	if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
		r = vw_err_set(&err, -EIO, "libvirt can't be used: %s", virGetLastErrorMessage());
	else
		r = start(&a, opt, &err);
	if (r < 0) {
		fprintf(stderr, "virt-wardend: %s\n", err.text);
		stop(&a, opt);
		return EXIT_FAILURE;
	}
	daemon_is_up(up);
	a.watchdog = agent_notify_watchdog();
	agent_notify("READY=1");
	while (!a.stop) {
		agent_loop_wait(&a, tick(&a));
		agent_news_tell(&a);
	}
	stop(&a, opt);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "connect", required_argument, NULL, 'c' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "pidfile", required_argument, NULL, 'p' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	struct options opt = { .n_uris = 0 };
	int c;

	if (vw_is_set_id()) {
		fprintf(stderr, VW_SET_ID_LINE, "virt-wardend");
		return EXIT_FAILURE;
	}
	while ((c = getopt_long(argc, argv, "c:fp:hV", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			if (opt.n_uris == URIS_MAX) {
				fprintf(stderr, "virt-wardend: at most %d libvirts\n", URIS_MAX);
				return EXIT_USAGE;
			}
			opt.uris[opt.n_uris++] = optarg;
			break;
		case 'f': opt.foreground = true; break;
		case 'p': opt.pidfile = optarg; break;
		case 'h': return fputs(usage, stdout) < 0;
		case 'V': return puts("virt-wardend " VW_VERSION) < 0;
		default: fputs("Try virt-wardend --help.\n", stderr); return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "virt-wardend: '%s': it takes no argument; try --help\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	if (!opt.n_uris)
		opt.uris[opt.n_uris++] = "qemu:///system";
	return run(&opt);
}
