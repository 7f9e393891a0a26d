/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Counting the store, and removing what is too old or too much (history.h says what never goes).
 *
 * Each domain is walked once; a heap then gives the one that takes most, whose oldest version goes, and so
 * on: so who fills the store loses their own versions first. A version goes by one unlink, without the
 * domain's lock: nobody needs an old one to keep a new one. The last one, and the directory, go under
 * the lock and only if the domain is still marked gone. */
#include "lib/history/history-store.h"
#include "lib/base/private-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define SECONDS_PER_DAY 86400
#define LOOKED_MIN 3600                  /* s: ages count only if they were looked at … */
#define LOOKED_MAX (7 * SECONDS_PER_DAY) /* … so long ago */

struct domain {
	char uuid[37];
	int64_t gone; /* 0 = libvirtd has it */
	uint64_t bytes;
	struct vw_slot *slots; /* of versions that may go, oldest first; NULL = not loaded */
	size_t n, next;
	bool loaded;
	bool whole; /* the last version may go, too, and the directory with it */
};

struct walk {
	struct vw_history *h;
	const struct vw_sweep *how;
	struct domain *v;
	size_t n, room;
	struct vw_swept swept;
};

static void walk_clear(struct walk *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i].slots);
	free(w->v);
}

static int open_domain(const struct walk *w, const char *uuid)
{
	return vw_private_dir(w->h->dirfd, uuid, false, false);
}

static int compare_uuids(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Since when is the domain gone? Mark it, or take the mark away, if that is known. */
static int64_t since(const struct walk *w, const char *uuid, int dirfd, int64_t marked)
{
	const struct vw_domains *known = w->how->known;

	if (!known)
		return marked;
	if (known->n &&
	    bsearch(uuid, known->uuids, known->n, sizeof(known->uuids[0]), compare_uuids)) {
		if (marked)
			vw_store_gone(dirfd, true);
		return 0;
	}
	if (!marked && vw_store_mark_gone(dirfd, w->how->now) == 0)
		return w->how->now;
	return marked;
}

/* What a directory's files take, and its mark. */
static void count_files(int dirfd, struct domain *d)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	VW_CLEANUP(vw_store_closedir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir))) {
		const int64_t gone = vw_store_gone_since(entry->d_name);

		if (gone && (!d->gone || gone < d->gone))
			d->gone = gone;
		else if (fstatat(dirfd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			 S_ISREG(st.st_mode))
			d->bytes += vw_store_cost((uint64_t)st.st_size);
	}
}

static int add_domain(struct walk *w, const char *uuid)
{
	VW_AUTOCLOSE int dirfd = open_domain(w, uuid);
	struct domain d = { .bytes = VW_STORE_BLOCK };

	if (dirfd < 0)
		return 0; /* not ours, or gone since */
	if (w->n == w->room) {
		const size_t room = w->room ? w->room * 2 : 64;
		struct domain *v = reallocarray(w->v, room, sizeof(*v));

		if (!v)
			return -ENOMEM;
		w->v = v;
		w->room = room;
	}
	memcpy(d.uuid, uuid, sizeof(d.uuid));
	count_files(dirfd, &d);
	d.gone = since(w, uuid, dirfd, d.gone);
	w->v[w->n++] = d;
	w->swept.bytes += d.bytes;
	w->swept.gone += d.gone != 0;
	w->swept.domains++;
	return 0;
}

static int walk(struct walk *w)
{
	int fd = openat(w->h->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	VW_CLEANUP(vw_store_closedir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (entry = readdir(dir))) {
		char uuid[37];

		if (vw_store_uuid(entry->d_name, uuid, NULL) == 0 && !strcmp(uuid, entry->d_name))
			r = add_domain(w, uuid);
	}
	return r;
}

/* All of a domain that is still gone. Return: true if nothing of it is left. */
static bool drop_whole(struct walk *w, struct domain *d)
{
	VW_AUTOCLOSE int dirfd = open_domain(w, d->uuid);
	VW_AUTOCLOSE int lock = dirfd < 0 ? -1 : vw_private_try_lock_dir(dirfd, ".lock");
	VW_AUTOFREE struct vw_slot *slots = NULL;
	char name[VW_SLOT_NAME_MAX];
	size_t n = 0;

	/* The scan takes the mark away: a kill here leaves a domain that is marked anew. */
	if (lock < 0 || !vw_store_gone(dirfd, false) || vw_store_scan(dirfd, true, &slots, &n) < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		vw_store_slot_name(&slots[i], name);
		w->swept.versions += unlinkat(dirfd, name, 0) == 0;
	}
	unlinkat(dirfd, ".lock", 0);
	unlinkat(w->h->dirfd, d->uuid, AT_REMOVEDIR);
	w->swept.bytes -= d->bytes;
	w->swept.whole++;
	d->bytes = 0;
	return true;
}

/* The version before our last change, which is never dropped, and that change, which tells which one
 * it is: from *ret_first to before the returned index. Both n: we never changed it. */
static size_t last_change(int dirfd, const struct vw_slot *slots, size_t n, size_t *ret_first)
{
	*ret_first = n;
	for (size_t i = n; i-- > 0;) {
		struct vw_version v = { 0 };
		int fd = vw_store_open(dirfd, &slots[i], &v);
		const enum vw_cause cause = v.cause;

		if (fd < 0)
			continue;
		close(fd);
		vw_version_clear(&v);
		/* what the hook and undo keep is what was there before */
		*ret_first = i && (cause == VW_CAUSE_FIX || cause == VW_CAUSE_AGENT) ? i - 1 : i;
		if (*ret_first < i || cause == VW_CAUSE_HOOK || cause == VW_CAUSE_UNDO)
			return i + 1;
	}
	*ret_first = n;
	return n;
}

/* May the last version of a domain that is gone go, too? */
static bool last_may_go(const struct walk *w, const struct domain *d, int dirfd,
			const struct vw_slot *last)
{
	char name[VW_SLOT_NAME_MAX];
	struct stat st;

	if (w->how->now - d->gone > (int64_t)VW_HISTORY_GONE_DAYS * SECONDS_PER_DAY)
		return true;
	vw_store_slot_name(last, name);
	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_size >= (off_t)VW_HISTORY_GONE_BYTES;
}

/* Which of its versions may go? */
static void load(const struct walk *w, struct domain *d)
{
	VW_AUTOCLOSE int dirfd = d->loaded ? -1 : open_domain(w, d->uuid);
	size_t n = 0, change = 0, end = 0;

	if (dirfd < 0 || vw_store_scan(dirfd, false, &d->slots, &n) < 0)
		return;
	d->loaded = true;
	d->whole = d->gone && (!n || last_may_go(w, d, dirfd, &d->slots[n - 1]));
	if (!d->gone)
		end = last_change(dirfd, d->slots, n, &change);
	for (size_t i = 0; i + 1 < n; i++)
		if (i < change || i >= end)
			d->slots[d->n++] = d->slots[i];
}

/* Remove its oldest version that may go. Return: false if there is none. */
static bool drop_oldest(struct walk *w, struct domain *d)
{
	VW_AUTOCLOSE int dirfd = open_domain(w, d->uuid);
	char name[VW_SLOT_NAME_MAX];
	struct stat st;

	while (dirfd >= 0 && d->next < d->n) {
		vw_store_slot_name(&d->slots[d->next++], name);
		if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    unlinkat(dirfd, name, 0) < 0)
			continue;
		d->bytes -= vw_store_cost((uint64_t)st.st_size);
		w->swept.bytes -= vw_store_cost((uint64_t)st.st_size);
		w->swept.versions++;
		return true;
	}
	return false;
}

