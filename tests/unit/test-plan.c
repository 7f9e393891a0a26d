/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine: which rules fire on which evidence, what goes along with a change, idempotence. */
#include "lib/engine/caps.h"
#include "lib/engine/metadata.h"
#include "lib/engine/plan.h"
#include "lib/engine/template.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

/* A hand-made XML as people write it: everything generic. */
#define GENERIC(extra)                                                                              \
	"<domain type='kvm'>\n  <name>web1</name>\n  <memory unit='MiB'>1024</memory>\n"            \
	"  <vcpu>2</vcpu>\n  <os>\n    <type arch='x86_64'>hvm</type>\n  </os>\n  <devices>\n"      \
	"    <disk type='file' device='disk'>\n      <driver name='qemu' type='qcow2'/>\n"          \
	"      <source file='/images/web1.qcow2'/>\n      <target dev='hda' bus='ide'/>\n"          \
	"      <address type='drive' controller='0' bus='0' target='0' unit='0'/>\n"                \
	"    </disk>\n    <disk type='file' device='cdrom'>\n      <target dev='hdc' bus='ide'/>\n" \
	"    </disk>\n    <controller type='ide' index='0'/>\n    <interface type='network'>\n"     \
	"      <source network='default'/>\n      <model type='rtl8139'/>\n    </interface>\n"      \
	"    <graphics type='vnc'/>\n" extra "  </devices>\n</domain>\n"

static char *linux_features[] = {
	(char *)"firmware-bios",   (char *)"qemu-x86-q35",   (char *)"qemu-xhci",
	(char *)"tablet",          (char *)"virtio-console", (char *)"virtio-rng",
	(char *)"virtio1.0-block", (char *)"virtio1.0-gpu",  (char *)"virtio1.0-net",
};
/* RHEL 6: osinfo-db lists q35, and virtio drivers from before virtio 1.0 */
static char *rhel6_features[] = {
	(char *)"qemu-x86-q35",
	(char *)"virtio-block",
	(char *)"virtio-console",
	(char *)"virtio-net",
};
static char *haiku_features[] = { (char *)"ne2k_pci", (char *)"tablet", (char *)"virtio1.0-block" };
static char *win11_features[] = {
	(char *)"e1000e",
	(char *)"firmware-efi",
	(char *)"qemu-x86-q35",
	(char *)"qemu-xhci",
};

static struct vw_os os_of(const char *short_id, const char *family, const char *date, char **f,
			  size_t n)
{
	return (struct vw_os){
		.id = (char *)"http://example.org/os/1",
		.short_id = (char *)short_id,
		.name = (char *)short_id,
		.family = (char *)family,
		.distro = (char *)"",
		.version = (char *)"",
		.release_date = (char *)date,
		.features = f,
		.n_features = n,
	};
}

struct fixture {
	struct vw_templates *templates;
	struct vw_policy policy;
	struct vw_facts facts;
	struct vw_os linux_os, win11, freebsd, winxp;
};

