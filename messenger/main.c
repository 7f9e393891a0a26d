/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden-alert: delivers what is in the queue of alerts, and ends when nothing is left. */
#include "messenger/messenger.h"
#include "lib/conf/conf.h"
#include "lib/base/set-id.h"

#include <errno.h>
#include <getopt.h>
#include <time.h>

enum { EXIT_USAGE = 2 };

static const char usage[] =
	"Usage: virt-warden-alert [OPTION]…\n"
	"\n"
	"Tells every sink of warden.conf's [alerts] what the queue of alerts holds; tries again\n"
	"what fails; ends when nothing is left to be told. virt-wardend starts it, or systemd\n"
	"(virt-warden-alert.path). One runs at a time.\n"
	"\n"
	"Options:\n"
	"  -t, --test SINK  send a test alert to that sink (log, scripts, webhook, alertmanager,\n"
	"                   mail), and say what became of it\n"
	"  -h, --help       this text\n"
	"  -V, --version    the version\n"
	"\n"
	"Exit: 0 = nothing is left, ended by a signal, another one runs, or the test alert went\n"
	"out; 1 = failed; 2 = wrong usage.\n";

static char *alert_d_of(const char *conf)
{
	const char *slash = strrchr(conf, '/');
	char *path = NULL;

	if (asprintf(&path, "%.*s/alert.d", slash ? (int)(slash - conf) : 1, slash ? conf : ".") <
	    0)
		return NULL;
	return path;
}

static const struct sink *find_sink(const char *name)
{
	for (size_t i = 0; i < N_SINKS; i++)
		if (vw_streq(sinks[i]->name, name))
			return sinks[i];
	return NULL;
}

/* One alert, raised and over, straight to the sink. */
static int test(const struct sink *sink, const struct vw_paths *paths, const char *alert_d,
		const char *host, struct vw_err *err)
{
	const struct vw_alert_detail details[] = { { "note", "nothing is wrong" } };
	struct vw_policy policy;
	struct sink_context c = { &policy.alerts, alert_d, host, time(NULL) };
	struct vw_alert a = { .time = c.now,
			      .host = host,
			      .domain = "",
			      .uuid = "",
			      .kind = "test",
			      .severity = VW_ALERT_INFO,
			      .summary = "a test alert of virt-warden: nothing is wrong",
			      .details = details,
			      .n_details = 1,
			      .count = 1 };
	struct message m = { .alert = &a };
	int r = vw_conf_load(paths->conf, &policy, err);

	if (r < 0)
		return r;
	if (!sink->wanted(&c))
		return vw_err_set(err, -ENOENT, "%s: sink %s is not set up in [alerts] there",
				  paths->conf, sink->name);
	snprintf(a.id, sizeof(a.id), "%016llx%016llx", (unsigned long long)c.now,
		 (unsigned long long)getpid());
	r = sink->send(&c, &m, 1, err);
	if (r == 0) {
		a.resolved = c.now;
		m.resolved = true;
		m.progress[0] = '\0';
		r = sink->send(&c, &m, 1, err);
	}
	return r < 0 ? vw_err_wrap(err, r, "%s", sink->name) : 0;
}

static int deliver(const struct vw_paths *paths, const char *alert_d, const char *host,
		   struct vw_err *err)
{
	struct vw_alerts *q = NULL;
	int r = vw_alerts_open(paths->statedir, &q, err);

	if (r < 0)
		return r;
	r = vw_alerts_deliver_lock(q, err);
	if (r == 0)
		r = alert_loop(q, paths->conf, alert_d, host, err);
	else if (r == -EBUSY)
		r = 0; /* that one does it */
	vw_alerts_close(q);
	return r;
}

static int run(const char *test_sink)
{
	const struct sink *sink = test_sink ? find_sink(test_sink) : NULL;
	struct vw_paths paths = { 0 };
	VW_AUTOFREE char *alert_d = NULL;
	struct vw_err err = { 0 };
	char host[65] = "";
	int r;

	if (test_sink && !sink) {
		fprintf(stderr,
			"virt-warden-alert: '%s' is no sink; they are log, scripts, webhook, "
			"alertmanager, mail\n",
			test_sink);
		return EXIT_USAGE;
	}
	gethostname(host, sizeof(host) - 1);
	r = vw_paths_init(&paths, &err);
	if (r == 0) {
		alert_d = alert_d_of(paths.conf);
		r = alert_d ? 0 : vw_err_set(&err, -ENOMEM, "out of memory");
	}
	if (r == 0)
		r = sink ? test(sink, &paths, alert_d, host, &err)
			 : deliver(&paths, alert_d, host, &err);
	if (r < 0)
		fprintf(stderr, "virt-warden-alert: %s\n", err.text);
	vw_paths_clear(&paths);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "test", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *test_sink = NULL;
	int c;

	if (vw_is_set_id()) {
		fprintf(stderr, VW_SET_ID_LINE, "virt-warden-alert");
		return EXIT_FAILURE;
	}
	while ((c = getopt_long(argc, argv, "t:hV", longs, NULL)) != -1) {
		switch (c) {
		case 't': test_sink = optarg; break;
		case 'h': return fputs(usage, stdout) < 0;
		case 'V': return puts("virt-warden-alert " VW_VERSION) < 0;
		default: fputs("Try virt-warden-alert --help.\n", stderr); return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "virt-warden-alert: '%s': it takes no argument; try --help\n",
			argv[optind]);
		return EXIT_USAGE;
	}
	return run(test_sink);
}