/* What has been gone for too long. */
static void drop_aged(struct walk *w)
{
	const struct vw_sweep *how = w->how;

	for (size_t i = 0; i < w->n; i++) {
		struct domain *d = &w->v[i];
		const int64_t days = d->gone ? (how->now - d->gone) / SECONDS_PER_DAY : 0;

		if (days < (int64_t)how->days)
			continue;
		load(w, d);
		while (drop_oldest(w, d))
			;
		if (days >= VW_HISTORY_GONE_DAYS)
			drop_whole(w, d);
	}
}

/* v[i] may take less than those below it in the heap. */
static void sift_down(struct domain *v, size_t n, size_t i)
{
	for (;;) {
		size_t most = i;

		for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < n; child++)
			if (v[child].bytes > v[most].bytes)
				most = child;
		if (most == i)
			return;
		const struct domain d = v[i];

		v[i] = v[most];
		v[most] = d;
		i = most;
	}
}

/* Until all take no more than that; who takes most loses first. */
static void drop_most(struct walk *w)
{
	size_t n = w->n;

	for (size_t i = n / 2; i-- > 0;)
		sift_down(w->v, n, i);
	while (n && w->swept.bytes > w->how->bytes) {
		struct domain *d = &w->v[0];

		load(w, d);
		if (!drop_oldest(w, d) && !(d->whole && d->bytes && drop_whole(w, d))) {
			const struct domain last = w->v[n - 1]; /* nothing more of this one */

			w->v[n - 1] = *d;
			w->v[0] = last;
			n--;
		}
		sift_down(w->v, n, 0);
	}
	w->swept.full = w->swept.bytes > w->how->bytes;
}

/* Do ages count now? Only if an earlier look was neither just now nor long ago; *looked: of that one. */
static bool ages_count(const struct vw_sweep *how, int64_t *looked)
{
	const int64_t ago = how->now - *looked;

	if (!how->days || (*looked && ago >= 0 && ago < LOOKED_MIN))
		return false;
	const bool counts = *looked && ago >= LOOKED_MIN && ago <= LOOKED_MAX;

	*looked = how->now;
	return counts;
}

/* What was counted, and what others added meanwhile. */
static int write_count(struct walk *w, const struct vw_store_count *before, int64_t looked)
{
	struct vw_store_count c;
	VW_AUTOCLOSE int fd = vw_store_count_lock(w->h, &c);

	if (fd < 0)
		return fd;
	c.bytes = w->swept.bytes + (c.known && before->known && c.bytes > before->bytes
					    ? c.bytes - before->bytes
					    : 0);
	c.looked = looked;
	c.full = w->swept.full ? w->how->now : 0;
	return vw_store_count_write(fd, &c);
}

static int sweep_locked(struct walk *w)
{
	struct vw_store_count before;
	int fd = vw_store_count_lock(w->h, &before), r;

	if (fd < 0)
		return fd;
	close(fd);
	r = walk(w);
	if (r < 0)
		return r;
	if (ages_count(w->how, &before.looked))
		drop_aged(w);
	if (w->how->bytes)
		drop_most(w);
	return write_count(w, &before, before.looked);
}

int vw_history_sweep(struct vw_history *h, const struct vw_sweep *how, struct vw_swept *ret,
		     struct vw_err *err)
{
	VW_CLEANUP(walk_clear) struct walk w = { .h = h, .how = how };
	VW_AUTOCLOSE int lock = vw_private_lock(h->dirfd, ".sweep");
	int r = lock < 0 ? lock : sweep_locked(&w);

	if (r < 0)
		return vw_store_error(h, NULL, r, "cannot sweep it", err);
	if (ret)
		*ret = w.swept;
	return 0;
}