static int setup(void **state)
{
	static struct fixture f;
	const char *dirs[] = { VW_SRCDIR "/xml-templates", NULL };
	struct vw_err err = { 0 };

	f = (struct fixture){ 0 };
	if (vw_templates_load(dirs, &f.templates, &err) < 0)
		fail_msg("%s", err.text);
	vw_policy_defaults(&f.policy);
	f.linux_os = os_of("debian11", "linux", "2021-08-14", linux_features,
			   VW_N_ELEMENTS(linux_features));
	f.win11 = os_of("win11", "winnt", "2021-10-05", win11_features,
			VW_N_ELEMENTS(win11_features));
	f.winxp = os_of("winxp", "winnt", "2001-10-25", NULL, 0);
	f.freebsd = os_of("freebsd12.0", "freebsd", "2018-12-11", NULL, 0);
	f.facts.new_here = VW_YES;
	f.facts.active = VW_NO;
	f.facts.has_run = VW_NO;
	f.facts.os = &f.linux_os;
	f.facts.os_source = VW_OS_METADATA;
	assert_int_equal(vw_facts_add_network(&f.facts, "default", VW_NO), 0);
	assert_int_equal(vw_facts_add_network(&f.facts, "n", VW_NO), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vw_facts_clear(&f->facts);
	vw_templates_free(f->templates);
	return 0;
}

static void disk(struct fixture *f, const char *target, enum vw_known blank)
{
	struct vw_disk_facts *d = vw_facts_add_disk(&f->facts, target);

	assert_non_null(d);
	d->exists = VW_YES;
	d->block = VW_NO;
	d->blank = blank;
	d->odirect = VW_YES;
	d->allocated = VW_NO;
	d->discard = VW_YES;
}

static struct vw_plan *plan(struct fixture *f, const char *xml, unsigned allow)
{
	struct vw_plan *p = NULL;
	struct vw_xml *doc = NULL;
	struct vw_err err = { 0 };
	struct vw_request req = {
		.facts = &f->facts, .templates = f->templates, .policy = &f->policy, .allow = allow
	};

	if (vw_xml_parse(xml, strlen(xml), "t.xml", "domain", &doc, &err) < 0)
		fail_msg("%s", err.text);
	req.doc = doc;
	assert_int_equal(vw_plan_make(&req, &p, &err), 0);
	vw_xml_free(doc);
	return p;
}

static const struct vw_finding *finding(const struct vw_plan *p, const char *rule,
					const char *device)
{
	for (size_t i = 0; i < p->n_findings; i++)
		if (!strcmp(p->findings[i].rule, rule) &&
		    (!device || !strcmp(p->findings[i].device, device)))
			return &p->findings[i];
	return NULL;
}

static void assert_fix(const struct vw_plan *p, const char *rule, const char *device,
		       const char *after)
{
	const struct vw_finding *f = finding(p, rule, device);

	if (!f)
		fail_msg("no finding of %s %s", rule, device ? device : "");
	if (f->action != VW_ACTION_FIX)
		fail_msg("%s: %s: %s", rule, vw_action_name(f->action), f->message);
	if (after)
		assert_string_equal(f->after, after);
}

static void assert_skip(const struct vw_plan *p, const char *rule, const char *words)
{
	const struct vw_finding *f = finding(p, rule, NULL);

	if (!f)
		fail_msg("no finding of %s", rule);
	assert_int_equal(f->action, VW_ACTION_SKIP);
	if (!strstr(f->message, words))
		fail_msg("%s: '%s' lacks '%s'", rule, f->message, words);
}

static void assert_has(const struct vw_plan *p, const char *text)
{
	assert_non_null(p->xml);
	if (!strstr(p->xml, text))
		fail_msg("no %s in\n%s", text, p->xml);
}

static void assert_lacks(const struct vw_plan *p, const char *text)
{
	if (p->xml && strstr(p->xml, text))
		fail_msg("%s in\n%s", text, p->xml);
}

/* fix(fix(x)) = fix(x), with the facts of the renamed disks. */
static void assert_idempotent(struct fixture *f, const struct vw_plan *p, unsigned allow)
{
	struct fixture again = *f;
	struct vw_plan *q;

	again.facts.disks = NULL;
	again.facts.by_target = NULL;
	again.facts.networks = NULL;
	again.facts.n_networks = 0;
	for (size_t i = 0; i < f->facts.n_networks; i++)
		assert_int_equal(vw_facts_add_network(&again.facts, f->facts.networks[i].name,
						      f->facts.networks[i].hostdev),
				 0);
	again.facts.n_disks = 0;
	for (size_t i = 0; i < f->facts.n_disks; i++) {
		struct vw_disk_facts *d;
		char name[16];

		snprintf(name, sizeof(name), "vd%s", f->facts.disks[i].target + 2);
		d = vw_facts_add_disk(&again.facts,
				      strstr(p->xml, name) ? name : f->facts.disks[i].target);
		d->exists = f->facts.disks[i].exists;
		d->block = f->facts.disks[i].block;
		d->blank = f->facts.disks[i].blank;
		d->odirect = f->facts.disks[i].odirect;
		d->allocated = f->facts.disks[i].allocated;
		d->discard = f->facts.disks[i].discard;
	}
	q = plan(&again, p->xml, allow);
	if (q->xml)
		assert_string_equal(q->xml, p->xml);
	assert_int_equal(vw_plan_count(q, VW_ACTION_FIX), 0);
	vw_plan_free(q);
	vw_facts_clear(&again.facts);
}

static void test_plan_linux_blank(void **state)
{
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, "hda", VW_YES);
	p = plan(f, GENERIC(""), 0);
	assert_string_equal(p->template_id, "linux-modern");
	assert_fix(p, "os-metadata", "domain", NULL);
	assert_fix(p, "machine", "domain", "q35");
	assert_fix(p, "disk-bus", "hda", "virtio");
	assert_fix(p, "cdrom-bus", "hdc", "sata");
	assert_fix(p, "disk-cache", "vda", "none");
	assert_fix(p, "disk-discard", "vda", "unmap");
	assert_fix(p, "disk-iothread", "domain", "1");
	assert_fix(p, "nic-model", "nic0", "virtio");
	assert_fix(p, "nic-queues", "nic0", "2");
	assert_fix(p, "cpu-mode", "domain", "host-model");
	assert_fix(p, "clock", "domain", NULL);
	assert_fix(p, "usb", "domain", "qemu-xhci");
	assert_fix(p, "tablet", "domain", NULL);
	assert_fix(p, "video", "domain", "virtio");
	assert_fix(p, "rng", "domain", "virtio");
	assert_fix(p, "agent-channel", "domain", NULL);
	assert_fix(p, "balloon", "domain", "10");
	assert_fix(p, "panic-device", "domain", "isa");
	assert_fix(p, "acpi", "domain", NULL);
	assert_fix(p, "pm", "domain", NULL);
	assert_fix(p, "pcie-ports", "domain", NULL);
	assert_null(finding(p, "hyperv", NULL));
	assert_null(finding(p, "tpm", NULL));
	assert_null(finding(p, "firmware", NULL));
	assert_has(p, "<target dev='vda' bus='virtio'/>");
	assert_has(p, "<target dev='sdc' bus='sata'/>");
	assert_has(p, "<on_crash>restart</on_crash>");
	assert_lacks(p, "controller type='ide'");
	assert_lacks(p, "type='drive'");
	assert_idempotent(f, p, 0);
	vw_plan_free(p);
}

static void test_plan_linux_installed(void **state)
{
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, "hda", VW_NO);
	p = plan(f, GENERIC(""), 0);
	assert_skip(p, "disk-bus", "virt-warden fix web1 --allow boot");
	assert_skip(p, "disk-bus", "a disk holds data");
	assert_skip(p, "machine", "--allow boot");
	assert_skip(p, "nic-model", "--allow visible");
	assert_skip(p, "rng", "not every device in the XML has a fixed PCI address");
	assert_null(finding(p, "panic-device", NULL));
	assert_null(finding(p, "pcie-ports", NULL));
	assert_fix(p, "disk-cache", "hda", "none");
	assert_fix(p, "disk-discard", "hda", "unmap");
	assert_has(p, "<target dev='hda' bus='ide'/>");
	assert_has(p, "type='drive'");
	assert_lacks(p, "q35");
	assert_lacks(p, "<rng");
	assert_idempotent(f, p, 0);
	vw_plan_free(p);
	p = plan(f, GENERIC(""), 1u << VW_CLASS_BOOT);
	assert_fix(p, "disk-bus", "hda", "virtio");
	assert_int_equal(finding(p, "disk-bus", "hda")->evidence, VW_EV_PROVEN);
	assert_idempotent(f, p, 1u << VW_CLASS_BOOT);
	vw_plan_free(p);
}

