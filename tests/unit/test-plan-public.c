/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What people's published domains taught: networks of host devices, threads beside pinned vCPUs,
 * images with room of their own, what was made for a board, devices without a place on PCI. */
#include "lib/base/buf.h"
#include "lib/engine/plan.h"
#include "lib/engine/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static char *features[] = {
	(char *)"firmware-bios", (char *)"qemu-x86-q35",    (char *)"virtio-console",
	(char *)"virtio-rng",    (char *)"virtio1.0-block", (char *)"virtio1.0-net",
};
static const struct vw_os linux_os = {
	.id = (char *)"http://example.org/os/1",
	.short_id = (char *)"os1",
	.name = (char *)"OS 1",
	.family = (char *)"linux",
	.distro = (char *)"",
	.version = (char *)"",
	.release_date = (char *)"2021-01-01",
	.features = features,
	.n_features = VW_N_ELEMENTS(features),
};

struct fixture {
	struct vw_templates *templates;
	struct vw_policy policy;
	struct vw_facts facts;
};

static int setup(void **state)
{
	static struct fixture f;
	const char *dirs[] = { VW_SRCDIR "/xml-templates", NULL };
	struct vw_err err = { 0 };

	f = (struct fixture){ .facts = { .new_here = VW_YES,
					 .active = VW_NO,
					 .managed_save = VW_NO,
					 .has_run = VW_NO,
					 .hostdev_storage = VW_NO,
					 .os = &linux_os,
					 .os_source = VW_OS_METADATA } };
	if (vw_templates_load(dirs, &f.templates, &err) < 0)
		fail_msg("%s", err.text);
	vw_policy_defaults(&f.policy);
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

/* The disk "vda" of the domains here. */
static struct vw_disk_facts *disk(struct fixture *f, enum vw_known blank)
{
	struct vw_disk_facts *d = vw_facts_add_disk(&f->facts, "vda");

	assert_non_null(d);
	d->exists = VW_YES;
	d->block = VW_NO;
	d->blank = blank;
	d->odirect = VW_YES;
	d->allocated = VW_NO;
	d->discard = VW_YES;
	return d;
}

static struct vw_plan *plan(const struct fixture *f, const char *xml, unsigned allow)
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

static const struct vw_finding *finding(const struct vw_plan *p, const char *rule)
{
	for (size_t i = 0; i < p->n_findings; i++)
		if (!strcmp(p->findings[i].rule, rule))
			return &p->findings[i];
	return NULL;
}

static bool fixes(const struct vw_plan *p, const char *rule)
{
	const struct vw_finding *f = finding(p, rule);

	return f && f->action == VW_ACTION_FIX;
}

static void assert_held(const struct vw_plan *p, const char *rule, const char *words)
{
	const struct vw_finding *f = finding(p, rule);

	if (!f || f->action == VW_ACTION_FIX || !strstr(f->message, words))
		fail_msg("%s: '%s' lacks '%s'", rule, f ? f->message : "", words);
}

static bool has(const struct vw_plan *p, const char *text)
{
	return p->xml && strstr(p->xml, text);
}

#define DOMAIN(machine, tune, disk_driver, devices)                                 \
	"<domain type='kvm'><name>g</name><vcpu>2</vcpu>" tune                      \
	"<os><type arch='x86_64' machine='" machine "'>hvm</type></os><devices>"    \
	"<disk type='file'><driver name='qemu' type='raw' cache='none'" disk_driver \
	"/><source file='/d'/><target dev='vda' bus='virtio'/></disk>" devices      \
	"</devices></domain>"

static void test_plan_hostdev_network(void **state)
{
	static const char xml[] = DOMAIN(
		"q35", "", "", "<interface type='network'><source network='pool'/></interface>");
	static const char virtio[] = DOMAIN(
		"q35", "", "",
		"<interface type='network'><source network='pool'/><model type='virtio'/></interface>");
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, VW_YES);
	for (int queues = 0; queues < 2; queues++) { /* nobody could be asked */
		p = plan(f, queues ? virtio : xml, 1u << VW_CLASS_BOOT);
		assert_held(p, queues ? "nic-queues" : "nic-model", "network 'pool'");
		assert_false(has(p, "queues="));
		vw_plan_free(p);
	}
	assert_int_equal(vw_facts_add_network(&f->facts, "pool", VW_YES), 0);
	p = plan(f, xml, 1u << VW_CLASS_BOOT);
	assert_null(finding(p, "nic-model"));
	assert_null(finding(p, "nic-queues"));
	vw_plan_free(p);
	vw_facts_clear_networks(&f->facts);
	assert_int_equal(vw_facts_add_network(&f->facts, "pool", VW_NO), 0);
	p = plan(f, xml, 0);
	assert_true(fixes(p, "nic-model") && fixes(p, "nic-queues"));
	vw_plan_free(p);
}

