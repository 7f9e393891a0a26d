/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* May root use a file (see trust.h)? What is judged is settled before it is opened: where nobody
 * else may write on the whole way, nobody else can change it in between. */
#include "lib/base/trust.h"

#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdint.h>
#include <sys/stat.h>

#define LINKS_MAX 40 /* as the kernel's */

/* A walk along a path: what is behind us holds no link. */
struct walk {
	char done[PATH_MAX]; /* "" is the root directory */
	char rest[PATH_MAX];
	unsigned links;
	struct stat st; /* of done */
};

static bool walk_start(struct walk *w, const char *path)
{
	char here[PATH_MAX] = "";

	*w = (struct walk){ .links = 0 };
	if (*path != '/' && !getcwd(here, sizeof(here)))
		return false;
	return snprintf(w->rest, sizeof(w->rest), "%s/%s", here, path) < PATH_MAX &&
	       lstat("/", &w->st) == 0;
}

/* Put the link's target before the rest. */
static bool follow(struct walk *w, size_t parent)
{
	char target[PATH_MAX], rest[PATH_MAX];
	const ssize_t n = readlink(w->done, target, sizeof(target));

	if (n <= 0 || (size_t)n >= sizeof(target) || w->links++ == LINKS_MAX ||
	    snprintf(rest, sizeof(rest), "%.*s/%s", (int)n, target, w->rest) >= PATH_MAX)
		return false;
	w->done[*target == '/' ? 0 : parent] = '\0';
	strcpy(w->rest, rest);
	return true;
}

/* One name further; a link stays to be looked at, w->st is of it. Return: false at the end, or
 * where nothing is there that could be looked at. */
static bool walk_on(struct walk *w)
{
	const size_t len = strlen(w->done);
	const char *name = w->rest + strspn(w->rest, "/");
	const size_t n = strcspn(name, "/");

	if (S_ISLNK(w->st.st_mode)) {
		const char *slash = strrchr(w->done, '/');

		w->st.st_mode = 0;
		return follow(w, (size_t)(slash - w->done)) && walk_on(w);
	}
	if (!n)
		return false;
	if (n == 2 && !strncmp(name, "..", 2)) {
		char *slash = strrchr(w->done, '/');

		if (slash)
			*slash = '\0';
	} else if (n != 1 || *name != '.') {
		if (len + 1 + n >= sizeof(w->done))
			return false;
		snprintf(w->done + len, sizeof(w->done) - len, "/%.*s", (int)n, name);
	}
	memmove(w->rest, name + n, strlen(name + n) + 1);
	return lstat(*w->done ? w->done : "/", &w->st) == 0;
}

/* Is anything to come? Then what we are at is a directory above it. */
static bool is_above(const struct walk *w)
{
	return w->rest[strspn(w->rest, "/")] != '\0';
}

struct object {
	uintptr_t address;
	char path[PATH_MAX];
};

static int find_object(struct dl_phdr_info *info, size_t size, void *opaque)
{
	struct object *o = opaque;

	(void)size;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const uintptr_t start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

		if (info->dlpi_phdr[i].p_type != PT_LOAD || o->address < start ||
		    o->address - start >= info->dlpi_phdr[i].p_memsz)
			continue;
		/* The program itself has no path of its own here. */
		if (info->dlpi_name && *info->dlpi_name == '/')
			snprintf(o->path, sizeof(o->path), "%s", info->dlpi_name);
		return 1;
	}
	return 0;
}

/* Does this user own the program, or the library, that this code is in, or a directory above it? */
static bool owns_us(uid_t uid)
{
	struct object o = { .address = (uintptr_t)find_object, .path = "/proc/self/exe" };
	char path[PATH_MAX];
	struct walk w;

	dl_iterate_phdr(find_object, &o);
	if (!realpath(o.path, path) || !walk_start(&w, path))
		return false;
	while (walk_on(&w))
		if (w.st.st_uid == uid)
			return true;
	return false;
}

/* The user that stands for all that a user namespace does not map: no user of ours? */
static bool is_outside(uid_t uid)
{
	VW_AUTOFCLOSE FILE *overflow = fopen("/proc/sys/kernel/overflowuid", "re");
	VW_AUTOFCLOSE FILE *map = fopen("/proc/self/uid_map", "re");
	unsigned number, first, outside, count;

	if (!overflow || !map || fscanf(overflow, "%u", &number) != 1 || number != uid)
		return false;
	while (fscanf(map, "%u %u %u", &first, &outside, &count) == 3)
		if (uid >= first && uid - first < count)
			return false;
	return true;
}

static int judge(const struct walk *w, const char *path, struct vw_err *err)
{
	const char *what = *w->done ? w->done : "/";
	const mode_t writers = w->st.st_mode & 022;

	if (w->st.st_uid != 0 && !owns_us(w->st.st_uid) && !is_outside(w->st.st_uid))
		return vw_err_set(err, -EPERM,
				  "%s is not used by root, for user %u could change it: chown root "
				  "%s, and look at what it holds",
				  path, (unsigned)w->st.st_uid, what);
	if (writers && !S_ISLNK(w->st.st_mode) && !((w->st.st_mode & S_ISVTX) && is_above(w)))
		return vw_err_set(err, -EPERM,
				  "%s is not used by root, for %s could change it: chmod go-w %s, "
				  "and look at what it holds",
				  path, writers & 02 ? "everybody" : "its group", what);
	return 0;
}

int vw_trust(const char *path, struct vw_err *err)
{
	struct walk w;
	int r;

	if (geteuid() != 0 || !*path)
		return 0;
	if (!walk_start(&w, path))
		return vw_err_set(err, -EPERM, "%s is not used by root: its place can't be told",
				  path);
	do {
		r = judge(&w, path, err);
	} while (r == 0 && walk_on(&w));
	return r;
}
