/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The engine on guests as people publish them: what would not start, not boot or go offline if
 * the rules treated it as any other, and what can't be judged at all. */
#include "lib/base/buf.h"
#include "lib/engine/caps.h"
#include "lib/engine/plan.h"
#include "lib/engine/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

#define ALLOW_BOOT (1u << VW_CLASS_BOOT)

static char *modern[] = {
	(char *)"firmware-bios",   (char *)"qemu-x86-q35",  (char *)"qemu-xhci",
	(char *)"virtio1.0-block", (char *)"virtio1.0-net",
};
static char *win7_features[] = { (char *)"qemu-x86-q35" };
static char *winxp_features[] = { (char *)"rtl8139" };
static char *freebsd_features[] = { (char *)"virtio-block", (char *)"virtio-net" };

#define OS(short_name, fam, date, list)                                                           \
	{                                                                                         \
		.id = (char *)"http://example.org/" short_name, .short_id = (char *)(short_name), \
		.name = (char *)(short_name), .family = (char *)(fam), .distro = (char *)"",      \
		.version = (char *)"", .release_date = (char *)(date), .features = (list),        \
		.n_features = VW_N_ELEMENTS(list),                                                \
	}
static const struct vw_os debian = OS("debian12", "linux", "2023-06-10", modern);
static const struct vw_os win10 = OS("win10", "winnt", "2015-07-29", modern);
static const struct vw_os win7 = OS("win7", "winnt", "2009-07-22", win7_features);
static const struct vw_os winxp = OS("winxp", "winnt", "2001-10-25", winxp_features);
static const struct vw_os freebsd = OS("freebsd12", "freebsd", "2018-12-11", freebsd_features);

static struct vw_templates *templates;

static int setup(void **state)
{
	const char *dirs[] = { VW_SRCDIR "/xml-templates", NULL };
	struct vw_err err = { 0 };

	(void)state;
	return vw_templates_load(dirs, &templates, &err);
}

static int teardown(void **state)
{
	(void)state;
	vw_templates_free(templates);
	return 0;
}

/* One case: its plan, with one disk "sda" that is blank or not. */
struct guest {
	const struct vw_os *os;
	const char *xml;
	enum vw_known blank;
	unsigned allow;
	enum vw_known machine_offered, drivers;
};

static struct vw_plan *plan_for(const struct guest *g)
{
	struct vw_facts facts = { .new_here = VW_YES,
				  .active = VW_NO,
				  .os = g->os,
				  .os_source = VW_OS_METADATA,
				  .machine_offered = g->machine_offered,
				  .virtio_drivers = g->drivers };
	struct vw_disk_facts *d = vw_facts_add_disk(&facts, "sda");
	struct vw_policy policy;
	struct vw_request req = {
		.facts = &facts, .templates = templates, .policy = &policy, .allow = g->allow
	};
	struct vw_plan *p = NULL;
	struct vw_err err = { 0 };

	vw_policy_defaults(&policy);
	assert_non_null(d);
	d->exists = d->odirect = VW_YES;
	d->block = d->allocated = d->discard = VW_NO;
	d->blank = g->blank;
	if (vw_xml_parse(g->xml, strlen(g->xml), "t.xml", "domain", &req.doc, &err) < 0 ||
	    vw_plan_make(&req, &p, &err) < 0)
		fail_msg("%s", err.text);
	vw_xml_free(req.doc);
	vw_facts_clear(&facts);
	return p;
}

static const struct vw_finding *finding(const struct vw_plan *p, const char *rule)
{
	for (size_t i = 0; i < p->n_findings; i++)
		if (!strcmp(p->findings[i].rule, rule))
			return &p->findings[i];
	return NULL;
}

static void expect(const struct vw_plan *p, const char *rule, enum vw_action action,
		   const char *after, const char *words)
{
	const struct vw_finding *f = finding(p, rule);

	if (!f)
		fail_msg("%s: no finding of %s", p->name, rule);
	if (f->action != action || !strstr(f->message, words))
		fail_msg("%s: %s: %s: %s", p->name, rule, vw_action_name(f->action), f->message);
	assert_string_equal(f->after, after);
}

