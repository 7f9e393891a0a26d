/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `doctor`: libvirt, and our parts on this host. */
#include "plugin/cmd/cmd.h"
#include "plugin/cmd/doctor.h"
#include "plugin/cmd/install.h"
#include "plugin/cmd/status.h"
#include "virt/collect.h"
#include "virt/domain.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

void doctor_libvirt(struct doctor *d, struct doctor_result *r)
{
	VW_AUTOFREE char *uri = NULL;
	unsigned long lib = 0, hv = 0;
	struct vw_err err = { 0 };

	if (cmd_connect(d->cmd, true, &err) < 0) {
		doctor_say(r, DOCTOR_FAIL,
			   err.code == -ETIME
				   ? "see what stops it (systemctl status libvirtd), restart it"
				   : "systemctl start libvirtd, or name another host with -c",
			   "%s", err.text);
		return;
	}
	uri = virConnectGetURI(d->cmd->conn);
	virConnectGetLibVersion(d->cmd->conn, &lib);
	if (virConnectGetVersion(d->cmd->conn, &hv) < 0 && vw_virt_is_silent()) {
		doctor_say(r, DOCTOR_FAIL, "restart it", "%s: libvirtd does not answer",
			   uri ? uri : "?");
		return;
	}
	doctor_say(r, DOCTOR_PASS, "", "%s answers: libvirt %lu.%lu.%lu, hypervisor %lu.%lu.%lu",
		   uri ? uri : "?", lib / 1000000, lib / 1000 % 1000, lib % 1000, hv / 1000000,
		   hv / 1000 % 1000, hv % 1000);
}

void doctor_wrapper(struct doctor *d, struct doctor_result *r)
{
	char path[PATH_MAX];
	bool ours = false;

	(void)d;
	if (!install_virsh(path, &ours))
		doctor_say(
			r, DOCTOR_FAIL,
			"install virsh (libvirt-clients, libvirt-client), then run install.sh again",
			"no virsh on PATH");
	else if (!ours)
		doctor_say(
			r, DOCTOR_FAIL,
			"run install.sh; put our directory before it in PATH (and in sudo's secure_path)",
			"the first virsh on PATH is %s, not our wrapper: its define is not fixed",
			path);
	else
		doctor_say(r, DOCTOR_PASS, "", "%s", path);
}

void doctor_preload(struct doctor *d, struct doctor_result *r)
{
	char path[PATH_MAX];
	void *lib;

	(void)d;
	install_preload(path);
	lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		doctor_say(r, DOCTOR_FAIL, "run install.sh again", "%s", dlerror());
	else if (!dlsym(lib, "virDomainDefineXML"))
		doctor_say(r, DOCTOR_FAIL, "run install.sh again", "%s: does not interpose libvirt",
			   path);
	else
		doctor_say(r, DOCTOR_PASS, "", "%s", path);
	if (lib)
		dlclose(lib);
}

/* Is what the hook loads when it has work to do there: beside it, or where install.sh puts it? */
static bool has_stage(const char *hook, char path[PATH_MAX])
{
	const int dir = (int)(strrchr(hook, '/') - hook);

	if (snprintf(path, PATH_MAX, "%.*s/virt-warden-hook.so", dir, hook) < PATH_MAX &&
	    install_is_ours(path, "vw_hook"))
		return true;
	strcpy(path, VW_LIBDIR "/virt-warden/virt-warden-hook.so");
	return install_is_ours(path, "vw_hook");
}

void doctor_hook(struct doctor *d, struct doctor_result *r)
{
	char path[PATH_MAX], stage[PATH_MAX];
	unsigned mode;
	struct stat st;

	(void)d;
	if (!install_hook(path))
		doctor_say(r, DOCTOR_FAIL, "run install.sh", "%s: not there, or not ours", path);
	else if (doctor_open_to_others(path, &mode))
		doctor_say(r, DOCTOR_FAIL,
			   "chown root: and chmod 755 it, for libvirtd runs it as root",
			   "%s: others than root may write it (mode %04o)", path, mode);
	else if (access(path, X_OK) < 0)
		doctor_say(r, DOCTOR_FAIL, "chmod 755 it", "%s: not executable", path);
	else if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		doctor_say(r, DOCTOR_WARN,
			   "install the file itself there: AppArmor lets libvirt run no other",
			   "%s: a symbolic link", path);
	else if (!has_stage(path, stage))
		doctor_say(r, DOCTOR_FAIL, "run install.sh again",
			   "%s: not there, or not ours: the hook checks and changes nothing",
			   stage);
	else
		doctor_say(r, DOCTOR_PASS, "", "%s", path);
}

/* install.sh leaves this when it has reloaded libvirtd for the hook's sake. */
static bool reloaded_since(const struct doctor *d, const struct stat *hook, int64_t started)
{
	VW_AUTOFREE char *mark = NULL;
	struct stat st;

	if (asprintf(&mark, "%s/hook-reloaded", d->paths.rundir) < 0) {
		mark = NULL;
		return false;
	}
	return stat(mark, &st) == 0 && st.st_ctime >= hook->st_ctime && st.st_ctime >= started;
}

