/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The OS index: built from the real osinfo-db by the real program, then searched,
 * made stale and damaged. And the look-ups of facts.h. */
#include "lib/osindex/format.h"
#include "lib/osindex/osindex.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

extern char **environ;

static char dir[] = "/tmp/test-osindex-XXXXXX";
static char index_path[64];
static char local_dir[64]; /* OSINFO_LOCAL_DIR; not there at first */

static int run_build(const char *output, const char *env)
{
	VW_AUTOFREE char *program = NULL;
	const char *build = getenv("VW_BUILD");
	posix_spawn_file_actions_t quiet;
	char *argv[] = { NULL, (char[]){ "build" }, (char[]){ "--output" }, NULL, NULL };
	pid_t pid;
	int status;

	assert_true(asprintf(&program, "%s/virt-warden-osinfo",
			     build ? build : VW_SRCDIR "/build") > 0);
	argv[0] = program;
	argv[3] = (char *)output;
	assert_int_equal(setenv("OSINFO_LOCAL_DIR", env, 1), 0);
	assert_int_equal(posix_spawn_file_actions_init(&quiet), 0);
	assert_int_equal(posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0), 0);
	assert_int_equal(posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0), 0);
	assert_int_equal(posix_spawn(&pid, program, &quiet, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&quiet);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int make_index(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(index_path, sizeof(index_path), "%s/cache/os.index", dir);
	snprintf(local_dir, sizeof(local_dir), "%s/osinfo", dir);
	setenv("OSINFO_USER_DIR", local_dir, 1);     /* the tester's own must not disturb */
	setenv("LSAN_OPTIONS", "detect_leaks=0", 1); /* libosinfo's loader leaks 184 bytes */
	return run_build(index_path, local_dir);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_all(void **state)
{
	(void)state;
	return nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct vw_osindex *open_index(void)
{
	struct vw_osindex *x = NULL;
	struct vw_err err = { 0 };

	if (vw_osindex_open(index_path, &x, &err) < 0)
		fail_msg("%s", err.text);
	return x;
}

static struct vw_os *find(struct vw_osindex *x, const char *id)
{
	struct vw_os *os = NULL;
	struct vw_err err = { 0 };

	if (vw_osindex_find(x, id, &os, &err) < 0)
		fail_msg("%s", err.text);
	return os;
}

static void test_find(void **state)
{
	static const char *const ways[] = { "http://debian.org/debian/11", "debian11",
					    "debianbullseye" };
	struct vw_osindex *x = open_index();

	(void)state;
	assert_int_equal(vw_osindex_fresh(x), VW_YES);
	assert_int_equal(vw_osindex_glance(x), VW_YES);
	for (size_t i = 0; i < VW_N_ELEMENTS(ways); i++) {
		struct vw_os *os = find(x, ways[i]);

		assert_string_equal(os->id, "http://debian.org/debian/11");
		assert_string_equal(os->short_id, "debian11");
		assert_string_equal(os->name, "Debian 11");
		assert_string_equal(os->family, "linux");
		assert_string_equal(os->distro, "debian");
		assert_string_equal(os->version, "11");
		assert_string_equal(os->release_date, "2021-08-14");
		assert_null(os->like);
		assert_int_equal(os->ram % (UINT64_C(1) << 30),
				 0); /* osinfo-db raised it to 2 GiB */
		assert_true(os->ram);
		assert_int_equal(os->storage, UINT64_C(20) << 30);
		assert_int_equal(os->ncpus, 1);
		vw_os_free(os);
	}
	vw_osindex_close(x);
}

static void test_features(void **state)
{
	static const struct {
		const char *os, *feature;
		bool has;
	} cases[] = {
		{ "debian11", "virtio1.0-gpu", true },   /* its own */
		{ "debian11", "virtio1.0-block", true }, /* inherited */
		{ "debian11", "qemu-x86-q35", true },
		{ "debian11", "firmware-bios", true },
		{ "debian11", "firmware-efi", true },
		{ "debian11", "arch-x86_64", true },
		{ "debian11", "virtio", false },
		{ "ubuntu22.04", "virtio1.0-gpu", false }, /* supported="false" */
		{ "ubuntu22.04", "virtio1.0-net", true },
		{ "win11", "firmware-bios", false },
		{ "win11", "firmware-efi", true },
		{ "win11", "virtio-block", false },
		{ "win10", "firmware-bios", true },
		{ "win10", "arch-i686", true },
		{ "winxp", "qemu-x86-q35", false },
		{ "rhel-unknown", "virtio1.0-block", true }, /* of what it upgrades */
	};
	struct vw_osindex *x = open_index();

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		struct vw_os *os = find(x, cases[i].os);

		if (vw_os_has(os, cases[i].feature) != cases[i].has)
			fail_msg("%s %s", cases[i].os, cases[i].feature);
		vw_os_free(os);
	}
	vw_osindex_close(x);
}

static void test_all(void **state)
{
	struct vw_osindex *x = open_index();
	VW_AUTOFREE char *last = strdup("");
	struct vw_os *os = NULL;
	struct vw_err err = { 0 };
	size_t n = vw_osindex_count(x);

	(void)state;
	assert_true(n > 700);
	for (size_t i = 0; i < n; i++) {
		struct vw_os *same;

		assert_int_equal(vw_osindex_get(x, i, &os, &err), 0);
		assert_true(strverscmp(last, os->short_id) <= 0);
		free(last);
		last = strdup(os->short_id);
		for (size_t f = 1; f < os->n_features; f++)
			assert_true(strcmp(os->features[f - 1], os->features[f]) < 0);
		same = find(x, os->id);
		assert_string_equal(same->short_id, os->short_id);
		assert_null(same->like);
		vw_os_free(same);
		vw_os_free(os);
	}
	os = NULL;
	assert_int_equal(vw_osindex_get(x, n, &os, &err), -ERANGE);
	assert_null(os);
	vw_osindex_close(x);
}

static void test_stand_in(void **state)
{
	/* like with a '*': the newest of a line that goes on, which one depends on osinfo-db. */
	static const struct {
		const char *asked, *like, *id, *short_id;
	} cases[] = {
		{ "debian99", "debian1*", "http://debian.org/debian/99", "debian99" },
		{ "http://debian.org/debian/99", "debian1*", NULL, "debian99" },
		{ "debian11.5", "debian11", "http://debian.org/debian/11.5", "debian11.5" },
		{ "debian10.1", "debian10", "http://debian.org/debian/10.1", "debian10.1" },
		{ "debian0.9", "debian1.1", "http://debian.org/debian/0.9", "debian0.9" },
		{ "rhel8", "rhel8.0", "http://redhat.com/rhel/8", "rhel8" },
		{ "rhel7.15", "rhel7.9", "http://redhat.com/rhel/7.15", "rhel7.15" },
		{ "win2k99", "win2k2*", "http://microsoft.com/win/2k99", "win2k99" },
		{ "http://microsoft.com/win/2k15", "win2k12r2", NULL, "win2k15" },
		{ "win12", "win11", "http://microsoft.com/win/12", "win12" },
		{ "http://microsoft.com/win/12", "win11", NULL, "win12" },
		{ "winnt4.5", "winnt4.0", "http://microsoft.com/winnt/4.5", "winnt4.5" },
		{ "sles11sp9", "sles11sp4", "http://suse.com/sles/11.9", "sles11sp9" },
		{ "http://suse.com/sles/11.9", "sles11sp4", NULL, "sles11sp9" },
		{ "http://altlinux.org/alt/p9.1.starterkits", "alt.p9", NULL, "alt.p9.1" },
		{ "opensuse13.9", "opensuse13.2", NULL, "opensuse13.9" },
		{ "http://debian.org/debian/forky", "debiantesting", NULL, "debianforky" },
	};
	struct vw_osindex *x = open_index();

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		bool by_id = strstr(cases[i].asked, "://");
		struct vw_os *os = find(x, cases[i].asked);
		struct vw_os *like = find(x, os->like);

		assert_int_equal(fnmatch(cases[i].like, os->like, 0), 0);
		assert_string_equal(by_id ? os->id : os->short_id, cases[i].asked);
		assert_string_equal(os->short_id, cases[i].short_id);
		if (cases[i].id)
			assert_string_equal(os->id, cases[i].id);
		assert_string_equal(os->release_date, "");
		assert_non_null(strstr(os->name, like->name));
		assert_non_null(strstr(os->name, os->short_id));
		assert_int_equal(os->n_features, like->n_features);
		vw_os_free(like);
		vw_os_free(os);
	}
	vw_osindex_close(x);
}

static void test_not_found(void **state)
{
	static const struct {
		const char *asked, *expect;
	} cases[] = {
		{ "debain11", "did you mean debian11, " },
		{ "Debian11", "did you mean debian11, " },
		{ "debiantestin", "did you mean debiantesting" },
		{ "win2019", "win2k19" },
		{ "rhel-9", "`virt-warden os list`" },
		{ "http://example.com/system/1", "`virt-warden os list`" },
		{ "http://libosinfo.org/known", "`virt-warden os list`" },
		{ "http://debian.org/debian/12<x>", "`virt-warden os list`" },
		{ "debian999999999999999999999", "`virt-warden os list`" },
		{ "debian1.2.3.4.5.6.7.8.9", "`virt-warden os list`" },
		{ "no\nsense", "no OS 'no sense'" },
		{ "", "no OS ''" },
	};
	struct vw_osindex *x = open_index();
	char huge[5000];

	(void)state;
	memset(huge, '1', sizeof(huge) - 1);
	huge[sizeof(huge) - 1] = '\0';
	for (size_t i = 0; i < VW_N_ELEMENTS(cases) + 1; i++) {
		bool last = i == VW_N_ELEMENTS(cases);
		struct vw_err err = { 0 };
		struct vw_os *os = NULL;

		assert_int_equal(vw_osindex_find(x, last ? huge : cases[i].asked, &os, &err),
				 -ENOENT);
		assert_null(os);
		if (!last && !strstr(err.text, cases[i].expect))
			fail_msg("%s: %s", cases[i].asked, err.text);
	}
	vw_osindex_close(x);
}

static void write_file(const char *path, const char *text)
{
	VW_AUTOFCLOSE FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
}

/* An OS that osinfo-db gains tomorrow is there after a rebuild, and that a rebuild is due
 * is seen: when the admin's directory appears and when a file in it is edited. */
static void test_tomorrow(void **state)
{
	static const char text[] =
		"<libosinfo version='0.0.1'><os id='http://example.com/tomorrow/1'>"
		"<short-id>tomorrow1</short-id><name>Tomorrow 1</name><version>1</version>"
		"<vendor>Example</vendor><family>linux</family><distro>tomorrow</distro>"
		"<devices><device id='http://pcisig.com/pci/1af4/1042'/></devices>"
		"<resources arch='i686'><minimum><ram>7</ram></minimum></resources>"
		"<resources arch='all'><minimum><ram>5000</ram><n-cpus>3</n-cpus></minimum>"
		"</resources></os></libosinfo>";
	static const char *const parts[] = { "", "/os", "/os/example.com" };
	const struct timespec past[2] = { { .tv_sec = 1000000 }, { .tv_sec = 1000000 } };
	char path[128];
	struct vw_osindex *x = open_index();
	struct vw_os *os;

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(parts); i++) {
		snprintf(path, sizeof(path), "%s%s", local_dir, parts[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	/* the name that libosinfo wants for that id */
	snprintf(path, sizeof(path), "%s/os/example.com/tomorrow-1.xml", local_dir);
	write_file(path, text);
	assert_int_equal(vw_osindex_fresh(x), VW_NO);
	assert_int_equal(vw_osindex_glance(x), VW_NO); /* below /tmp nothing is skipped */
	vw_osindex_close(x);

	assert_int_equal(run_build(index_path, local_dir), 0);
	x = open_index();
	assert_int_equal(vw_osindex_fresh(x), VW_YES);
	assert_int_equal(vw_osindex_glance(x), VW_YES);
	os = find(x, "http://example.com/tomorrow/1");
	assert_string_equal(os->short_id, "tomorrow1");
	assert_true(vw_os_has(os, "virtio1.0-block"));
	assert_true(vw_os_has(os, "firmware-bios"));
	assert_false(vw_os_has(os, "firmware-efi"));
	assert_int_equal(os->ram, 5000);
	assert_int_equal(os->ncpus, 3);
	assert_int_equal(os->storage, 0);
	vw_os_free(os);
	assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
	assert_int_equal(vw_osindex_fresh(x), VW_NO);
	assert_int_equal(vw_osindex_glance(x), VW_NO); /* below /tmp nothing is skipped */
	vw_osindex_close(x);

	write_file(path, "<libosinfo><os"); /* broken: the system's part is still there */
	assert_int_equal(run_build(index_path, local_dir), 0);
	x = open_index();
	vw_os_free(find(x, "debian11"));
	vw_osindex_close(x);
}

static void expect_open(const char *path, int code, const char *text)
{
	struct vw_osindex *x = NULL;
	struct vw_err err = { 0 };

	assert_int_equal(vw_osindex_open(path, &x, &err), code);
	assert_null(x);
	if (!strstr(err.text, text) || !strstr(err.text, "virt-warden-osinfo build") ||
	    !strstr(err.text, path))
		fail_msg("%s", err.text);
}

static char *slurp(size_t *ret_len)
{
	VW_AUTOFCLOSE FILE *f = fopen(index_path, "re");
	struct stat st;
	char *data;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	*ret_len = (size_t)st.st_size;
	data = malloc(*ret_len);
	assert_non_null(data);
	assert_int_equal(fread(data, 1, *ret_len, f), *ret_len);
	return data;
}

static void test_bad_file(void **state)
{
	char path[128];
	VW_AUTOFREE char *data = NULL;
	size_t len;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/absent", dir);
	expect_open(path, -ENOENT, "has not been built");
	expect_open(dir, -EBADMSG, "not an OS index");
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_open(path, -EBADMSG, "not an OS index");
	snprintf(path, sizeof(path), "%s/bad", dir);
	write_file(path, "");
	expect_open(path, -EBADMSG, "not an OS index");

	data = slurp(&len);
	f = fopen(path, "we");
	assert_int_equal(fwrite(data, 1, len, f), len);
	fputc(0, f);
	fclose(f);
	expect_open(path, -EBADMSG, "corrupt");
	for (size_t cut = (len - 1) / 64 * 64;; cut -= 64) {
		assert_int_equal(truncate(path, (off_t)cut), 0);
		expect_open(path, -EBADMSG, cut < sizeof(struct vw_osi_header) ? "not" : "corrupt");
		if (!cut)
			break;
	}
}

/* Look at everything; nothing may crash. */
static void use(const void *data, size_t len)
{
	static const char *const names[] = { "debian11", "debian12", "debain", "win2k25",
					     "http://debian.org/debian/12" };
	struct vw_osindex *x = NULL;
	struct vw_os *os = NULL;
	struct vw_err err = { 0 };

	if (vw_osindex_open_mem(data, len, &x, &err) < 0)
		return;
	for (size_t i = 0; i < VW_N_ELEMENTS(names); i++)
		if (vw_osindex_find(x, names[i], &os, NULL) == 0)
			vw_os_free(os);
	for (size_t i = 0; i < vw_osindex_count(x); i += 37)
		if (vw_osindex_get(x, i, &os, NULL) == 0)
			vw_os_free(os);
	vw_osindex_close(x);
}

static void sign(char *data, size_t len)
{
	struct vw_osi_header h;

	memcpy(&h, data, sizeof(h));
	h.checksum = vw_osi_checksum(data + VW_OSI_COVERED, len - VW_OSI_COVERED);
	memcpy(data, &h, sizeof(h));
}

static void test_flipped_bytes(void **state)
{
	VW_AUTOFREE char *data = NULL;
	size_t len;

	(void)state;
	data = slurp(&len);
	use(data, len);
	for (size_t i = 0; i < len; i += i < 256 ? 1 : 211) {
		struct vw_osindex *x = NULL;
		char was = data[i];

		data[i] = (char)~was;
		assert_true(vw_osindex_open_mem(data, len, &x, NULL) < 0);
		sign(data, len); /* as malice would */
		use(data, len);
		data[i] = was;
		sign(data, len);
	}
}

static void test_other_version(void **state)
{
	VW_AUTOFREE char *data = NULL;
	struct vw_osindex *x = NULL;
	struct vw_err err = { 0 };
	struct vw_osi_header h;
	size_t len;

	(void)state;
	data = slurp(&len);
	memcpy(&h, data, sizeof(h));
	h.version++;
	memcpy(data, &h, sizeof(h));
	assert_int_equal(vw_osindex_open_mem(data, len, &x, &err), -ESTALE);
	assert_non_null(strstr(err.text, "virt-warden-osinfo build"));
	h.version--;
	h.byte_order = __builtin_bswap32(h.byte_order);
	memcpy(data, &h, sizeof(h));
	assert_int_equal(vw_osindex_open_mem(data, len, &x, &err), -ESTALE);
}

static void test_build_fails(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(run_build(dir, local_dir), 3); /* a directory is in the way */
	setenv("OSINFO_SYSTEM_DIR", "/nonexistent", 1);
	assert_int_equal(run_build(index_path, "/nonexistent"), 3);
	unsetenv("OSINFO_SYSTEM_DIR");
	assert_int_equal(stat(index_path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void test_facts(void **state)
{
	struct vw_facts f = { 0 };
	struct vw_os none = { 0 };

	(void)state;
	assert_false(vw_os_has(NULL, "a"));
	assert_false(vw_os_has(&none, "a"));
	assert_null(vw_facts_disk(&f, "vda"));
	for (int i = 0; i < 100; i++) {
		char name[16];
		struct vw_disk_facts *d;

		snprintf(name, sizeof(name), "sd%d", i);
		d = vw_facts_add_disk(&f, name);
		assert_non_null(d);
		assert_int_equal(d->blank, VW_UNKNOWN);
		d->blank = VW_YES;
	}
	assert_int_equal(f.n_disks, 100);
	assert_string_equal(vw_facts_disk(&f, "sd57")->target, "sd57");
	assert_null(vw_facts_disk(&f, "sd"));
	assert_null(vw_facts_disk(&f, NULL));
	vw_facts_clear(&f);
	assert_int_equal(f.n_disks, 0);
	assert_null(f.disks);
	assert_string_equal(vw_evidence_name(VW_EV_UNKNOWN), "unknown");
	assert_string_equal(vw_evidence_name(VW_EV_ASSUMED), "assumed");
	assert_string_equal(vw_evidence_name(VW_EV_BLANK), "blank");
	assert_string_equal(vw_evidence_name(VW_EV_PROVEN), "proven");
	assert_string_equal(vw_os_source_name(VW_OS_NONE), "unknown");
	assert_string_equal(vw_os_source_name(VW_OS_METADATA), "metadata");
	assert_string_equal(vw_os_source_name(VW_OS_ADMIN), "admin");
	assert_string_equal(vw_os_source_name(VW_OS_MEDIA), "media");
	assert_string_equal(vw_os_source_name(VW_OS_INSPECTED), "inspection");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),          cmocka_unit_test(test_features),
		cmocka_unit_test(test_all),           cmocka_unit_test(test_stand_in),
		cmocka_unit_test(test_not_found),     cmocka_unit_test(test_bad_file),
		cmocka_unit_test(test_flipped_bytes), cmocka_unit_test(test_other_version),
		cmocka_unit_test(test_tomorrow),      cmocka_unit_test(test_build_fails),
		cmocka_unit_test(test_facts),
	};

	return cmocka_run_group_tests(tests, make_index, remove_all);
}
