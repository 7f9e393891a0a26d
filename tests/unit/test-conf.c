/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* warden.conf and the paths: every key, every mistake in one line, hostile files. */
#include "lib/conf/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

static int parse(const char *text, struct vw_policy *p, struct vw_err *err)
{
	memset(err, 0, sizeof(*err));
	return vw_conf_parse(text, strlen(text), "warden.conf", p, err);
}

/* The text must be refused with exactly that line, and the policy stay untouched. */
static void assert_refused(const char *text, const char *line)
{
	struct vw_policy p, before;
	struct vw_err err;

	memset(&p, 0x5a, sizeof(p));
	before = p;
	assert_int_equal(parse(text, &p, &err), -EINVAL);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, line);
	assert_memory_equal(&p, &before, sizeof(p));
}

static void assert_defaults(const struct vw_policy *p)
{
	struct vw_policy d;

	vw_policy_defaults(&d);
	assert_int_equal(p->define, d.define);
	assert_int_equal(p->start, d.start);
	assert_int_equal(p->migrate, d.migrate);
	assert_int_equal(p->unknown, VW_UNKNOWN_PASS);
	assert_int_equal(p->verify, d.verify);
	assert_int_equal(p->boot, d.boot);
	assert_int_equal(p->network_disks, d.network_disks);
	assert_int_equal(p->n_caches, d.n_caches);
	for (size_t i = 0; i < d.n_caches; i++)
		assert_string_equal(p->caches[i], d.caches[i]);
	assert_string_equal(p->cpu_baseline, d.cpu_baseline);
	assert_int_equal(p->history_versions, d.history_versions);
	assert_int_equal(p->history_days, d.history_days);
	assert_int_equal(p->agent_quiet, d.agent_quiet);
	assert_int_equal(p->agent_compare, d.agent_compare);
	assert_string_equal(p->agent_metrics, d.agent_metrics);
	assert_int_equal(p->alerts.log, d.alerts.log);
	assert_int_equal(p->alerts.scripts, d.alerts.scripts);
	assert_int_equal(p->alerts.script_seconds, d.alerts.script_seconds);
	assert_string_equal(p->alerts.webhook, d.alerts.webhook);
	assert_string_equal(p->alerts.alertmanager, d.alerts.alertmanager);
	assert_string_equal(p->alerts.mail_to, d.alerts.mail_to);
	assert_string_equal(p->alerts.sendmail, d.alerts.sendmail);
	assert_int_equal(p->alerts.resend_seconds, d.alerts.resend_seconds);
	assert_int_equal(p->alerts.http_seconds, d.alerts.http_seconds);
	assert_int_equal(p->alerts.repeat_seconds, d.alerts.repeat_seconds);
	assert_int_equal(p->alerts.retry_seconds, d.alerts.retry_seconds);
	assert_int_equal(p->alerts.retry_max_seconds, d.alerts.retry_max_seconds);
	assert_int_equal(p->alerts.per_minute, d.alerts.per_minute);
}

static void test_defaults(void **state)
{
	struct vw_policy p;
	struct vw_err err;

	(void)state;
	vw_policy_defaults(&p);
	assert_int_equal(p.define, VW_DEFINE_FIX);
	assert_int_equal(p.start, VW_START_WARN);
	assert_int_equal(p.migrate, VW_MIGRATE_WARN);
	assert_int_equal(p.verify, VW_VERIFY_WAIT);
	assert_int_equal(p.boot, VW_BOOT_PROVEN);
	assert_true(vw_policy_cache_allowed(&p, "none"));
	assert_true(vw_policy_cache_allowed(&p, "directsync"));
	assert_false(vw_policy_cache_allowed(&p, "writeback"));
	assert_false(vw_policy_cache_allowed(&p, ""));
	assert_int_equal(parse("", &p, &err), 0);
	assert_defaults(&p);
	assert_int_equal(vw_conf_load("/nonexistent/warden.conf", &p, &err), 0);
	assert_defaults(&p);
}

static void test_shipped(void **state)
{
	static const char path[] = VW_SRCDIR "/docs/warden.conf";
	VW_AUTOFREE char *text = calloc(1, VW_CONF_MAX_BYTES);
	VW_AUTOFCLOSE FILE *f = fopen(path, "r");
	const char *section, *name;
	struct vw_policy p;
	struct vw_err err;

	(void)state;
	memset(&p, 0, sizeof(p));
	assert_int_equal(vw_conf_load(path, &p, &err), 0);
	assert_defaults(&p);
	assert_non_null(f);
	assert_true(fread(text, 1, VW_CONF_MAX_BYTES - 1, f) > 0);
	for (size_t i = 0; vw_conf_key(i, &section, &name); i++) {
		char header[80], line[80];
		const char *at;

		snprintf(header, sizeof(header), "\n[%s]\n", section);
		snprintf(line, sizeof(line), "\n%s =", name);
		at = strstr(text, header);
		assert_non_null(at);
		at = strstr(at, line);
		assert_non_null(at);
	}
}