/* libvirt looks for hooks when it starts and on SIGHUP, and then remembers whether there is any. */
void doctor_hook_seen(struct doctor *d, struct doctor_result *r)
{
	pid_t pid = install_find_libvirtd(d->paths.sysroot);
	int64_t started = pid ? install_started(d->paths.sysroot, pid) : 0;
	char path[PATH_MAX], remedy[128];
	struct stat st;

	if (!install_hook(path) || stat(path, &st) < 0 || !started) {
		doctor_say(r, DOCTOR_SKIP, "", "%s",
			   started ? "there is no hook" : "no libvirtd runs here");
		return;
	}
	if (st.st_ctime < started || install_any_hook_before(started)) {
		doctor_say(r, DOCTOR_PASS, "", "there was a hook when libvirtd (pid %d) started",
			   (int)pid);
		return;
	}
	if (reloaded_since(d, &st, started)) {
		doctor_say(r, DOCTOR_PASS, "", "libvirtd (pid %d) was reloaded since", (int)pid);
		return;
	}
	snprintf(remedy, sizeof(remedy), "systemctl reload libvirtd, or kill -HUP %d", (int)pid);
	doctor_say(
		r, DOCTOR_WARN, remedy,
		"it came after libvirtd (pid %d) had started, which sees it only if it was reloaded since",
		(int)pid);
}

static bool file_begins(const char *sysroot, const char *path, char c)
{
	char full[PATH_MAX], first = 0;
	int fd;

	snprintf(full, sizeof(full), "%s%s", sysroot, path);
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, &first, 1) != 1)
		first = 0;
	close(fd);
	return first == c;
}

/* Debian's profile of libvirtd names the hooks that it may run; an admin's may not. Is there a
 * profile, and does it (or what is included in it from local/) say nothing of hooks? */
static bool profile_forgets_hooks(const char *sysroot)
{
	static const char *const files[] = { "/apparmor.d/usr.sbin.libvirtd",
					     "/apparmor.d/local/usr.sbin.libvirtd" };
	bool there = false, named = false;

	for (size_t i = 0; i < VW_N_ELEMENTS(files); i++) {
		VW_AUTOFCLOSE FILE *f = NULL;
		char full[PATH_MAX], line[1024];

		snprintf(full, sizeof(full), "%s%s%s", sysroot, VW_SYSCONFDIR, files[i]);
		f = fopen(full, "re");
		there = there || (i == 0 && f);
		while (f && fgets(line, sizeof(line), f))
			named = named ||
				(line[strspn(line, " \t")] != '#' && strstr(line, "libvirt/hooks"));
	}
	return there && !named;
}

void doctor_security(struct doctor *d, struct doctor_result *r)
{
	const char *root = d->paths.sysroot;

	if (file_begins(root, "/sys/fs/selinux/enforce", '1'))
		doctor_say(
			r, DOCTOR_PASS, "",
			"SELinux enforces; if the hook is not run: restorecon -R " INSTALL_HOOKS_DIR);
	else if (!file_begins(root, "/sys/module/apparmor/parameters/enabled", 'Y'))
		doctor_say(r, DOCTOR_PASS, "", "neither SELinux nor AppArmor confines libvirtd");
	else if (profile_forgets_hooks(root))
		doctor_say(r, DOCTOR_FAIL,
			   "add the line '" INSTALL_HOOKS_DIR "/** rmix,' to " VW_SYSCONFDIR
			   "/apparmor.d/local/usr.sbin.libvirtd, then: systemctl reload apparmor",
			   "libvirtd's AppArmor profile does not let it run hooks");
	else
		doctor_say(r, DOCTOR_PASS, "",
			   "AppArmor is on: the hook runs under libvirtd's profile; "
			   "if it is denied, dmesg says so");
}

/* It runs: is it of use? */
static void look_at_agent(const struct doctor *d, struct doctor_result *r, pid_t pid)
{
	struct status_agent told;

	if (!status_agent_read(d->paths.rundir, pid, &told))
		doctor_say(r, DOCTOR_WARN, "systemctl restart virt-wardend",
			   "virt-wardend runs (pid %d), but tells nothing in %s/agent", (int)pid,
			   d->paths.rundir);
	else if (told.silent)
		doctor_say(r, DOCTOR_WARN,
			   "see what stops libvirtd; the agent goes on by itself when it answers",
			   "virt-wardend runs (pid %d), but libvirtd does not answer it, for %ld s "
			   "now",
			   (int)pid, (long)(time(NULL) - told.silent));
	else if (told.connected < told.connections)
		doctor_say(
			r, DOCTOR_WARN,
			"see that libvirtd runs (systemctl status libvirtd); it tries again by itself",
			"virt-wardend runs (pid %d), but %zu of %zu libvirt connected", (int)pid,
			told.connected, told.connections);
	else
		doctor_say(r, DOCTOR_PASS, "",
			   "virt-wardend runs (pid %d), %zu of %zu libvirt connected", (int)pid,
			   told.connected, told.connections);
}

void doctor_agent(struct doctor *d, struct doctor_result *r)
{
	static const char *const names[] = { "virt-wardend", NULL };
	char program[PATH_MAX];
	pid_t pid = install_find_process(d->paths.sysroot, names);

	if (pid)
		look_at_agent(d, r, pid);
	else if (install_agent(program))
		doctor_say(r, DOCTOR_WARN, "systemctl enable --now virt-wardend (or: virt-wardend)",
			   "%s does not run: clients other than virsh pass us by", program);
	else
		doctor_say(r, DOCTOR_SKIP, "",
			   "not installed: only what goes through virsh is fixed");
}
