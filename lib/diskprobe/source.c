/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading an image within a time limit: is it zero throughout? And the window
 * through which the qcow2 walk reads. Offsets and lengths that reach the kernel
 * are multiples of 4 KiB, so that O_DIRECT works on any sector size. */
#include "lib/diskprobe/probe-internal.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#define ALIGN 4096u
#define WINDOW (64u * 1024) /* for tables: they are small and scattered */
#define SAMPLES 64u         /* places of a block device that are read first … */
#define SAMPLE (64u * 1024) /* … bytes each, but 1 MiB at both ends */

/* One read at an aligned place. Return: bytes in s->buf, 0 at the end, or negative errno. */
static ssize_t read_block(struct vw_source *s, uint64_t off, size_t len)
{
	ssize_t n;

	for (;;) {
		if (vw_clock_ms() >= s->until)
			return -ETIMEDOUT;
		n = pread(s->direct >= 0 ? s->direct : s->fd, s->buf, len, (off_t)off);
		if (n >= 0)
			return n;
		if (errno == EINVAL && s->direct >= 0)
			s->direct = -1; /* wants a larger alignment */
		else if (errno == EAGAIN)
			nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		else if (errno != EINTR)
			return -errno;
	}
}

static bool all_zero(const char *p, size_t len)
{
	return !len || (!p[0] && memcmp(p, p + 1, len - 1) == 0);
}

/* Is [from, to) zero? Its edges are widened to the alignment. Return: as vw_source_zero_file. */
static int zero_range(struct vw_source *s, uint64_t from, uint64_t to)
{
	uint64_t off = from - from % ALIGN;

	while (off < to) {
		uint64_t left = to - off;
		size_t len = left < VW_LOOK_BUFFER ? (size_t)((left + ALIGN - 1) / ALIGN * ALIGN)
						   : VW_LOOK_BUFFER;
		ssize_t n = read_block(s, off, len);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return 1; /* it was cut meanwhile */
		if (!all_zero(s->buf, (size_t)n))
			return 0;
		off += (size_t)n;
		if (off % ALIGN) /* a short read: only at the end */
			return 1;
	}
	return 1;
}

int vw_source_zero_file(struct vw_source *s)
{
	const off_t end = (off_t)s->size;
	off_t pos = 0;

	while (pos < end) {
		off_t data = lseek(s->fd, pos, SEEK_DATA), hole;
		int r;

		if (data < 0 && errno == ENXIO)
			return 1;
		if (data < 0) /* a filesystem that can't tell: all of it may be data */
			return zero_range(s, (uint64_t)pos, s->size);
		hole = lseek(s->fd, data, SEEK_HOLE);
		if (hole < 0)
			hole = end;
		r = zero_range(s, (uint64_t)data, (uint64_t)hole);
		if (r != 1)
			return r;
		if (hole <= pos || vw_clock_ms() >= s->until)
			return -ETIMEDOUT;
		pos = hole;
	}
	return 1;
}

/* A device can't tell its holes. First where data is likely, then all of it. */
int vw_source_zero_device(struct vw_source *s)
{
	const uint64_t stride = s->size / SAMPLES;
	int r = zero_range(s, 0, s->size < VW_LOOK_BUFFER ? s->size : VW_LOOK_BUFFER);

	if (r == 1 && s->size > VW_LOOK_BUFFER)
		r = zero_range(s, s->size - VW_LOOK_BUFFER, s->size);
	if (stride > SAMPLE)
		for (uint64_t i = 1; r == 1 && i < SAMPLES; i++)
			r = zero_range(s, i * stride, i * stride + SAMPLE);
	return r == 1 ? zero_range(s, 0, s->size) : r;
}

int vw_source_read(void *ctx, uint64_t off, void *out, size_t len)
{
	struct vw_source *s = ctx;
	char *to = out;

	while (len) {
		size_t n, skip;

		if (off < s->window || off - s->window >= s->in_window) {
			ssize_t got = read_block(s, off - off % WINDOW, WINDOW);

			s->window = off - off % WINDOW;
			s->in_window = got > 0 ? (size_t)got : 0;
			if (got < 0)
				return (int)got;
			if (off - s->window >= s->in_window)
				return -ENODATA;
		}
		skip = (size_t)(off - s->window);
		n = s->in_window - skip < len ? s->in_window - skip : len;
		memcpy(to, s->buf + skip, n);
		to += n;
		off += n;
		len -= n;
	}
	return 0;
}