static void expect_none(const struct vw_plan *p, const char *rule)
{
	const struct vw_finding *f = finding(p, rule);

	if (f)
		fail_msg("%s: %s: %s -> %s: %s", p->name, rule, f->before, f->after, f->message);
}

static void expect_text(const struct vw_plan *p, const char *has, const char *lacks)
{
	assert_non_null(p->xml);
	if (has && !strstr(p->xml, has))
		fail_msg("no %s in\n%s", has, p->xml);
	if (lacks && strstr(p->xml, lacks))
		fail_msg("%s in\n%s", lacks, p->xml);
}

#define DISK(bus)                                                          \
	"<disk type='file' device='disk'><driver name='qemu' type='raw'/>" \
	"<source file='/images/g.img'/><target dev='sda' bus='" bus "'/></disk>"
#define GUEST(type, machine, os, rest, devices)                                                    \
	"<domain type='" type "'><name>g</name><memory>262144</memory><vcpu>2</vcpu><os>"          \
	"<type arch='x86_64' machine='" machine "'>hvm</type>" os "</os>" rest "<devices>" devices \
	"</devices></domain>"

/* P15: a kernel from outside that looks for its root by the bus' name. */
static void test_plan_kernel_root(void **state)
{
	static const char *const named[] = {
		"root=/dev/sda1 ro",
		"ro root=/dev/vdb",
		"console=ttyS0 root=/dev/hda2",
		"root=/dev/nvme0n1p2",
		"root=UUID=0f00 resume=/dev/sda2",
		"root=sda1",
		"root=8:1",
		"root=0801",
		"root=/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part1",
		"root=/dev/disk/by-id/ata-QEMU_HARDDISK_QM00001-part1",
		"root=/dev/mapper/r cryptdevice=/dev/sda3:r",
	};
	static const char *const free_of[] = {
		"root=UUID=0f00-1", "root=/dev/mapper/vg-root ro",    "root=LABEL=root",
		"root=PARTUUID=01", "root=/dev/vg0/sda1x console=hd", "root=/dev/nfs ip=dhcp",
		"root=/dev/ram0",   "root=/dev/disk/by-uuid/0f00",    "",
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(named) + VW_N_ELEMENTS(free_of); i++) {
		bool names = i < VW_N_ELEMENTS(named);
		const char *line = names ? named[i] : free_of[i - VW_N_ELEMENTS(named)];
		struct guest g = { .os = &debian, .blank = VW_NO, .allow = ALLOW_BOOT };
		VW_AUTOFREE char *xml = NULL;
		struct vw_plan *p;

		assert_true(asprintf(&xml,
				     GUEST("kvm", "q35", "<kernel>/k</kernel><cmdline>%s</cmdline>",
					   "<features><acpi/><apic/></features>", DISK("sata")),
				     line) > 0);
		g.xml = xml;
		p = plan_for(&g);
		if (names)
			expect(p, "disk-bus", VW_ACTION_SKIP, "virtio", "write root=UUID=");
		else
			expect(p, "disk-bus", VW_ACTION_FIX, "virtio", "several times slower");
		assert_null(names ? strstr(finding(p, "disk-bus")->message, "--allow") : NULL);
		expect_text(p, names ? "dev='sda'" : "dev='vda'", NULL);
		vw_plan_free(p);
	}
}

/* Return: the clock's ticks that a plan takes for 20,000 disks and so many words of command line. */
static clock_t plan_many_disks(int words)
{
	VW_AUTOBUF struct vw_buf xml = { 0 };
	struct guest g = { .os = &debian, .blank = VW_NO, .allow = ALLOW_BOOT };
	struct vw_plan *p;
	clock_t began;

	vw_buf_puts(&xml, "<domain type='kvm'><name>g</name><os><type arch='x86_64' "
			  "machine='q35'>hvm</type><kernel>/k</kernel><cmdline>");
	for (int i = 0; i < words; i++)
		vw_buf_puts(&xml, "/dev/nbd0 ");
	vw_buf_puts(&xml, "</cmdline></os><devices>");
	for (int i = 0; i < 20000; i++)
		vw_buf_printf(&xml,
			      "<disk type='file'><source file='/d'/><target dev='sd%d' "
			      "bus='sata'/></disk>",
			      i);
	vw_buf_puts(&xml, "</devices></domain>");
	g.xml = xml.p;
	began = clock();
	p = plan_for(&g);
	began = clock() - began;
	expect(p, "disk-bus", VW_ACTION_FIX, "virtio", "several times slower");
	vw_plan_free(p);
	return began;
}

