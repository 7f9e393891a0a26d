/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A context's OS index (see virt/context.h): opened, and built anew when osinfo-db has changed;
 * and where our other programs lie, of which one builds it. */
#include "virt/context-internal.h"

#include "lib/base/trust.h"
#include "virt/run.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <sys/stat.h>

/* libosinfo reads some 600 files: about a second, more on a cold disk. */
#define BUILD_TIMEOUT_MS 15000

/* Open the index that is there. *ret_path: its place (malloc'ed, NULL without memory). */
static int open_index(struct vw_context *c, char **ret_path, struct vw_err *err)
{
	static const char system[] = VW_LOCALSTATEDIR "/cache/virt-warden/os.index";
	int r;

	if (asprintf(ret_path, "%s/os.index", c->paths.cachedir) < 0) {
		*ret_path = NULL;
		return vw_err_set(err, -ENOMEM, "out of memory");
	}
	r = vw_trust(*ret_path, err);
	if (r < 0) {
		c->built = true; /* nor is one put there */
		return r;
	}
	r = vw_osindex_open(*ret_path, &c->osindex, err);
	/* The host's index serves every user. */
	if (r == -ENOENT && geteuid() != 0)
		r = vw_osindex_open(system, &c->osindex, NULL);
	return r;
}

/* The directory of the object that this code is in: the program, or virsh-warden.so. */
static char *own_dir(void)
{
	struct link_map *map = NULL;
	Dl_info info;
	char *path, *slash;
	/* The dynamic linker names the program itself "". */
	bool library = dladdr1(vw_context_open, &info, (void **)&map, RTLD_DL_LINKMAP) && map &&
		       map->l_name && *map->l_name == '/';

	path = realpath(library ? map->l_name : "/proc/self/exe", NULL);
	slash = path ? strrchr(path, '/') : NULL;
	if (slash)
		*slash = 0;
	return path;
}

char *vw_context_program(const struct vw_context *c, const char *name)
{
	VW_AUTOFREE char *dir = own_dir();
	char *path = NULL;

	(void)c;
	if (dir && asprintf(&path, "%s/%s", dir, name) >= 0) {
		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return asprintf(&path, "%s/libexec/virt-warden/%s", VW_PREFIX, name) < 0 ? NULL : path;
}

/* Create the directory and what is missing above it. */
static void make_dirs(const char *dir)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/", dir) >= (int)sizeof(path))
		return;
	for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = 0;
		mkdir(path, 0755);
		*p = '/';
	}
}

/* Build the index beside its place and move it there. Return: true if a new one is there. */
static bool build_index(struct vw_context *c, const char *index)
{
	VW_AUTOFREE char *program = vw_context_program(c, "virt-warden-osinfo");
	VW_AUTOFREE char *temp = NULL;
	char out[256];
	bool done;

	c->built = true;
	make_dirs(c->paths.cachedir);
	if (!program || access(program, X_OK) < 0 || access(c->paths.cachedir, W_OK) < 0)
		return false;
	if (asprintf(&temp, "%s.%d", index, (int)getpid()) < 0) {
		temp = NULL;
		return false;
	}
	done = vw_run((char *[]){ program, (char *)"build", (char *)"--output", temp, NULL },
		      BUILD_TIMEOUT_MS, out, sizeof(out), NULL) == 0 &&
	       rename(temp, index) == 0;
	if (!done)
		unlink(temp);
	return done;
}

struct vw_osindex *vw_context_osindex(struct vw_context *c, struct vw_err *err)
{
	VW_AUTOFREE char *index = NULL;
	int r;

	if (c->osindex)
		return c->osindex;
	r = open_index(c, &index, err);
	if (!index)
		return NULL;
	if (r == 0 &&
	    (c->single && !c->sure ? vw_osindex_glance : vw_osindex_fresh)(c->osindex) != VW_NO)
		return c->osindex;
	c->assumed.lacks = true;
	if (r == -ENOMEM || c->built || c->assumed.on || !build_index(c, index))
		return c->osindex; /* a stale one is better than none */
	if (c->osindex)
		vw_osindex_close(vw_steal(c->osindex));
	return vw_osindex_open(index, &c->osindex, err) < 0 ? NULL : c->osindex;
}

struct vw_osindex *vw_context_newer_osindex(struct vw_context *c)
{
	if (!c->single || c->sure || !c->osindex)
		return NULL;
	c->sure = true;
	if (vw_osindex_fresh(c->osindex) != VW_NO)
		return NULL;
	vw_osindex_close(vw_steal(c->osindex));
	return vw_context_osindex(c, NULL);
}

char *vw_context_command(const struct vw_context *c)
{
	char *beside = vw_context_program(c, "virt-warden");

	if (beside && access(beside, X_OK) == 0)
		return beside;
	free(beside);
	return strdup(VW_PREFIX "/bin/virt-warden");
}
