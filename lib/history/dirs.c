/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store's directories and locks (history-store.h). */
#include "lib/history/history-store.h"
#include "lib/base/private-dir.h"

#include <errno.h>

int vw_store_error(const struct vw_history *h, const char *uuid, int code, const char *what,
		   struct vw_err *err)
{
	return vw_err_set(err, code, "%s%s%s: %s: %s; %s", h->path, uuid ? "/" : "",
			  uuid ? uuid : "", what, strerror(-code), vw_private_remedy(code));
}

int vw_store_uuid(const char *uuid, char ret[37], struct vw_err *err)
{
	char out[37];
	size_t i = 0;

	for (; uuid && i < 36 && uuid[i]; i++) {
		char c = uuid[i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			break;
		out[i] = c;
	}
	if (i != 36 || uuid[36])
		return vw_err_set(err, -EINVAL,
				  "\"%.40s\" is no UUID (expected 8-4-4-4-12 hex digits)",
				  uuid ? uuid : "");
	out[36] = '\0';
	memcpy(ret, out, sizeof(out));
	return 0;
}

int vw_history_open(const char *statedir, struct vw_history **ret, struct vw_err *err)
{
	struct vw_history *h = calloc(1, sizeof(*h));
	int r;

	if (!h || asprintf(&h->path, "%s/history", statedir) < 0) {
		free(h);
		return vw_err_set(err, -ENOMEM, "out of memory");
	}
	h->dirfd = r = vw_private_open(statedir, "history");
	if (r < 0) {
		vw_store_error(h, NULL, r, "cannot open the history", err);
		vw_history_close(h);
		return r;
	}
	*ret = h;
	return 0;
}

void vw_history_close(struct vw_history *h)
{
	if (!h)
		return;
	vw_history_settle(h, NULL);
	if (h->dirfd >= 0)
		close(h->dirfd);
	free(h->path);
	free(h);
}

int vw_store_dir(struct vw_history *h, const char *uuid, bool create, struct vw_err *err)
{
	/* what is put into it waits for the disk: vw_history_keep */
	int fd = vw_private_dir(h->dirfd, uuid, create, false);

	if (fd == -ENOENT && !create)
		return fd;
	if (fd < 0)
		return vw_store_error(h, uuid, fd, "cannot open it", err);
	return fd;
}

int vw_store_lock(struct vw_history *h, int dirfd, const char *uuid, struct vw_err *err)
{
	int fd = vw_private_lock_dir(dirfd, ".lock");

	if (fd < 0)
		return vw_store_error(h, uuid, fd,
				      fd == -EBUSY ? "cannot lock it within 2 s" : "cannot lock it",
				      err);
	return fd;
}