/* The command line is read once, however many disks there are: read once per disk, 60 KiB of it
 * take a hundred times as long as one word. */
static void test_plan_kernel_many_disks(void **state)
{
	clock_t word = plan_many_disks(1);

	(void)state;
	assert_true(plan_many_disks(60 * 1024 / 10) < 5 * word + CLOCKS_PER_SEC / 10);
}

/* The same kernel on pc: the change of board would take the disk off IDE. */
static void test_plan_kernel_root_board(void **state)
{
	const struct guest g = {
		.os = &debian,
		.blank = VW_YES,
		.xml = GUEST("kvm", "pc", "<kernel>/k</kernel><cmdline>root=/dev/sda1</cmdline>",
			     "", DISK("ide")),
	};
	struct vw_plan *p = plan_for(&g);

	(void)state;
	expect(p, "machine", VW_ACTION_SKIP, "q35", "command line");
	expect_text(p, "bus='ide'", NULL);
	vw_plan_free(p);
}

/* P6: libvirt refuses a vendor without a model. */
static void test_plan_cpu_vendor(void **state)
{
	const struct guest g = {
		.os = &debian,
		.blank = VW_YES,
		.xml = GUEST(
			"kvm", "q35", "",
			"<cpu match='exact'><model fallback='allow'>kvm64</model>"
			"<vendor>Intel</vendor><topology sockets='1' cores='2' threads='1'/></cpu>",
			DISK("virtio")),
	};
	struct vw_plan *p = plan_for(&g);

	(void)state;
	expect(p, "cpu-mode", VW_ACTION_FIX, "host-model", "");
	expect_text(p, "<topology sockets='1'", "<vendor");
	vw_plan_free(p);
}

/* P7: boards without PCI get what the host does for their disks, and nothing else. */
static void test_plan_boards(void **state)
{
	static const char *const boards[] = { "microvm", "isapc", "xenfv", "rhel6.4.0" };

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(boards); i++) {
		struct guest g = { .os = &debian, .blank = VW_YES, .allow = ALLOW_BOOT };
		VW_AUTOFREE char *xml = NULL;
		struct vw_plan *p;

		assert_true(asprintf(&xml, GUEST("kvm", "%s", "", "", DISK("ide")), boards[i]) > 0);
		g.xml = xml;
		p = plan_for(&g);
		assert_int_equal(p->judged, VW_JUDGED_HOST);
		assert_non_null(strstr(p->unjudged, boards[i]));
		for (size_t k = 0; k < p->n_findings; k++)
			assert_int_equal(p->findings[k].cls, VW_CLASS_HOST);
		expect(p, "disk-cache", VW_ACTION_FIX, "none", "");
		expect_text(p, "bus='ide'", "<memballoon");
		vw_plan_free(p);
	}
}

/* A machine type that this host's emulator no longer has: said, with the nearest way. */
static void test_plan_machine_gone(void **state)
{
	struct guest g = {
		.os = &debian,
		.blank = VW_YES,
		.machine_offered = VW_NO,
		.xml = GUEST("kvm", "pc-i440fx-1.4", "", "", DISK("ide")),
	};
	struct vw_plan *p = plan_for(&g);

	(void)state;
	expect(p, "machine", VW_ACTION_SKIP, "q35", "no such machine type");
	assert_int_equal(p->judged, VW_JUDGED_HOST);
	expect_none(p, "disk-bus");
	/* libvirt would refuse it with any other change, too */
	expect(p, "disk-cache", VW_ACTION_SKIP, "none", "libvirt takes no change");
	assert_null(p->xml);
	vw_plan_free(p);
	g.blank = VW_NO;
	g.allow = ALLOW_BOOT;
	p = plan_for(&g);
	expect(p, "machine", VW_ACTION_SKIP, "pc", "can't start here");
	assert_null(p->xml);
	vw_plan_free(p);
	g.xml = GUEST("kvm", "rhel6.5.0", "", "", DISK("ide"));
	p = plan_for(&g);
	assert_non_null(strstr(p->unjudged, "this host has no machine type rhel6.5.0"));
	vw_plan_free(p);
}

