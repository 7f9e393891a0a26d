/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which libvirtd is it, and what is it that its domain capabilities depend on?
 *
 * libvirtd itself keeps them until QEMU, its modules or the firmware change, or it is
 * started anew (with another configuration, another version). We note the same, and that
 * it is this very process: its number and start, in this boot and PID namespace. */
#include "virt/collect.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

/* Packages put firmware and modules of QEMU there, so their times tell of a change. Whether
 * there is KVM: a guest's emulator is another then. */
static const char *const depends_on[] = {
	"/usr/share/qemu/firmware",        "/etc/qemu/firmware", "/usr/lib/x86_64-linux-gnu/qemu",
	"/usr/lib/aarch64-linux-gnu/qemu", "/usr/lib64/qemu",    "/usr/lib/qemu",
	"/usr/libexec/qemu-kvm",
};

static bool read_text(const char *path, char *buf, size_t size)
{
	VW_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	buf[n > 0 ? n : 0] = 0;
	return n > 0;
}

/* When did the process start (clock ticks since boot)? "" if it is not of that name. */
static void start_of(pid_t pid, const char *name, char ret[24])
{
	char path[32], text[512], head[40];
	const char *p;

	*ret = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	snprintf(head, sizeof(head), "%d (%s) ", (int)pid, name);
	if (!read_text(path, text, sizeof(text)) || !vw_startswith(text, head))
		return;
	p = text + strlen(head) - 1;      /* the blank before field 3 … */
	for (int i = 3; i < 22 && p; i++) /* … and before starttime: proc(5) */
		p = strchr(p + 1, ' ');
	if (p)
		snprintf(ret, 24, "%.*s", (int)strcspn(p + 1, " "), p + 1);
}

/* The daemon's process. Below systemd, which listens for it, it is in the file that it keeps. */
static pid_t daemon_process(pid_t listener, const char *name)
{
	char path[64], text[24], *end;
	long pid;

	if (listener != 1)
		return listener;
	snprintf(path, sizeof(path), "/run/%s.pid", name);
	if (!read_text(path, text, sizeof(text)))
		return 0;
	pid = strtol(text, &end, 10);
	return end != text && pid > 1 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

/* "NAME PID START" of the one daemon that it can be. */
static bool name_daemon(pid_t listener, pid_t *ret_pid, char *buf, size_t size)
{
	static const char *const names[] = { "libvirtd", "virtqemud" };
	bool found = false;

	for (size_t i = 0; listener > 0 && i < VW_N_ELEMENTS(names); i++) {
		const pid_t pid = daemon_process(listener, names[i]);
		char start[24];

		start_of(pid, names[i], start);
		if (!*start)
			continue;
		if (found)
			return false;
		*ret_pid = pid;
		found = snprintf(buf, size, "%s %d %s", names[i], (int)pid, start) < (int)size;
	}
	return found;
}

bool vw_daemon_identity(pid_t daemon, char buf[VW_DAEMON_IDENTITY], pid_t *ret_pid)
{
	char boot[40], who[64];
	struct stat st;
	size_t len;

	if (geteuid() != 0 || !name_daemon(daemon, ret_pid, who, sizeof(who)) ||
	    stat("/proc/self/ns/pid", &st) < 0 ||
	    !read_text("/proc/sys/kernel/random/boot_id", boot, sizeof(boot)))
		return false;
	boot[strcspn(boot, "\n")] = 0;
	len = (size_t)snprintf(buf, VW_DAEMON_IDENTITY, "%s %" PRIuMAX " %s kvm %d", boot,
			       (uintmax_t)st.st_ino, who, access("/dev/kvm", F_OK) == 0);
	for (size_t i = 0; i < VW_N_ELEMENTS(depends_on) && len < VW_DAEMON_IDENTITY; i++) {
		if (stat(depends_on[i], &st) < 0)
			st.st_mtim = (struct timespec){ 0 };
		len += (size_t)snprintf(buf + len, VW_DAEMON_IDENTITY - len, " %" PRIdMAX ".%ld",
					(intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	}
	return len < VW_DAEMON_IDENTITY;
}