static void test_plan_ioeventfd_off(void **state)
{
	static const char scsi[] =
		"<controller type='scsi' model='virtio-scsi'><driver ioeventfd='off'/></controller>";
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, VW_NO);
	p = plan(f, DOMAIN("q35", "", " ioeventfd='off'", ""), 0);
	assert_null(finding(p, "disk-iothread"));
	vw_plan_free(p);
	p = plan(f, DOMAIN("q35", "", " ioeventfd='on'", ""), 0);
	assert_true(fixes(p, "disk-iothread"));
	vw_plan_free(p);
	{
		VW_AUTOFREE char *xml = NULL;

		assert_true(
			asprintf(
				&xml,
				"<domain type='kvm'><name>g</name><vcpu>2</vcpu><os><type "
				"arch='x86_64' machine='q35'>hvm</type></os><devices>%s</devices></domain>",
				scsi) > 0);
		p = plan(f, xml, 0);
		assert_null(finding(p, "disk-iothread"));
		vw_plan_free(p);
	}
}

static void test_plan_pinned_iothread(void **state)
{
#define PINS "<vcpupin vcpu='0' cpuset='1'/><vcpupin vcpu='1' cpuset='2'/>"
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, VW_NO);
	p = plan(f, DOMAIN("q35", "<cputune>" PINS "<emulatorpin cpuset='0,3'/></cputune>", "", ""),
		 0);
	assert_true(fixes(p, "disk-iothread"));
	assert_true(has(
		p,
		"<emulatorpin cpuset='0,3'/><iothreadpin iothread='1' cpuset='0,3'/></cputune>"));
	{
		struct vw_plan *q = plan(f, p->xml, 0);

		assert_null(finding(q, "disk-iothread"));
		vw_plan_free(q);
	}
	vw_plan_free(p);
	/* where it is to run nobody has said */
	p = plan(f, DOMAIN("q35", "<cputune>" PINS "</cputune>", "", ""), 0);
	assert_held(p, "disk-iothread", "emulatorpin");
	assert_false(has(p, "iothread"));
	vw_plan_free(p);
	p = plan(f, DOMAIN("q35", "<cputune><shares>2048</shares></cputune>", "", ""), 0);
	assert_true(fixes(p, "disk-iothread"));
	assert_false(has(p, "iothreadpin"));
	vw_plan_free(p);
}

/* Only an image that is thin: not one that was given its room, empty or not, whatever the format. */
static void test_plan_discard_thin_only(void **state)
{
	static const struct {
		enum vw_known blank, allocated;
		bool discard;
	} cases[] = {
		{ VW_YES, VW_NO, true },  { VW_NO, VW_NO, true },       { VW_YES, VW_YES, false },
		{ VW_NO, VW_YES, false }, { VW_NO, VW_UNKNOWN, false },
	};
	struct fixture *f = *state;
	struct vw_disk_facts *d = disk(f, VW_YES);

	for (size_t i = 0; i < 2 * VW_N_ELEMENTS(cases); i++) {
		VW_AUTOFREE char *xml = strdup(DOMAIN("q35", "", "", ""));
		struct vw_plan *p;

		if (i % 2) /* as long as "raw" is the name of no other format */
			memcpy(strstr(xml, "'raw'"), "'qed'", 5);
		d->blank = cases[i / 2].blank;
		d->allocated = cases[i / 2].allocated;
		p = plan(f, xml, 0);
		assert_int_equal(fixes(p, "disk-discard"), cases[i / 2].discard);
		vw_plan_free(p);
	}
	d->blank = d->allocated = VW_NO;
	d->magic = VW_MAGIC_QCOW2; /* used as raw: who is right is for the admin to say */
	{
		struct vw_plan *p = plan(f, DOMAIN("q35", "", "", ""), 0);

		assert_false(fixes(p, "disk-discard"));
		vw_plan_free(p);
	}
}

