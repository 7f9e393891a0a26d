/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Secrets from files: only what others can't read is one, and only what fits into a header. */
#include "messenger/messenger.h"
#include "lib/base/buf.h"
#include "lib/base/open.h"
#include "lib/base/trust.h"

#include <errno.h>

#define SECRET_MAX 4096

bool alert_is_safe(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) && (st->st_mode & 022) == 0;
}

static int read_line(const char *path, char *line, size_t size, struct vw_err *err)
{
	struct stat st;
	VW_AUTOCLOSE int fd = vw_open(AT_FDCWD, path, 0, &st, err);
	ssize_t n;

	if (fd < 0)
		return fd;
	if (!alert_is_safe(&st) || (st.st_mode & 07))
		return vw_err_set(err, -EPERM,
				  "%s: others can read or change it, so it is no secret: "
				  "chown root, chmod 0600, and replace what it holds",
				  path);
	if (vw_trust(path, err) < 0)
		return -EPERM;
	n = read(fd, line, size - 1);
	if (n < 0)
		return vw_err_set(err, -errno, "%s: %s", path, strerror(errno));
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	for (const char *p = line; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return vw_err_set(err, -EINVAL, "%s: holds a control character", path);
	return 0;
}

char *alert_base64(const char *s, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct vw_buf b = { 0 };

	for (size_t i = 0; i < len; i += 3) {
		const unsigned a = (unsigned char)s[i];
		const unsigned c = i + 1 < len ? (unsigned char)s[i + 1] : 0;
		const unsigned d = i + 2 < len ? (unsigned char)s[i + 2] : 0;
		const char four[4] = { digits[a >> 2], digits[(a & 3) << 4 | c >> 4],
				       i + 1 < len ? digits[(c & 15) << 2 | d >> 6] : '=',
				       i + 2 < len ? digits[d & 63] : '=' };

		vw_buf_add(&b, four, 4);
	}
	return vw_buf_take(&b);
}

char *alert_secret(const char *path, struct vw_err *err)
{
	char line[SECRET_MAX];
	char *value = NULL;

	if (read_line(path, line, sizeof(line), err) < 0)
		return NULL;
	if (vw_startswith(line, "bearer ") && line[7]) {
		if (asprintf(&value, "Bearer %s", line + 7) < 0)
			value = NULL;
	} else if (vw_startswith(line, "basic ") && strchr(line + 6, ':')) {
		VW_AUTOFREE char *code = alert_base64(line + 6, strlen(line + 6));

		if (!code || asprintf(&value, "Basic %s", code) < 0)
			value = NULL;
	} else {
		vw_err_set(err, -EINVAL,
			   "%s: its first line must be \"bearer TOKEN\" or \"basic USER:PASSWORD\"",
			   path);
		return NULL;
	}
	if (!value)
		vw_err_set(err, -ENOMEM, "out of memory");
	return value;
}
