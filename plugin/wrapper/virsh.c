/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The `virsh` that stands first on PATH: runs the real virsh with virsh-warden.so preloaded.
 *
 * argv goes on untouched, and the environment but for LD_PRELOAD, which the
 * library puts back before virsh's main() runs, so that no child of virsh sees
 * it. `virsh NAME …` runs virsh-NAME or virt-NAME when virsh has no command
 * NAME; `virsh warden …` runs virt-warden. VIRT_WARDEN=off and a missing library both give the
 * plain virsh; run set-id it refuses, for it looks at PATH. */
#include "lib/base/set-id.h"
#include "lib/diskprobe/probe.h"
#include "plugin/wrapper/virsh-args.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

#define FALLBACK "/usr/bin/virsh"
#define CHAIN_MAX 512

#define ID_SIZE 40

struct self {
	char path[PATH_MAX];   /* of this program, "" if that can't be told */
	char dir[PATH_MAX];    /* where it lies, or "" */
	char id[ID_SIZE];      /* "device:inode" of it */
	char chain[CHAIN_MAX]; /* such ids of the wrappers that ran before us */
};

static void id_of(const struct stat *st, char id[ID_SIZE])
{
	snprintf(id, ID_SIZE, "%llx:%llx", (unsigned long long)st->st_dev,
		 (unsigned long long)st->st_ino);
}

static void learn_self(struct self *s)
{
	const char *chain = getenv(VW_ENV_CHAIN);
	struct stat st;
	char *slash;
	ssize_t n = readlink("/proc/self/exe", s->dir, sizeof(s->dir) - 1);

	s->dir[n > 0 ? n : 0] = 0;
	strcpy(s->path, s->dir);
	slash = strrchr(s->dir, '/');
	if (slash)
		*slash = 0;
	/* Without /proc (a bare chroot) the path that the kernel was given must do. */
	if (stat("/proc/self/exe", &st) == 0 ||
	    (getauxval(AT_EXECFN) && stat((const char *)getauxval(AT_EXECFN), &st) == 0))
		id_of(&st, s->id);
	if (chain && strlen(chain) < sizeof(s->chain))
		strcpy(s->chain, chain);
}

static bool is_program(const char *path, struct stat *st)
{
	return stat(path, st) == 0 && S_ISREG(st->st_mode) && access(path, X_OK) == 0;
}

static bool in_chain(const char *chain, const char *id)
{
	size_t n = strlen(id);

	for (const char *p = chain; n && p && (p = strstr(p, id)); p += n)
		if ((p == chain || p[-1] == ',') && (!p[n] || p[n] == ','))
			return true;
	return false;
}

static bool is_elf(const char *path)
{
	char magic[4] = "";
	VW_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) &&
	       !memcmp(magic, "\177ELF", sizeof(magic));
}

/* The next directory of PATH that is an absolute path. Return: its length, 0 = no more. */
static size_t next_dir(const char **path)
{
	while (**path) {
		size_t n = strcspn(*path, ":");

		if (**path == '/')
			return n;
		*path += n + ((*path)[n] == ':');
	}
	return 0;
}

/* The first program `name` on PATH that is neither us nor in the chain. elf: nor a script.
 * Return: true and the path in buf. */
static bool find_on_path(const char *name, const struct self *s, bool elf, char buf[PATH_MAX])
{
	const char *p = getenv("PATH");
	char id[ID_SIZE];
	struct stat st;

	for (size_t n; p && (n = next_dir(&p)); p += n + (p[n] == ':')) {
		if (snprintf(buf, PATH_MAX, "%.*s/%s", (int)n, p, name) >= PATH_MAX ||
		    !is_program(buf, &st))
			continue;
		id_of(&st, id);
		if (strcmp(id, s->id) && !in_chain(s->chain, id) && (!elf || is_elf(buf)))
			return true;
	}
	return false;
}

/* The real virsh. A `virsh` on PATH may be another copy of the wrapper, or a script that
 * runs us again, by exec or as its child. So the chain names the wrappers that have run;
 * who finds himself in it takes no script any more. */
static bool find_real(const struct self *s, char buf[PATH_MAX])
{
	char longer[CHAIN_MAX], id[ID_SIZE];
	struct stat st;

	if (snprintf(longer, sizeof(longer), "%s%s%s", s->chain, *s->chain ? "," : "", s->id) <
	    (int)sizeof(longer))
		setenv(VW_ENV_CHAIN, longer, 1);
	if (find_on_path("virsh", s, in_chain(s->chain, s->id), buf))
		return true;
	strcpy(buf, FALLBACK);
	if (!is_program(buf, &st))
		return false;
	id_of(&st, id);
	return strcmp(id, s->id) && !in_chain(s->chain, id);
}

