/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What counts as a blank guest: unless every disk was read and holds nothing, nothing that the guest
 * sees or boots from is changed, whatever media, network boot, host devices or OS the XML names. */
#include "lib/engine/plan.h"
#include "lib/engine/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static char *features[] = {
	(char *)"firmware-bios",   (char *)"qemu-x86-q35",  (char *)"virtio-console",
	(char *)"virtio1.0-block", (char *)"virtio1.0-net",
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

/* What else stands in a domain, and whether its disks still decide. */
struct extra {
	const char *os, *devices;
	enum vw_known storage; /* of its host devices */
	bool elsewhere;        /* it may boot from something that is no disk */
};

#define SCSI_SOURCE \
	"<source><adapter name='scsi_host0'/><address bus='0' target='0' unit='0'/></source>"
#define PCI_SOURCE "<source><address domain='0' bus='5' slot='0' function='0'/></source>"
static const struct extra extras[] = {
	{ "", "", VW_NO, false },
	{ "<boot dev='network'/><boot dev='hd'/>", "", VW_NO, false },
	{ "<boot dev='cdrom'/>",
	  "<disk type='file' device='cdrom'><source file='/i.iso'/><target dev='hdc'/><readonly/></disk>",
	  VW_NO, false },
	{ "",
	  "<disk type='network' device='cdrom'><source protocol='http' name='i.iso'/><target dev='hdc'/></disk>",
	  VW_NO, false },
	{ "", "<interface type='network'><source network='default'/><boot order='1'/></interface>",
	  VW_NO, false },
	{ "", "<hostdev mode='subsystem' type='pci'>" PCI_SOURCE "</hostdev>", VW_NO, false },
	{ "", "<hostdev mode='subsystem' type='pci'>" PCI_SOURCE "</hostdev>", VW_YES, true },
	{ "", "<hostdev mode='subsystem' type='pci'>" PCI_SOURCE "</hostdev>", VW_UNKNOWN, true },
	{ "", "<hostdev mode='subsystem' type='pci'>" PCI_SOURCE "<boot order='1'/></hostdev>",
	  VW_NO, true },
	{ "",
	  "<hostdev mode='subsystem' type='usb'><source><vendor id='0x0781'/><product id='0x5580'/></source></hostdev>",
	  VW_YES, true },
	{ "", "<hostdev mode='subsystem' type='scsi'>" SCSI_SOURCE "</hostdev>", VW_NO, true },
	{ "",
	  "<hostdev mode='subsystem' type='scsi_host'><source protocol='vhost' wwpn='naa.5123456789abcde0'/></hostdev>",
	  VW_NO, true },
	{ "",
	  "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source></hostdev>",
	  VW_NO, false },
	{ "", "<redirdev bus='usb' type='spicevmc'><boot order='1'/></redirdev>", VW_NO, true },
	{ "<kernel>/k</kernel><cmdline>root=fs</cmdline>",
	  "<filesystem type='mount'><source dir='/root-of-it'/><target dir='fs'/></filesystem>",
	  VW_NO, true },
};

enum state { BLANK, DATA, UNREADABLE, ABSENT, N_STATES };

struct fixture {
	struct vw_templates *templates;
	struct vw_policy policy;
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
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	vw_templates_free(((struct fixture *)*state)->templates);
	return 0;
}

static struct vw_facts new_facts(enum vw_known storage)
{
	return (struct vw_facts){ .new_here = VW_YES,
				  .active = VW_NO,
				  .managed_save = VW_NO,
				  .has_run = VW_NO,
				  .hostdev_storage = storage,
				  .os = &linux_os,
				  .os_source = VW_OS_METADATA };
}

static void add_disk(struct vw_facts *facts, const char *target, enum state s)
{
	struct vw_disk_facts *d = vw_facts_add_disk(facts, target);

	assert_non_null(d);
	d->exists = s == ABSENT ? VW_NO : VW_YES;
	d->block = VW_NO;
	d->odirect = VW_YES;
	d->blank = s == BLANK ? VW_YES : s == DATA ? VW_NO : VW_UNKNOWN;
	if (s == ABSENT)
		strcpy(d->why, "it is not there");
}

