/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A FIFO, a folder, a link or a socket under a name that is a file of ours: nothing waits for it, and
 * nothing is held up by it. What hangs is ended by an alarm. */
#include "lib/alert/alert-store.h"
#include "tests/unit/test-history.h"

#include <sys/socket.h>
#include <sys/un.h>

#define SECONDS 10 /* for all; then the alarm ends the test */

static const struct vw_alert sample = { .host = "beta",
					.domain = "web1",
					.uuid = UUID,
					.kind = "verify-failed",
					.severity = VW_ALERT_CRITICAL,
					.summary = "dead" };

static void make_fifo(const char *path)
{
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void make_folder(const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
}

static void make_full_folder(const char *path)
{
	char file[600];

	make_folder(path);
	snprintf(file, sizeof(file), "%s/x", path);
	close(open(file, O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static void make_link(const char *path)
{
	assert_int_equal(symlink("/nonexistent/x", path), 0);
}

static void make_socket(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(strlen(path) < sizeof(a.sun_path));
	strcpy(a.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
}

static void (*const odd[])(const char *path) = { make_fifo, make_folder, make_full_folder,
						 make_link, make_socket };

/* Each of the queue's fixed names, as each odd thing: raise, deliver, resolve, all done. */
static void test_queue(void **state)
{
	static const char *const names[] = { "todo", ".lock", ".deliver", ".new", ".new-told" };
	struct fixture *f = *state;

	for (size_t i = 0; i < VW_N_ELEMENTS(names) * VW_N_ELEMENTS(odd); i++) {
		const char *name = names[i / VW_N_ELEMENTS(odd)];
		struct vw_alert_memory memory = { .n = 0 };
		struct vw_alerts *q = NULL;
		char dir[128], path[256], id[VW_ALERT_ID_SIZE];
		uint64_t stamp;

		snprintf(dir, sizeof(dir), "%s/%zu", f->dir, i);
		snprintf(path, sizeof(path), "%s/alerts/%s", dir, name);
		assert_int_equal(vw_alerts_open(dir, &q, &f->err), 0);
		odd[i % VW_N_ELEMENTS(odd)](path);
		assert_true(vw_alerts_stamp(q) == 0);
		assert_int_equal(vw_alert_raise(q, &sample, NOW, id, &f->err), 0);
		assert_true(vw_alerts_waiting(q));
		stamp = vw_alerts_stamp(q);
		assert_true(stamp != 0);
		assert_int_equal(vw_alerts_deliver_lock(q, &f->err), 0);
		vw_alert_memory_get(&memory, "webhook");
		assert_int_equal(vw_alert_memory_write(q, id, &memory, &f->err), 0);
		assert_int_equal(vw_alerts_all_done(q, stamp, &f->err), 0);
		assert_int_equal(vw_alert_resolve_id(q, id, NOW, &f->err), 1);
		vw_alerts_close(q);
	}
}

/* todo becomes odd while there is nothing to deliver: that ends, too. */
static void test_queue_all_done(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < VW_N_ELEMENTS(odd); i++) {
		struct vw_alerts *q = NULL;
		char path[256];

		snprintf(path, sizeof(path), "%s/alerts/todo", f->dir);
		assert_int_equal(vw_alerts_open(f->dir, &q, &f->err), 0);
		odd[i](path);
		assert_int_equal(vw_alerts_all_done(q, vw_alerts_stamp(q), &f->err), 0);
		assert_false(vw_alerts_waiting(q));
		vw_alerts_close(q);
	}
}

/* What was in a folder that was in the way is kept. */
static void test_folder_is_moved(void **state)
{
	struct fixture *f = *state;
	struct vw_alerts *q = NULL;
	char path[256];

	assert_int_equal(vw_alerts_open(f->dir, &q, &f->err), 0);
	snprintf(path, sizeof(path), "%s/alerts/todo", f->dir);
	make_full_folder(path);
	assert_int_equal(vw_alert_raise(q, &sample, NOW, NULL, &f->err), 0);
	snprintf(path, sizeof(path), "%s/alerts/todo.odd/x", f->dir);
	assert_int_equal(access(path, F_OK), 0);
	vw_alerts_close(q);
}

/* The history's temporary file. */
static void test_history(void **state)
{
	struct fixture *f = *state;
	char path[256], xml[32];

	keep(f, "a", "<a/>");
	snprintf(path, sizeof(path), "%s/history/" UUID "/.new", f->dir);
	for (size_t i = 0; i < VW_N_ELEMENTS(odd); i++) {
		odd[i](path);
		snprintf(xml, sizeof(xml), "<a n='%zu'/>", i);
		assert_int_equal(keep(f, "a", xml), i + 2);
		assert_xml(f, (unsigned)i + 2, xml);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_queue),
		TEST(test_queue_all_done),
		TEST(test_folder_is_moved),
		TEST(test_history),
	};

	alarm(SECONDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
