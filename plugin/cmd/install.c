/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is installed and what runs (see plugin/cmd/install.h). */
#include "plugin/cmd/install.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define PROGRAM_MAX (4u << 20) /* our programs are far smaller */

bool install_is_ours(const char *path, const char *word)
{
	VW_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	VW_AUTOFREE char *buf = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > PROGRAM_MAX)
		return false;
	buf = malloc((size_t)st.st_size + 1);
	n = buf ? read(fd, buf, (size_t)st.st_size) : -1;
	return n > 4 && !memcmp(buf, "\177ELF", 4) && memmem(buf, (size_t)n, word, strlen(word));
}

/* Is it in one of these directories ("a:b")? path then names it. */
static bool find_in(const char *dirs, const char *name, char path[PATH_MAX])
{
	const char *end;

	for (; dirs && *dirs; dirs = *end ? end + 1 : end) {
		end = strchrnul(dirs, ':');
		if (snprintf(path, PATH_MAX, "%.*s/%s", (int)(end - dirs), dirs, name) < PATH_MAX &&
		    access(path, X_OK) == 0)
			return true;
	}
	return false;
}

bool install_virsh(char path[PATH_MAX], bool *ret_ours)
{
	if (!find_in(getenv("PATH"), "virsh", path))
		return false;
	*ret_ours = install_is_ours(path, "virsh-warden.so");
	return true;
}

bool install_agent(char path[PATH_MAX])
{
	static const char places[] = VW_PREFIX "/sbin:/usr/sbin:/usr/local/sbin";

	return find_in(places, "virt-wardend", path) ||
	       find_in(getenv("PATH"), "virt-wardend", path);
}

bool install_hook(char path[PATH_MAX])
{
	static const char *const places[] = { "qemu.d/virt-warden", "qemu", "virt-warden" };
	size_t i;

	for (i = 0; i < VW_N_ELEMENTS(places); i++) {
		snprintf(path, PATH_MAX, INSTALL_HOOKS_DIR "/%s", places[i]);
		if (install_is_ours(path, "virt-warden"))
			return true;
	}
	snprintf(path, PATH_MAX, INSTALL_HOOKS_DIR "/%s", places[0]);
	return false;
}

static bool is_hook_before(int dirfd, const char *name, int64_t when)
{
	struct stat st;

	return fstatat(dirfd, name, &st, 0) == 0 && S_ISREG(st.st_mode) && st.st_mode & 0111 &&
	       st.st_ctime < when;
}

bool install_any_hook_before(int64_t when)
{
	DIR *dir = opendir(INSTALL_HOOKS_DIR "/qemu.d");
	struct dirent *e;
	bool found = is_hook_before(AT_FDCWD, INSTALL_HOOKS_DIR "/qemu", when);

	while (!found && dir && (e = readdir(dir)))
		found = *e->d_name != '.' && is_hook_before(dirfd(dir), e->d_name, when);
	if (dir)
		closedir(dir);
	return found;
}

void install_preload(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 32);
	char *slash;

	if (n > 0) {
		path[n] = '\0';
		slash = strrchr(path, '/');
		strcpy(slash ? slash : path, "/virsh-warden.so");
		if (access(path, R_OK) == 0)
			return;
	}
	snprintf(path, PATH_MAX, VW_LIBDIR "/virt-warden/virsh-warden.so");
}

/* Read a small file of /proc. Return: false if it can't be read. */
static bool slurp(const char *path, char *buf, size_t size)
{
	VW_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool is_process(const char *proc, const char *pid, const char *const *names)
{
	char path[PATH_MAX], comm[32], *nl;
	struct stat own, other;

	snprintf(path, sizeof(path), "%s/%s/comm", proc, pid);
	if (!slurp(path, comm, sizeof(comm)))
		return false;
	nl = strchr(comm, '\n');
	if (nl)
		*nl = '\0';
	while (*names && strcmp(*names, comm))
		names++;
	if (!*names)
		return false;
	snprintf(path, sizeof(path), "%s/%s/ns/mnt", proc, pid);
	return stat(path, &other) < 0 || stat("/proc/self/ns/mnt", &own) < 0 ||
	       (own.st_ino == other.st_ino && own.st_dev == other.st_dev);
}

pid_t install_find_process(const char *sysroot, const char *const *names)
{
	VW_AUTOFREE char *proc = NULL;
	struct dirent *e;
	pid_t pid = 0;
	DIR *dir;

	if (asprintf(&proc, "%s/proc", sysroot) < 0) {
		proc = NULL;
		return 0;
	}
	dir = opendir(proc);
	while (!pid && dir && (e = readdir(dir)))
		if (*e->d_name >= '1' && *e->d_name <= '9' && is_process(proc, e->d_name, names))
			pid = atoi(e->d_name);
	if (dir)
		closedir(dir);
	return pid;
}

pid_t install_find_libvirtd(const char *sysroot)
{
	static const char *const names[] = { "libvirtd", "virtqemud", NULL };

	return install_find_process(sysroot, names);
}

int64_t install_started(const char *sysroot, pid_t pid)
{
	char path[PATH_MAX], buf[4096], *p;
	long long boot, ticks;
	int field;

	snprintf(path, sizeof(path), "%s/proc/%d/stat", sysroot, (int)pid);
	p = slurp(path, buf, sizeof(buf)) ? strrchr(buf, ')') : NULL;
	for (field = 2; p && field < 22; field++) /* 22: starttime, proc(5) */
		p = strchr(p + 1, ' ');
	if (!p)
		return 0;
	ticks = atoll(p + 1);
	snprintf(path, sizeof(path), "%s/proc/stat", sysroot);
	p = slurp(path, buf, sizeof(buf)) ? strstr(buf, "\nbtime ") : NULL;
	if (!p)
		return 0;
	boot = atoll(p + 7);
	return boot + ticks / sysconf(_SC_CLK_TCK);
}
