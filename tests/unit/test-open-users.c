/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whoever reads a file of the user's choice looks at it before it is opened (lib/base/open.h): a FIFO's
 * writer is not let go, a device is not started, a file of the kernel is not read. */
#include "lib/conf/baseline.h"
#include "lib/conf/conf.h"
#include "lib/osindex/osindex.h"
#include "lib/engine/template.h"
#include "tests/unit/test-probe.h"

#include <sys/inotify.h>
#include <sys/sysmacros.h>

static int load_conf(const char *p, struct vw_err *err)
{
	struct vw_policy policy;

	return vw_conf_load(p, &policy, err);
}

static int load_baseline(const char *p, struct vw_err *err)
{
	char text[VW_BASELINE_MAX];

	snprintf(text, sizeof(text), "%s", p);
	return vw_baseline_load(text, err);
}

/* It is the template.xml of its directory. */
static int load_templates(const char *p, struct vw_err *err)
{
	char folder[300];
	const char *dirs[] = { folder, NULL };
	struct vw_templates *set = NULL;
	int r;

	snprintf(folder, sizeof(folder), "%s/templates", dir);
	mkdir(folder, 0755);
	snprintf(folder, sizeof(folder), "%s/templates/template.xml", dir);
	unlink(folder);
	assert_int_equal(symlink(p, folder), 0);
	snprintf(folder, sizeof(folder), "%s/templates", dir);
	r = vw_templates_load(dirs, &set, err);
	vw_templates_free(set);
	return r;
}

static int load_osindex(const char *p, struct vw_err *err)
{
	struct vw_osindex *x = NULL;
	int r = vw_osindex_open(p, &x, err);

	vw_osindex_close(x);
	return r;
}

static int (*const loaders[])(const char *, struct vw_err *) = { load_conf, load_baseline,
								 load_templates, load_osindex };

/* Nobody opens it: inotify tells of each open that is one, not of O_PATH. */
static void refused_unopened(const char *p)
{
	char event[4096];
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int held = open(p, O_PATH | O_CLOEXEC); /* the kernel's files are one while it is held */

	assert_true(watch >= 0 && held >= 0);
	assert_true(inotify_add_watch(watch, p, IN_OPEN) >= 0);
	for (size_t i = 0; i < VW_N_ELEMENTS(loaders); i++) {
		struct vw_err err = { 0 };

		if (loaders[i](p, &err) >= 0)
			fail_msg("%s: taken by loader %zu", p, i);
		assert_true(*err.text && !strchr(err.text, '\n'));
		if (read(watch, event, sizeof(event)) > 0)
			fail_msg("%s: opened by loader %zu", p, i);
	}
	close(held);
	close(watch);
}

static void test_nothing_is_opened(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	refused_unopened(path);
	assert_int_equal(mknod(in_dir("device"), S_IFCHR | 0600, makedev(1, 3)), 0);
	refused_unopened(path);
	refused_unopened("/proc/version");
}

/* Without /proc nothing can be opened: that is an error, not an absent file. */
static void test_not_there(void **state)
{
	struct vw_err err = { 0 };

	(void)state;
	in_dir("absent");
	assert_int_equal(load_conf(path, &err), 0);
	assert_string_equal(err.text, "");
	assert_int_equal(load_baseline(path, &err), -ENOENT);
	assert_non_null(strstr(err.text, "[cpu] baseline: /"));
	assert_int_equal(load_osindex(path, &err), -ENOENT);
	assert_non_null(strstr(err.text, "has not been built"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_nothing_is_opened, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_there, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
