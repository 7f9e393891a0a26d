/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does a path in a domain's XML mean the same file here as in libvirtd?
 *
 * Only if the connection is a local UNIX socket and the daemon at its other end
 * lives in our mount namespace, or in one that shows the same files. libvirt's API names no daemon, so we look at
 * our own descriptors for the socket: SO_PEERCRED gives the process that
 * listens there (0 if it is outside our PID namespace). A socket that ssh or
 * socat forwards has another program at its end, and is not local.
 *
 * A service that systemd protects (our agent, for one) has a mount namespace of its own in
 * which all is where it is for others, some of it read-only. And without privilege (or
 * without CAP_SYS_PTRACE) the daemon's namespace can't be read. Then the tables of mounts,
 * which everybody may read, are compared: a container, flatpak or snap has another one.
 */
#include "virt/collect.h"
#include "virt/mounts.h"

#include <libvirt/virterror.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define MOUNTS_MAX_BYTES (4u * 1024 * 1024)

/* "qemu:///system", "qemu+unix:///session?socket=…": no host, no other transport. */
static bool uri_is_local(const char *uri)
{
	static const char *const schemes[] = { "qemu", "qemu+unix", "remote", "remote+unix" };
	size_t n = strcspn(uri, ":");

	if (!vw_startswith(uri + n, ":///"))
		return false;
	for (size_t i = 0; i < VW_N_ELEMENTS(schemes); i++)
		if (n == strlen(schemes[i]) && !strncmp(uri, schemes[i], n))
			return true;
	return false;
}

bool vw_conn_is_qemu(virConnectPtr conn)
{
	VW_AUTOFREE char *uri = virConnectGetURI(conn); /* unlike the type, it is known here */
	size_t n = uri ? strcspn(uri, ":+") : 0;

	if (n && strncmp(uri, "remote", n))
		return n == strlen("qemu") && !strncmp(uri, "qemu", n);
	return vw_streq(virConnectGetType(conn), "QEMU");
}

static bool is_daemon(pid_t pid)
{
	static const char *const names[] = { "libvirtd\n", "virtqemud\n", "virtproxyd\n",
					     "systemd\n" };
	char path[64], comm[32] = "";
	VW_AUTOCLOSE int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, comm, sizeof(comm) - 1) < 0)
		return false;
	for (size_t i = 0; i < VW_N_ELEMENTS(names); i++)
		if (!strcmp(comm, names[i]))
			return true;
	return pid == 1; /* socket activation by another init */
}

/* A file of /proc, whose size is not known before. Return: malloc'ed text or NULL. */
static char *read_proc(const char *path)
{
	VW_AUTOFREE char *text = NULL;
	size_t len = 0, room = 0;
	VW_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0) {
		if (room - len < 2) {
			char *more = room < MOUNTS_MAX_BYTES ? realloc(text, room + 16384) : NULL;

			if (!more)
				return NULL;
			text = more;
			room += 16384;
		}
		n = read(fd, text + len, room - len - 1);
		len += n > 0 ? (size_t)n : 0;
	}
	if (n < 0)
		return NULL;
	text[len] = '\0';
	return vw_steal(text);
}

static bool sees_our_files(pid_t pid)
{
	VW_AUTOFREE char *ours = read_proc("/proc/self/mountinfo");
	VW_AUTOFREE char *theirs = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	theirs = read_proc(path);
	return ours && theirs && vw_mounts_agree(ours, theirs);
}

static bool in_our_namespace(pid_t pid)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	if (stat("/proc/self/ns/mnt", &own) == 0 && stat(path, &other) == 0 &&
	    own.st_ino == other.st_ino && own.st_dev == other.st_dev)
		return true;
	return sees_our_files(pid);
}

/* Is fd a connection to a libvirt daemon, and does that live where we do?
 * VW_UNKNOWN: it is no such connection. *ret_pid: who listens there, if it does. */
static enum vw_known peer_is_local(int fd, pid_t *ret_pid)
{
	struct sockaddr_un addr = { .sun_family = AF_UNSPEC };
	socklen_t len = sizeof(addr) - 1; /* leaves a NUL behind the path */
	struct ucred cred = { .pid = 0 };
	socklen_t cred_len = sizeof(cred);

	if (getpeername(fd, (struct sockaddr *)&addr, &len) < 0 || addr.sun_family != AF_UNIX ||
	    (!strstr(addr.sun_path, "/libvirt") && !strstr(addr.sun_path, "/virtqemud")))
		return VW_UNKNOWN;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_len) < 0 || cred.pid <= 0)
		return VW_NO;
	*ret_pid = cred.pid;
	return is_daemon(cred.pid) && in_our_namespace(cred.pid) ? VW_YES : VW_NO;
}

/* All our connections to libvirt daemons must be local; we can't tell which is which.
 * *ret_pid: the one daemon that they lead to, 0 = there are several. */
static bool peers_are_local(pid_t *ret_pid)
{
	DIR *dir = opendir("/proc/self/fd");
	enum vw_known all = VW_UNKNOWN;
	pid_t pid = 0, first = 0;
	struct dirent *e;

	if (!dir)
		return false;
	while (all != VW_NO && (e = readdir(dir))) {
		enum vw_known one = *e->d_name == '.' ? VW_UNKNOWN
						      : peer_is_local(atoi(e->d_name), &pid);

		if (one == VW_UNKNOWN)
			continue;
		first = all == VW_UNKNOWN || pid == first ? pid : 0;
		all = one;
	}
	closedir(dir);
	*ret_pid = first;
	return all == VW_YES;
}

bool vw_conn_peer(virConnectPtr conn, pid_t *ret_daemon)
{
	VW_AUTOFREE char *uri = virConnectGetURI(conn);
	pid_t pid = 0;

	*ret_daemon = 0;
	if (!uri || !uri_is_local(uri))
		return false;
	if (strstr(uri, ":///embed"))
		return true;
	if (!peers_are_local(&pid))
		return false;
	if (strstr(uri, ":///system"))
		*ret_daemon = pid;
	return true;
}

bool vw_conn_is_local(virConnectPtr conn)
{
	pid_t pid;

	return vw_conn_peer(conn, &pid);
}