static void test_plan_unknown_disk(void **state)
{
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, "hda", VW_UNKNOWN);
	p = plan(f, GENERIC(""), 0);
	assert_skip(p, "disk-bus", "could not be looked at");
	vw_plan_free(p);
	/* install media say nothing about what a disk holds that can't be read */
	p = plan(
		f,
		GENERIC("    <disk type='file' device='cdrom'><source file='/i.iso'/><target dev='hdd' bus='ide'/></disk>\n"),
		0);
	assert_skip(p, "disk-bus", "could not be looked at");
	vw_plan_free(p);
}

static void test_plan_not_new(void **state)
{
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, "hda", VW_YES);
	f->facts.new_here = VW_NO;
	p = plan(f, GENERIC(""), 0);
	assert_skip(p, "disk-bus", "not new here");
	assert_fix(p, "nic-model", "nic0", "virtio");
	vw_plan_free(p);
	f->facts.active = VW_YES;
	p = plan(f, GENERIC(""), 0);
	assert_skip(p, "nic-model", "it is running");
	assert_fix(p, "disk-cache", "hda", "none");
	f->facts.active_xml =
		"<domain type='kvm'><os><type arch='x86_64'>hvm</type></os><devices><interface type='network'><model type='virtio'/></interface></devices></domain>";
	vw_plan_free(p);
	p = plan(f, GENERIC(""), 0);
	assert_fix(p, "nic-model", "nic0", "virtio");
	vw_plan_free(p);
	f->facts.active = VW_NO;
	f->facts.active_xml = NULL;
	f->facts.managed_save = VW_YES;
	p = plan(f, GENERIC(""), 0);
	assert_skip(p, "nic-model", "managed save");
	vw_plan_free(p);
}

static void test_plan_hold(void **state)
{
	struct fixture *f = *state;
	struct vw_plan *p = NULL;
	struct vw_xml *doc = NULL;
	struct vw_request req = { .facts = &f->facts,
				  .templates = f->templates,
				  .policy = &f->policy,
				  .hold = ~(1u << VW_CLASS_HOST),
				  .hold_why = "it is early" };

	disk(f, "hda", VW_YES);
	assert_int_equal(vw_xml_parse(GENERIC(""), strlen(GENERIC("")), "t", "domain", &doc, NULL),
			 0);
	req.doc = doc;
	assert_int_equal(vw_plan_make(&req, &p, NULL), 0);
	assert_fix(p, "disk-cache", "hda", "none");
	assert_skip(p, "disk-bus", "not yet, because it is early");
	assert_skip(p, "rng", "not yet");
	assert_has(p, "<target dev='hda' bus='ide'/>");
	vw_plan_free(p);
	vw_xml_free(doc);
}

static void test_plan_unknown_os(void **state)
{
	struct fixture *f = *state;
	struct vw_plan *p;

	f->facts.os = NULL;
	disk(f, "hda", VW_YES);
	p = plan(f, GENERIC(""), 0);
	assert_string_equal(p->template_id, "unknown");
	assert_skip(p, "os-metadata", "virt-warden os set web1 ID");
	assert_fix(p, "disk-cache", "hda", "none");
	assert_null(finding(p, "disk-bus", NULL));
	assert_null(finding(p, "nic-model", NULL));
	assert_null(finding(p, "rng", NULL));
	assert_idempotent(f, p, 0);
	vw_plan_free(p);
}

static void test_plan_windows11(void **state)
{
	static const char caps_xml[] =
		"<domainCapabilities><machine>pc-q35-7.2</machine><os supported='yes'><enum name='firmware'><value>efi</value></enum></os>"
		"<devices><tpm supported='yes'><enum name='model'><value>tpm-tis</value><value>tpm-crb</value></enum><enum name='backendModel'><value>emulator</value></enum></tpm></devices>"
		"<features><hyperv supported='yes'><enum name='features'><value>relaxed</value><value>vpindex</value><value>synic</value><value>stimer</value></enum></hyperv></features></domainCapabilities>";
	struct fixture *f = *state;
	struct vw_caps *caps = NULL;
	const struct vw_caps *list[1];
	struct vw_plan *p;

	assert_int_equal(vw_caps_parse(caps_xml, strlen(caps_xml), &caps, NULL), 0);
	list[0] = caps;
	f->facts.caps = list;
	f->facts.n_caps = 1;
	f->facts.os = &f->win11;
	disk(f, "hda", VW_YES);
	p = plan(f, GENERIC(""), 0);
	assert_string_equal(p->template_id, "windows-11");
	assert_fix(p, "firmware", "domain", "efi");
	assert_fix(p, "tpm", "domain", "tpm-crb");
	assert_fix(p, "disk-bus", "hda", "sata");
	assert_fix(p, "nic-model", "nic0", "e1000e");
	assert_fix(p, "clock", "domain", "localtime + rtc pit hpet hypervclock");
	assert_fix(p, "hyperv", "domain", "relaxed vpindex synic stimer");
	assert_has(p, "<direct state='on'/>");
	assert_lacks(p, "vapic");
	assert_null(finding(p, "rng", NULL));
	assert_idempotent(f, p, 0);
	vw_plan_free(p);
	f->facts.virtio_drivers = VW_YES;
	p = plan(f, GENERIC(""), 0);
	assert_string_equal(p->template_id, "windows-11-virtio");
	assert_fix(p, "disk-bus", "hda", "virtio");
	vw_plan_free(p);
	/* an installed disk boots with the firmware that it was installed with, whatever is allowed */
	f->facts.disks[0].blank = VW_NO;
	p = plan(f, GENERIC(""), 1u << VW_CLASS_BOOT);
	assert_skip(p, "firmware", "what is installed boots with the firmware");
	assert_fix(p, "machine", "domain", "q35");
	assert_lacks(p, "efi");
	assert_idempotent(f, p, 1u << VW_CLASS_BOOT);
	vw_plan_free(p);
	vw_caps_free(caps);
}

