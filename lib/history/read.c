/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the store: without a lock, as every file in it is whole. A version
 * that is pruned between listing and opening is as if it had not been listed. */
#include "lib/history/history-store.h"

#include <errno.h>
#include <fcntl.h>

void vw_versions_free(struct vw_version *v, size_t n)
{
	for (size_t i = 0; v && i < n; i++)
		vw_version_clear(&v[i]);
	free(v);
}

/* The versions of one directory. Return: 0, -ENOMEM … */
static int list_dir(int dirfd, struct vw_version **ret, size_t *ret_n)
{
	VW_AUTOFREE struct vw_slot *slots = NULL;
	struct vw_version *versions;
	size_t n_slots = 0, n = 0;
	int r = vw_store_scan(dirfd, false, &slots, &n_slots);

	if (r < 0)
		return r;
	versions = calloc(n_slots + 1, sizeof(*versions));
	if (!versions)
		return -ENOMEM;
	for (size_t i = 0; i < n_slots; i++) {
		int fd = vw_store_open(dirfd, &slots[i], &versions[n]);

		if (fd >= 0) {
			close(fd);
			n++;
		} else if (fd != -ENOENT && fd != -EBADMSG) {
			vw_versions_free(versions, n);
			return fd;
		}
	}
	*ret = versions;
	*ret_n = n;
	return 0;
}

int vw_history_list(struct vw_history *h, const char *uuid, struct vw_version **ret, size_t *ret_n,
		    struct vw_err *err)
{
	VW_AUTOCLOSE int dirfd = -1;
	char canonical[37];
	int r;

	r = vw_store_uuid(uuid, canonical, err);
	if (r < 0)
		return r;
	dirfd = vw_store_dir(h, canonical, false, err);
	if (dirfd == -ENOENT) {
		*ret = NULL;
		*ret_n = 0;
		return 0;
	}
	if (dirfd < 0)
		return dirfd;
	r = list_dir(dirfd, ret, ret_n);
	return r < 0 ? vw_store_error(h, canonical, r, "cannot list it", err) : 0;
}

/* The XML of version n (0 = newest) of one directory. */
static int read_dir(int dirfd, unsigned n, char **ret_xml, size_t *ret_len)
{
	VW_AUTOFREE struct vw_slot *slots = NULL;
	VW_AUTOCLOSE int fd = -1;
	struct vw_version v = { 0 };
	size_t n_slots = 0, i;
	int r = vw_store_scan(dirfd, false, &slots, &n_slots);

	if (r < 0)
		return r;
	for (i = n_slots; n && i && slots[i - 1].n != n; i--)
		;
	if (!i)
		return -ENOENT;
	fd = vw_store_open(dirfd, &slots[i - 1], &v);
	if (fd < 0)
		return fd;
	r = vw_store_read(fd, &v, ret_xml);
	if (r == 0)
		*ret_len = v.size;
	vw_version_clear(&v);
	return r;
}

int vw_history_read(struct vw_history *h, const char *uuid, unsigned n, char **ret_xml,
		    size_t *ret_len, struct vw_err *err)
{
	VW_AUTOCLOSE int dirfd = -1;
	char canonical[37];
	int r;

	r = vw_store_uuid(uuid, canonical, err);
	if (r < 0)
		return r;
	dirfd = vw_store_dir(h, canonical, false, err);
	if (dirfd < 0 && dirfd != -ENOENT)
		return dirfd;
	r = dirfd < 0 ? dirfd : read_dir(dirfd, n, ret_xml, ret_len);
	if (r == -ENOENT && !n)
		return vw_err_set(err, r, "%s/%s: no version was kept of this domain", h->path,
				  canonical);
	if (r == -ENOENT)
		return vw_err_set(err, r, "%s/%s: there is no version %u; list them first", h->path,
				  canonical, n);
	if (r == -EBADMSG && !n)
		return vw_err_set(
			err, r,
			"%s/%s: the newest version is damaged; take an older one by its number",
			h->path, canonical);
	if (r == -EBADMSG)
		return vw_err_set(err, r, "%s/%s: version %u is damaged; take another", h->path,
				  canonical, n);
	return r < 0 ? vw_store_error(h, canonical, r, "cannot read it", err) : 0;
}

/* When did the domain in this directory last have that name? Return: true if ever. */
static bool last_named(int dirfd, const char *name, int64_t *ret_time)
{
	VW_AUTOFREE struct vw_slot *slots = NULL;
	size_t n = 0;
	bool found = false;

	if (vw_store_scan(dirfd, false, &slots, &n) < 0)
		return false;
	while (n && !found) {
		struct vw_version v = { 0 };
		int fd = vw_store_open(dirfd, &slots[--n], &v);

		if (fd < 0)
			continue;
		close(fd);
		found = strcmp(v.name, name) == 0;
		*ret_time = v.time;
		vw_version_clear(&v);
	}
	return found;
}

int vw_history_find_name(struct vw_history *h, const char *name, char buf[37], struct vw_err *err)
{
	VW_CLEANUP(vw_store_closedir) DIR *dir = NULL;
	struct dirent *entry;
	int64_t time = 0, best = -1;
	int fd = openat(h->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int r = -errno;

		if (fd >= 0)
			close(fd);
		return vw_store_error(h, NULL, r, "cannot list it", err);
	}
	/* A name at the limit may have been cut when it was stored: it tells nothing. */
	while (strlen(name) < VW_HISTORY_NAME_MAX && (entry = readdir(dir))) {
		VW_AUTOCLOSE int domain = -1;
		char uuid[37];

		if (vw_store_uuid(entry->d_name, uuid, NULL) < 0 ||
		    strcmp(uuid, entry->d_name) != 0)
			continue;
		domain = vw_store_dir(h, uuid, false, NULL);
		if (domain >= 0 && last_named(domain, name, &time) && time > best) {
			best = time;
			memcpy(buf, uuid, sizeof(uuid));
		}
	}
	if (best < 0)
		return vw_err_set(err, -ENOENT, "%s: no domain named \"%.200s\" was ever kept",
				  h->path, name);
	return 0;
}
