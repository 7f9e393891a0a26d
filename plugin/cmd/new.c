/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virt-warden new: a whole domain from the templates. A generic XML is made, and
 * the engine does the rest: there is one place for opinions. */
#include "plugin/cmd/new.h"

#include "lib/json/json.h"
#include "plugin/cmd/check.h"
#include "lib/base/text.h"
#include "plugin/cmd/cmd.h"
#include "plugin/out/json.h"
#include "plugin/out/plan.h"
#include "virt/apply.h"
#include "virt/domain.h"

#include <errno.h>
#include <sys/utsname.h>

#define MEMORY_MIB 2048 /* where osinfo-db says nothing */

struct new_run {
	struct cmd *cmd;
	struct new_domain d;
	bool define;
};

static void new_run_clear(struct new_run *r)
{
	new_clear(&r->d);
}

/* With a libvirt if there is one; to print XML none is needed. */
static int connect_if_there(struct new_run *r, struct vw_err *err)
{
	struct cmd *cmd = r->cmd;
	int rc = cmd_connect(cmd, !r->define, err);

	if (rc < 0 && !r->define && !cmd->uri) {
		cmd_note(cmd, "no libvirt can be reached: what its emulator offers is unknown");
		return 0;
	}
	if (rc == 0 && !vw_conn_is_qemu(cmd->conn))
		return vw_err_set(err, -ENOTSUP, "new makes domains of QEMU/KVM only; see -c");
	return rc;
}

static bool has_kvm(virConnectPtr conn, const char *arch)
{
	VW_AUTOFREE char *caps = NULL;

	if (!conn)
		return access("/dev/kvm", R_OK | W_OK) == 0;
	caps = virConnectGetDomainCapabilities(conn, NULL, arch, NULL, "kvm", 0);
	return caps != NULL;
}

/* Fill in what was not said. */
static int new_defaults(struct new_run *r, struct utsname *host, struct vw_err *err)
{
	struct vw_osindex *index = vw_context_osindex(r->cmd->ctx, err);
	struct new_domain *d = &r->d;
	struct vw_os *os = NULL;
	int rc = index ? vw_osindex_find(index, d->os, &os, err) : err->code ? err->code : -ENOENT;

	if (rc == -ENOENT && index)
		err->code = CMD_E_USAGE;
	if (rc < 0)
		return rc;
	if (!d->memory_mib)
		d->memory_mib = os->ram ? (unsigned long)(os->ram >> 20) : MEMORY_MIB;
	if (!d->vcpus)
		d->vcpus = os->ncpus ? os->ncpus : 1;
	vw_os_free(os);
	uname(host);
	if (!d->arch)
		d->arch = host->machine;
	if (!d->virttype)
		d->virttype = has_kvm(r->cmd->conn, d->arch) ? "kvm" : "qemu";
	if (!d->graphics)
		d->graphics = "vnc";
	return 0;
}

static const char *text_of(const struct cmd_audit *a)
{
	return a->plan->xml ? a->plan->xml : a->text;
}

static int print_result(struct cmd *cmd, const struct cmd_audit *a, const char *uuid)
{
	json_t *top;

	if (!cmd->json) {
		if (!uuid)
			out_data(&cmd->out, OUT_PLAIN, text_of(a));
		return CMD_OK;
	}
	top = out_json_top();
	json_object_set_new(top, "domain", vw_json_string(a->plan->name));
	json_object_set_new(top, "uuid", vw_json_string(uuid));
	json_object_set_new(top, "defined", json_boolean(uuid != NULL));
	json_object_set_new(top, "xml", vw_json_string(text_of(a)));
	return cmd_print_json(cmd, top);
}

/* What the templates would have but was not done, and why. */
static void note_left(const struct cmd *cmd, const struct cmd_audit *a)
{
	size_t left = a->plan->n_findings - vw_plan_count(a->plan, VW_ACTION_FIX);

	if (cmd->quiet || !left)
		return;
	cmd_note(cmd, "%s: %zu left as %s", a->label, left, left == 1 ? "it is:" : "they are:");
	fflush(cmd->out.f);
	out_plan_table(&cmd->err, a->plan, OUT_ACTIONS_ALL & ~OUT_ACTION(VW_ACTION_FIX));
}

