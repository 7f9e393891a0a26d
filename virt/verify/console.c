/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verification's thread that reads what serial ports write to files of this host. A guest
 * chooses the bytes, and the domain's XML the path: only regular files of filesystems that hold data
 * (lib/base/open.h), bounded, no link in the last part. */
#include "lib/base/open.h"
#include "virt/verify/internal.h"

#define BEFORE 8192        /* bytes of the past that are looked at for a panic that ends them */
#define ROUND (256 * 1024) /* bytes read at most at a time, per file */

void verify_console_take(struct verify *v, struct verify_reader *r, const char *data, size_t n)
{
	verify_lock(v);
	vw_console_take(&v->s, &r->c, data, n);
	verify_unlock(v);
}

static uint64_t read_on(struct verify *v, struct verify_reader *r, char *buf)
{
	struct stat sb;
	ssize_t n;

	if (fstat(r->fd, &sb) < 0)
		return 0;
	if (sb.st_size < r->c.at) /* it was cut off: from the start */
		r->c.at = r->c.began = 0;
	if (sb.st_size - r->c.at > ROUND)
		r->c.at = sb.st_size - ROUND;
	n = pread(r->fd, buf, ROUND, r->c.at);
	if (n > 0)
		verify_console_take(v, r, buf, (size_t)n);
	return (uint64_t)sb.st_size;
}

/* Which bytes are new? Without append QEMU emptied the file when it started, and after a
 * migration that was here. */
static bool open_file(struct verify *v, size_t i, struct verify_reader *r)
{
	struct stat sb;
	int fd = vw_open(AT_FDCWD, v->d.files[i].path, VW_OPEN_NOLINK, &sb, NULL);

	if (fd < 0)
		return false;
	*r = (struct verify_reader){ .fd = fd,
				     .c.at = sb.st_size > BEFORE ? sb.st_size - BEFORE : 0 };
	r->c.began = v->o->migrated && !v->d.files[i].append ? 0 : sb.st_size;
	return true;
}

/* libvirt reads no such file for us. A panic that is written there is seen on that host alone. */
static void note_far(struct verify *v)
{
	verify_lock(v);
	snprintf(v->s.console.refused, sizeof(v->s.console.refused),
		 "its console is a file of the host %.64s: run virt-warden verify %.128s there",
		 v->host, v->name);
	verify_unlock(v);
}

bool verify_console_died(const struct verify_domain *d)
{
	char buf[BEFORE];

	for (size_t i = 0; i < d->n_files; i++) {
		struct vw_signals s = { .name = "" };
		struct vw_console_reader r = { 0 };
		struct stat sb;
		int fd = vw_open(AT_FDCWD, d->files[i].path, VW_OPEN_NOLINK, &sb, NULL);
		ssize_t n;

		if (fd < 0)
			continue;
		n = pread(fd, buf, sizeof(buf), sb.st_size > BEFORE ? sb.st_size - BEFORE : 0);
		close(fd);
		r.began = n; /* of the past, all of it: a boot after a panic takes it back */
		if (n > 0)
			vw_console_take(&s, &r, buf, (size_t)n);
		if (s.console.panic)
			return true;
	}
	return false;
}

void *verify_console(void *arg)
{
	struct verify *v = arg;
	struct verify_reader readers[VERIFY_FILES];
	VW_AUTOFREE char *buf = malloc(ROUND);
	size_t n = 0;

	if (!v->local && v->d.n_files)
		note_far(v);
	for (size_t i = 0; v->local && buf && i < v->d.n_files; i++)
		n += open_file(v, i, &readers[n]);
	while (n) {
		uint64_t bytes = 0;

		for (size_t i = 0; i < n; i++)
			bytes += read_on(v, &readers[i], buf);
		verify_lock(v);
		v->console = bytes;
		v->has_console = v->s.console.readable = true;
		verify_unlock(v);
		if (!verify_sleep(v, VERIFY_TICK_MS))
			break;
	}
	for (size_t i = 0; i < n; i++)
		close(readers[i].fd);
	return NULL;
}
