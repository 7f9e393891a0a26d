/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store's size: counted as it grows, so that who keeps a version need not walk the store.
 *
 * .size holds what all domains take, "BYTES LOOKED FULL": it is raised before a version is written and
 * lowered after one is removed, under its lock, not synced. A kill or a power cut leaves it wrong by
 * little, too high as a rule; each sweep (sweep.c) counts anew. LOOKED: when ages were looked at last;
 * FULL: when a sweep found nothing that may go; s since the epoch, 0 = never. */
#include "lib/history/history-store.h"
#include "lib/base/open.h"
#include "lib/base/private-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#define SIZE_FILE ".size"
#define SIZE_TEXT 64  /* bytes of its text, always */
#define FULL_S 60     /* seconds: a store that is full is not walked again before */
#define TRAILER_S 600 /* bytes that a trailer has at most, as a rule */

void vw_history_bound(struct vw_history *h, uint64_t bytes, bool may_sweep)
{
	h->max_bytes = bytes;
	h->may_sweep = may_sweep;
}

uint64_t vw_store_cost(uint64_t size)
{
	return (size + VW_STORE_BLOCK - 1) / VW_STORE_BLOCK * VW_STORE_BLOCK;
}

/* Return: true if it was counted. */
static bool read_count(int fd, struct vw_store_count *ret)
{
	char text[SIZE_TEXT + 1];
	const ssize_t n = pread(fd, text, SIZE_TEXT, 0);

	*ret = (struct vw_store_count){ 0 };
	text[n > 0 ? n : 0] = '\0';
	ret->known = n == SIZE_TEXT && sscanf(text, "%" SCNu64 " %" SCNd64 " %" SCNd64, &ret->bytes,
					      &ret->looked, &ret->full) == 3;
	if (!ret->known)
		*ret = (struct vw_store_count){ 0 };
	return ret->known;
}

int vw_store_count_lock(struct vw_history *h, struct vw_store_count *ret)
{
	int fd = vw_private_lock(h->dirfd, SIZE_FILE);

	*ret = (struct vw_store_count){ 0 };
	if (fd >= 0)
		read_count(fd, ret);
	return fd;
}

int vw_store_count_write(int fd, const struct vw_store_count *c)
{
	char text[SIZE_TEXT + 1];

	snprintf(text, sizeof(text), "%20" PRIu64 " %20" PRId64 " %*" PRId64 "\n", c->bytes,
		 c->looked, SIZE_TEXT - 43, c->full);
	errno = ENOSPC;
	return pwrite(fd, text, SIZE_TEXT, 0) == SIZE_TEXT ? 0 : -errno;
}

/* Add to the count. Return: 0; -ENODATA: it was never counted; -EDQUOT: that is too much, so it was not
 * added, *ret_full: when a sweep found nothing; or another negative errno. */
static int add(struct vw_history *h, uint64_t bytes, int64_t *ret_full)
{
	struct vw_store_count c;
	VW_AUTOCLOSE int fd = vw_store_count_lock(h, &c);

	*ret_full = c.full;
	if (fd < 0)
		return fd;
	if (!c.known)
		return -ENODATA;
	if (bytes > h->max_bytes || c.bytes > h->max_bytes - bytes)
		return -EDQUOT;
	c.bytes += bytes;
	return vw_store_count_write(fd, &c);
}

void vw_store_release(struct vw_history *h, uint64_t bytes)
{
	struct vw_store_count c;
	VW_AUTOCLOSE int fd = h->max_bytes && bytes ? vw_store_count_lock(h, &c) : -1;

	if (fd < 0 || !c.known)
		return;
	c.bytes -= bytes < c.bytes ? bytes : c.bytes;
	vw_store_count_write(fd, &c);
}

/* Make room, if this process may, and it is of use. Return: 0 or negative errno. */
static int make_room(struct vw_history *h, int64_t now, int64_t full)
{
	const struct vw_sweep how = { .now = now, .bytes = h->max_bytes - h->max_bytes / 8 };

	if (!h->may_sweep || (full && now >= full && now - full < FULL_S))
		return -EDQUOT;
	return vw_history_sweep(h, &how, NULL, NULL);
}

int vw_store_reserve(struct vw_history *h, size_t size, bool first, int64_t now, uint64_t *ret)
{
	const uint64_t bytes = vw_store_cost(size + TRAILER_S) + (first ? VW_STORE_BLOCK : 0);
	int64_t full = 0;
	int r;

	*ret = 0;
	if (!h->max_bytes)
		return 0;
	r = add(h, bytes, &full);
	if ((r == -ENODATA || r == -EDQUOT) && make_room(h, now, full) == 0)
		r = add(h, bytes, &full);
	if (r == -ENODATA) /* the agent will count */
		return 0;
	*ret = r == 0 ? bytes : 0;
	return r;
}

int vw_store_full(const struct vw_history *h, const char *uuid, struct vw_err *err)
{
	return vw_err_set(err, -EDQUOT,
			  "%s/%s: cannot keep a version: the history may take %" PRIu64
			  " MiB, and nothing in it may go; raise [history] size-mib in warden.conf",
			  h->path, uuid, h->max_bytes >> 20);
}

int vw_history_size(struct vw_history *h, uint64_t *ret_bytes, bool *ret_full, struct vw_err *err)
{
	/* Without the lock, and nothing is made: doctor changes nothing. */
	VW_AUTOCLOSE int fd = vw_open(h->dirfd, SIZE_FILE, VW_OPEN_NOLINK, NULL, NULL);
	struct vw_store_count c;

	if (fd < 0 && fd != -ENOENT && fd != -EINVAL)
		return vw_store_error(h, NULL, fd, "cannot read its size", err);
	if (fd < 0 || !read_count(fd, &c))
		return -ENODATA;
	*ret_bytes = c.bytes;
	*ret_full = c.full != 0;
	return 0;
}
