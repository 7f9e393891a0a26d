/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was kept of domains that are gone, and a history that grows too large: swept once a day, and
 * when the history is nearly full, so that no define has to walk it. In a thread: a large store on
 * a slow disk takes a while. It may be killed at any instant (lib/history/sweep.c), so the agent
 * does not wait for it when it ends. */
#include "agent/agent.h"

#include "lib/base/clock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>

#define LOOK_MS 60000          /* is it nearly full? One small file is read */
#define FULL_MS (10 * LOOK_MS) /* … when nothing could go */
#define ALL_MS (24 * 60 * LOOK_MS)
#define FIRST_MS 1000
#define BUSY_MS 500      /* between two looks whether the thread is done */
#define LEFTOVER_S 86400 /* a temporary file of a writer that was killed */
#define UUID_LEN 36

/* What the thread works on: its own alone until it is done. */
struct sweep_job {
	char *statedir;
	struct vw_domains known;
	struct vw_sweep how;
	struct vw_swept swept;
	unsigned days;
	size_t verdicts; /* that went */
	struct vw_err err;
	int result;
	_Atomic bool done;
};

struct agent_sweep {
	struct sweep_job *job; /* NULL = no thread runs */
	pthread_t thread;
	int64_t look, all; /* ms; look: when next; all: ages and verdicts, too */
	bool full;         /* said */
};

static void job_free(struct sweep_job *j)
{
	free(j->statedir);
	free(j->known.uuids);
	free(j);
}