static void test_every_key(void **state)
{
	struct vw_policy p;
	struct vw_err err;

	(void)state;
	assert_int_equal(
		parse("# comment\r\n"
		      "[policy]\r\n"
		      "define = warn\n start=refuse\n" /* not a continuation: refused below */,
		      &p, &err),
		-EINVAL);
	assert_int_equal(parse("[policy]\r\n"
			       "define = warn\r\n"
			       "start=refuse\n"
			       "migrate : enforce\n"
			       "verify = background ; a note\n"
			       "boot-changes = never\n"
			       "[cache]\n"
			       "allowed = directsync,none , writeback\n"
			       "network-disks = enforce\n"
			       "[verify]\n"
			       "on-failed = dump\n"
			       "peers = qemu+ssh://a/system  qemu+tcp://10.0.0.1/system\n"
			       "sample-seconds = 0\n"
			       "correct-clock = yes\n"
			       "[cpu]\n"
			       "baseline = Skylake-Client-noTSX-IBRS\n"
			       "[history]\n"
			       "versions = 1\n"
			       "days = 36500\n"
			       "[agent]\n"
			       "quiet-seconds = 0\n"
			       "compare-interval = 86400\n"
			       "metrics = /var/lib/a b.prom",
			       &p, &err),
			 0);
	assert_int_equal(p.define, VW_DEFINE_WARN);
	assert_int_equal(p.start, VW_START_REFUSE);
	assert_int_equal(p.migrate, VW_MIGRATE_ENFORCE);
	assert_int_equal(p.verify, VW_VERIFY_BACKGROUND);
	assert_int_equal(p.boot, VW_BOOT_NEVER);
	assert_int_equal(p.network_disks, VW_NETDISK_ENFORCE);
	assert_int_equal(p.on_failed, VW_FAILED_DUMP);
	assert_string_equal(p.peers, "qemu+ssh://a/system  qemu+tcp://10.0.0.1/system");
	assert_int_equal(p.sample_seconds, 0);
	assert_int_equal(p.correct_clock, 1);
	assert_int_equal(p.n_caches, 3);
	assert_string_equal(p.caches[0], "directsync");
	assert_string_equal(p.caches[1], "none");
	assert_string_equal(p.caches[2], "writeback");
	assert_string_equal(p.cpu_baseline, "Skylake-Client-noTSX-IBRS");
	assert_int_equal(p.history_versions, 1);
	assert_int_equal(p.history_days, 36500);
	assert_int_equal(p.agent_quiet, 0);
	assert_int_equal(p.agent_compare, 86400);
	assert_string_equal(p.agent_metrics, "/var/lib/a b.prom");
	assert_int_equal(
		parse("[policy]\ndefine=off\nstart=off\nmigrate=off\nunknown=refuse\nverify=off\n"
		      "[cache]\nnetwork-disks=off\n[policy]\nboot-changes=proven\n",
		      &p, &err),
		0);
	assert_int_equal(p.define, VW_DEFINE_OFF);
	assert_int_equal(p.start, VW_START_OFF);
	assert_int_equal(p.migrate, VW_MIGRATE_OFF);
	assert_int_equal(p.unknown, VW_UNKNOWN_REFUSE);
	assert_int_equal(p.verify, VW_VERIFY_OFF);
	assert_int_equal(p.network_disks, VW_NETDISK_OFF);
}