static struct vw_plan *plan(const struct fixture *f, struct vw_facts *facts, const char *xml)
{
	struct vw_plan *p = NULL;
	struct vw_xml *doc = NULL;
	struct vw_err err = { 0 };
	struct vw_request req = { .facts = facts, .templates = f->templates, .policy = &f->policy };

	if (vw_xml_parse(xml, strlen(xml), "t.xml", "domain", &doc, &err) < 0)
		fail_msg("%s", err.text);
	req.doc = doc;
	assert_int_equal(vw_facts_add_network(facts, "default", VW_NO), 0);
	assert_int_equal(vw_plan_make(&req, &p, &err), 0);
	vw_xml_free(doc);
	vw_facts_clear(facts);
	return p;
}

/* How many changes of what the guest sees or boots from are applied. */
static size_t guest_side(const struct vw_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_findings; i++)
		n += p->findings[i].action == VW_ACTION_FIX &&
		     p->findings[i].cls >= VW_CLASS_VISIBLE;
	return n;
}

/* disks: XML of the disks. Return: malloc'ed domain. */
static char *domain(const struct extra *e, const char *disks)
{
	char *xml = NULL;

	assert_true(asprintf(&xml,
			     "<domain type='kvm'><name>g</name><vcpu>2</vcpu><os>"
			     "<type arch='x86_64' machine='pc'>hvm</type>%s</os><devices>%s%s"
			     "<interface type='user'><model type='e1000'/></interface>"
			     "</devices></domain>",
			     e->os, disks, e->devices) > 0);
	return xml;
}

#define DISK(name) \
	"<disk type='file' device='disk'><source file='/d'/><target dev='" name "'/></disk>"
#define FLOPPY "<disk type='file' device='floppy'><source file='/f'/><target dev='fda'/></disk>"

/* What a collector is told before all is gathered. */
static enum vw_evidence foretold(const struct vw_facts *facts, const char *xml)
{
	VW_AUTOXML struct vw_xml *doc = NULL;

	assert_int_equal(vw_xml_parse(xml, strlen(xml), "t.xml", "domain", &doc, NULL), 0);
	return vw_plan_blank(vw_xml_root(doc), facts);
}

/* Two disks and a floppy, each in each state, with each extra. */
static void test_plan_blank_property(void **state)
{
	size_t applied = 0, held = 0;

	for (size_t i = 0; i < VW_N_ELEMENTS(extras) * N_STATES * N_STATES * N_STATES; i++) {
		const struct extra *e = &extras[i / (N_STATES * N_STATES * N_STATES)];
		const enum state s[] = { i % N_STATES, i / N_STATES % N_STATES,
					 i / N_STATES / N_STATES % N_STATES };
		bool blank = !e->elsewhere && s[0] == BLANK && s[1] == BLANK && s[2] == BLANK;
		struct vw_facts facts = new_facts(e->storage);
		VW_AUTOFREE char *xml = domain(e, DISK("hda") DISK("vdb") FLOPPY);
		struct vw_plan *p;

		add_disk(&facts, "hda", s[0]);
		add_disk(&facts, "vdb", s[1]);
		add_disk(&facts, "fda", s[2]);
		assert_int_equal(foretold(&facts, xml) == VW_EV_BLANK, blank);
		p = plan(*state, &facts, xml);
		if (!guest_side(p) != !blank)
			fail_msg("%zu changes with disks %d %d, floppy %d in %s", guest_side(p),
				 s[0], s[1], s[2], xml);
		if (blank)
			applied++;
		else
			held++;
		vw_plan_free(p);
	}
	assert_true(applied > 3 && held > 900);
}

/* No disk at all: it boots from the network, by the firmware's own iSCSI, from media … */
static void test_plan_blank_no_disk(void **state)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(extras); i++) {
		struct vw_facts facts = new_facts(extras[i].storage);
		VW_AUTOFREE char *xml = domain(&extras[i], "");
		struct vw_plan *p = plan(*state, &facts, xml);

		if (guest_side(p))
			fail_msg("%zu changes in %s", guest_side(p), xml);
		vw_plan_free(p);
	}
}