static int compare_uuids(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool is_known(const struct sweep_job *j, const char *name)
{
	return j->known.n &&
	       bsearch(name, j->known.uuids, j->known.n, sizeof(j->known.uuids[0]), compare_uuids);
}

/* A verdict goes with the history of its domain, or when it is as old as that may get. */
static bool verdict_may_go(const struct sweep_job *j, int dirfd, int history, const char *name)
{
	struct stat st;
	int64_t age;

	if (strlen(name) < UUID_LEN || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	age = j->how.now - (int64_t)st.st_mtime;
	if (strlen(name) > UUID_LEN)
		return age > LEFTOVER_S;
	if (is_known(j, name))
		return false;
	return age > (int64_t)j->days * LEFTOVER_S ||
	       (faccessat(history, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT);
}

static int open_dir(const char *statedir, const char *name)
{
	VW_AUTOFREE char *path = NULL;

	if (asprintf(&path, "%s/%s", statedir, name) < 0)
		path = NULL;
	return path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
}

static void sweep_verdicts(struct sweep_job *j)
{
	VW_AUTOCLOSE int history = open_dir(j->statedir, "history");
	int fd = open_dir(j->statedir, "verdicts");
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && history >= 0 && (entry = readdir(dir)))
		if (verdict_may_go(j, fd, history, entry->d_name))
			j->verdicts += unlinkat(fd, entry->d_name, 0) == 0;
	if (dir)
		closedir(dir);
}

static void *work(void *opaque)
{
	struct sweep_job *j = opaque;
	struct vw_history *h = NULL;

	j->result = vw_history_open(j->statedir, &h, &j->err);
	if (j->result == 0)
		j->result = vw_history_sweep(h, &j->how, &j->swept, &j->err);
	if (j->result == 0 && j->how.known)
		sweep_verdicts(j);
	vw_history_close(h);
	j->done = true;
	return NULL;
}

/* Do we know of every domain here whether it is there? */
static bool all_compared(const struct agent *a)
{
	for (size_t i = 0; i < a->n_conns; i++)
		if (!a->conns[i].virt || !a->conns[i].sync.ended)
			return false;
	return a->n_conns > 0;
}

/* Return: false = no memory. */
static bool collect_known(const struct agent *a, struct vw_domains *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_conns; i++)
		n += a->conns[i].table.n;
	ret->uuids = calloc(n + 1, sizeof(ret->uuids[0]));
	for (size_t i = 0; ret->uuids && i < a->n_conns; i++)
		for (struct agent_entry *e = agent_table_next(&a->conns[i].table, NULL);
		     e && ret->n < n; e = agent_table_next(&a->conns[i].table, e))
			agent_uuid_text(e->uuid, ret->uuids[ret->n++]);
	if (ret->n)
		qsort(ret->uuids, ret->n, sizeof(ret->uuids[0]), compare_uuids);
	return ret->uuids;
}

/* Start the thread. all: ages and verdicts, too. */
static void begin(struct agent *a, bool all, uint64_t bytes)
{
	const struct vw_policy *p = vw_context_policy(a->ctx);
	struct sweep_job *j = calloc(1, sizeof(*j));

	if (!j)
		return;
	j->statedir = strdup(vw_context_paths(a->ctx)->statedir);
	j->days = p->history_days;
	j->how = (struct vw_sweep){ .now = time(NULL), .bytes = bytes };
	if (all) {
		j->how.days = p->history_days;
		j->how.known = &j->known;
	}
	if (!j->statedir || (all && !collect_known(a, &j->known)) ||
	    pthread_create(&a->sweep->thread, NULL, work, j))
		job_free(j);
	else
		a->sweep->job = j;
}

static void end(struct agent *a)
{
	struct agent_sweep *s = a->sweep;
	struct sweep_job *j = s->job;

	s->job = NULL;
	pthread_join(s->thread, NULL);
	if (j->result < 0)
		agent_log(a, LOG_WARNING, "history", NULL, NULL, "%s", j->err.text);
	else if (j->swept.versions || j->swept.whole || j->verdicts)
		agent_log(
			a, LOG_INFO, "history", NULL, NULL,
			"swept: %zu versions went, all of %zu domains that are gone, %zu verdicts; "
			"%zu MiB are left of %zu domains",
			j->swept.versions, j->swept.whole, j->verdicts,
			(size_t)(j->swept.bytes >> 20), j->swept.domains);
	if (j->swept.full && !s->full)
		agent_log(a, LOG_WARNING, "history", NULL, NULL,
			  "nearly full, and nothing in it may go: raise [history] size-mib in "
			  "warden.conf, or nothing will be changed");
	s->full = j->swept.full;
	job_free(j);
}

void agent_sweep_want(struct agent *a)
{
	if (a->sweep)
		a->sweep->look = a->sweep->all = 0;
}

int64_t agent_sweep_tick(struct agent *a)
{
	const uint64_t max = (uint64_t)vw_context_policy(a->ctx)->history_mib << 20;
	struct agent_sweep *s = a->sweep;
	struct vw_history *h;
	uint64_t bytes = 0;
	bool full, all, much;
	int r;

	if (!s)
		return 0;
	if (s->job && !s->job->done)
		return vw_clock_ms() + BUSY_MS;
	if (s->job)
		end(a);
	all = vw_clock_ms() >= s->all && all_compared(a);
	if (!all && vw_clock_ms() < s->look)
		return s->look;
	h = vw_context_history(a->ctx, NULL);
	if (h)
		vw_history_bound(h, max, false);
	r = h ? vw_history_size(h, &bytes, &full, NULL) : -EIO;
	much = r == 0 && bytes > max - max / 16;
	if (all)
		s->all = vw_clock_ms() + ALL_MS;
	s->look = vw_clock_ms() + (much && full ? FULL_MS : LOOK_MS);
	if (h && (all || much || r == -ENODATA))
		begin(a, all, much || r == -ENODATA ? max - max / 8 : 0);
	return s->job ? vw_clock_ms() + BUSY_MS : s->look;
}

void agent_sweep_open(struct agent *a)
{
	a->sweep = calloc(1, sizeof(*a->sweep));
	if (a->sweep)
		a->sweep->look = vw_clock_ms() + FIRST_MS;
}

void agent_sweep_close(struct agent *a)
{
	struct agent_sweep *s = a->sweep;

	a->sweep = NULL;
	if (s && s->job && s->job->done) {
		pthread_join(s->thread, NULL);
		job_free(s->job);
	}
	free(s); /* the job stays with a thread that still runs */
}

void agent_sweep_gone(struct agent *a, const unsigned char uuid[16])
{
	char text[VIR_UUID_STRING_BUFLEN];
	struct vw_history *h = vw_context_history(a->ctx, NULL);

	for (size_t i = 0; i < a->n_conns; i++)
		if (agent_table_find(&a->conns[i].table, uuid))
			return; /* another libvirtd has it */
	agent_uuid_text(uuid, text);
	if (h)
		vw_history_gone(h, text, time(NULL));
}