/* Of an architecture other than x86_64 the host's capabilities must say that it has an EFI. */
static void test_plan_windows11_other_arch(void **state)
{
#define CAPS(arch, firmware)                                                          \
	"<domainCapabilities><machine>pc-q35-7.2</machine>" arch                      \
	"<os supported='yes'><enum name='firmware'>" firmware "</enum></os><devices>" \
	"<tpm supported='yes'><enum name='model'><value>tpm-crb</value></enum><enum " \
	"name='backendModel'><value>emulator</value></enum></tpm></devices></domainCapabilities>"
	static const struct {
		const char *caps;
		bool done;
	} cases[] = {
		{ NULL, false },
		{ CAPS("<arch>x86_64</arch>", "<value>efi</value>"), false },
		{ CAPS("", "<value>efi</value>"), false },
		{ CAPS("<arch>i686</arch>", ""), false },
		{ CAPS("<arch>i686</arch>", "<value>efi</value>"), true },
	};
	struct fixture *f = *state;

	f->facts.os = &f->win11;
	disk(f, "hda", VW_YES);
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		VW_AUTOFREE char *xml = strdup(GENERIC(""));
		struct vw_caps *caps = NULL;
		const struct vw_caps *list[1];
		struct vw_plan *p;

		memcpy(strstr(xml, "'x86_64'"), "'i686'  ", 8);
		if (cases[i].caps)
			assert_int_equal(
				vw_caps_parse(cases[i].caps, strlen(cases[i].caps), &caps, NULL),
				0);
		list[0] = caps;
		f->facts.caps = list;
		f->facts.n_caps = caps != NULL;
		p = plan(f, xml, 0);
		if (cases[i].done) {
			assert_fix(p, "firmware", "domain", "efi");
			assert_fix(p, "tpm", "domain", "tpm-crb");
		} else {
			assert_skip(p, "firmware", "architecture is not known");
			assert_skip(p, "tpm", "architecture is not known");
			assert_lacks(p, "firmware='efi'");
			assert_lacks(p, "<tpm");
		}
		vw_plan_free(p);
		vw_caps_free(caps);
	}
	f->facts.n_caps = 0;
}

static void test_plan_old_and_bsd(void **state)
{
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, "hda", VW_YES);
	f->facts.os = &f->winxp;
	p = plan(f, GENERIC(""), 0);
	assert_string_equal(p->template_id, "windows-old");
	assert_null(finding(p, "machine", NULL));
	assert_null(finding(p, "disk-bus", NULL));
	assert_null(finding(p, "nic-model", NULL));
	assert_fix(p, "clock", "domain", NULL);
	assert_idempotent(f, p, 0);
	vw_plan_free(p);
	f->facts.os = &f->freebsd;
	p = plan(f, GENERIC(""), 0);
	assert_string_equal(p->template_id, "bsd");
	assert_fix(p, "nic-model", "nic0", "e1000");
	assert_idempotent(f, p, 0);
	vw_plan_free(p);
}

static void test_plan_virtio_before_1_0(void **state)
{
	struct fixture *f = *state;
	struct vw_os os = os_of("rhel6.5", "linux", "2013-11-21", rhel6_features,
				VW_N_ELEMENTS(rhel6_features));
	static const char on_q35[] =
		"<domain type='kvm'><name>r</name><os><type arch='x86_64' machine='q35'>hvm</type></os><devices>"
		"<disk type='file'><source file='/x'/><target dev='hda' bus='ide'/></disk>"
		"<interface type='network'><source network='default'/></interface></devices></domain>";
	struct vw_plan *p;

	disk(f, "hda", VW_YES);
	f->facts.os = &os;
	p = plan(f, GENERIC(""), 0);
	assert_string_equal(p->template_id, "linux-virtio-0.9");
	assert_null(finding(p, "machine", NULL));
	assert_fix(p, "disk-bus", "hda", "virtio");
	assert_fix(p, "nic-model", "nic0", "virtio");
	assert_idempotent(f, p, 0);
	vw_plan_free(p);
	/* behind a PCI Express port its drivers find no virtio device */
	p = plan(f, on_q35, 0);
	assert_fix(p, "disk-bus", "hda", "sata");
	assert_fix(p, "nic-model", "nic0", "e1000e");
	assert_idempotent(f, p, 0);
	vw_plan_free(p);
}

/* A block device that takes discard gets it whatever it holds; an allocated image file does not. */
static void test_plan_discard(void **state)
{
	static const char xml[] =
		"<domain type='kvm'><name>d</name><os><type arch='x86_64'>hvm</type></os><devices>"
		"<disk type='block'><driver name='qemu' type='raw'/><source dev='/dev/sdx'/><target dev='vda'/></disk>"
		"<disk type='file'><driver name='qemu' type='raw'/><source file='/x'/><target dev='vdb'/></disk>"
		"</devices></domain>";
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, "vda", VW_NO);
	disk(f, "vdb", VW_NO);
	f->facts.disks[0].block = VW_YES;
	f->facts.disks[0].allocated = VW_UNKNOWN;
	f->facts.disks[1].allocated = VW_YES;
	p = plan(f, xml, 0);
	assert_fix(p, "disk-discard", "vda", "unmap");
	assert_null(finding(p, "disk-discard", "vdb"));
	assert_fix(p, "disk-io", "vda", "native");
	assert_fix(p, "disk-io", "vdb", "native");
	assert_idempotent(f, p, 0);
	vw_plan_free(p);
}

