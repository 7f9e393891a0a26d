/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Watches libvirtd's own file of a domain (see virt/witness.h). A version that is overwritten at
 * once has a name for a millisecond: as long as libvirtd takes to write the next one. */
#include "virt/witness.h"

#include "lib/xml/says.h"
#include "lib/xml/xml.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define CONFIGS "/etc/libvirt/qemu"
#define READY_S 1 /* a reader without a turn by then is not waited for */

static int open_config(const struct vw_witness *w, const char *name)
{
	return openat(w->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

/* Without libvirtd's remark at the top. Return: malloc'ed, or NULL. */
static char *read_config(int fd)
{
	VW_AUTOFREE char *text = NULL;
	const char *begin;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0 || st.st_size > VW_XML_MAX_BYTES)
		return NULL;
	text = calloc(1, (size_t)st.st_size + 1);
	if (!text || pread(fd, text, (size_t)st.st_size, 0) != st.st_size)
		return NULL;
	begin = strstr(text, "\n<domain");
	return begin ? strdup(begin + 1) : vw_steal(text);
}

/* *next: the file that is being written, opened early: it may lose its name soon after it gets it. */
static void note(struct vw_witness *w, const struct inotify_event *e, int *next)
{
	VW_AUTOCLOSE int fd = -1;

	if (!e->len || !vw_startswith(e->name, w->file))
		return;
	if (e->mask & IN_CREATE && !strcmp(e->name + strlen(w->file), ".new")) {
		if (*next >= 0)
			close(*next);
		*next = open_config(w, e->name);
	}
	if (e->mask & IN_CREATE || strcmp(e->name, w->file) != 0 || w->n == VW_WITNESS_MAX)
		return;
	w->removed[w->n] = e->mask & IN_DELETE;
	if (!w->removed[w->n]) {
		fd = *next >= 0 ? *next : open_config(w, w->file);
		*next = -1;
		w->texts[w->n] = read_config(fd);
	}
	w->n++;
}

/* It sleeps nearly always, and must get its CPU at once on a busy host: since Linux 6.6 a nice value
 * does not interrupt who has it (EEVDF), and 2 ms are too late. Where it may not ask for that it
 * does its best. */
static void hurry(void)
{
	const struct sched_param least = { .sched_priority = 1 };

	if (sched_setscheduler(gettid(), SCHED_FIFO | SCHED_RESET_ON_FORK, &least) < 0)
		setpriority(PRIO_PROCESS, (id_t)gettid(), -20);
}

/* Until the watch is removed. */
static void *look_on(void *arg)
{
	_Alignas(struct inotify_event) char buf[4096];
	struct vw_witness *w = arg;
	VW_AUTOCLOSE int next = -1;
	ssize_t len;

	if (vw_ahead_is_here())
		hurry();
	sem_post(&w->ready);
	while (vw_ahead_is_here() && (len = read(w->fd, buf, sizeof(buf))) > 0) {
		const struct inotify_event *e;

		for (const char *p = buf; p < buf + len; p += sizeof(*e) + e->len) {
			e = (const struct inotify_event *)p;
			if (e->mask & IN_IGNORED)
				return NULL;
			note(w, e, &next);
		}
	}
	return NULL;
}

/* Nothing is on its way before the reader runs: a new thread may wait long for its first turn. */
static void watch(struct vw_witness *w)
{
	struct timespec until;

	sem_init(&w->ready, 0, 0);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += READY_S;
	vw_ahead_start(&w->reader, look_on, w);
	while (sem_timedwait(&w->ready, &until) < 0 && errno == EINTR)
		;
}

void vw_witness_begin(struct vw_witness *w, virConnectPtr conn, const char *name)
{
	VW_AUTOFREE char *uri = virConnectGetURI(conn);

	*w = (struct vw_witness){ .watch = -1 };
	if (!vw_streq(uri, "qemu:///system") || asprintf(&w->file, "%s.xml", name) < 0) {
		w->file = NULL;
		return;
	}
	w->dir = open(CONFIGS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	w->fd = w->dir < 0 ? -1 : inotify_init1(IN_CLOEXEC);
	w->watch = w->fd < 0
			   ? -1
			   : inotify_add_watch(w->fd, CONFIGS, IN_CREATE | IN_MOVED_TO | IN_DELETE);
	if (w->watch >= 0)
		watch(w);
}

void vw_witness_end(struct vw_witness *w)
{
	if (w->reader.running)
		inotify_rm_watch(w->fd, w->watch);
	vw_ahead_join(&w->reader);
	if (w->watch >= 0)
		sem_destroy(&w->ready);
	w->watch = -1;
}

void vw_witness_clear(struct vw_witness *w)
{
	for (; w->n; w->n--)
		free(vw_steal(w->texts[w->n - 1]));
	free(vw_steal(w->file));
	if (w->fd > 0)
		close(w->fd);
	if (w->dir > 0)
		close(w->dir);
	w->fd = w->dir = 0;
}

enum vw_witnessed vw_witness_says(const struct vw_witness *w, const char *sent,
				  const char **ret_theirs)
{
	size_t ours;

	*ret_theirs = NULL;
	if (w->n < 2 || w->n == VW_WITNESS_MAX)
		return VW_ALONE;
	/* The first that has most of it: if another has as much it came after ours, for it was copied
	 * from it. */
	ours = vw_xml_nearest(sent, w->texts, w->n);
	if (ours < w->n - 1)
		return VW_LATER;
	if (w->removed[ours - 1])
		return VW_GONE;
	*ret_theirs = w->texts[ours - 1];
	return VW_OVERWRITTEN;
}
