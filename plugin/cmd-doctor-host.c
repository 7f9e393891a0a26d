/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `doctor`: libvirt, and our parts on this host. */
#include "cmd-doctor.h"
#include "cmd-install.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

void doctor_libvirt(struct doctor *d, struct doctor_result *r)
{
	VW_AUTOFREE char *uri = NULL;
	unsigned long lib = 0, hv = 0;
	struct vw_err err = { 0 };

	if (cmd_connect(d->cmd, true, &err) < 0) {
		doctor_say(r, DOCTOR_FAIL, "systemctl start libvirtd, or name another host with -c",
			   "%s", err.text);
		return;
	}
	uri = virConnectGetURI(d->cmd->conn);
	virConnectGetLibVersion(d->cmd->conn, &lib);
	virConnectGetVersion(d->cmd->conn, &hv);
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

void doctor_hook(struct doctor *d, struct doctor_result *r)
{
	char path[PATH_MAX];
	struct stat st;

	(void)d;
	if (!install_hook(path))
		doctor_say(r, DOCTOR_FAIL, "run install.sh", "%s: not there, or not ours", path);
	else if (access(path, X_OK) < 0)
		doctor_say(r, DOCTOR_FAIL, "chmod 755 it", "%s: not executable", path);
	else if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		doctor_say(r, DOCTOR_WARN,
			   "install the file itself there: AppArmor lets libvirt run no other",
			   "%s: a symbolic link", path);
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

void doctor_security(struct doctor *d, struct doctor_result *r)
{
	if (file_begins(d->paths.sysroot, "/sys/fs/selinux/enforce", '1'))
		doctor_say(
			r, DOCTOR_PASS, "",
			"SELinux enforces; if the hook is not run: restorecon -R " INSTALL_HOOKS_DIR);
	else if (file_begins(d->paths.sysroot, "/sys/module/apparmor/parameters/enabled", 'Y'))
		doctor_say(r, DOCTOR_PASS, "",
			   "AppArmor is on: the hook runs under libvirtd's profile; "
			   "if it is denied, dmesg says so");
	else
		doctor_say(r, DOCTOR_PASS, "", "neither SELinux nor AppArmor confines libvirtd");
}

void doctor_agent(struct doctor *d, struct doctor_result *r)
{
	static const char *const names[] = { "virt-wardend", NULL };
	static const char program[] = VW_PREFIX "/sbin/virt-wardend";
	pid_t pid = install_find_process(d->paths.sysroot, names);

	if (pid)
		doctor_say(r, DOCTOR_PASS, "", "virt-wardend runs (pid %d)", (int)pid);
	else if (access(program, X_OK) == 0)
		doctor_say(r, DOCTOR_WARN, "systemctl start virt-wardend", "%s does not run",
			   program);
	else
		doctor_say(r, DOCTOR_SKIP, "",
			   "not installed: only what goes through virsh is fixed");
}