static void test_refused(void **state)
{
	(void)state;
	assert_refused("[verify]\npeers = alpha\n",
		       "warden.conf:2: [verify] peers = 'alpha': must be libvirt URIs "
		       "(qemu+ssh://host/system), separated by blanks, or empty");
	assert_refused(
		"[verify]\non-failed = restart\n",
		"warden.conf:2: [verify] on-failed = 'restart': must be one of: alert, reset, "
		"dump");
	assert_refused(
		"[policy]\n\nstart = Refuse\n",
		"warden.conf:3: [policy] start = 'Refuse': must be one of: warn, refuse, off");
	assert_refused(
		"[policy]\nstrat = refuse\n",
		"warden.conf:2: unknown key 'strat' in [policy]; known: define, start, migrate, "
		"unknown, verify, boot-changes");
	assert_refused(
		"\n[polices]\n",
		"warden.conf:2: unknown section [polices]; known: policy, cache, verify, cpu, history, "
		"agent, alerts");
	assert_refused("[policy]\nstart = warn\n  [cache]\n",
		       "warden.conf:3: [policy] start is set twice (first in line 2): remove one");
	assert_refused("start = warn\n",
		       "warden.conf:1: 'start' stands before the first [section]");
	assert_refused("[policy]\nstart\n[cach]\n",
		       "warden.conf:2: neither '[section]' nor 'key = value' nor a comment (#)");
	assert_refused("[policy\nstart = warn\n",
		       "warden.conf:1: neither '[section]' nor 'key = value' nor a comment (#)");
	assert_refused(
		"[cache]\nallowed = \n",
		"warden.conf:2: [cache] allowed = '': must be a list, at least one, of: none, "
		"directsync, writethrough, writeback, unsafe, default");
	assert_refused(
		"[cache]\nallowed = none, none\n",
		"warden.conf:2: [cache] allowed = 'none, none': must be a list, each once, of: "
		"none, directsync, writethrough, writeback, unsafe, default");
	assert_refused(
		"[cache]\nallowed = nonexistentcachemode\n",
		"warden.conf:2: [cache] allowed = 'nonexistentcachemode': must be a list, each "
		"once, of: none, directsync, writethrough, writeback, unsafe, default");
	assert_refused(
		"[history]\nversions = 0\n",
		"warden.conf:2: [history] versions = '0': must be a number from 1 to 100000");
	assert_refused(
		"[history]\ndays = 99999999999999999999\n",
		"warden.conf:2: [history] days = '99999999999999999999': must be a number from 1 "
		"to 36500");
	assert_refused(
		"[history]\ndays = 3 weeks\n",
		"warden.conf:2: [history] days = '3 weeks': must be a number from 1 to 36500");
	assert_refused(
		"[agent]\ncompare-interval = 0\n",
		"warden.conf:2: [agent] compare-interval = '0': must be a number from 1 to 86400");
	assert_refused(
		"[agent]\nmetrics = x.prom\n",
		"warden.conf:2: [agent] metrics = 'x.prom': must be the full path of a file, "
		"or empty");
	assert_refused(
		"[cpu]\nbaseline = a b\n",
		"warden.conf:2: [cpu] baseline = 'a b': must be a CPU model of `virsh cpu-models "
		"x86_64` (and features, +aes -mpx), the full path of a file with a <cpu>, or empty");
	assert_refused(
		"[cpu]\nbaseline = +aes\n",
		"warden.conf:2: [cpu] baseline = '+aes': must be a CPU model of `virsh cpu-models "
		"x86_64` (and features, +aes -mpx), the full path of a file with a <cpu>, or empty");
}

/* Write baseline.xml and a warden.conf that names it, and load that. */
static int load_baseline(const char *xml, struct vw_policy *p, struct vw_err *err)
{
	char dir[] = "/tmp/vw-conf-XXXXXX", conf[64], file[64];
	FILE *f;
	int r;

	assert_non_null(mkdtemp(dir));
	snprintf(conf, sizeof(conf), "%s/warden.conf", dir);
	snprintf(file, sizeof(file), "%s/baseline.xml", dir);
	f = fopen(conf, "w");
	assert_non_null(f);
	fprintf(f, "[cpu]\nbaseline = %s\n", file);
	fclose(f);
	f = xml ? fopen(file, "w") : NULL;
	if (f) {
		fputs(xml, f);
		fclose(f);
	}
	memset(err, 0, sizeof(*err));
	r = vw_conf_load(conf, p, err);
	unlink(conf);
	unlink(file);
	rmdir(dir);
	return r;
}

static void test_baseline(void **state)
{
	static const char *const bad[] = {
		"<cpu/>",
		"<domain/>",
		"<cpu><model>a b</model></cpu>",
		"<cpu><model>Nehalem</model><feature policy='force' name='x'/></cpu>",
		"<cpu><model>Nehalem</model><feature name=''/></cpu>",
		"",
		NULL,
	};
	struct vw_policy p;
	struct vw_err err;

	(void)state;
	assert_int_equal(parse("[cpu]\nbaseline = Nehalem +aes -mpx\n", &p, &err), 0);
	assert_string_equal(p.cpu_baseline, "Nehalem +aes -mpx");
	assert_int_equal(
		load_baseline("<cpu mode='custom' match='exact'><model fallback='forbid'>Nehalem"
			      "</model><feature policy='require' name='aes'/>"
			      "<feature policy='disable' name='mpx'/></cpu>\n",
			      &p, &err),
		0);
	assert_string_equal(p.cpu_baseline, "Nehalem +aes -mpx");
	for (size_t i = 0; i < VW_N_ELEMENTS(bad); i++) {
		assert_true(load_baseline(bad[i], &p, &err) < 0);
		assert_non_null(strstr(err.text, "baseline.xml"));
		assert_string_equal(p.cpu_baseline, "Nehalem +aes -mpx");
	}
}