/* Devices keep their ports on the new controller; a tree of hubs is the admin's. */
/* A LUN by a name that does not last: said, never changed. */
static void test_plan_lun_name(void **state)
{
	static const char domain[] =
		"<domain type='kvm'><name>t</name><os><type arch='x86_64'>hvm</type></os><devices>"
		"<disk type='block' device='disk'><driver name='qemu' type='raw' cache='none'/>"
		"<source dev='/dev/sdb'/><target dev='vda' bus='virtio'/></disk></devices></domain>";
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, "vda", VW_NO);
	f->facts.disks[0].block = VW_YES;
	p = plan(f, domain, 0);
	assert_null(strstr(finding(p, "disk-io", "vda")->after, "/dev/"));
	vw_plan_free(p);

	strcpy(f->facts.disks[0].better, "/dev/disk/by-id/wwn-0x5000c500a1b2c3d4");
	p = plan(f, domain, 0);
	assert_skip(p, "disk-io", "another device's");
	assert_string_equal(finding(p, "disk-io", "vda")->before, "/dev/sdb");
	assert_has(p, "<source dev='/dev/sdb'/>");
	vw_plan_free(p);

	f->facts.disks[0].one_path = VW_YES;
	strcpy(f->facts.disks[0].better, "/dev/mapper/mpatha");
	p = plan(f, domain, 0);
	assert_skip(p, "disk-io", "one path of a multipath device");
	vw_plan_free(p);

	/* by that name there is nothing to say */
	strcpy(f->facts.disks[0].better, "/dev/sdb");
	p = plan(f, domain, 0);
	assert_string_equal(finding(p, "disk-io", "vda")->after, "native");
	vw_plan_free(p);
}

static void test_plan_usb_ports(void **state)
{
#define WITH_USB(more)                                                                         \
	"<domain type='kvm'><name>u</name><os><type arch='x86_64'>hvm</type></os><devices>"    \
	"<disk type='file'><source file='/x'/><target dev='hda' bus='ide'/></disk>"            \
	"<controller type='usb' index='0' model='piix3-uhci'/><input type='tablet' bus='usb'>" \
	"<address type='usb' bus='0' port='1'/></input>" more "</devices></domain>"
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, "hda", VW_YES);
	p = plan(f, WITH_USB(""), 0);
	assert_fix(p, "usb", "domain", "qemu-xhci");
	assert_has(p, "<address type='usb' bus='0' port='1'/>");
	assert_idempotent(f, p, 0);
	vw_plan_free(p);
	p = plan(f, WITH_USB("<hub type='usb'><address type='usb' bus='0' port='2'/></hub>"), 0);
	assert_null(finding(p, "usb", NULL));
	vw_plan_free(p);
	p = plan(
		f,
		WITH_USB(
			"<input type='mouse' bus='usb'><address type='usb' bus='1' port='1'/></input>"),
		0);
	assert_null(finding(p, "usb", NULL));
	vw_plan_free(p);
}

/* An installed guest gets a tablet where libvirt surely finds a USB port for it. */
static void test_plan_tablet_port(void **state)
{
#define WITH_CONTROLLER(usb, more)                                                               \
	"<domain type='kvm'><name>u</name><os><type arch='x86_64' machine='pc'>hvm</type></os>"  \
	"<devices><disk type='file'><source file='/x'/><target dev='hda' bus='ide'/></disk>" usb \
	"<graphics type='vnc'/>" more "</devices></domain>"
#define UHCI "<controller type='usb' index='0' model='piix3-uhci'/>"
#define CCID(port) \
	"<controller type='ccid'><address type='usb' bus='0' port='" port "'/></controller>"
#define EHCI(model) "<controller type='usb' index='0' model='" model "'/>"
	static const struct {
		const char *xml;
		bool fits;
	} cases[] = {
		{ WITH_CONTROLLER("", ""), true },
		{ WITH_CONTROLLER(UHCI, ""), true },
		{ WITH_CONTROLLER(UHCI, CCID("1")), true },
		{ WITH_CONTROLLER(UHCI, CCID("1") CCID("2")), false },
		{ WITH_CONTROLLER(UHCI, "<hub type='usb'/><sound model='usb'/>"), false },
		{ WITH_CONTROLLER(UHCI, "<serial type='pty'><target type='usb-serial'/></serial>"
					"<redirdev bus='usb' type='spicevmc'/>"),
		  false },
		{ WITH_CONTROLLER(EHCI("ich9-ehci1") EHCI("ich9-uhci1"), CCID("1") CCID("2")),
		  true },
		{ WITH_CONTROLLER(EHCI("ich9-uhci1"), ""), false },
		{ WITH_CONTROLLER("<controller type='usb' model='qemu-xhci' ports='1'/>", ""),
		  true },
		{ WITH_CONTROLLER("<controller type='usb' model='qemu-xhci' ports='1'/>",
				  CCID("1")),
		  false },
	};
	struct fixture *f = *state;

	disk(f, "hda", VW_NO);
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		struct vw_plan *p = plan(f, cases[i].xml, 0);

		if (cases[i].fits)
			assert_fix(p, "tablet", "domain", "tablet");
		else
			assert_skip(p, "tablet", "every USB port may be taken");
		vw_plan_free(p);
	}
}

