/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The template loader: the *.xml files of directories, in order, into one set. */
#include "lib/engine/template-internal.h"

#include "lib/base/buf.h"
#include "lib/base/open.h"
#include "lib/base/trust.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>

#define TEMPLATE_MAX_BYTES (256u * 1024) /* ours are below 8 KiB */

static int read_file(const char *path, char **ret, size_t *ret_len, struct vw_err *err)
{
	struct stat st;
	VW_AUTOCLOSE int fd = vw_open(AT_FDCWD, path, 0, &st, err);
	VW_AUTOFREE char *text = NULL;
	size_t len = 0;

	if (fd < 0)
		return fd;
	if (st.st_size > TEMPLATE_MAX_BYTES)
		return vw_err_set(err, -EINVAL, "%s: not a file of at most %u KiB", path,
				  TEMPLATE_MAX_BYTES >> 10);
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return vw_err_set(err, -ENOMEM, "%s: out of memory", path);
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, text + len, (size_t)st.st_size - len);

		if (n < 0)
			return vw_err_set(err, -errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret = vw_steal(text);
	*ret_len = len;
	return 0;
}

static int is_template_file(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return e->d_name[0] != '.' && len > 4 && !strcmp(e->d_name + len - 4, ".xml");
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int load_file(struct vw_templates *set, const char *dir, const char *name,
		     struct vw_err *err)
{
	VW_AUTOFREE char *path = NULL;
	VW_AUTOFREE char *text = NULL;
	size_t len = 0;
	int r;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return vw_err_set(err, -ENOMEM, "%s: out of memory", dir);
	}
	r = vw_trust(path, err);
	if (r == 0)
		r = read_file(path, &text, &len, err);
	return r < 0 ? r : vw_templates_add_text(set, text, len, path, err);
}

static int load_dir(struct vw_templates *set, const char *dir, bool must, struct vw_err *err)
{
	VW_AUTOCLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **names = NULL;
	int n, r = 0;

	if (fd < 0 && errno == ENOENT && !must)
		return 0;
	r = vw_trust(dir, err); /* its files, each: load_file */
	if (r < 0)
		return r;
	n = fd < 0 ? -1 : scandirat(fd, ".", &names, is_template_file, by_bytes);
	if (n < 0)
		return vw_err_set(err, -errno,
				  "%s: %s (templates; VIRT_WARDEN_DATADIR or a new installation)",
				  dir, strerror(errno));
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = load_file(set, dir, names[i]->d_name, err);
		free(names[i]);
	}
	free(names);
	return r;
}

static void describe(struct vw_buf *b, const char *name, const struct stat *st)
{
	vw_buf_printf(
		b, "%s %" PRIxMAX ":%" PRIxMAX " %" PRIdMAX " %" PRIdMAX ".%ld %" PRIdMAX ".%ld\n",
		name, (uintmax_t)st->st_dev, (uintmax_t)st->st_ino, (intmax_t)st->st_size,
		(intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec,
		st->st_ctim.tv_nsec);
}

static bool trust_in(const char *dir, const char *name)
{
	VW_AUTOFREE char *path = NULL;

	if (asprintf(&path, "%s/%s", dir, name) < 0) {
		path = NULL;
		return false;
	}
	return vw_trust(path, NULL) == 0;
}

/* Return: false: it can't be looked at, or must not be used. */
static bool describe_dir(struct vw_buf *b, const char *dir)
{
	VW_AUTOCLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **names = NULL;
	struct stat st;
	int n;

	if (fd < 0 && errno == ENOENT) {
		vw_buf_printf(b, "%s\n", dir);
		return true;
	}
	if (fd < 0 || fstat(fd, &st) < 0 || vw_trust(dir, NULL) < 0)
		return false;
	describe(b, dir, &st);
	n = scandirat(fd, ".", &names, is_template_file, by_bytes);
	for (int i = 0; i < n; i++) {
		if (fstatat(fd, names[i]->d_name, &st, 0) == 0 && trust_in(dir, names[i]->d_name))
			describe(b, names[i]->d_name, &st);
		else
			b->failed = true;
		free(names[i]);
	}
	free(names);
	return n >= 0;
}

char *vw_templates_files(const char *const *dirs)
{
	VW_AUTOBUF struct vw_buf b = { 0 };

	for (size_t i = 0; dirs[i]; i++)
		if (!describe_dir(&b, dirs[i]))
			return NULL;
	return vw_buf_take(&b);
}

static void cleanup_set(struct vw_templates **t)
{
	vw_templates_free(*t);
}

int vw_templates_load(const char *const *dirs, struct vw_templates **ret, struct vw_err *err)
{
	VW_CLEANUP(cleanup_set) struct vw_templates *set = vw_templates_new();
	int r = set ? 0 : vw_err_set(err, -ENOMEM, "templates: out of memory");

	for (size_t i = 0; r == 0 && dirs[i]; i++)
		r = load_dir(set, dirs[i], i == 0, err);
	if (r == 0)
		r = vw_templates_link(set, err);
	if (r < 0)
		return r;
	*ret = vw_steal(set);
	return 0;
}

int vw_templates_load_text(const char *text, size_t len, const char *name,
			   struct vw_templates **ret, struct vw_err *err)
{
	VW_CLEANUP(cleanup_set) struct vw_templates *set = vw_templates_new();
	int r;

	if (!set)
		return vw_err_set(err, -ENOMEM, "templates: out of memory");
	r = vw_templates_add_text(set, text, len, name, err);
	if (r == 0)
		r = vw_templates_link(set, err);
	if (r < 0)
		return r;
	*ret = vw_steal(set);
	return 0;
}
