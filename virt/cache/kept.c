/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Kept answers (see virt/cache/kept.h).
 *
 * A file is a head and the answer. The head is made anew from what holds now, and must be the
 * same to the byte; then its length and digest are checked. Not synced: a crash is seen. */
#include "virt/cache/kept.h"

#include "lib/base/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <time.h>

#define MAX_BYTES (256u * 1024) /* ours are below 16 KiB */
#define MAX_AGE_S 3600
#define NAME_SIZE 48
#define LENGTH_SIZE 40 /* "SIZE DIGEST\n" */

static uint64_t hash(const char *s)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return h;
}

static void file_name(const struct vw_kept *k, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%.20s-%016" PRIx64, k->kind, hash(k->question));
}

/* Return: malloc'ed, or NULL (no memory). */
static char *make_head(const struct vw_kept *k)
{
	char *head;

	return asprintf(&head, "virt-warden " VW_VERSION " %s\n%s\n%s\n", k->kind, k->question,
			k->holds) < 0
		       ? NULL
		       : head;
}

static void make_length(const char *answer, char line[LENGTH_SIZE])
{
	snprintf(line, LENGTH_SIZE, "%zu %016" PRIx64 "\n", strlen(answer), hash(answer));
}

/* Ours alone? */
static bool is_private(const struct stat *st, mode_t type)
{
	return (st->st_mode & S_IFMT) == type && st->st_uid == geteuid() &&
	       !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static int open_dir(const char *dir)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 &&
	    (fstat(fd, &st) < 0 || !is_private(&st, S_IFDIR) || vw_trust(dir, NULL) < 0)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The whole file as text. Return: malloc'ed or NULL. */
static char *read_text(int dirfd, const char *name)
{
	VW_AUTOCLOSE int fd = openat(dirfd, name,
				     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	VW_AUTOFREE char *text = NULL;
	struct timespec now;
	struct stat st;
	time_t age;

	if (fd < 0 || fstat(fd, &st) < 0 || !is_private(&st, S_IFREG) || st.st_size <= 0 ||
	    st.st_size > MAX_BYTES || clock_gettime(CLOCK_REALTIME, &now) < 0)
		return NULL;
	age = now.tv_sec - st.st_mtim.tv_sec;
	if (age < -1 || age > MAX_AGE_S) /* a file's clock is some ms behind */
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	if (!text || read(fd, text, (size_t)st.st_size) != st.st_size)
		return NULL;
	text[st.st_size] = 0;
	return strlen(text) == (size_t)st.st_size ? vw_steal(text) : NULL;
}

static bool write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	return write(fd, text, len) == (ssize_t)len; /* a disk that is full: not kept */
}

char *vw_kept_read(const struct vw_kept *k)
{
	VW_AUTOCLOSE int dirfd = open_dir(k->dir);
	VW_AUTOFREE char *text = NULL;
	VW_AUTOFREE char *head = NULL;
	char name[NAME_SIZE], length[LENGTH_SIZE];
	const char *p, *answer;

	file_name(k, name);
	text = dirfd < 0 ? NULL : read_text(dirfd, name);
	head = text ? make_head(k) : NULL;
	if (!head || !vw_startswith(text, head))
		return NULL;
	p = text + strlen(head);
	answer = p + strcspn(p, "\n");
	if (!*answer++)
		return NULL;
	make_length(answer, length);
	if ((size_t)(answer - p) != strlen(length) || !vw_startswith(p, length))
		return NULL;
	return strdup(answer);
}

void vw_kept_write(const struct vw_kept *k, const char *answer)
{
	VW_AUTOCLOSE int dirfd = open_dir(k->dir);
	VW_AUTOFREE char *head = make_head(k);
	VW_AUTOCLOSE int fd = -1;
	char name[NAME_SIZE], temp[NAME_SIZE + 16], length[LENGTH_SIZE];

	if (dirfd < 0 || !head || strlen(head) + LENGTH_SIZE + strlen(answer) > MAX_BYTES)
		return;
	file_name(k, name);
	make_length(answer, length);
	snprintf(temp, sizeof(temp), "%s.%d", name, (int)getpid());
	unlinkat(dirfd, temp, 0); /* of a process of that number that was killed */
	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && (!write_all(fd, head) || !write_all(fd, length) || !write_all(fd, answer) ||
			renameat(dirfd, temp, dirfd, name) < 0))
		unlinkat(dirfd, temp, 0);
}

void vw_kept_forget(const struct vw_kept *k)
{
	VW_AUTOCLOSE int dirfd = open_dir(k->dir);
	char name[NAME_SIZE];

	file_name(k, name);
	if (dirfd >= 0)
		unlinkat(dirfd, name, 0);
}