/* Images to be created must be where libvirt will look for them. */
static int check_define(const struct new_run *r, const struct cmd_audit *a, struct vw_err *err)
{
	size_t i;

	if (a->facts->facts.new_here != VW_YES)
		return vw_err_set(err, -EEXIST, "%s: libvirt has a domain of that name already",
				  r->d.name);
	for (i = 0; i < r->d.n_disks; i++)
		if (r->d.disks[i].size_gib && !a->facts->local)
			return vw_err_set(
				err, -ENOTSUP,
				"%s: can't be created on another host; create it there, leave size= away",
				r->d.disks[i].path);
	return 0;
}

static int define(struct new_run *r, const struct cmd_audit *a, char *ret_uuid, struct vw_err *err)
{
	VW_AUTODOMAIN virDomainPtr dom = NULL;
	VW_AUTOFREE char *stored = NULL;
	VW_AUTOFREE char *rules = vw_plan_rules(a->plan);
	int rc = check_define(r, a, err);

	if (rc == 0)
		rc = new_create_images(&r->d, err);
	if (rc < 0)
		return rc;
	dom = virDomainDefineXMLFlags(r->cmd->conn, text_of(a), VIR_DOMAIN_DEFINE_VALIDATE);
	if (!dom || virDomainGetUUIDString(dom, ret_uuid) < 0) {
		rc = vw_apply_error(err, -EIO, r->d.name, r->d.name);
		if (!dom && rc != -ETIME) /* it may be defined yet, with these disks */
			new_remove_images(&r->d);
		return rc;
	}
	rc = vw_domain_xml(dom, &stored, err);
	if (rc == 0)
		rc = vw_apply_keep(r->cmd->ctx, ret_uuid, r->d.name, stored, VW_CAUSE_CLIENT, rules,
				   err);
	return rc < 0 ? vw_err_wrap(err, rc, "%s: defined, but not in the history", r->d.name) : 0;
}

static void report_defined(const struct new_run *r)
{
	const struct cmd *cmd = r->cmd;
	VW_AUTOFREE char *name = out_shell_quote(r->d.name);
	size_t i;

	if (cmd->json || cmd->quiet)
		return;
	out_print(&cmd->out, OUT_GOOD, "%s: defined.", r->d.name);
	out_print(&cmd->out, OUT_PLAIN, "  Next: ");
	out_print(&cmd->out, OUT_BOLD, "virsh start %s\n", name ? name : "");
	for (i = 0; i < r->d.n_disks; i++)
		if (!r->d.disks[i].exists && !r->d.disks[i].size_gib)
			cmd_note(cmd,
				 "%s: is not there yet; with size=GiB it would have been created",
				 r->d.disks[i].path);
}

static int make(struct new_run *r)
{
	struct cmd_audit_options opt = { .os = r->d.os, .enforce = true, .fresh = true };
	CMD_AUTOAUDIT struct cmd_audit *a = NULL;
	char uuid[VIR_UUID_STRING_BUFLEN] = "";
	struct vw_err err = { 0 };
	struct utsname host;
	char *text = NULL;
	int rc = cmd_context(r->cmd, &err);

	if (rc == 0)
		rc = connect_if_there(r, &err);
	if (rc == 0)
		rc = new_defaults(r, &host, &err);
	if (rc == 0) {
		text = new_generic_xml(&r->d);
		rc = text ? cmd_audit_text(r->cmd, text, r->d.name, &opt, &a, &err)
			  : vw_err_set(&err, -ENOMEM, "out of memory");
	}
	if (rc == 0 && r->define)
		rc = define(r, a, uuid, &err);
	if (rc < 0)
		return cmd_fail(r->cmd, &err);
	note_left(r->cmd, a);
	if (r->define)
		report_defined(r);
	return print_result(r->cmd, a, r->define ? uuid : NULL);
}

static bool is_good_name(const char *name)
{
	return *name && !strchr(name, '/') && vw_text_is_clean(name);
}

enum {
	OPT_OS = CMD_OPT_OWN,
	OPT_NAME,
	OPT_MEMORY,
	OPT_VCPUS,
	OPT_DISK,
	OPT_NETWORK,
	OPT_CDROM,
	OPT_DEFINE,
	OPT_ARCH,
	OPT_VIRTTYPE,
	OPT_GRAPHICS,
};

static int word(const char *option, const char *text, const char *const *words, const char **ret,
		struct vw_err *err)
{
	for (; *words; words++)
		if (vw_streq(text, *words)) {
			*ret = text;
			return 0;
		}
	return vw_err_set(err, CMD_E_USAGE, "%s does not know '%s'", option, text);
}