static void test_plan_new_family(void **state)
{
	struct fixture *f = *state;
	struct vw_os os = os_of("haikur1", "haiku", "", haiku_features,
				VW_N_ELEMENTS(haiku_features));
	struct vw_plan *p;

	disk(f, "hda", VW_YES);
	f->facts.os = &os;
	p = plan(f, GENERIC(""), 0);
	assert_string_equal(p->template_id, "other");
	assert_null(finding(p, "machine", NULL));
	assert_fix(p, "disk-bus", "hda", "virtio");
	assert_fix(p, "nic-model", "nic0", "ne2k_pci");
	assert_null(finding(p, "rng", NULL));
	assert_idempotent(f, p, 0);
	vw_plan_free(p);
	os = os_of("tomorrow1", "tomorrow", "", linux_features, VW_N_ELEMENTS(linux_features));
	p = plan(f, GENERIC(""), 0);
	assert_string_equal(p->template_id, "other-virtio");
	assert_fix(p, "machine", "domain", "q35");
	assert_fix(p, "disk-bus", "hda", "virtio");
	assert_idempotent(f, p, 0);
	vw_plan_free(p);
	f->facts.os = NULL;
	p = plan(f, GENERIC(""), 0);
	assert_string_equal(p->template_id, "unknown");
	assert_null(finding(p, "nic-model", NULL));
	vw_plan_free(p);
}

/* libvirt before 9.0 says nothing of Hyper-V flags: what virt-install sets, on KVM only; what
 * KVM alone can do is never asked of TCG. */
static void test_plan_hyperv_unknown(void **state)
{
	static const char caps_xml[] =
		"<domainCapabilities><machine>pc-q35-7.2</machine><features><hyperv supported='yes'><enum name='features'>"
		"<value>relaxed</value><value>spinlocks</value><value>vpindex</value><value>stimer</value>"
		"</enum></hyperv></features></domainCapabilities>";
	static const char tcg[] =
		"<domain type='qemu'><name>t</name><os><type arch='x86_64' machine='q35'>hvm</type></os><devices>"
		"<disk type='file'><source file='/x'/><target dev='hda' bus='sata'/></disk></devices></domain>";
	const struct vw_caps *list[1];
	struct vw_caps *caps = NULL;
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, "hda", VW_YES);
	f->facts.os = &f->win11;
	p = plan(f, GENERIC(""), 0);
	assert_fix(p, "hyperv", "domain", "relaxed vapic spinlocks");
	assert_has(p, "<timer name='hypervclock' present='yes'/>");
	assert_lacks(p, "need-caps");
	assert_idempotent(f, p, 0);
	vw_plan_free(p);
	/* TCG on a host with KVM: libvirt reports KVM's flags, with which QEMU would not start */
	assert_int_equal(vw_caps_parse(caps_xml, strlen(caps_xml), &caps, NULL), 0);
	list[0] = caps;
	f->facts.caps = list;
	f->facts.n_caps = 1;
	p = plan(f, tcg, 0);
	assert_fix(p, "hyperv", "domain", "relaxed spinlocks");
	vw_plan_free(p);
	vw_caps_free(caps);
}

/* A baseline that counts as generic where somebody else wrote it: given once, then it is there. */
static void test_plan_generic_baseline(void **state)
{
	static const char *const baselines[] = { "qemu64", "kvm64", "qemu64 +ssse3" };
	struct fixture *f = *state;

	disk(f, "vda", VW_YES);
	for (size_t i = 0; i < VW_N_ELEMENTS(baselines); i++) {
		struct vw_plan *p;

		strcpy(f->policy.cpu_baseline, baselines[i]);
		p = plan(f,
			 "<domain type='kvm'><name>t</name><os><type arch='x86_64'>hvm</type></os>"
			 "<cpu mode='custom' match='exact'><model>qemu32</model></cpu><devices>"
			 "<disk type='file'><source file='/x'/><target dev='vda'/></disk></devices>"
			 "</domain>",
			 0);
		assert_non_null(finding(p, "cpu-mode", NULL));
		assert_idempotent(f, p, 0);
		vw_plan_free(p);
	}
	*f->policy.cpu_baseline = 0;
}

/* Without KVM the CPU is emulated: a plain model that current systems run on. */
static void test_plan_emulated_cpu(void **state)
{
	static const char domain[] =
		"<domain type='qemu'><name>t</name><os><type arch='x86_64'>hvm</type></os>%s<devices>"
		"<disk type='file'><source file='/x'/><target dev='vda'/></disk></devices></domain>";
	static const char caps_xml[] =
		"<domainCapabilities><arch>x86_64</arch><domain>qemu</domain>"
		"<machine>pc</machine><cpu><mode name='custom' supported='yes'>"
		"<model usable='yes'>Nehalem</model></mode></cpu></domainCapabilities>";
	struct fixture *f = *state;
	const struct vw_caps *list[1];
	struct vw_caps *caps = NULL;
	char xml[512];
	struct vw_plan *p;

	disk(f, "vda", VW_YES);
	snprintf(xml, sizeof(xml), domain, "");
	p = plan(f, xml, 0);
	assert_fix(p, "cpu-mode", "domain", "qemu64 +ssse3 +sse4.1 +sse4.2 +popcnt");
	assert_has(p, "<model fallback='forbid'>qemu64</model>");
	assert_has(p, "<feature policy='require' name='popcnt'/>");
	assert_idempotent(f, p, 0);
	vw_plan_free(p);

	/* what somebody chose stays */
	snprintf(xml, sizeof(xml), domain, "<cpu mode='host-model'/>");
	p = plan(f, xml, 0);
	assert_null(finding(p, "cpu-mode", NULL));
	vw_plan_free(p);

	/* an emulator that has no such model */
	assert_int_equal(vw_caps_parse(caps_xml, strlen(caps_xml), &caps, NULL), 0);
	list[0] = caps;
	f->facts.caps = list;
	f->facts.n_caps = 1;
	snprintf(xml, sizeof(xml), domain, "");
	p = plan(f, xml, 0);
	assert_null(finding(p, "cpu-mode", NULL));
	vw_plan_free(p);
	f->facts.n_caps = 0;
	vw_caps_free(caps);
}