#define AT(slot) "<address type='pci' domain='0' bus='0' slot='" slot "' function='0'/>"
#define HOSTDEV(source_slot, more)                                                                    \
	"<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='0' slot='" source_slot \
	"' function='0'/></source>" more "</hostdev>"

/* What was made for the board keeps it, even if the admin allows the change. */
static void test_plan_made_for_board(void **state)
{
	static const struct {
		const char *xml, *why;
	} cases[] = {
		{ DOMAIN("pc", "", "", HOSTDEV("0x1b", AT("0x08"))),
		  "a host device has its place" },
		{ DOMAIN("pc", "", "", HOSTDEV("0x02", "")), "host's graphics" },
		{ DOMAIN("pc", "", "",
			 "<interface type='hostdev'><source><address type='pci' domain='0' bus='5' "
			 "slot='0' function='0'/></source>" AT("0x08") "</interface>"),
		  "a host device has its place" },
		{ DOMAIN("pc", "", "",
			 "<controller type='pci' index='1' model='pci-expander-bus'/>"),
		  "PCI expander bus" },
		{ DOMAIN("pc", "", "",
			 "<controller type='pci' index='0' model='pci-root'><pcihole64 unit='KiB'>1</pcihole64></controller>"),
		  "pcihole64" },
		{ DOMAIN("pc", "", "", "<watchdog model='ib700' action='reset'/>"),
		  "watchdog ib700 sits on the ISA bus" },
	};
	struct fixture *f = *state;

	disk(f, VW_YES);
	for (size_t i = 0; i < 2 * VW_N_ELEMENTS(cases); i++) {
		struct vw_plan *p = plan(f, cases[i / 2].xml, i % 2 ? 1u << VW_CLASS_BOOT : 0);

		assert_held(p, "machine", cases[i / 2].why);
		assert_false(has(p, "q35"));
		vw_plan_free(p);
	}
}

/* A card with a place, on a network of which nobody knows whether its cards are host devices. */
static void test_plan_board_of_network(void **state)
{
	static const char xml[] = DOMAIN("pc", "", "",
					 "<interface type='network'><source network='pool'/>"
					 "<model type='virtio'/>" AT("0x08") "</interface>");
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, VW_YES);
	for (enum vw_known hostdev = VW_UNKNOWN; hostdev <= VW_YES; hostdev++) {
		vw_facts_clear_networks(&f->facts);
		assert_int_equal(vw_facts_add_network(&f->facts, "pool", hostdev), 0);
		p = plan(f, xml, 1u << VW_CLASS_BOOT);
		if (hostdev == VW_NO)
			assert_true(fixes(p, "machine"));
		else
			assert_held(p, "machine", "network may give out host devices");
		vw_plan_free(p);
	}
}

static void assert_drops(const struct vw_plan *p, const char *rule, const char *words)
{
	assert_true(fixes(p, rule));
	if (!strstr(finding(p, rule)->message, words))
		fail_msg("%s: '%s' lacks '%s'", rule, finding(p, rule)->message, words);
}