static void test_hostile(void **state)
{
	VW_AUTOFREE char *big = malloc(VW_CONF_MAX_BYTES + 1);
	struct vw_policy p;
	struct vw_err err = { 0 };
	char line[1024];

	(void)state;
	assert_int_equal(vw_conf_parse("[policy]\0x", 10, "c", &p, &err), -EINVAL);
	assert_string_equal(err.text, "c: holds a NUL byte: not a text file");
	memset(big, '\n', VW_CONF_MAX_BYTES + 1);
	assert_int_equal(vw_conf_parse(big, VW_CONF_MAX_BYTES, "c", &p, &err), 0);
	assert_int_equal(vw_conf_parse(big, VW_CONF_MAX_BYTES + 1, "c", &p, &err), -EFBIG);
	assert_string_equal(err.text, "c: larger than 64 KiB: not a configuration");
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	memcpy(line, "\n#", 2);
	assert_int_equal(parse(line, &p, &err), -EINVAL);
	assert_non_null(strstr(err.text, "warden.conf:2: the line is longer than "));
	assert_int_equal(parse("[policy]\nstart = \x1b[31mred\n", &p, &err), -EINVAL);
	assert_null(strchr(err.text, '\x1b'));
	assert_int_equal(vw_conf_load("/dev/null", &p, &err), -EINVAL);
	assert_string_equal(err.text, "/dev/null: it is a character device");
	assert_int_equal(vw_conf_load("/", &p, &err), -EINVAL);
	/* Without an error object nothing is written anywhere. */
	assert_int_equal(vw_conf_parse("x", 1, "c", &p, NULL), -EINVAL);
}

static void clear_env(void)
{
	static const char *const names[] = {
		"VIRT_WARDEN_CONF",     "VIRT_WARDEN_DATADIR", "VIRT_WARDEN_STATEDIR",
		"VIRT_WARDEN_CACHEDIR", "VIRT_WARDEN_SYSROOT", "XDG_CONFIG_HOME",
		"XDG_STATE_HOME",       "XDG_CACHE_HOME",      "XDG_RUNTIME_DIR",
	};

	for (size_t i = 0; i < VW_N_ELEMENTS(names); i++)
		unsetenv(names[i]);
}

static void test_paths_overrides(void **state)
{
	struct vw_paths p;
	struct vw_err err;

	(void)state;
	clear_env();
	setenv("VIRT_WARDEN_CONF", "/t/conf/w.conf", 1);
	setenv("VIRT_WARDEN_DATADIR", "/t/data", 1);
	setenv("VIRT_WARDEN_STATEDIR", "/t/state", 1);
	setenv("VIRT_WARDEN_CACHEDIR", "/t/cache", 1);
	setenv("VIRT_WARDEN_SYSROOT", "/t/root", 1);
	assert_int_equal(vw_paths_init(&p, &err), 0);
	assert_string_equal(p.conf, "/t/conf/w.conf");
	assert_string_equal(p.templates_d, "/t/conf/templates.d");
	assert_string_equal(p.datadir, "/t/data");
	assert_string_equal(p.statedir, "/t/state");
	assert_string_equal(p.cachedir, "/t/cache");
	assert_string_equal(p.rundir, "/t/state/run");
	assert_string_equal(p.sysroot, "/t/root");
	vw_paths_clear(&p);
	assert_null(p.conf);
	clear_env();
}

static void test_paths_root(void **state)
{
	struct vw_paths p;
	struct vw_err err;

	(void)state;
	if (geteuid() != 0)
		return; /* test_paths_user runs then */
	clear_env();
	setenv("XDG_STATE_HOME", "/x/state", 1);
	assert_int_equal(vw_paths_init(&p, &err), 0);
	assert_string_equal(p.conf, VW_SYSCONFDIR "/virt-warden/warden.conf");
	assert_string_equal(p.templates_d, VW_SYSCONFDIR "/virt-warden/templates.d");
	assert_string_equal(p.datadir, VW_PREFIX "/share/virt-warden");
	assert_string_equal(p.statedir, VW_LOCALSTATEDIR "/lib/virt-warden");
	assert_string_equal(p.cachedir, VW_LOCALSTATEDIR "/cache/virt-warden");
	assert_string_equal(p.rundir, "/run/virt-warden");
	assert_string_equal(p.sysroot, "");
	vw_paths_clear(&p);
	clear_env();
}