/* P12: what no rule knows is not called conformant. */
static void test_plan_unjudged(void **state)
{
	static const struct {
		const char *xml, *word;
		enum vw_judged judged;
	} cases[] = {
		{ "<domain type='lxc'><name>c</name><os><type>exe</type></os><devices/></domain>",
		  "lxc", VW_JUDGED_NONE },
		{ "<domain type='xen'><name>c</name><os><type>xen</type></os><devices>" DISK(
			  "xen") "</devices></domain>",
		  "xen", VW_JUDGED_NONE },
		{ "<domain type='vmware'><name>c</name><os><type>hvm</type></os></domain>",
		  "vmware", VW_JUDGED_NONE },
		{ "<domain type='kvm'><name>a</name><os><type arch='riscv64' machine='virt'>hvm"
		  "</type></os><devices>" DISK("virtio") "</devices></domain>",
		  "riscv64", VW_JUDGED_HOST },
		{ "<domain type='kvm'/>", "no <devices>", VW_JUDGED_NONE },
		{ "<domain type='kvm'><os><type>hvm</type></os></domain>", "no <devices>",
		  VW_JUDGED_NONE },
		{ "<domain type='kvm'><devices>" DISK("ide") "</devices></domain>", "no <os><type>",
		  VW_JUDGED_NONE },
		{ GUEST("kvm", "q35", "", "", DISK("virtio")), NULL, VW_JUDGED_ALL },
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		const struct guest g = { .os = &debian, .blank = VW_NO, .xml = cases[i].xml };
		struct vw_plan *p = plan_for(&g);

		assert_int_equal(p->judged, cases[i].judged);
		if (cases[i].word)
			assert_non_null(strstr(p->unjudged, cases[i].word));
		else
			assert_null(p->unjudged);
		if (cases[i].judged == VW_JUDGED_NONE)
			assert_int_equal(p->n_findings, 0);
		vw_plan_free(p);
	}
}

/* P9: a flag comes with what it needs, or not at all. */
static void test_plan_hyperv_needs(void **state)
{
	static const char caps_xml[] =
		"<domainCapabilities><machine>pc-q35-7.2</machine><features><hyperv supported='yes'>"
		"<enum name='features'><value>relaxed</value><value>vpindex</value>"
		"<value>synic</value><value>stimer</value><value>tlbflush</value><value>ipi</value>"
		"<value>runtime</value></enum></hyperv></features></domainCapabilities>";
	static const struct {
		const char *hyperv, *clock, *wanted;
	} cases[] = {
		{ "<vpindex state='off'/><relaxed state='on'/>", "", "runtime" },
		{ "<vpindex state='on'/><relaxed state='on'/>", "",
		  "runtime synic stimer tlbflush ipi" },
		{ "<vpindex state='on'/><synic state='off'/><relaxed state='on'/>", "",
		  "runtime tlbflush ipi" },
		{ "<relaxed state='on'/>", "<timer name='hypervclock' present='no'/>",
		  "vpindex runtime synic tlbflush ipi" },
	};
	struct vw_caps *caps = NULL;

	(void)state;
	assert_int_equal(vw_caps_parse(caps_xml, strlen(caps_xml), &caps, NULL), 0);
	for (size_t i = 0; i < VW_N_ELEMENTS(cases) + 2; i++) {
		bool mode = i >= VW_N_ELEMENTS(cases);
		const struct vw_caps *all[] = { caps };
		struct vw_facts facts = {
			.new_here = VW_YES, .active = VW_NO, .os = &win10, .caps = all, .n_caps = 1
		};
		struct vw_policy policy;
		struct vw_request req = { .facts = &facts,
					  .templates = templates,
					  .policy = &policy,
					  .allow = ALLOW_BOOT };
		VW_AUTOFREE char *xml = NULL;
		struct vw_plan *p = NULL;

		vw_policy_defaults(&policy);
		assert_true(
			asprintf(&xml,
				 GUEST("kvm", "q35", "",
				       "<features><acpi/><apic/><hyperv%s>%s</hyperv></features>"
				       "<clock offset='localtime'>%s</clock>",
				       DISK("sata")),
				 !mode   ? ""
				 : i & 1 ? " mode='passthrough'"
					 : " mode='host-model'",
				 mode ? "" : cases[i].hyperv, mode ? "" : cases[i].clock) > 0);
		assert_int_equal(vw_xml_parse(xml, strlen(xml), "t", "domain", &req.doc, NULL), 0);
		assert_int_equal(vw_plan_make(&req, &p, NULL), 0);
		if (mode)
			expect_none(p, "hyperv");
		else
			expect(p, "hyperv", VW_ACTION_FIX, cases[i].wanted, "");
		vw_plan_free(p);
		vw_xml_free(req.doc);
	}
	vw_caps_free(caps);
}

