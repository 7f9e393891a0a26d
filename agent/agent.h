/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-wardend: what its files share.
 *
 * Two threads (loop.c). One runs libvirt's default event loop; its callbacks only queue what
 * happened (news.c). The main thread notes in a table which domain is due when; its tick
 * connects, compares and works on what is due, a bounded piece at a time, so that events are
 * never kept waiting for long. A connection is opened by a thread that may hang (conn.c). */
#ifndef VW_AGENT_H
#define VW_AGENT_H

#include "agent/agent-table.h"
#include "lib/alert/alert.h"
#include "lib/base/replace-file.h"
#include "virt/apply.h"

#include <pthread.h>
#include <sys/types.h>

#define AGENT_CALLBACKS 9
#define AGENT_ERRORS 5 /* last errors that `virt-warden status` can show */

struct agent;

/* A walk over all domains: at connect (full) and from time to time. */
struct agent_sync {
	virDomainPtr *list;
	size_t n, pos;
	bool wanted;
	bool asked;    /* this one was wanted: it is worth a line */
	int64_t next;  /* when the next comparison begins, ms */
	int64_t ended; /* wall clock of the last one's end, s; 0 = none yet */
	int64_t began; /* ms */
};

/* The child that notes what is normal for running guests. */
struct agent_sampler {
	pid_t pid;     /* 0 = none */
	int fd, watch; /* its dots, -1 = none */
	bool wanted;   /* a guest may run that nobody looks at */
	int64_t late;  /* when it is late, ms */
	int64_t next;  /* not started before, ms */
};

/* One libvirtd. It lives as long as the agent, connected or not. */
struct agent_conn {
	struct agent *agent;
	char *uri;
	virConnectPtr virt;  /* NULL = not connected */
	virDomainPtr recent; /* of the last event that made a domain due; may be NULL */
	int callbacks[AGENT_CALLBACKS];
	_Atomic bool broken;           /* the close callback came */
	_Atomic bool silent;           /* … because libvirtd does not answer */
	unsigned failures;             /* to connect, since it was connected */
	struct agent_opening *opening; /* a thread opens it; NULL = none */
	int64_t silent_since;          /* wall clock, s; 0 = it answers, or is not there */
	int64_t reconnect;             /* when to try again, ms */
	unsigned long version;         /* of libvirtd now, 0 = unknown */
	bool first;                    /* the agent never saw this libvirtd before */
	bool listed;                   /* … and a list says which domains were there before us */
	bool rebase;        /* another version: texts differ, though nobody changed them */
	char *known_path;   /* what was known of the domains when we last ran */
	size_t known_lines; /* in that file */
	unsigned long known_version;
	struct agent_table table;
	struct agent_sync sync;
	struct agent_sampler sampler;
};

struct agent_counts {
	uint64_t fixes, errors, refused, put_back, reconnects, passes;
	uint64_t latency_n, latency_ms; /* from due to stored */
	uint64_t verdicts[4];           /* by enum vw_health */
};

struct agent_error {
	int64_t time; /* wall clock, s */
	char text[256];
};

/* What libvirt's thread has to tell (news.c). */
struct agent_queue {
	pthread_mutex_t lock;
	struct agent_news *first, *last; /* NULL = none */
	size_t n;
	bool lost; /* there was more */
};