static void test_plan_metadata(void **state)
{
	struct fixture *f = *state;
	struct vw_plan *p;

#define WITH_METADATA(m)                                              \
	"<domain type='kvm'><name>a b</name><metadata>" m             \
	"</metadata><os><type arch='x86_64'>hvm</type></os><devices>" \
	"<disk type='file'><source file='/x'/><target dev='hda' bus='ide'/></disk></devices></domain>"
	disk(f, "hda", VW_YES);
	p = plan(f, WITH_METADATA("<w:warden xmlns:w='urn:virt-warden:domain:1' mode='off'/>"), 0);
	assert_int_equal(p->n_findings, 0);
	vw_plan_free(p);
	p = plan(f, WITH_METADATA("<w:warden xmlns:w='urn:virt-warden:domain:1' mode='audit'/>"),
		 0);
	assert_null(p->xml);
	assert_skip(p, "disk-cache", "its mode is audit: virt-warden fix 'a b'");
	vw_plan_free(p);
	p = plan(f,
		 WITH_METADATA(
			 "<n:instance xmlns:n='http://openstack.org/xmlns/libvirt/nova/1.1'/>"),
		 0);
	assert_null(p->xml);
	assert_skip(p, "disk-bus", "OpenStack");
	vw_plan_free(p);
	p = plan(
		f,
		WITH_METADATA(
			"<w:warden xmlns:w='urn:virt-warden:domain:1'><w:skip rule='disk-bus'/></w:warden>"),
		0);
	assert_null(finding(p, "disk-bus", NULL));
	/* q35 has no IDE: the skipped disk goes along with the board, to sata */
	assert_fix(p, "machine", "domain", "q35");
	assert_has(p, "<target dev='sda' bus='sata'/>");
	vw_plan_free(p);
}

static void test_plan_commandline(void **state)
{
	static const char xml[] =
		"<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><name>c</name><os><type arch='x86_64'>hvm</type></os>"
		"<devices><disk type='file'><source file='/x'/><target dev='hda' bus='ide'/></disk></devices>"
		"<qemu:commandline><qemu:arg value='-S'/></qemu:commandline></domain>";
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, "hda", VW_YES);
	p = plan(f, xml, 1u << VW_CLASS_BOOT);
	assert_skip(p, "disk-bus", "qemu:commandline");
	assert_fix(p, "disk-cache", "hda", "none");
	assert_has(p, "<qemu:commandline><qemu:arg value='-S'/></qemu:commandline>");
	vw_plan_free(p);
}

static void test_plan_additive_installed(void **state)
{
#define PC_ADDRESS(slot) \
	"<address type='pci' domain='0x0000' bus='0x00' slot='" slot "' function='0x0'/>"
	static const char xml[] =
		"<domain type='kvm'><name>d</name><os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type></os><devices>"
		"<disk type='file'><driver name='qemu' type='raw' cache='none'/><source file='/x'/><target dev='vda' bus='virtio'/>" PC_ADDRESS(
			"0x05") "</disk>"
				"<controller type='pci' index='0' model='pci-root'/>"
				"<interface type='network'><source network='n'/><model type='virtio'/>" PC_ADDRESS(
					"0x03") "</interface>"
						"<memballoon model='virtio'>" PC_ADDRESS(
							"0x04") "</memballoon></devices></domain>";
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, "vda", VW_NO);
	f->facts.new_here = VW_NO;
	p = plan(f, xml, 0);
	assert_fix(p, "rng", "domain", "virtio");
	assert_has(p, "slot='0x06'");
	assert_fix(p, "agent-channel", "domain", NULL);
	assert_has(p, "<controller type='virtio-serial' index='0'>");
	assert_has(p, "slot='0x07'");
	assert_has(p, "<stats period='10'/>");
	assert_fix(p, "disk-iothread", "domain", "1");
	assert_idempotent(f, p, 0);
	vw_plan_free(p);
}

/* What a fix moves needs no second fix for what it adds: one plan holds all (an installed guest,
 * each device in its place, --allow boot). */
static void test_plan_additive_moved(void **state)
{
#define MOVED(before)                                                                          \
	"<domain type='kvm'><name>d</name>" before                                             \
	"<os><type arch='x86_64' machine='pc-i440fx-7.2'>hvm</type></os><devices>"             \
	"<disk type='file'><driver name='qemu' type='raw' cache='none'/><source file='/x'/>"   \
	"<target dev='hda' bus='ide'/><address type='drive' unit='0'/></disk>"                 \
	"<controller type='pci' index='0' model='pci-root'/><controller type='ide' index='0'>" \
	"<address type='pci' bus='0x00' slot='0x01' function='0x1'/></controller>"             \
	"<interface type='network'><source network='n'/><model type='virtio'/>" PC_ADDRESS(    \
		"0x03") "</interface><memballoon model='virtio'>" PC_ADDRESS("0x04") "</memballoon></devices></domain>"
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, "hda", VW_NO);
	f->facts.new_here = VW_NO;
	/* the board stays: the disk goes to virtio without an address, the others keep theirs */
	p = plan(f,
		 MOVED("<metadata><w:warden xmlns:w='urn:virt-warden:domain:1'>"
		       "<w:skip rule='machine'/></w:warden></metadata>"),
		 1u << VW_CLASS_BOOT);
	assert_fix(p, "disk-bus", "hda", "virtio");
	assert_fix(p, "rng", "domain", "virtio");
	assert_fix(p, "agent-channel", "domain", NULL);
	assert_has(p, "slot='0x05'");
	assert_has(p, "slot='0x06'");
	assert_idempotent(f, p, 1u << VW_CLASS_BOOT);
	vw_plan_free(p);
	/* another board: libvirt places everything anew */
	p = plan(f, MOVED(""), 1u << VW_CLASS_BOOT);
	assert_fix(p, "machine", "domain", "q35");
	assert_fix(p, "rng", "domain", "virtio");
	assert_fix(p, "agent-channel", "domain", NULL);
	assert_lacks(p, "type='pci' domain");
	vw_plan_free(p);
}

