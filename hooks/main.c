/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The qemu hook's first stage: the program that libvirtd runs. It needs libc only, and loads the
 * second stage (virt-warden-hook.so: XML, policy) for the operations that have work to do. If that,
 * or a library that it needs, can't be loaded (half an upgrade, a broken disk), the hook says so in
 * the system log and exits 0: libvirtd takes any other status as a refusal, and at `reconnect`
 * and `started` kills the guest. */
#include "hooks/hook.h"
#include "lib/base/set-id.h"

#include <dlfcn.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <syslog.h>

#define STAGE "virt-warden-hook.so"

/* Every operation that is not here (start, started, stopped, release, reconnect,
 * attach and what libvirt may add) exits 0 at once, without reading its stdin:
 * libvirtd takes the EPIPE (libvirt 9.0.0, vircommand.c:2289). */
static const char has_work[] = "prepare migrate restore";

static sigjmp_buf crashed;

/* The loader reads a library by mapping it: one that is cut off is a SIGBUS. */
static void on_crash(int number)
{
	siglongjmp(crashed, number);
}

/* Where the second stage is: beside the program as it was built, else where it was installed. */
static void find_stage(char path[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof(STAGE));

	while (n > 0 && path[n - 1] != '/')
		n--;
	if (n > 0) {
		strcpy(path + n, STAGE);
		if (access(path, F_OK) == 0)
			return;
	}
	strcpy(path, VW_LIBDIR "/virt-warden/" STAGE);
}

/* Return: what it is about to do, NULL with *ret_why if it can't be loaded. */
static vw_hook_fn *load(const char **ret_why)
{
	static const int signals[] = { SIGBUS, SIGSEGV, SIGILL };
	static char path[PATH_MAX];
	vw_hook_fn *fn = NULL;
	void *stage;

	find_stage(path);
	if (sigsetjmp(crashed, 1)) {
		*ret_why = "a library is damaged: the loader crashed";
		return NULL;
	}
	for (size_t i = 0; i < VW_N_ELEMENTS(signals); i++)
		signal(signals[i], on_crash);
	stage = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	if (stage)
		*(void **)&fn = dlsym(stage, "vw_hook");
	for (size_t i = 0; i < VW_N_ELEMENTS(signals); i++)
		signal(signals[i], SIG_DFL);
	if (!fn)
		*ret_why = dlerror();
	return fn;
}

int main(int argc, char **argv)
{
	struct hook h = { .log_fd = -1 };
	const char *why = "";
	vw_hook_fn *fn;

	if (vw_is_set_id()) {
		fprintf(stderr, VW_SET_ID_LINE, "virt-warden (hook)");
		return 0;
	}
	if (argc < 4) {
		fprintf(stderr,
			"usage: %s DOMAIN OPERATION SUBOPERATION - <DOMAIN.xml (by libvirtd)\n",
			argc ? argv[0] : "hook");
		return 2;
	}
	if (!vw_has_word(has_work, argv[2]))
		return 0;
	fn = load(&why);
	if (fn)
		return fn(argv);
	h.log_to_stderr = vw_streq(secure_getenv("VIRT_WARDEN_LOG"), "stderr");
	hook_log(&h, LOG_ERR, "op=%s: nothing was checked or changed: %s", argv[2], why);
	return 0;
}