struct agent {
	struct vw_context *ctx;
	bool stale;          /* open the context anew before it is used next */
	uint64_t conf_stamp; /* which warden.conf it was opened with */
	bool conf_bad;       /* that one was refused, and that was said */
	struct agent_conn *conns;
	size_t n_conns;
	struct agent_loop *loop;
	struct agent_queue news;
	_Atomic bool stop, reload;
	bool foreground;
	bool history_failed; /* said once */
	struct agent_counts counts;
	struct agent_error errors[AGENT_ERRORS];
	size_t n_errors;
	int64_t started;         /* wall clock, s */
	int64_t reported;        /* when status and metrics were written last, ms; 0 = never */
	bool dirty;              /* they no longer tell the truth */
	int64_t watchdog, alive; /* systemd's: every so many ms, last sign, ms; 0 = none wanted */
	int log_fd;              /* -1 = nobody listens */
	bool journal;            /* it is journald's */
	struct agent_guest *guests; /* agent-verify.h */
	size_t n_guests;
	struct agent_udev *udev;     /* udev.c */
	int64_t host_due;            /* when to ask which domains can't start, ms; 0 = not */
	struct agent_alerts *alerts; /* NULL = somebody else starts virt-warden-alert */
	struct agent_sweep *sweep;   /* sweep.c; NULL = no memory */
};

/* Tells one warden.conf from another. 0 = there is none. */
uint64_t agent_conf_stamp(const struct agent *a);
/* The context, opened anew if warden.conf or libvirtd changed. NULL: said, and counted. */
struct vw_context *agent_context(struct agent *a);

/* loop.c. open: starts the second thread, which hears signals from then on; pidfile: to be
 * removed at the end, may be NULL. close: ends that thread. wait: for what is watched, at most ms (-1 = no limit).
 * wake: ask for a tick; from any thread. watch: fn is called by the main thread when fd can be
 * read; returns what unwatch takes, -1 = no memory. */
typedef void agent_watch_fn(int watch, int fd, void *opaque);
int agent_loop_open(struct agent *a, const char *pidfile, struct vw_err *err);
void agent_loop_close(struct agent *a);
void agent_loop_wait(struct agent *a, int64_t ms);
void agent_wake(struct agent *a);
int agent_watch(struct agent *a, int fd, agent_watch_fn *fn, void *opaque);
void agent_unwatch(struct agent *a, int watch);

/* news.c. add: from libvirt's thread; fn is called later by the main thread, in agent_news_tell. */
struct agent_news;
typedef void agent_news_fn(struct agent_conn *c, virDomainPtr dom, const struct agent_news *n);
struct agent_news {
	struct agent_news *next;
	struct agent_conn *conn;
	virDomainPtr dom;
	agent_news_fn *fn;
	int a, b;   /* whatever fn knows */
	char *text; /* may be NULL */
};
void agent_news_add(struct agent_conn *c, virDomainPtr dom, agent_news_fn *fn, int a, int b,
		    const char *text);
void agent_news_tell(struct agent *a);
void agent_news_drop(struct agent *a);

/* conn.c. open: -ENOMEM only; connected or not is for the tick to see. */
int agent_conn_open(struct agent_conn *c, struct agent *a, const char *uri, struct vw_err *err);
void agent_conn_close(struct agent_conn *c);
/* Connect, or reconnect, when it is time. Return: when to be called again, ms; 0 = when something
 * happens. */
int64_t agent_conn_tick(struct agent_conn *c);

/* events.c. Return: 0 or -EIO. */
int agent_events_register(struct agent_conn *c, struct vw_err *err);
void agent_events_deregister(struct agent_conn *c);

/* sync.c: a piece of the walk over all domains. Return: when to be called again, ms; -1 = not at all. */
int64_t agent_sync_tick(struct agent_conn *c);
void agent_sync_stop(struct agent_conn *c);

/* work.c: deal with one domain that is due. The entry may be gone afterwards. */
void agent_work(struct agent_conn *c, struct agent_entry *e);

/* judge.c: rules that whoever changed the config took back by hand, space-separated, "" = none
 * (malloc'ed), or NULL (no memory). xml: the config now. facts: of it. */
char *agent_judge(struct vw_context *ctx, struct agent_entry *e, const char *uuid, const char *xml,
		  const struct vw_gathered *facts);

/* known.c: what outlives the agent. load: also tells if this libvirtd is seen first. */
void agent_known_load(struct agent_conn *c);
void agent_known_add(struct agent_conn *c, const struct agent_entry *e);
/* Write the file anew (after a walk over all domains). */
void agent_known_write(struct agent_conn *c);

