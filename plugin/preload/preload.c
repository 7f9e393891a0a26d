/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virsh-warden.so, the frame: how it comes in, and how it stays unnoticed.
 *
 * Errors. Asking libvirt whether a domain is there raises an error when it is
 * not, and libvirt hands every error to the program's handler (or prints it).
 * So the handler that libvirt knows is ours; it passes on all errors but those
 * of our own calls, per thread, and of our own threads. (A handler set by virConnSetErrorFunc, for one
 * connection, still hears them: no program is known that uses one.) */
#include "plugin/preload/preload.h"

#include "plugin/wrapper/virsh-args.h"
#include "virt/ahead.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <link.h>

/* Set before main, never after. */
static bool off, virsh, quiet, edit;

static virErrorFunc program_handler; /* as libvirt's own: the program sets them, unlocked */
static void *program_data;

static char prober[PATH_MAX];    /* for vw_prober_program, "" = none */
static struct vw_context *spent; /* freed when the next one is: virsh ends first, as a rule */

static _Thread_local bool inside;
static _Thread_local bool deaf;

void *vw_next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static void on_error(void *data, virErrorPtr error)
{
	(void)data;
	if (deaf || vw_ahead_is_here())
		return;
	if (program_handler)
		program_handler(program_data, error);
	else
		virDefaultErrorFunc(error);
}

int vw_take_context(struct vw_context **ret, struct vw_err *err)
{
	int r = vw_context_open(ret, err);

	if (r < 0)
		return r;
	vw_context_single(*ret, true);
	if (vw_context_prober(*ret, NULL))
		vw_prober_program(vw_context_prober(*ret, NULL), prober);
	return 0;
}

void vw_give_context(struct vw_context *c)
{
	vw_context_close(spent);
	spent = virsh ? c : NULL;
	if (!virsh)
		vw_context_close(c);
}

void virSetErrorFunc(void *data, virErrorFunc handler)
{
	program_data = data;
	program_handler = handler;
	if (off)
		VW_NEXT(virSetErrorFunc)(data, handler);
}

bool vw_enter(void)
{
	if (off || inside)
		return false;
	inside = true;
	deaf = true;
	return true;
}

void vw_listen(bool on)
{
	deaf = !on;
}

void vw_leave(bool ok)
{
	if (ok)
		virResetLastError();
	inside = false;
	deaf = false;
}

/* libvirt lets no program set an error, but it hands out its own, unlocked: so have it
 * raise one, unheard, and put ours in its place. */
void vw_raise(int code, const char *text)
{
	virErrorPtr e;

	deaf = true;
	virConnectRef(NULL);
	deaf = false;
	e = virGetLastError();
	if (!e)
		return;
	free(e->message);
	e->message = strdup(text);
	e->code = code;
	e->domain = VIR_FROM_QEMU;
	on_error(NULL, e);
}

bool vw_is_virsh(void)
{
	return virsh;
}

bool vw_quiet(void)
{
	return quiet;
}

bool vw_is_edit(void)
{
	return edit;
}

/* Callback for the first object, the program itself: is it linked against libvirt? */
static int needs_libvirt(struct dl_phdr_info *info, size_t size, void *data)
{
	const ElfW(Dyn) *dyn = NULL;
	const char *strings = NULL;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			dyn = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	for (const ElfW(Dyn) *d = dyn; d && d->d_tag != DT_NULL; d++)
		if (d->d_tag ==
		    DT_STRTAB) /* relocated in place by ld.so, but not on all machines */
			strings = (const void *)(d->d_un.d_ptr < info->dlpi_addr
							 ? info->dlpi_addr + d->d_un.d_ptr
							 : d->d_un.d_ptr);
	for (const ElfW(Dyn) *d = dyn; strings && d->d_tag != DT_NULL; d++)
		if (d->d_tag == DT_NEEDED && vw_startswith(strings + d->d_un.d_val, "libvirt.so"))
			*(bool *)data = true;
	return 1;
}

/* Is this program virsh? What the wrapper starts may be another copy of it, or an admin's
 * script of that name with its shell; then the real one is still to come. */
static bool is_virsh(void)
{
	char path[PATH_MAX];
	bool linked = false;
	const char *name;
	ssize_t n;

	dl_iterate_phdr(needs_libvirt, &linked);
	if (!linked || getenv(VW_ENV_LD_PRELOAD))
		return linked;
	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = 0;
	name = strrchr(path, '/');
	return vw_startswith(name ? name + 1 : program_invocation_short_name, "virsh");
}

/* Take away what the wrapper put into the environment: no child of virsh may see it. */
static void restore_environment(void)
{
	const char *had = getenv(VW_ENV_LD_PRELOAD), *handed = getenv(VW_ENV_PROBER);

	if (had && *had)
		setenv("LD_PRELOAD", had, 1);
	else if (had)
		unsetenv("LD_PRELOAD");
	unsetenv(VW_ENV_LD_PRELOAD);
	unsetenv(VW_ENV_CHAIN);
	snprintf(prober, sizeof(prober), "%s", handed ? handed : "");
	unsetenv(VW_ENV_PROBER);
}

/* The FILE of `define [--file] FILE …`. What it is taken for is checked: vw_foreseen. */
static const char *file_of(int argc, char **argv, int command)
{
	for (int i = command + 1; i < argc; i++)
		if (vw_startswith(argv[i], "--file="))
			return argv[i] + strlen("--file=");
		else if (argv[i][0] != '-')
			return argv[i];
	return NULL;
}

/* glibc hands main's arguments to every constructor. */
__attribute__((constructor)) static void begin(int argc, char **argv)
{
	const char *mode = getenv("VIRT_WARDEN"), *command = "", *file = NULL;

	if (is_virsh()) {
		const struct vw_virsh_args args = vw_virsh_args_parse(argc, argv);

		virsh = true;
		restore_environment();
		quiet = args.quiet;
		command = args.command < argc ? argv[args.command] : "";
		if (!strcmp(command, "define") || !strcmp(command, "create"))
			file = file_of(argc, argv, args.command);
	}
	/* Our own programs know what they do: an undo must not be fixed again. */
	off = (mode && !strcmp(mode, "off")) ||
	      vw_startswith(program_invocation_short_name, "virt-warden");
	if (off)
		return;
	edit = !strcmp(command, "edit");
	VW_NEXT(virSetErrorFunc)(NULL, on_error);
	if (file)
		vw_foresee(file, prober);
}