/* P11: NVMe is no slower than SATA, for whatever OS it was chosen. */
static void test_plan_nvme(void **state)
{
	static const struct vw_os *const all[] = { &debian, &win10, &win7, &winxp, &freebsd };

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(all); i++) {
		const struct guest g = {
			.os = all[i],
			.blank = VW_YES,
			.xml = GUEST("kvm", "q35", "", "", DISK("nvme")),
		};
		struct vw_plan *p = plan_for(&g);

		expect_none(p, "disk-bus");
		expect_text(p, "bus='nvme'", NULL);
		vw_plan_free(p);
	}
}

/* P16: a second pointer takes the first one away. */
static void test_plan_pointer(void **state)
{
	static const struct {
		const char *device;
		bool added;
	} cases[] = {
		{ "<input type='mouse' bus='virtio'/>", false },
		{ "<input type='tablet' bus='virtio'/>", false },
		{ "<input type='evdev'><source dev='/dev/input/event3'/></input>", false },
		{ "<input type='passthrough' bus='virtio'><source evdev='/dev/input/event3'/></input>",
		  false },
		{ "<shmem name='looking-glass'><model type='ivshmem-plain'/></shmem>", false },
		{ "<shmem name='scratch'><model type='ivshmem-plain'/></shmem>", true },
		{ "<input type='mouse' bus='ps2'/>", true },
		{ "<input type='keyboard' bus='virtio'/>", true },
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		struct guest g = { .os = &win10, .blank = VW_YES };
		VW_AUTOFREE char *xml = NULL;
		struct vw_plan *p;

		assert_true(asprintf(&xml,
				     GUEST("kvm", "q35", "", "",
					   DISK("sata") "<graphics type='vnc'/>%s"),
				     cases[i].device) > 0);
		g.xml = xml;
		p = plan_for(&g);
		if (cases[i].added)
			expect(p, "tablet", VW_ACTION_FIX, "tablet", "");
		else
			expect_none(p, "tablet");
		vw_plan_free(p);
	}
}

/* What Setup has no driver for: only before something is installed. */
static void test_plan_setup_drivers(void **state)
{
#define LSI "<controller type='scsi' index='0' model='lsilogic'/>"
#define SAS "<controller type='scsi' index='0' model='lsisas1068'/>"
#define XHCI "<controller type='usb' index='0' model='qemu-xhci'/>"
	static const struct {
		const struct vw_os *os;
		const char *machine, *devices, *rule, *after; /* NULL: no finding */
		enum vw_action action;
	} cases[] = {
		{ &winxp, "q35", DISK("sata"), "disk-bus", "ide", VW_ACTION_SKIP },
		{ &winxp, "pc", DISK("sata"), "disk-bus", "ide", VW_ACTION_FIX },
		{ &win7, "q35", DISK("sata"), "disk-bus", NULL, VW_ACTION_SKIP },
		{ &win10, "q35", DISK("scsi") LSI, "disk-bus", "sata", VW_ACTION_FIX },
		{ &win10, "q35", DISK("scsi"), "disk-bus", "sata", VW_ACTION_FIX },
		{ &win10, "q35", DISK("scsi") SAS, "disk-bus", NULL, VW_ACTION_SKIP },
		{ &win7, "q35", DISK("sata") XHCI, "usb", "ich9-ehci1", VW_ACTION_FIX },
		{ &win10, "q35", DISK("sata") XHCI, "usb", NULL, VW_ACTION_SKIP },
	};

	(void)state;
	for (size_t i = 0; i < 2 * VW_N_ELEMENTS(cases); i++) {
		size_t k = i / 2;
		bool installed = i & 1;
		struct guest g = { .os = cases[k].os, .blank = installed ? VW_NO : VW_YES };
		VW_AUTOFREE char *xml = NULL;
		struct vw_plan *p;

		assert_true(asprintf(&xml, GUEST("kvm", "%s", "", "", "%s"), cases[k].machine,
				     cases[k].devices) > 0);
		g.xml = xml;
		p = plan_for(&g);
		if (installed || !cases[k].after)
			expect_none(p, cases[k].rule);
		else
			expect(p, cases[k].rule, cases[k].action, cases[k].after, "install media");
		vw_plan_free(p);
	}
}