/* Does the real virsh know the command? Asked only when a plugin of that name is there. */
static bool virsh_has(const char *real, const char *name)
{
	char *argv[] = { (char *)real, (char *)"help", (char *)name, NULL };
	posix_spawn_file_actions_t fa;
	int status = 0;
	pid_t pid;

	if (posix_spawn_file_actions_init(&fa))
		return true;
	for (int fd = 0; fd < 3; fd++)
		posix_spawn_file_actions_addopen(&fa, fd, "/dev/null", O_RDWR, 0);
	if (posix_spawn(&pid, real, &fa, NULL, argv, environ))
		pid = -1;
	posix_spawn_file_actions_destroy(&fa);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return true;
	return pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == 0;
}

static bool plugin_name_ok(const char *name)
{
	return strlen(name) <= 64 && *name != '-' &&
	       !name[strspn(name,
			    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")];
}

static bool find_plugin(const struct self *s, const char *name, char buf[PATH_MAX])
{
	static const char *const families[] = { "virsh-", "virt-" };
	char program[80];
	struct stat st;

	/* Our own command of our own build, whatever else PATH has. */
	if (!strcmp(name, "warden") && *s->dir &&
	    snprintf(buf, PATH_MAX, "%s/virt-warden", s->dir) < PATH_MAX && is_program(buf, &st))
		return true;
	for (size_t i = 0; i < VW_N_ELEMENTS(families); i++) {
		snprintf(program, sizeof(program), "%s%s", families[i], name);
		if (find_on_path(program, s, false, buf))
			return true;
	}
	return false;
}

/* `virsh [options] NAME …` -> virsh-NAME or virt-NAME. Returns if there is none. */
static void run_plugin(const struct self *s, const char *real, int argc, char **argv)
{
	struct vw_virsh_args a = vw_virsh_args_parse(argc, argv);
	const char *virsh_uri = getenv("VIRSH_DEFAULT_CONNECT_URI");
	const char *name = a.command < argc ? argv[a.command] : "-";
	char path[PATH_MAX];

	if (a.answers || !plugin_name_ok(name) || !find_plugin(s, name, path))
		return;
	if (strcmp(name, "warden") && virsh_has(real, name))
		return;
	unsetenv(VW_ENV_CHAIN);
	/* The plugin connects where this virsh would have. */
	if (a.uri || virsh_uri)
		setenv("LIBVIRT_DEFAULT_URI", a.uri ? a.uri : virsh_uri, 1);
	argv[a.command] = path;
	execv(path, argv + a.command);
	fprintf(stderr, "virsh: %s: %s\n", path, strerror(errno));
	exit(126);
}

/* Return: true and the library's path; else false and why. */
static bool find_library(const struct self *s, char buf[PATH_MAX], const char **why)
{
	int n = *s->dir ? snprintf(buf, PATH_MAX, "%s/virsh-warden.so", s->dir) : PATH_MAX;

	if (n >= PATH_MAX || access(buf, R_OK) < 0)
		strcpy(buf, VW_LIBDIR "/virt-warden/virsh-warden.so");
	*why = "is not there: run install.sh";
	if (access(buf, R_OK) < 0)
		return false;
	/* Both separate the entries of LD_PRELOAD, and there is no way to quote them. */
	*why = "lies below a directory with a space or colon in its name: move it";
	return !strpbrk(buf, " :");
}

static void set_preload(const char *library)
{
	const char *had = getenv("LD_PRELOAD");
	VW_AUTOFREE char *value = NULL;

	setenv(VW_ENV_LD_PRELOAD, had ? had : "", 1);
	if (asprintf(&value, "%s%s%s", had ? had : "", had && *had ? ":" : "", library) < 0) {
		value = NULL;
		return;
	}
	setenv("LD_PRELOAD", value, 1);
}

int main(int argc, char **argv)
{
	static struct self self;
	char real[PATH_MAX], library[PATH_MAX];
	const char *mode = getenv("VIRT_WARDEN");
	const char *why;

	if (vw_is_set_id()) {
		fprintf(stderr, VW_SET_ID_LINE, "virsh");
		return 126;
	}
	/* The small program that looks at disks for virsh-warden.so. */
	if (argc > 0 && !strcmp(argv[0], VW_PROBER_PROGRAM)) {
		const int status = vw_prober_main(argc, argv);

		fprintf(stderr, "%s is for virsh-warden.so to start\n", argv[0]);
		return status;
	}
	learn_self(&self);
	if (!find_real(&self, real)) {
		fprintf(stderr, "virsh: the real virsh is neither on PATH nor " FALLBACK
				": install libvirt-clients (libvirt-client)\n");
		return 127;
	}
	if (!getauxval(AT_SECURE) && !(mode && !strcmp(mode, "off"))) {
		run_plugin(&self, real, argc, argv);
		if (getenv(VW_ENV_LD_PRELOAD)) {
			; /* another copy of us, before this one, has done it */
		} else if (find_library(&self, library, &why)) {
			set_preload(library);
			setenv(VW_ENV_PROBER, self.path, 1);
		} else {
			fprintf(stderr, "virt-warden: %s %s (this is the plain virsh)\n", library,
				why);
		}
	}
	execv(real, argv);
	fprintf(stderr, "virsh: %s: %s\n", real, strerror(errno));
	return 126;
}
