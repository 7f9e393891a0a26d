/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What test-history and test-history-hostile share: a store in a scratch directory. */
#ifndef VW_TEST_HISTORY_H
#define VW_TEST_HISTORY_H

#include "lib/history/history.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#define UUID "11111111-2222-3333-4444-555555555555"
#define UUID2 "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
#define NOW 1732300000
#define DAY 86400

struct fixture {
	char dir[64];
	struct vw_history *h;
	struct vw_err err;
};

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/vw-history-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(vw_history_open(f->dir, &f->h, &f->err), 0);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	vw_history_close(f->h);
	nftw(f->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static inline int keep_at(struct fixture *f, const char *uuid, const char *name, const char *xml,
			  int64_t now, unsigned max, unsigned days, unsigned *n)
{
	return vw_history_keep(f->h, uuid, name, xml, strlen(xml), VW_CAUSE_CLIENT, "root@virsh[1]",
			       "disk-cache rng", now, max, days, n, &f->err);
}

static inline unsigned keep(struct fixture *f, const char *name, const char *xml)
{
	unsigned n = 0;

	assert_int_equal(keep_at(f, UUID, name, xml, NOW, 100, 730, &n), 0);
	return n;
}

/* The numbers of all versions as "1 2 3". */
static inline const char *numbers(struct fixture *f, const char *uuid)
{
	static char text[4096];
	struct vw_version *v = NULL;
	size_t n = 0, len = 0;

	assert_int_equal(vw_history_list(f->h, uuid, &v, &n, &f->err), 0);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		len += (size_t)sprintf(text + len, "%s%u", i ? " " : "", v[i].n);
	vw_versions_free(v, n);
	return text;
}

static inline void assert_xml(struct fixture *f, unsigned n, const char *expected)
{
	VW_AUTOFREE char *xml = NULL;
	size_t len = 0;

	assert_int_equal(vw_history_read(f->h, UUID, n, &xml, &len, &f->err), 0);
	assert_string_equal(xml, expected);
	assert_int_equal(len, strlen(expected));
}

/* Path of the only (or first) version's file. */
static inline void file_of(struct fixture *f, unsigned n, char path[512])
{
	snprintf(path, 512, "%s/history/" UUID "/%06u-%d.xml", f->dir, n, NOW);
}

#endif