/* The driver that Setup needs is on the second CD-ROM: said where the bus changes. */
static void test_plan_load_driver(void **state)
{
	struct guest g = {
		.os = &win10,
		.blank = VW_YES,
		.drivers = VW_YES,
		.xml = GUEST("kvm", "q35", "", "", DISK("sata")),
	};
	struct vw_plan *p = plan_for(&g);

	(void)state;
	expect(p, "disk-bus", VW_ACTION_FIX, "virtio", "Load driver");
	vw_plan_free(p);
	g.os = &debian;
	p = plan_for(&g);
	assert_null(strstr(finding(p, "disk-bus")->message, "Load driver"));
	vw_plan_free(p);
}

/* A BSD calls its card by the driver's name. */
static void test_plan_bsd_card(void **state)
{
	struct guest g = {
		.os = &freebsd,
		.blank = VW_NO,
		.xml = GUEST("kvm", "pc", "", "",
			     DISK("virtio") "<interface type='bridge'><source bridge='b'/>"
					    "<model type='e1000'/></interface>"),
	};
	struct vw_plan *p = plan_for(&g);

	(void)state;
	expect(p, "nic-model", VW_ACTION_SKIP, "virtio", "em0 becomes vtnet0");
	assert_non_null(strstr(finding(p, "nic-model")->message, "--allow visible"));
	vw_plan_free(p);
	g.blank = VW_YES;
	p = plan_for(&g);
	expect(p, "nic-model", VW_ACTION_FIX, "virtio", "");
	vw_plan_free(p);
}

/* xHCI has 15 ports, EHCI six: a device on port 9 keeps its controller. */
static void test_plan_usb_port(void **state)
{
	const struct guest g = {
		.os = &win7,
		.blank = VW_YES,
		.xml = GUEST("kvm", "q35", "", "",
			     DISK("sata") XHCI "<input type='tablet' bus='usb'>"
					       "<address type='usb' bus='0' port='9'/></input>"),
	};
	struct vw_plan *p = plan_for(&g);

	(void)state;
	expect_none(p, "usb");
	vw_plan_free(p);
}

/* Another manager's domain is looked at, not changed. */
static void test_plan_owner(void **state)
{
	const struct guest g = {
		.os = &debian,
		.blank = VW_YES,
		.xml = GUEST("kvm", "pc", "",
			     "<metadata><n:vm xmlns:n='http://opennebula.org/xmlns/libvirt/1.0'>"
			     "<n:name>db</n:name></n:vm></metadata>",
			     DISK("ide")),
	};
	struct vw_plan *p = plan_for(&g);

	(void)state;
	assert_true(p->n_findings > 0);
	assert_int_equal(vw_plan_count(p, VW_ACTION_FIX), 0);
	assert_string_equal(p->audit_why, "OpenNebula owns it");
	assert_null(p->xml);
	vw_plan_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plan_kernel_root),
		cmocka_unit_test(test_plan_kernel_root_board),
		cmocka_unit_test(test_plan_kernel_many_disks),
		cmocka_unit_test(test_plan_cpu_vendor),
		cmocka_unit_test(test_plan_boards),
		cmocka_unit_test(test_plan_machine_gone),
		cmocka_unit_test(test_plan_unjudged),
		cmocka_unit_test(test_plan_hyperv_needs),
		cmocka_unit_test(test_plan_nvme),
		cmocka_unit_test(test_plan_pointer),
		cmocka_unit_test(test_plan_setup_drivers),
		cmocka_unit_test(test_plan_load_driver),
		cmocka_unit_test(test_plan_bsd_card),
		cmocka_unit_test(test_plan_usb_port),
		cmocka_unit_test(test_plan_owner),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
