/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain capabilities on disk (see virt-caps-cache.h).
 *
 * A file is a head and the XML as libvirtd gave it. The head is made anew from what holds
 * now, and must be the same to the byte. Not synced: after a crash the identity is another. */
#include "virt-caps-cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>
#include <time.h>

#define MAX_BYTES (256u * 1024) /* libvirt 9's are 10 KiB */
#define MAX_AGE_S 3600
#define XML_BEGIN "<domainCapabilities>"
#define NAME_SIZE 32

static uint64_t hash(const char *s)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211u;
	return h;
}

static void file_name(const char *question, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "caps-%016" PRIx64, hash(question));
}

/* The emulator that the XML is of: libvirt writes its <path> first. */
static bool emulator_of(const char *xml, char path[PATH_MAX])
{
	const char *p = strstr(xml, "<path>");
	size_t n = p ? strcspn(p + strlen("<path>"), "<&") : 0;

	if (!n || n >= PATH_MAX || !vw_startswith(p + strlen("<path>") + n, "</path>"))
		return false;
	memcpy(path, p + strlen("<path>"), n);
	path[n] = 0;
	return *path == '/';
}

/* Return: malloc'ed, or NULL if the XML is none of libvirt's or the emulator is gone. */
static char *make_head(const char *question, const char *identity, const char *xml)
{
	char path[PATH_MAX], *head = NULL;
	struct stat st;

	if (!vw_startswith(xml, XML_BEGIN) || !emulator_of(xml, path) || stat(path, &st) < 0)
		return NULL;
	if (asprintf(&head,
		     "virt-warden domain capabilities 1\n%s\n%s\n"
		     "%" PRIxMAX ":%" PRIxMAX " %" PRIdMAX " %" PRIdMAX ".%ld %" PRIdMAX ".%ld\n"
		     "%zu %016" PRIx64 "\n",
		     question, identity, (uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
		     (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
		     (intmax_t)st.st_ctim.tv_sec, st.st_ctim.tv_nsec, strlen(xml), hash(xml)) < 0)
		return NULL;
	return head;
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

	if (fd >= 0 && (fstat(fd, &st) < 0 || !is_private(&st, S_IFDIR))) {
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

char *vw_caps_cache_read(const char *dir, const char *question, const char *identity)
{
	VW_AUTOCLOSE int dirfd = open_dir(dir);
	VW_AUTOFREE char *text = NULL;
	VW_AUTOFREE char *head = NULL;
	char name[NAME_SIZE];
	const char *xml;

	file_name(question, name);
	text = dirfd < 0 ? NULL : read_text(dirfd, name);
	xml = text ? strstr(text, "\n" XML_BEGIN) : NULL;
	head = xml ? make_head(question, identity, xml + 1) : NULL;
	if (!head || strlen(head) != (size_t)(xml + 1 - text) ||
	    memcmp(head, text, strlen(head)) != 0)
		return NULL;
	return strdup(xml + 1);
}

static bool write_all(int fd, const char *text)
{
	size_t len = strlen(text);

	return write(fd, text, len) == (ssize_t)len; /* a disk that is full: not kept */
}

void vw_caps_cache_write(const char *dir, const char *question, const char *identity,
			 const char *xml)
{
	VW_AUTOCLOSE int dirfd = open_dir(dir);
	VW_AUTOFREE char *head = make_head(question, identity, xml);
	VW_AUTOCLOSE int fd = -1;
	char name[NAME_SIZE], temp[NAME_SIZE + 16];

	if (dirfd < 0 || !head || strlen(head) + strlen(xml) > MAX_BYTES)
		return;
	file_name(question, name);
	snprintf(temp, sizeof(temp), "%s.%d", name, (int)getpid());
	unlinkat(dirfd, temp, 0); /* of a process of that number that was killed */
	fd = openat(dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 &&
	    (!write_all(fd, head) || !write_all(fd, xml) || renameat(dirfd, temp, dirfd, name) < 0))
		unlinkat(dirfd, temp, 0);
}

void vw_caps_cache_forget(const char *dir, const char *question)
{
	VW_AUTOCLOSE int dirfd = open_dir(dir);
	char name[NAME_SIZE];

	file_name(question, name);
	if (dirfd >= 0)
		unlinkat(dirfd, name, 0);
}
