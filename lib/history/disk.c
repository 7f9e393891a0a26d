/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for the disk: fsync of a version's file and of the way to it.
 *
 * The fsyncs come last, and all at once: each alone would have the disk empty its cache, but a
 * journaling filesystem puts those that wait together into one commit (three in a row took
 * three times as long). Before them nobody is told that the version is kept; a power cut may
 * leave a name with half of its data, which its trailer betrays. */
#include "lib/history/history-store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

struct sync {
	pthread_t thread;
	bool running;
	int fd;
	int result;
};

static void *sync_one(void *arg)
{
	struct sync *s = arg;

	s->result = fsync(s->fd) < 0 ? -errno : 0;
	return NULL;
}

/* A thread that takes none of the program's signals. */
static bool start(pthread_t *thread, void *(*work)(void *), void *arg)
{
	sigset_t all, before;
	bool running;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	running = pthread_create(thread, NULL, work, arg) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return running;
}

/* fsync of the file, its directory and, if that may be new, the store. */
static int sync_now(int fd, int dirfd, int storefd)
{
	struct sync all[] = { { .fd = fd }, { .fd = dirfd }, { .fd = storefd } };
	const size_t n = storefd < 0 ? 2 : 3;
	int r = 0;

	/* its blocks get their place now, so that no second commit is needed for that */
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	for (size_t i = 1; i < n; i++)
		all[i].running = start(&all[i].thread, sync_one, &all[i]);
	for (size_t i = 0; i < n; i++) {
		if (all[i].running)
			pthread_join(all[i].thread, NULL);
		else
			sync_one(&all[i]);
		if (r == 0)
			r = all[i].result;
	}
	return r;
}

/* One after the other: the first one takes the others along, as a rule. */
static void *sync_later(void *arg)
{
	struct vw_later *l = arg;

	for (size_t i = 0; i < l->n; i++)
		if (fsync(l->fds[i]) < 0 && l->result == 0)
			l->result = -errno;
	return NULL;
}

int vw_store_sync(struct vw_history *h, int fd, int dirfd, bool first)
{
	struct vw_later *l = &h->later;
	const int storefd = first ? h->dirfd : -1;
	int r;

	if (h->disk == VW_DISK_NEVER)
		return 0;
	r = vw_history_settle(h, NULL); /* of the one before */
	if (r < 0 || h->disk == VW_DISK_NOW)
		return r < 0 ? r : sync_now(fd, dirfd, storefd);
	*l = (struct vw_later){ .fds = { fcntl(fd, F_DUPFD_CLOEXEC, 0),
					 fcntl(dirfd, F_DUPFD_CLOEXEC, 0), storefd } };
	l->n = first ? 3 : 2;
	if (l->fds[0] < 0 || l->fds[1] < 0) {
		vw_history_settle(h, NULL);
		return sync_now(fd, dirfd, storefd);
	}
	l->running = start(&l->thread, sync_later, l);
	return 0;
}

int vw_history_settle(struct vw_history *h, struct vw_err *err)
{
	struct vw_later *l = &h->later;
	int r;

	if (!l->n)
		return 0;
	if (l->running)
		pthread_join(l->thread, NULL);
	else
		sync_later(l);
	r = l->result;
	vw_cleanup_close(&l->fds[0]);
	vw_cleanup_close(&l->fds[1]);
	*l = (struct vw_later){ 0 };
	return r < 0 ? vw_store_error(h, NULL, r, "cannot keep a version", err) : 0;
}

void vw_history_disk(struct vw_history *h, enum vw_history_disk when)
{
	h->disk = when;
}
