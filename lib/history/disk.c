/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Waiting for the disk: fsync of a version's file and of the way to it.
 *
 * The fsyncs come last, and all at once: each alone would have the disk empty its cache, but a
 * journaling filesystem puts those that wait together into one commit (three in a row took
 * three times as long). Before them nobody is told that the version is kept; a power cut may
 * leave a name with half of its data, which its trailer betrays. */
#include "history-store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

/* One fsync, perhaps in a thread of its own. */
static void *sync_one(void *arg)
{
	struct vw_sync *s = arg;

	s->result = fsync(s->fd) < 0 ? -errno : 0;
	return NULL;
}

/* The program's signals are not for these threads. */
static void start(struct vw_sync *all, size_t n)
{
	sigset_t none, before;

	sigfillset(&none);
	pthread_sigmask(SIG_SETMASK, &none, &before);
	for (size_t i = 0; i < n; i++)
		all[i].running = pthread_create(&all[i].thread, NULL, sync_one, &all[i]) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Return: 0 or negative errno. */
static int finish(struct vw_sync *all, size_t n)
{
	int r = 0;

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

/* The file, its directory and, if that may be new, the store. */
static size_t list(struct vw_sync all[VW_SYNCS], int fd, int dirfd, int storefd)
{
	const int fds[VW_SYNCS] = { fd, dirfd, storefd };

	for (size_t i = 0; i < VW_SYNCS; i++)
		all[i] = (struct vw_sync){ .fd = fds[i] };
	return storefd < 0 ? VW_SYNCS - 1 : VW_SYNCS;
}

static int sync_now(int fd, int dirfd, int storefd)
{
	struct vw_sync all[VW_SYNCS];
	const size_t n = list(all, fd, dirfd, storefd);

	/* its blocks get their place now, so that no second commit is needed for that */
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	start(all + 1, n - 1);
	return finish(all, n);
}

int vw_store_sync(struct vw_history *h, int fd, int dirfd, bool first)
{
	const int storefd = first ? h->dirfd : -1;
	int file, dir, r;

	if (h->disk == VW_DISK_NEVER)
		return 0;
	r = vw_history_settle(h, NULL); /* of the one before */
	if (r < 0 || h->disk == VW_DISK_NOW)
		return r < 0 ? r : sync_now(fd, dirfd, storefd);
	file = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	dir = fcntl(dirfd, F_DUPFD_CLOEXEC, 0);
	h->n_later = list(h->later, file, dir, storefd);
	if (file < 0 || dir < 0) {
		vw_history_settle(h, NULL);
		return sync_now(fd, dirfd, storefd);
	}
	start(h->later, 1); /* which takes the other two along, as a rule */
	return 0;
}

int vw_history_settle(struct vw_history *h, struct vw_err *err)
{
	int r = finish(h->later, h->n_later);

	if (h->n_later) {
		vw_cleanup_close(&h->later[0].fd);
		vw_cleanup_close(&h->later[1].fd);
	}
	h->n_later = 0;
	return r < 0 ? vw_store_error(h, NULL, r, "cannot keep a version", err) : 0;
}

void vw_history_disk(struct vw_history *h, enum vw_history_disk when)
{
	h->disk = when;
}
