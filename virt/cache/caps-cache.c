/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Domain capabilities on disk (see virt/cache/caps-cache.h): a line about the emulator's file as
 * it was, and the capabilities as lines, which are read in a tenth of the XML's time. */
#include "virt/cache/caps-cache.h"

#include "virt/cache/kept.h"

#include <inttypes.h>
#include <limits.h>
#include <sys/stat.h>

/* The emulator that the XML is of: libvirt writes its <path> first. */
static bool emulator_of(const char *xml, char path[PATH_MAX])
{
	const char *p = strstr(xml, "<path>");
	size_t n = p ? strcspn(p + strlen("<path>"), "<&\n") : 0;

	if (!n || n >= PATH_MAX || !vw_startswith(p + strlen("<path>") + n, "</path>"))
		return false;
	memcpy(path, p + strlen("<path>"), n);
	path[n] = 0;
	return *path == '/';
}

/* "2049:131 8404392 1700000000.0 1700000000.0 PATH\n". Return: malloc'ed, or NULL: it is gone. */
static char *describe(const char *path)
{
	struct stat st;
	char *line;

	if (stat(path, &st) < 0 ||
	    asprintf(&line,
		     "%" PRIxMAX ":%" PRIxMAX " %" PRIdMAX " %" PRIdMAX ".%ld %" PRIdMAX
		     ".%ld %s\n",
		     (uintmax_t)st.st_dev, (uintmax_t)st.st_ino, (intmax_t)st.st_size,
		     (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (intmax_t)st.st_ctim.tv_sec,
		     st.st_ctim.tv_nsec, path) < 0)
		return NULL;
	return line;
}

/* Is the line about a file that is as it was? *ret_rest: what follows it. */
static bool emulator_unchanged(const char *text, const char **ret_rest)
{
	char path[PATH_MAX];
	const char *end = text + strcspn(text, "\n"), *p = text;
	VW_AUTOFREE char *line = NULL;

	for (int i = 0; i < 4 && p; i++) {
		p = memchr(p, ' ', (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	if (!p || !*end || end - p >= PATH_MAX)
		return false;
	snprintf(path, sizeof(path), "%.*s", (int)(end - p), p);
	line = describe(path);
	*ret_rest = end + 1;
	return line && vw_startswith(text, line);
}

static struct vw_kept kept(const char *dir, const char *question, const char *identity)
{
	return (struct vw_kept){ dir, "caps", question, identity };
}

struct vw_caps *vw_caps_cache_read(const char *dir, const char *question, const char *identity)
{
	const struct vw_kept k = kept(dir, question, identity);
	VW_AUTOFREE char *text = vw_kept_read(&k);
	struct vw_caps *caps = NULL;
	const char *lines;

	if (!text || !emulator_unchanged(text, &lines) ||
	    vw_caps_from_lines(strdup(lines), &caps) < 0)
		return NULL;
	return caps;
}

void vw_caps_cache_write(const char *dir, const char *question, const char *identity,
			 const char *xml, const struct vw_caps *caps)
{
	const struct vw_kept k = kept(dir, question, identity);
	VW_AUTOFREE char *line = NULL;
	VW_AUTOFREE char *lines = vw_caps_to_lines(caps);
	VW_AUTOFREE char *text = NULL;
	char path[PATH_MAX];

	line = emulator_of(xml, path) ? describe(path) : NULL;
	if (!line || !lines || asprintf(&text, "%s%s", line, lines) < 0) {
		text = NULL;
		return;
	}
	vw_kept_write(&k, text);
}

void vw_caps_cache_forget(const char *dir, const char *question)
{
	const struct vw_kept k = kept(dir, question, NULL);

	vw_kept_forget(&k);
}
