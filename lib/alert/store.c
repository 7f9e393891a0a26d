/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The queue's directory, its lock and its files (alert-queue.h). */
#include "lib/alert/alert-store.h"
#include "lib/base/private-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

static const char *const suffixes[] = { "open", "over", "done" };

int alert_error(const struct vw_alerts *q, int code, const char *what, struct vw_err *err)
{
	return vw_err_set(err, code, "%s: %s: %s; %s", q->path, what, strerror(-code),
			  vw_private_remedy(code));
}

int vw_alerts_open(const char *statedir, struct vw_alerts **ret, struct vw_err *err)
{
	struct vw_alerts *q = calloc(1, sizeof(*q));
	int r;

	if (!q || asprintf(&q->path, "%s/alerts", statedir) < 0) {
		free(q);
		return vw_err_set(err, -ENOMEM, "out of memory");
	}
	q->deliver = -1;
	q->dirfd = vw_private_open(statedir, "alerts");
	if (q->dirfd < 0) {
		r = alert_error(q, q->dirfd, "cannot open the queue of alerts", err);
		vw_alerts_close(q);
		return r;
	}
	*ret = q;
	return 0;
}

void vw_alerts_close(struct vw_alerts *q)
{
	if (!q)
		return;
	if (q->dirfd >= 0)
		close(q->dirfd);
	if (q->deliver >= 0)
		close(q->deliver);
	free(q->path);
	free(q);
}

const char *vw_alerts_path(const struct vw_alerts *q)
{
	return q->path;
}

int alert_lock(struct vw_alerts *q, struct vw_err *err)
{
	int fd = vw_private_lock(q->dirfd, ".lock");

	return fd < 0 ? alert_error(q, fd, "cannot lock it", err) : fd;
}

int vw_alerts_deliver_lock(struct vw_alerts *q, struct vw_err *err)
{
	const struct timespec pause = { .tv_nsec = 10000000 };
	int fd = vw_private_file(q->dirfd, ".deliver");
	int r = fd < 0 ? fd : 0;

	/* Not at once: somebody may hold it for an instant to see if it is free. */
	for (int i = 0; r == 0 && flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EINTR)
			r = errno == EWOULDBLOCK && i < 20 ? 0 : -errno;
		nanosleep(&pause, NULL);
	}
	if (r == 0) {
		q->deliver = fd;
		return 0;
	}
	if (fd >= 0)
		close(fd);
	r = r == -EWOULDBLOCK ? -EBUSY : r;
	return alert_error(q, r, "cannot deliver", err);
}

bool vw_alerts_waiting(struct vw_alerts *q)
{
	VW_AUTOCLOSE int fd = -1;

	if (faccessat(q->dirfd, "todo", F_OK, 0) < 0)
		return false;
	fd = vw_private_file(q->dirfd, ".deliver");
	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

void alert_slot_name(const struct alert_slot *s, char ret[ALERT_NAME_SIZE])
{
	snprintf(ret, ALERT_NAME_SIZE, "%s-%s.%s", s->subject, s->id, suffixes[s->state]);
}

/* Only a name that we would write ourselves is an alert. */
static bool parse_name(const char *name, struct alert_slot *ret)
{
	static const char hex[] = "0123456789abcdef";

	if (strlen(name) != 16 + 1 + 32 + 5 || strspn(name, hex) != 16 || name[16] != '-' ||
	    strspn(name + 17, hex) != 32 || name[49] != '.')
		return false;
	for (size_t i = 0; i < VW_N_ELEMENTS(suffixes); i++) {
		if (strcmp(name + 50, suffixes[i]) != 0)
			continue;
		*ret = (struct alert_slot){ .state = (enum vw_alert_state)i };
		memcpy(ret->subject, name, 16);
		memcpy(ret->id, name + 17, 32);
		return true;
	}
	return false;
}

static void close_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* By id; of one id the furthest state first. */
static int compare_slots(const void *a, const void *b)
{
	const struct alert_slot *x = a, *y = b;
	const int r = strcmp(x->id, y->id);

	return r ? r : (int)y->state - (int)x->state;
}

int alert_scan(const struct vw_alerts *q, struct alert_slots *ret)
{
	int fd = openat(q->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	VW_CLEANUP(close_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	VW_CLEANUP(alert_slots_clear) struct alert_slots s = { 0 };
	size_t room = 0, n = 0;
	struct dirent *entry;

	if (!dir)
		return -errno;
	while (errno = 0, (entry = readdir(dir))) {
		struct alert_slot slot;

		if (!parse_name(entry->d_name, &slot))
			continue;
		if (s.n == room) {
			struct alert_slot *p;

			room = room ? room * 2 : 64;
			p = reallocarray(s.v, room, sizeof(*p));
			if (!p)
				return -ENOMEM;
			s.v = p;
		}
		s.v[s.n++] = slot;
	}
	if (errno)
		return -errno;
	if (s.n)
		qsort(s.v, s.n, sizeof(*s.v), compare_slots);
	for (size_t i = 0; i < s.n; i++)
		if (!i || strcmp(s.v[i].id, s.v[n - 1].id) != 0)
			s.v[n++] = s.v[i];
	ret->n = n;
	ret->v = vw_steal(s.v);
	return 0;
}

void alert_slots_clear(struct alert_slots *s)
{
	free(s->v);
	*s = (struct alert_slots){ 0 };
}

int alert_read_file(const struct vw_alerts *q, const char *name, char **ret, size_t *ret_len)
{
	VW_AUTOCLOSE int fd = openat(q->dirfd, name,
				     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	VW_AUTOFREE char *text = NULL;
	struct stat st;
	size_t len = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)ALERT_FILE_MAX)
		return -EBADMSG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	while (len < (size_t)st.st_size) {
		const ssize_t n = read(fd, text + len, (size_t)st.st_size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		len += (size_t)n;
	}
	text[len] = '\0';
	*ret = vw_steal(text);
	*ret_len = len;
	return 0;
}

static int write_all(int fd, const char *p, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int alert_write_file(const struct vw_alerts *q, const char *temp, const char *name,
		     const struct vw_buf *text)
{
	VW_AUTOCLOSE int fd = -1;
	int r;

	if (text->failed)
		return -ENOMEM;
	r = vw_private_remove(q->dirfd, temp); /* what a killed writer left */
	if (r < 0)
		return r;
	fd = openat(q->dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text->p, text->len);
	if (r == 0 &&
	    (fchmod(fd, 0600) < 0 || fsync(fd) < 0 || renameat(q->dirfd, temp, q->dirfd, name) < 0))
		r = -errno;
	if (r < 0)
		unlinkat(q->dirfd, temp, 0);
	else if (fsync(q->dirfd) < 0)
		r = -errno;
	return r;
}

int alert_load(const struct vw_alerts *q, const struct alert_slot *s, struct vw_alert **ret)
{
	VW_AUTOFREE char *text = NULL;
	char name[ALERT_NAME_SIZE];
	struct vw_alert *a = NULL;
	size_t len = 0;
	int r;

	alert_slot_name(s, name);
	r = alert_read_file(q, name, &text, &len);
	if (r == 0)
		r = vw_alert_parse(text, len, &a);
	if (r == 0 && strcmp(a->id, s->id) != 0)
		r = -EBADMSG;
	if (r < 0) {
		vw_alert_free(a);
		return r;
	}
	*ret = a;
	return 0;
}
