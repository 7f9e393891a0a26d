/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store's files: their names, and how one version is read (history-store.h). */
#include "lib/history/history-store.h"
#include "lib/base/private-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

void vw_store_slot_name(const struct vw_slot *slot, char ret[VW_SLOT_NAME_MAX])
{
	snprintf(ret, VW_SLOT_NAME_MAX, "%06u-%" PRId64 ".xml", slot->n, slot->time);
}

/* Only a name that we would write ourselves is a version. */
static bool parse_slot(const char *name, struct vw_slot *ret)
{
	char again[VW_SLOT_NAME_MAX];
	struct vw_slot slot;
	char *end;
	unsigned long n = strtoul(name, &end, 10);

	if (!n || n > UINT32_MAX || *end != '-')
		return false;
	slot = (struct vw_slot){ .n = (unsigned)n, .time = strtoll(end + 1, NULL, 10) };
	if (slot.time < 0)
		return false;
	vw_store_slot_name(&slot, again);
	if (strcmp(again, name) != 0)
		return false;
	*ret = slot;
	return true;
}

static int compare_slots(const void *a, const void *b)
{
	const struct vw_slot *x = a, *y = b;

	return x->n < y->n ? -1 : x->n > y->n;
}

int vw_store_scan(int dirfd, bool sweep, struct vw_slot **ret, size_t *ret_n)
{
	VW_CLEANUP(vw_store_closedir) DIR *dir = NULL;
	VW_AUTOFREE struct vw_slot *slots = NULL;
	size_t n = 0, room = 0;
	struct dirent *entry;
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int r = -errno;

		if (fd >= 0)
			close(fd);
		return r;
	}
	while (errno = 0, (entry = readdir(dir))) {
		struct vw_slot slot;

		if (sweep && strcmp(entry->d_name, VW_STORE_NEW) == 0)
			vw_private_remove(dirfd, entry->d_name);
		if (sweep && vw_store_gone_since(entry->d_name))
			unlinkat(dirfd, entry->d_name, 0);
		if (!parse_slot(entry->d_name, &slot))
			continue;
		if (n == room) {
			size_t more = room ? room * 2 : 128;
			struct vw_slot *p = reallocarray(slots, more, sizeof(*p));

			if (!p)
				return -ENOMEM;
			slots = p;
			room = more;
		}
		slots[n++] = slot;
	}
	if (errno)
		return -errno;
	if (n)
		qsort(slots, n, sizeof(*slots), compare_slots);
	*ret = vw_steal(slots);
	*ret_n = n;
	return 0;
}

/* pread all of it. Return: 0, -EBADMSG (shorter than it was) or negative errno. */
static int read_at(int fd, char *buf, size_t len, off_t off)
{
	while (len) {
		ssize_t n = pread(fd, buf, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		buf += n;
		off += n;
		len -= (size_t)n;
	}
	return 0;
}

/* Read the last line of the file and check that it describes this very file. */
static int read_trailer(int fd, const struct vw_slot *slot, struct vw_version *ret)
{
	char buf[VW_TRAILER_MAX + 1];
	struct vw_version v;
	struct stat st;
	const char *line;
	size_t len;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < 2 ||
	    st.st_size > (off_t)(VW_HISTORY_MAX_BYTES + sizeof(buf)))
		return -EBADMSG;
	len = (size_t)st.st_size < sizeof(buf) ? (size_t)st.st_size : sizeof(buf);
	r = read_at(fd, buf, len, st.st_size - (off_t)len);
	if (r < 0)
		return r;
	line = buf[len - 1] == '\n' ? memrchr(buf, '\n', len - 1) : NULL;
	if (!line)
		return -EBADMSG;
	line++;
	r = vw_trailer_parse(line, (size_t)(buf + len - 1 - line), &v);
	if (r < 0)
		return r;
	if (v.n != slot->n || v.time != slot->time ||
	    (off_t)v.size + 1 + (buf + len - line) != st.st_size) {
		vw_version_clear(&v);
		return -EBADMSG;
	}
	*ret = v;
	return 0;
}

int vw_store_open(int dirfd, const struct vw_slot *slot, struct vw_version *ret)
{
	char name[VW_SLOT_NAME_MAX];
	int fd, r;

	vw_store_slot_name(slot, name);
	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP ? -EBADMSG : -errno;
	r = read_trailer(fd, slot, ret);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int vw_store_read(int fd, const struct vw_version *v, char **ret)
{
	VW_AUTOFREE char *xml = malloc(v->size + 1);
	char hash[17];
	int r;

	if (!xml)
		return -ENOMEM;
	r = read_at(fd, xml, v->size, 0);
	if (r < 0)
		return r;
	xml[v->size] = '\0';
	vw_trailer_hash(xml, v->size, hash);
	if (strcmp(hash, v->hash) != 0)
		return -EBADMSG;
	*ret = vw_steal(xml);
	return 0;
}

void vw_version_clear(struct vw_version *v)
{
	free(v->name);
	free(v->who);
	free(v->rules);
	v->name = v->who = v->rules = NULL;
}