static int take_option(struct new_run *r, int c, struct vw_err *err)
{
	static const char *const virttypes[] = { "kvm", "qemu", NULL };
	static const char *const graphics[] = { "none", "vnc", "spice", NULL };
	struct new_domain *d = &r->d;

	switch (c) {
	case OPT_OS: d->os = optarg; return 0;
	case OPT_NAME: d->name = optarg; return 0;
	case OPT_MEMORY:
		return cmd_number("--memory (MiB)", optarg, 1, 1ul << 30, &d->memory_mib, err);
	case OPT_VCPUS: return cmd_number("--vcpus", optarg, 1, 4096, &d->vcpus, err);
	case OPT_DISK: return new_add_disk(d, optarg, err);
	case OPT_NETWORK: return new_add_nic(d, optarg, err);
	case OPT_CDROM: return new_set_cdrom(d, optarg, err);
	case OPT_ARCH: d->arch = optarg; return 0;
	case OPT_VIRTTYPE: return word("--virttype", optarg, virttypes, &d->virttype, err);
	case OPT_GRAPHICS: return word("--graphics", optarg, graphics, &d->graphics, err);
	default: r->define = true; return 0;
	}
}

static int run_new(struct cmd *cmd, int argc, char **argv)
{
	static const struct option longs[] = {
		CMD_LONG,
		{ "os", required_argument, NULL, OPT_OS },
		{ "name", required_argument, NULL, OPT_NAME },
		{ "memory", required_argument, NULL, OPT_MEMORY },
		{ "vcpus", required_argument, NULL, OPT_VCPUS },
		{ "disk", required_argument, NULL, OPT_DISK },
		{ "network", required_argument, NULL, OPT_NETWORK },
		{ "cdrom", required_argument, NULL, OPT_CDROM },
		{ "define", no_argument, NULL, OPT_DEFINE },
		{ "arch", required_argument, NULL, OPT_ARCH },
		{ "virttype", required_argument, NULL, OPT_VIRTTYPE },
		{ "graphics", required_argument, NULL, OPT_GRAPHICS },
		CMD_LONG_END,
	};
	VW_CLEANUP(new_run_clear) struct new_run r = { .cmd = cmd };
	struct vw_err err = { 0 };
	int c;

	while ((c = cmd_getopt(cmd, argc, argv, longs)) != -1) {
		if (c == CMD_STOP)
			return cmd->status;
		if (take_option(&r, c, &err) < 0)
			return cmd_fail(cmd, &err);
	}
	if (optind < argc)
		return cmd_usage(cmd, "new takes no argument '%s'", argv[optind]);
	if (!r.d.os || !r.d.name)
		return cmd_usage(cmd, "--os and --name are needed");
	if (!is_good_name(r.d.name))
		return cmd_usage(
			cmd, "a name is not empty, is UTF-8, and has no '/' or control characters");
	return make(&r);
}

const struct command cmd_new = {
	.name = "new",
	.summary = "a whole domain XML from the templates",
	.usage =
		"virt-warden new --os ID --name N --disk PATH[,size=GiB][,format=F][,bus=B]…\n"
		"                       --network NAME|bridge=BR|user… [OPTION]…\n"
		"\n"
		"Prints the XML of a new domain with the devices that suit the OS. Needs no\n"
		"libvirt for that; if one is there, what its emulator offers is respected.\n"
		"\n"
		"Options:\n"
		"      --os ID         the guest OS, as `virt-warden os list` names it\n"
		"      --name N        the domain's name\n"
		"      --memory MiB    else what osinfo-db recommends for the OS\n"
		"      --vcpus N       likewise\n"
		"      --disk PATH     with ,size=GiB (created by --define, never overwritten),\n"
		"                      ,format=raw|qcow2|…, ,bus=virtio|scsi|sata|ide|usb; repeatable\n"
		"      --network NAME  a libvirt network, bridge=BR or user; ,mac=MAC; repeatable\n"
		"      --cdrom ISO     install medium\n"
		"      --define        define it instead of printing it\n"
		"      --arch ARCH     else this host's\n"
		"      --virttype T    kvm or qemu, else kvm where it works\n"
		"      --graphics G    none, vnc (the default) or spice\n",
	.run = run_new,
};