/* report.c: one line to journald, syslog or stderr. kind: "fixed", "error" …; name and uuid
 * may be NULL. An LOG_ERR or LOG_WARNING is also kept for `virt-warden status`. */
void agent_log_open(struct agent *a);
void agent_log_close(struct agent *a);
void agent_log(struct agent *a, int priority, const char *kind, const char *name, const char *uuid,
	       const char *fmt, ...) VW_PRINTF(6, 7);

/* notify.c: systemd's readiness protocol; nothing without systemd. Return: the watchdog's
 * interval in ms, 0 = none. */
void agent_notify(const char *state);
int64_t agent_notify_watchdog(void);
/* Tell systemd that we live, when it is time. Return: when it is next, ms; 0 = never. */
int64_t agent_notify_tick(struct agent *a);

/* udev.c: what comes and goes on this host. */
void agent_udev_open(struct agent *a);
void agent_udev_close(struct agent *a);

/* host.c: could a domain start, as far as this host's devices go? look: at its config, xml;
 * known: that was done for the config with this hash. tick: those that udev's events concern;
 * returns when to be called again, ms; 0 = when something happens. */
void agent_host_look(struct agent_conn *c, struct agent_entry *e, virDomainPtr dom,
		     const char *xml);
bool agent_host_known(const struct agent_entry *e, uint64_t hash);
int64_t agent_host_tick(struct agent *a);

/* trouble.c: alerts about a domain itself. over: it was started, stopped, or goes on. */
void agent_trouble(struct agent_conn *c, virDomainPtr dom, const char *kind, const char *summary,
		   const char *detail);
void agent_trouble_over(struct agent_conn *c, virDomainPtr dom);
void agent_refused(struct agent_conn *c, struct agent_entry *e, virDomainPtr dom, const char *why);
void agent_refused_over(struct agent_conn *c, struct agent_entry *e);
/* It is undefined: so is all that was told of it over. e is gone then. */
void agent_forget(struct agent_conn *c, struct agent_entry *e);

/* tell.c: raise an alert, say that one is over (kind NULL = all of this domain). host is filled
 * in. A queue that can't be written is logged. */
void agent_tell(struct agent *a, const struct vw_alert *alert);
void agent_tell_over(struct agent *a, const char *kind, const char *uuid);

/* verify.c: guests that came by a migration. tick returns when to be called again, ms; 0 = when
 * something happens. */
void agent_verify_event(struct agent_conn *c, virDomainPtr dom, int event, int detail);
void agent_verify_reconnected(struct agent_conn *c);
int64_t agent_verify_tick(struct agent *a);
void agent_verify_stop(struct agent *a);

/* sampler.c. tick returns as above. */
void agent_sampler_want(struct agent_conn *c);
int64_t agent_sampler_tick(struct agent_conn *c);
void agent_sampler_stop(struct agent_conn *c);

/* alerts.c: start virt-warden-alert when there is something to deliver, and nobody does. tick
 * returns when to be called again, ms; 0 = when an alert is raised. */
void agent_alerts_open(struct agent *a);
void agent_alerts_close(struct agent *a);
int64_t agent_alerts_tick(struct agent *a);

/* sweep.c: old versions of the history, and verdicts, of domains that are gone. tick returns as
 * above. want: at the next tick, whenever the last was. gone: it is no longer in any table. */
void agent_sweep_open(struct agent *a);
void agent_sweep_close(struct agent *a);
int64_t agent_sweep_tick(struct agent *a);
void agent_sweep_want(struct agent *a);
void agent_sweep_gone(struct agent *a, const unsigned char uuid[16]);

/* state.c and metrics.c: files for others, replaced as a whole. */
void agent_state_write(struct agent *a);
void agent_state_remove(struct agent *a);
void agent_metrics_write(struct agent *a);

#endif