/* A display's and USB's: also while it is not applied. */
static void test_plan_names_dropped_devices(void **state)
{
	static const char display[] = DOMAIN(
		"pc", "", "",
		"<graphics type='vnc'/><video><model type='cirrus' vram='16384' heads='1' blob='on'>"
		"<acceleration accel3d='yes'/></model></video>");
	static const char usb[] = DOMAIN(
		"pc", "", "",
		"<controller type='usb' index='0' model='piix3-uhci'/><controller type='usb' "
		"index='1' model='piix4-uhci'/>");
	static const char scsi[] = DOMAIN(
		"q35", "", "",
		"<disk type='file'><source file='/e'/><target dev='sda' bus='scsi'/><address "
		"type='drive' controller='0' bus='0' target='0' unit='0'/></disk>"
		"<controller type='scsi' index='0' model='lsilogic'/>");
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, VW_YES);
	vw_facts_add_disk(&f->facts, "sda")->blank = VW_YES;
	f->facts.disks[1].exists = VW_YES;
	p = plan(f, display, 0);
	assert_drops(p, "video", "; drops vram='16384', blob='on', acceleration");
	assert_true(has(p, "heads='1'"));
	assert_false(has(p, "blob=") || has(p, "vram=") || has(p, "acceleration"));
	vw_plan_free(p);
	p = plan(f, usb, 0);
	assert_drops(p, "usb", "; drops controller usb 0 piix3-uhci, controller usb 1 piix4-uhci");
	vw_plan_free(p);
	p = plan(f, scsi, 0);
	assert_drops(p, "disk-bus", "; drops controller scsi 0 lsilogic");
	assert_false(has(p, "lsilogic"));
	vw_plan_free(p);
	f->facts.disks[0].blank = VW_NO;
	p = plan(f, display, 0);
	assert_held(p, "video", "; drops vram='16384', blob='on', acceleration; not done");
	vw_plan_free(p);
	p = plan(f, usb, 0);
	assert_held(p, "usb", "; drops controller usb 0 piix3-uhci");
	vw_plan_free(p);
}

/* More than a message holds is not cut in the middle of a name. */
static void test_plan_names_many_dropped(void **state)
{
	VW_AUTOBUF struct vw_buf xml = { 0 };
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, VW_YES);
	vw_buf_puts(&xml,
		    "<domain type='kvm'><name>g</name><os><type arch='x86_64' machine='pc'>hvm"
		    "</type></os><devices><disk type='file'><source file='/d'/><target "
		    "dev='vda'/></disk>");
	for (int i = 1; i < 30; i++)
		vw_buf_printf(&xml, "<controller type='pci' index='%d' model='pci-bridge'/>", i);
	vw_buf_puts(&xml, "</devices></domain>");
	p = plan(f, xml.p, 0);
	assert_drops(p, "machine", ", and more");
	assert_string_equal(strstr(finding(p, "machine")->message, ", and more"), ", and more");
	vw_plan_free(p);
}

/* A board without IDE, and a skip that leaves a disk on it. */
static void test_plan_names_disk_off_ide(void **state)
{
	static const char xml[] =
		"<domain type='kvm'><name>g</name><metadata><w:warden xmlns:w='urn:virt-warden:domain:1'>"
		"<w:skip rule='disk-bus'/></w:warden></metadata>"
		"<os><type arch='x86_64' machine='pc'>hvm</type></os><devices><disk type='file'>"
		"<source file='/d'/><target dev='vda' bus='ide'/></disk></devices></domain>";
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, VW_YES);
	p = plan(f, xml, 0);
	assert_drops(p, "machine", "; drops the place of vda on IDE");
	assert_true(has(p, "bus='sata'"));
	vw_plan_free(p);
}

static void test_plan_disk_without_target(void **state)
{
	static const char xml[] =
		"<domain type='kvm'><name>g</name><os><type arch='x86_64' machine='q35'>hvm</type></os>"
		"<devices><disk type='file'><source file='/d'/></disk><interface type='user'/>"
		"</devices></domain>";
	struct vw_plan *p = plan(*state, xml, 0);

	assert_held(p, "nic-model", "disk without target could not be looked at");
	vw_plan_free(p);
}

static void test_plan_names_what_is_dropped(void **state)
{
	struct fixture *f = *state;
	struct vw_plan *p;

	disk(f, VW_YES);
	p = plan(
		f,
		DOMAIN("pc", "", "",
		       "<controller type='pci' index='1' model='pci-bridge'/><controller type='ide' index='0'/>"
		       "<interface type='user'><model type='virtio'/>" AT(
			       "0x05") "</interface>" HOSTDEV("0x1b", "")),
		0);
	assert_true(fixes(p, "machine"));
	assert_non_null(
		strstr(finding(p, "machine")->message,
		       "; drops controller pci 1 pci-bridge, controller ide 0, 1 PCI addresses"));
	vw_plan_free(p);
}