/* A network disk has no facts. */
static void test_plan_blank_network_disk(void **state)
{
	static const char disks[] =
		"<disk type='network' device='disk'><driver name='qemu' type='raw'/>"
		"<source protocol='rbd' name='p/i'><host name='192.0.2.1'/></source><target dev='vda'/></disk>";

	for (size_t i = 0; i < VW_N_ELEMENTS(extras); i++) {
		struct vw_facts facts = new_facts(extras[i].storage);
		VW_AUTOFREE char *xml = domain(&extras[i], disks);
		struct vw_plan *p;

		assert_non_null(vw_facts_add_disk(&facts, "vda"));
		p = plan(*state, &facts, xml);
		if (guest_side(p))
			fail_msg("%zu changes in %s", guest_side(p), xml);
		vw_plan_free(p);
	}
}

/* Empty disks of a domain that has run: what it ran from is elsewhere. */
static void test_plan_blank_has_run(void **state)
{
	static const struct {
		enum vw_known new_here, has_run;
		bool blank;
	} cases[] = {
		{ VW_YES, VW_NO, true },           { VW_YES, VW_UNKNOWN, true },
		{ VW_YES, VW_YES, false },         { VW_NO, VW_NO, true },
		{ VW_NO, VW_UNKNOWN, false },      { VW_NO, VW_YES, false },
		{ VW_UNKNOWN, VW_UNKNOWN, false },
	};

	for (size_t i = 0; i < VW_N_ELEMENTS(cases); i++) {
		struct vw_facts facts = new_facts(VW_NO);
		VW_AUTOFREE char *xml = domain(&extras[0], DISK("hda"));
		struct vw_plan *p;

		facts.new_here = cases[i].new_here;
		facts.has_run = cases[i].has_run;
		add_disk(&facts, "hda", BLANK);
		p = plan(*state, &facts, xml);
		if (!guest_side(p) != !cases[i].blank)
			fail_msg("case %zu: %zu changes", i, guest_side(p));
		vw_plan_free(p);
	}
}

static const char *message(const struct vw_plan *p, const char *rule)
{
	for (size_t i = 0; i < p->n_findings; i++)
		if (!strcmp(p->findings[i].rule, rule))
			return p->findings[i].message;
	fail_msg("no finding of %s", rule);
	return "";
}

/* What holds it back is named, and what to type. */
static void test_plan_blank_says_why(void **state)
{
	struct vw_facts facts = new_facts(VW_NO);
	VW_AUTOFREE char *xml = domain(&extras[4], DISK("hda"));
	struct vw_plan *p;

	add_disk(&facts, "hda", ABSENT);
	p = plan(*state, &facts, xml);
	assert_non_null(strstr(message(p, "disk-bus"),
			       "disk hda could not be looked at (it is not there)"));
	assert_non_null(strstr(message(p, "disk-bus"), "virt-warden fix g --allow boot"));
	assert_non_null(strstr(message(p, "nic-model"), "virt-warden fix g --allow visible"));
	vw_plan_free(p);
}

/* A redefine of what was fixed when it was new is planned as then, whatever there is now. */
static void test_plan_blank_as_new(void **state)
{
	struct vw_facts facts = new_facts(VW_UNKNOWN);
	VW_AUTOFREE char *xml = domain(&extras[7], DISK("hda"));
	struct vw_plan *p;

	facts.as_new = true;
	facts.has_run = VW_YES;
	add_disk(&facts, "hda", DATA);
	p = plan(*state, &facts, xml);
	assert_true(guest_side(p) > 2);
	vw_plan_free(p);
}

int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_plan_blank_property),     T(test_plan_blank_no_disk),
		T(test_plan_blank_network_disk), T(test_plan_blank_has_run),
		T(test_plan_blank_says_why),     T(test_plan_blank_as_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
