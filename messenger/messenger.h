/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden-alert: what its files share.
 *
 * One process holds the deliverer's lock and knows what is due (messenger/due.c, messenger/loop.c); what
 * is due for a sink it hands to a child of its own (messenger/child.c), one per sink at a time, so
 * that no sink keeps another waiting, and a library that dies takes nothing along. The child
 * reports each message, the parent notes it durably beside the alert, then the next one goes. */
#ifndef VW_ALERT_MESSENGER_H
#define VW_ALERT_MESSENGER_H

#include "lib/alert/alert-queue.h"
#include "lib/engine/policy.h"

#include <signal.h>
#include <sys/types.h>

/* What a sink is given beside the message. */
struct sink_context {
	const struct vw_alert_policy *policy;
	const char *alert_d; /* alert.d beside warden.conf */
	const char *host;    /* ours */
	int64_t now;         /* s since the epoch */
};

struct message {
	const struct vw_alert *alert;
	bool resolved;                   /* tell that it is over */
	enum vw_alert_severity severity; /* to be told */
	/* What the sink noted when it was tried before, and notes now (scripts: who had it). */
	char progress[VW_ALERT_PROGRESS_SIZE];
};

/* An entry of the table of sinks. */
struct sink {
	const char *name;
	bool limited;       /* per-minute holds for it */
	bool again;         /* what is open must be sent again and again */
	bool runs_programs; /* an admin's, which may need all of root's rights */
	bool all_at_once;   /* takes any number of messages in one call */
	/* Is it configured? */
	bool (*wanted)(const struct sink_context *c);
	/* Does this host have it at all? One that was there once is waited for. NULL = yes. */
	bool (*is_there)(void);
	/* Return: 0; -EAGAIN = the sink is not up, all its messages wait; another negative errno =
	 * it was refused. The line says why. */
	int (*send)(const struct sink_context *c, struct message *m, size_t n, struct vw_err *err);
};
#define N_SINKS 5
extern const struct sink *const sinks[N_SINKS];
extern const struct sink sink_log, sink_scripts, sink_webhook, sink_alertmanager, sink_mail;

/* messenger/due.c. What a sink is to be told of an alert, and when. */
enum due_what { DUE_NOTHING = 0, DUE_RAISED, DUE_RESOLVED, DUE_AGAIN };
struct due {
	enum due_what what;
	int64_t when; /* s since the epoch; not after now = at once */
};
struct due alert_due(const struct sink *sink, const struct vw_alert_policy *p,
		     const struct vw_alert *a, const struct vw_alert_told *told, int64_t now);
/* Seconds to wait after so many failures in a row (1 and up). */
int64_t alert_backoff(const struct vw_alert_policy *p, unsigned failures);
/* The sink was told, or it failed: what is to be remembered of it. */
void alert_told(struct vw_alert_told *told, enum due_what what, enum vw_alert_severity severity,
		unsigned count, int64_t now);
void alert_failed(struct vw_alert_told *told, const struct vw_alert_policy *p, bool down,
		  enum due_what what, const char *why, int64_t now);

struct messenger;

/* messenger/child.c. One thing to tell, as the parent hands it to a sink's child. */
struct item {
	struct message message;
	enum due_what what;
};
/* What became of it: one packet; the parent answers with a byte when it is noted. */
struct result {
	uint32_t item;
	int32_t code;
	char error[VW_ALERT_ERROR_SIZE];
	char progress[VW_ALERT_PROGRESS_SIZE];
};
/* Tell the first `single` items of m's run one by one, the rest in a summary (or all at once, if the
 * sink can); report each that was tried to fd. Does not return. */
void alert_child(struct messenger *m, size_t sink, struct item *items, size_t single, int fd)
	__attribute__((noreturn));

/* messenger/loop.c, messenger/round.c: the process that holds the lock. */
struct pending { /* what a sink's child was given */
	char id[VW_ALERT_ID_SIZE];
	enum due_what what;
	enum vw_alert_severity severity;
	unsigned count;
};
struct run {                     /* one sink, as long as we run */
	pid_t child;             /* 0 = none */
	int fd;                  /* its results */
	struct pending *pending; /* NULL = none */
	size_t n, reported;
	bool seen;    /* it was there */
	bool down;    /* it said so */
	int64_t next; /* nothing before, s: it failed */
	unsigned failures;
	int64_t again;  /* when to send again what is open, s */
	int64_t window; /* a minute begins, s */
	unsigned sent;  /* in it */
};
struct unsaved { /* delivered, but the disk did not take the note: never deliver it again */
	struct unsaved *next;
	char id[VW_ALERT_ID_SIZE];
	struct vw_alert_memory memory;
};
struct messenger {
	struct vw_alerts *q;
	const char *conf;
	struct vw_policy policy;
	uint64_t stamp; /* which warden.conf that is */
	bool loaded;
	struct sink_context context;
	struct run runs[N_SINKS];
	struct unsaved *unsaved;
	int inotify, signals;
	_Atomic bool stop;
};
/* Look at all alerts and start what is due. Return: when to look again, s since the epoch;
 * 0 = when something happens; -1 = nothing is left. */
int64_t alert_round(struct messenger *m);
/* messenger/note.c: what a sink was told of an alert; kept in memory while the disk takes nothing. */
void alert_memory_get(struct messenger *m, const char *id, struct vw_alert_memory *ret);
void alert_memory_put(struct messenger *m, const char *id, const struct vw_alert_memory *memory);
/* Try again to write what the disk did not take. */
void alert_memory_save(struct messenger *m);
/* Note what became of a message, durably. */
void alert_note(struct messenger *m, const char *sink, const struct pending *p, struct result *r);
/* Deliver until nothing is left or SIGTERM comes. alert_d, host: of sink_context.
 * Return: 0 or negative errno. */
int alert_loop(struct vw_alerts *q, const char *conf, const char *alert_d, const char *host,
	       struct vw_err *err);

/* messenger/run.c. Run a program (a full path) with that environment and `input` on stdin, in a process
 * group that is killed after `seconds`. why: the first line that it printed, if it failed.
 * Return: its exit status, -ETIME, or another negative errno. */
int alert_run(char *const argv[], char *const env[], const char *input, size_t len,
	      unsigned seconds, char *why, size_t size);

/* End the program that alert_run waits for, if any. For a signal handler. */
void alert_run_kill(void);

/* messenger/http.c: POST JSON. auth_file: "" = none. Return: as struct sink's send. */
int alert_post(const struct sink_context *c, const char *url, const char *auth_file,
	       const char *body, const char *id, struct vw_err *err);

/* messenger/secret.c: the value of an Authorization header from a file that others can't read.
 * Return: malloc'ed, or NULL (the line says why). */
char *alert_secret(const char *path, struct vw_err *err);
/* RFC 4648. Return: malloc'ed or NULL. */
char *alert_base64(const char *s, size_t len);

/* messenger/metrics.c: what is open, for Prometheus' textfile collector. */
void alert_metrics_write(const char *path, const struct vw_alert_list *l);

/* A file that only its owner (root, or us) may write to: mode and owner of what st tells. */
struct stat;
bool alert_is_safe(const struct stat *st);

#endif