/* An installed guest: one device without a place, and nothing is added. */
static void test_plan_pci_places(void **state)
{
#define BALLOON "<memballoon model='virtio'>" AT("0x04") "</memballoon>"
#define FILLED(more)                                                                                     \
	"<domain type='kvm'><name>g</name><os><type arch='x86_64' machine='pc'>hvm</type></os><devices>" \
	"<disk type='file'><driver name='qemu' type='raw' cache='none'/><source file='/d'/>"             \
	"<target dev='vda' bus='virtio'/>" AT("0x05") "</disk>" more "</devices></domain>"
	static const struct {
		const char *xml;
		bool added;
	} cases[] = {
		{ FILLED(BALLOON), true },
		{ FILLED("<memballoon model='none'/>"), true },
		{ FILLED(""), false }, /* libvirt adds one */
		{ FILLED(BALLOON "<iommu model='intel'/>"), true },
		{ FILLED(BALLOON "<iommu model='virtio'/>"), false },
		{ FILLED(BALLOON
			 "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source></hostdev>"),
		  false },
		{ FILLED(BALLOON
			 "<hostdev mode='subsystem' type='scsi_host'><source protocol='vhost' wwpn='naa.5123456789abcde0'/></hostdev>"),
		  false },
		{ FILLED(BALLOON "<graphics type='vnc'/>"), false },
		{ FILLED(BALLOON "<graphics type='vnc'/><video><model type='none'/></video>"),
		  true },
		{ FILLED(BALLOON
			 "<disk type='file'><source file='/e'/><target dev='sda' bus='scsi'/></disk>"),
		  false },
		{ FILLED(BALLOON
			 "<disk type='file'><source file='/e'/><target dev='sda' bus='sata'/></disk>"),
		  false },
		{ FILLED(BALLOON "<console type='pty'><target type='virtio'/></console>"), false },
		{ FILLED(BALLOON "<serial type='pty'><target type='pci-serial'/></serial>"),
		  false },
		{ FILLED(BALLOON "<memory model='virtio-mem'/>"), false },
		{ FILLED(BALLOON "<memory model='dimm'/>"), true },
		{ FILLED(BALLOON "<sound model='ich6'/>"), false },
		{ FILLED(BALLOON "<controller type='usb' model='qemu-xhci'/>"), false },
	};
	struct fixture *f = *state;

	disk(f, VW_NO);
	f->facts.new_here = VW_NO;
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		struct vw_plan *p = plan(f, cases[i].xml, 0);

		if (fixes(p, "rng") != cases[i].added || has(p, "<rng") != cases[i].added)
			fail_msg("case %zu: rng %d", i, fixes(p, "rng"));
		if (!cases[i].added && has(p, "virtio-serial"))
			fail_msg("case %zu: a controller was added", i);
		vw_plan_free(p);
	}
}