static void check_user_paths(const char *home)
{
	char conf[512];
	struct vw_paths p;
	struct vw_err err;

	clear_env();
	setenv("HOME", home, 1);
	setenv("XDG_CACHE_HOME", "relative/is/ignored", 1);
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	assert_int_equal(vw_paths_init(&p, &err), 0);
	assert_string_equal(p.conf, VW_SYSCONFDIR "/virt-warden/warden.conf");
	assert_string_equal(p.rundir, "/run/user/7/virt-warden");
	assert_true(vw_startswith(p.cachedir, home));
	assert_string_equal(p.cachedir + strlen(home), "/.cache/virt-warden");
	vw_paths_clear(&p);

	/* One's own configuration counts as soon as it is there. */
	snprintf(conf, sizeof(conf), "%s/virt-warden", home);
	assert_int_equal(mkdir(conf, 0700), 0);
	strcat(conf, "/warden.conf");
	fclose(fopen(conf, "w"));
	setenv("XDG_CONFIG_HOME", home, 1);
	setenv("XDG_STATE_HOME", "/x/state", 1);
	unsetenv("XDG_RUNTIME_DIR");
	assert_int_equal(vw_paths_init(&p, &err), 0);
	assert_string_equal(p.conf, conf);
	assert_string_equal(p.statedir, "/x/state/virt-warden");
	assert_string_equal(p.rundir, "/x/state/virt-warden/run");
	vw_paths_clear(&p);
	unlink(conf);
	*strrchr(conf, '/') = '\0';
	rmdir(conf);
	clear_env();
}

static void test_paths_user(void **state)
{
	char home[] = "/tmp/vw-test-conf-XXXXXX";
	const bool root = geteuid() == 0;

	(void)state;
	assert_non_null(mkdtemp(home));
	if (root) {
		assert_int_equal(chown(home, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	check_user_paths(home);
	if (root)
		assert_int_equal(seteuid(0), 0);
	rmdir(home);
}

static void test_alerts(void **state)
{
	struct vw_policy p;
	struct vw_err err;

	(void)state;
	assert_int_equal(parse("[alerts]\n"
			       "log = no\n"
			       "webhook = https://[::1]:8443/hook?a=b@c\n"
			       "webhook-auth = /etc/virt-warden/hook.token\n"
			       "mail-to = root, ops@example.org\n"
			       "repeat-seconds = 0\n",
			       &p, &err),
			 0);
	assert_int_equal(p.alerts.log, 0);
	assert_int_equal(p.alerts.scripts, 1);
	assert_string_equal(p.alerts.webhook, "https://[::1]:8443/hook?a=b@c");
	assert_string_equal(p.alerts.mail_to, "root, ops@example.org");
	assert_refused("[alerts]\nwebhook = ftp://x/\n",
		       "warden.conf:2: [alerts] webhook = 'ftp://x/': must begin with http:// or "
		       "https://, or be empty");
	assert_refused("[alerts]\nwebhook = http://u:p@x/\n",
		       "warden.conf:2: [alerts] webhook = 'http://u:p@x/': no user or password "
		       "here: use the key \xe2\x80\xa6-auth");
	assert_refused(
		"[alerts]\nwebhook = http://x/ y\n",
		"warden.conf:2: [alerts] webhook = 'http://x/ y': holds a blank or a control "
		"character");
	assert_refused("[alerts]\nmail-to = a, -Cevil\n",
		       "warden.conf:2: [alerts] mail-to = 'a, -Cevil': must be mail addresses, "
		       "separated by commas, or empty");
	assert_refused("[alerts]\nsendmail = sendmail\n",
		       "warden.conf:2: [alerts] sendmail = 'sendmail': must be the full path of a "
		       "file, or empty");
	assert_refused("[alerts]\nlog = maybe\n",
		       "warden.conf:2: [alerts] log = 'maybe': must be one of: no, yes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),   cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_every_key),  cmocka_unit_test(test_refused),
		cmocka_unit_test(test_baseline),   cmocka_unit_test(test_alerts),
		cmocka_unit_test(test_hostile),    cmocka_unit_test(test_paths_overrides),
		cmocka_unit_test(test_paths_root), cmocka_unit_test(test_paths_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