static void test_plan_names(void **state)
{
	static const char xml[] =
		"<domain type='kvm'><name>n</name><os><type arch='x86_64' machine='pc'>hvm</type></os><devices>"
		"<disk type='file'><source file='/1'/><target dev='hda' bus='ide'/></disk>"
		"<disk type='file'><source file='/2'/><target dev='sda' bus='sata' rotation_rate='1'/></disk>"
		"<disk type='file'><source file='/3'/><target dev='vda' bus='virtio'/></disk>"
		"<disk type='file'><source file='/4'/><target dev='sdb' bus='sata'/><wwn>5000c50015ea71aa</wwn></disk>"
		"</devices></domain>";
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, "hda", VW_YES);
	disk(f, "sda", VW_YES);
	disk(f, "vda", VW_YES);
	disk(f, "sdb", VW_YES);
	p = plan(f, xml, 0);
	assert_has(
		p,
		"<source file='/1'/><driver name='qemu' cache='none' discard='unmap' iothread='1'/><target dev='vdb' bus='virtio'/>");
	assert_has(
		p,
		"<source file='/2'/><driver name='qemu' cache='none' discard='unmap' iothread='2'/><target dev='vdc' bus='virtio'/>");
	assert_has(
		p,
		"<source file='/3'/><driver name='qemu' cache='none' discard='unmap' iothread='1'/><target dev='vda' bus='virtio'/>");
	assert_has(p, "<target dev='sdb' bus='sata'/><wwn>5000c50015ea71aa</wwn>");
	assert_null(strchr(p->xml, '\n')); /* one line stays one line */
	assert_int_equal(finding(p, "disk-bus", "sdb")->action, VW_ACTION_SKIP);
	vw_plan_free(p);
}

/* What IDE can show and SATA or virtio can't keeps the board, too. */
static void test_plan_cling_to_ide(void **state)
{
	static const char *const what[] = { "<wwn>5000c50015ea71aa</wwn>",
					    "<geometry cyls='1' heads='1' secs='1' trans='lba'/>" };
	struct fixture *f = *state;

	disk(f, "hda", VW_YES);
	for (size_t i = 0; i < VW_N_ELEMENTS(what); i++) {
		VW_AUTOFREE char *xml = NULL;
		struct vw_plan *p;

		assert_true(
			asprintf(
				&xml,
				"<domain type='kvm'><name>n</name><genid/><os><type arch='x86_64' machine='pc'>hvm</type></os>"
				"<devices><disk type='file'><source file='/1'/><target dev='hda' bus='ide'/>%s</disk></devices></domain>",
				what[i]) > 0);
		p = plan(f, xml, 1u << VW_CLASS_BOOT);
		assert_skip(p, "machine", "can't leave");
		assert_skip(p, "disk-bus", "can't have its");
		assert_has(p, "<genid/><metadata>");
		assert_has(p, "bus='ide'");
		vw_plan_free(p);
	}
	{
		/* libvirt refuses a disk without a name; we must not give it one */
		struct vw_plan *p = plan(
			f,
			"<domain type='kvm'><name>n</name><os><type arch='x86_64' machine='pc'>hvm</type></os>"
			"<devices><disk type='file'><source file='/1'/><target bus='ide'/></disk></devices></domain>",
			1u << VW_CLASS_BOOT);

		assert_has(p, "<target bus='ide'/>");
		vw_plan_free(p);
	}
}

static void test_plan_foreign_types(void **state)
{
	struct fixture *f = *state;
	struct vw_plan *p = plan(
		f,
		"<domain type='xen'><name>x</name><devices><interface type='bridge'/></devices></domain>",
		0);

	assert_int_equal(p->n_findings, 0);
	vw_plan_free(p);
	p = plan(
		f,
		"<domain type='kvm'><name>x</name><os><type arch='aarch64' machine='virt'>hvm</type></os><devices><interface type='bridge'/></devices></domain>",
		0);
	assert_null(finding(p, "nic-model", NULL));
	vw_plan_free(p);
	p = plan(f, "<domain type='kvm'><name>x</name></domain>", 0);
	assert_null(p->xml);
	vw_plan_free(p);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_plan_linux_blank),
		T(test_plan_linux_installed),
		T(test_plan_unknown_disk),
		T(test_plan_not_new),
		T(test_plan_hold),
		T(test_plan_unknown_os),
		T(test_plan_windows11),
		T(test_plan_windows11_other_arch),
		T(test_plan_old_and_bsd),
		T(test_plan_virtio_before_1_0),
		T(test_plan_discard),
		T(test_plan_lun_name),
		T(test_plan_usb_ports),
		T(test_plan_tablet_port),
		T(test_plan_new_family),
		T(test_plan_hyperv_unknown),
		T(test_plan_generic_baseline),
		T(test_plan_emulated_cpu),
		T(test_plan_metadata),
		T(test_plan_commandline),
		T(test_plan_additive_installed),
		T(test_plan_additive_moved),
		T(test_plan_names),
		T(test_plan_cling_to_ide),
		T(test_plan_foreign_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