/* What the XML says of an image against how it begins: said, never changed. */
static void test_plan_disk_format(void **state)
{
#define DISK(attrs, source)                                                                 \
	"<domain type='kvm'><name>g</name><os><type arch='x86_64' machine='q35'>hvm</type>" \
	"</os><devices><disk type='file'" attrs "<source file=\"/d's\"" source              \
	"<target dev='vda' bus='virtio'/></disk></devices></domain>"
	static const struct {
		const char *xml;
		enum vw_magic magic;
		const char *words; /* NULL: no finding */
	} cases[] = {
		{ DISK("><driver type='raw' cache='none'/>", "/>"), VW_MAGIC_QCOW2, "as qcow2" },
		{ DISK("><driver type='raw' cache='none'/>", "/>"), VW_MAGIC_VMDK,
		  "qemu-img info --output=json '/d'\\''s'" },
		{ DISK(">", "/>"), VW_MAGIC_VDI, "says no format" },
		{ DISK("><driver type='raw'/>", "/>"), VW_MAGIC_NONE, NULL },
		{ DISK("><driver type='raw'/>", "/>"), VW_MAGIC_UNKNOWN, NULL },
		{ DISK("><driver type='raw'/>", "><slices/></source>"), VW_MAGIC_QCOW2, NULL },
		{ DISK(" device='cdrom'>", "/>"), VW_MAGIC_QCOW2, NULL },
		{ DISK("><driver type='qcow2'/>", "/>"), VW_MAGIC_QCOW2, NULL },
		{ DISK("><driver type='qcow2'/>", "/>"), VW_MAGIC_NONE, "refuses to start" },
		{ DISK("><driver type='qcow2'/>", "/>"), VW_MAGIC_UNKNOWN, NULL },
		{ DISK("><driver type='vpc'/>", "/>"), VW_MAGIC_NONE, NULL },
	};
	struct fixture *f = *state;

	disk(f, VW_NO);
	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		struct vw_plan *p;

		f->facts.disks[0].magic = cases[i].magic;
		p = plan(f, cases[i].xml, 1u << VW_CLASS_BOOT);
		if (cases[i].words)
			assert_held(p, "disk-format", cases[i].words);
		else
			assert_null(finding(p, "disk-format"));
		assert_false(has(p, "type='qcow2'") && !strstr(cases[i].xml, "type='qcow2'"));
		vw_plan_free(p);
	}
}

static void test_plan_shared_memory(void **state)
{
#define NIC "<interface type='vhostuser'><mac address='52:54:00:00:00:09'/></interface>"
#define FS "<filesystem type='mount'><driver type='virtiofs'/></filesystem>"
#define VHOST_DISK "<disk type='vhostuser'><target dev='vdb'/></disk>"
#define BACKING(in) "<memoryBacking>" in "</memoryBacking>"
#define CELLS(in) "<cpu><numa><cell id='0'" in "/><cell id='1' memAccess='shared'/></numa></cpu>"
#define MEMFD "<source type='memfd'/>"
#define SHARED "<access mode='shared'/>"
	static const struct {
		const char *xml, *words; /* NULL: no finding */
	} cases[] = {
		{ DOMAIN("q35", "", "", NIC), "add <memoryBacking><source type='memfd'/>" },
		{ DOMAIN("q35", "", "", FS), "libvirt refuses" },
		{ DOMAIN("q35", "", "", VHOST_DISK), "libvirt refuses" },
		{ DOMAIN("q35", BACKING("<hugepages/>"), "", NIC), "inside <memoryBacking>" },
		{ DOMAIN("q35", BACKING("<access mode='private'/>" MEMFD), "", NIC), "inside" },
		{ DOMAIN("q35", BACKING(MEMFD), "", FS), "inside" },
		{ DOMAIN("q35", CELLS(""), "", NIC), "on each <cell>" },
		{ DOMAIN("q35", BACKING(SHARED) CELLS(" memAccess='private'"), "", NIC), "<cell>" },
		{ DOMAIN("q35", BACKING(MEMFD), "", NIC), NULL },
		{ DOMAIN("q35", BACKING(SHARED), "", NIC FS VHOST_DISK), NULL },
		{ DOMAIN("q35", CELLS(" memAccess='shared'"), "", NIC FS), NULL },
		{ DOMAIN("q35", "", "", "<interface type='user'/>"), NULL },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		struct vw_plan *p = plan(f, cases[i].xml, 1u << VW_CLASS_BOOT);

		if (cases[i].words)
			assert_held(p, "shared-memory", cases[i].words);
		else
			assert_null(finding(p, "shared-memory"));
		assert_false(has(p, "shared") && !strstr(cases[i].xml, "shared"));
		vw_plan_free(p);
	}
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_plan_hostdev_network),     T(test_plan_ioeventfd_off),
		T(test_plan_pinned_iothread),     T(test_plan_discard_thin_only),
		T(test_plan_made_for_board),      T(test_plan_names_what_is_dropped),
		T(test_plan_board_of_network),    T(test_plan_names_dropped_devices),
		T(test_plan_names_many_dropped),  T(test_plan_names_disk_off_ide),
		T(test_plan_disk_without_target), T(test_plan_pci_places),
		T(test_plan_disk_format),         T(test_plan_shared_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
