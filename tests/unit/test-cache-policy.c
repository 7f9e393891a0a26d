/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The decision about disk caches: which disks it covers, what it says, what it writes. */
#include "lib/engine/cache-policy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define DISK(type, device, inner) \
	"<disk type='" type "' device='" device "'>" inner "<target dev='vda' bus='virtio'/></disk>"
#define FILE_SOURCE "<source file='/img'/>"

static struct vw_policy policy;
static const struct vw_disk_facts takes_odirect = { .odirect = VW_YES };
static const struct vw_disk_facts no_odirect = { .odirect = VW_NO };

static int setup(void **state)
{
	(void)state;
	vw_policy_defaults(&policy);
	return 0;
}

static struct vw_xml *parse(const char *disk)
{
	struct vw_xml *x = NULL;
	struct vw_err err = { 0 };

	assert_int_equal(vw_xml_parse(disk, strlen(disk), "t", "disk", &x, &err), 0);
	return x;
}

static enum vw_cache_verdict judge(const char *disk, const struct vw_disk_facts *facts,
				   struct vw_finding *f)
{
	VW_AUTOXML struct vw_xml *x = parse(disk);

	return vw_cache_judge(vw_xml_root(x), facts, &policy, "web1", f);
}

/* Not covered, or allowed: nothing is to be said. */
static void assert_ok(const char *disk)
{
	struct vw_finding f = { .rule = "untouched" };

	assert_int_equal(judge(disk, &takes_odirect, &f), VW_CACHE_OK);
	assert_string_equal(f.rule, "untouched");
}

static void assert_finding(const char *disk, const struct vw_disk_facts *facts,
			   enum vw_cache_verdict verdict, const char *before, const char *message)
{
	struct vw_finding f = { 0 };

	assert_int_equal(judge(disk, facts, &f), verdict);
	assert_int_equal(judge(disk, facts, NULL), verdict);
	assert_string_equal(f.rule, "disk-cache");
	assert_int_equal(f.cls, VW_CLASS_HOST);
	assert_int_equal(f.action, verdict == VW_CACHE_FIX ? VW_ACTION_FIX : VW_ACTION_SKIP);
	assert_string_equal(f.device, "vda");
	assert_string_equal(f.before, before);
	assert_string_equal(f.after, policy.caches[0]);
	assert_string_equal(f.message, message);
	vw_finding_clear(&f);
	assert_null(f.rule);
}

static void test_not_covered(void **state)
{
	(void)state;
	assert_ok(DISK("file", "disk", "<driver cache='none'/>" FILE_SOURCE));
	assert_ok(DISK("file", "disk", "<driver cache='directsync'/>" FILE_SOURCE));
	assert_ok(DISK("file", "disk", FILE_SOURCE "<readonly/>"));
	assert_ok(DISK("file", "cdrom", FILE_SOURCE));
	assert_ok(DISK("block", "cdrom", "<source dev='/dev/sr0'/>"));
	assert_ok(DISK("file", "disk", ""));
	assert_ok(DISK("file", "floppy", "<source startupPolicy='optional'/>"));
	assert_ok(DISK("file", "disk", "<source file=''/>"));
	assert_ok(DISK("volume", "disk", "<source pool='p'/>"));
	assert_ok(DISK("dir", "disk", "<source dir='/fat'/>"));
	assert_ok(DISK("vhostuser", "disk", "<source type='unix' path='/s'/>"));
	assert_ok("<disk/>");
	/* Foreign elements that look like ours are not ours. */
	assert_ok("<disk type='file' xmlns:x='urn:x'><x:source file='/img'/></disk>");
}

static void test_fix(void **state)
{
	(void)state;
	assert_finding(
		DISK("file", "disk", "<driver name='qemu' cache='writeback'/>" FILE_SOURCE),
		&takes_odirect, VW_CACHE_FIX, "writeback",
		"cache 'writeback' is not one of those allowed (none, directsync): `virt-warden "
		"fix web1` sets 'none'");
	assert_finding(DISK("file", "disk", FILE_SOURCE), &takes_odirect, VW_CACHE_FIX, "default",
		       "cache 'default' (QEMU's writeback) is not one of those allowed (none, "
		       "directsync): `virt-warden fix web1` sets 'none'");
	assert_int_equal(
		judge(DISK("block", "lun", "<source dev='/dev/sdb'/>"), &takes_odirect, NULL),
		VW_CACHE_FIX);
	assert_int_equal(judge(DISK("file", "floppy", FILE_SOURCE), &takes_odirect, NULL),
			 VW_CACHE_FIX);
	assert_int_equal(
		judge(DISK("file", "disk", FILE_SOURCE "<shareable/>"), &takes_odirect, NULL),
		VW_CACHE_FIX);
	assert_int_equal(
		judge(DISK("file", "disk", FILE_SOURCE "<transient/>"), &takes_odirect, NULL),
		VW_CACHE_FIX);
	assert_int_equal(judge(DISK("volume", "disk", "<source pool='p' volume='v'/>"),
			       &takes_odirect, NULL),
			 VW_CACHE_FIX);
	/* libvirt's defaults: type='file' device='disk'. */
	assert_int_equal(judge("<disk>" FILE_SOURCE "</disk>", &takes_odirect, NULL), VW_CACHE_FIX);
}

/* A block device takes O_DIRECT, seen or not; a path that leads to something else is judged as it was seen. */
static void test_block(void **state)
{
	struct vw_disk_facts seen = { .exists = VW_YES, .block = VW_NO, .odirect = VW_NO };
	struct vw_disk_facts hung = { .why = "no answer within 1 s" };
	struct vw_disk_facts absent = { .exists = VW_NO, .odirect = VW_NO };
	const char *disk = DISK("block", "disk", "<source dev='/dev/lun'/>");

	(void)state;
	assert_finding(disk, NULL, VW_CACHE_FIX, "default",
		       "cache 'default' (QEMU's writeback) is not one of those allowed (none, "
		       "directsync): `virt-warden fix web1` sets 'none'");
	assert_int_equal(judge(disk, &hung, NULL), VW_CACHE_FIX);
	assert_int_equal(judge(disk, &absent, NULL), VW_CACHE_FIX);
	assert_int_equal(judge(disk, &seen, NULL), VW_CACHE_REPORT);
	seen.odirect = VW_UNKNOWN;
	assert_int_equal(judge(disk, &seen, NULL), VW_CACHE_REPORT);
}

static void test_report(void **state)
{
	struct vw_disk_facts hung = { .odirect = VW_UNKNOWN, .why = "no answer within 1 s" };

	(void)state;
	assert_finding(
		DISK("file", "disk", FILE_SOURCE), &no_odirect, VW_CACHE_REPORT, "default",
		"cache 'default' (QEMU's writeback) is not one of those allowed (none, "
		"directsync), but there is no O_DIRECT where the image lies, so the cache can't be "
		"disabled and a live migration is unsafe; move the image (/img)");
	assert_finding(
		DISK("file", "disk", FILE_SOURCE), &hung, VW_CACHE_REPORT, "default",
		"cache 'default' (QEMU's writeback) is not one of those allowed (none, "
		"directsync), but whether O_DIRECT works where the image lies is unknown (no answer "
		"within 1 s): `virt-warden fix web1` once that has changed");
	assert_finding(
		DISK("volume", "disk", "<source pool='p' volume='v'/>"), NULL, VW_CACHE_REPORT,
		"default",
		"cache 'default' (QEMU's writeback) is not one of those allowed (none, "
		"directsync), but whether O_DIRECT works where the image lies is unknown (the "
		"volume's path is not known here): `virt-warden fix web1` once that has changed");
	assert_finding(
		DISK("nvme", "disk", "<driver cache='unsafe'/><source type='pci' namespace='1'/>"),
		NULL, VW_CACHE_REPORT, "unsafe",
		"cache 'unsafe' is not one of those allowed (none, directsync), but an NVMe device "
		"belongs to its host: no live migration is possible");
	/* A cache that is allowed is not reported, whatever the filesystem. */
	assert_int_equal(judge(DISK("file", "disk", "<driver cache='none'/>" FILE_SOURCE),
			       &no_odirect, NULL),
			 VW_CACHE_OK);
}

static void test_network(void **state)
{
	static const char rbd[] = DISK("network", "disk", "<source protocol='rbd' name='p/i'/>");

	(void)state;
	assert_finding(rbd, NULL, VW_CACHE_REPORT, "default",
		       "cache 'default' (QEMU's writeback) is not one of those allowed (none, "
		       "directsync), but disks on the network are only reported (network-disks in "
		       "warden.conf)");
	policy.network_disks = VW_NETDISK_OFF;
	assert_ok(rbd);
	policy.network_disks = VW_NETDISK_ENFORCE;
	assert_int_equal(judge(rbd, NULL, NULL), VW_CACHE_FIX);
	assert_ok(DISK("network", "cdrom", "<source protocol='https' name='x.iso'/>"));
}

static void test_policy(void **state)
{
	(void)state;
	/* No mode is QEMU's writeback. */
	strcpy(policy.caches[1], "writeback");
	assert_ok(DISK("file", "disk", FILE_SOURCE));
	assert_ok(DISK("file", "disk", "<driver cache='default'/>" FILE_SOURCE));
	strcpy(policy.caches[1], "default");
	assert_ok(DISK("file", "disk", FILE_SOURCE));
	assert_int_equal(judge(DISK("file", "disk", "<driver cache='writeback'/>" FILE_SOURCE),
			       &takes_odirect, NULL),
			 VW_CACHE_FIX);
}

static void test_hostile(void **state)
{
	static const char disk[] = "<disk type='file'><driver cache='a&#10;b\"'/>" FILE_SOURCE
				   "<target dev='v&#x9b;31m'/></disk>";
	struct vw_finding f = { 0 };
	VW_AUTOXML struct vw_xml *x = parse(disk);

	(void)state;
	assert_int_equal(
		vw_cache_judge(vw_xml_root(x), &takes_odirect, &policy, "x; rm -rf '/'", &f),
		VW_CACHE_FIX);
	assert_string_equal(f.device, "v?31m");
	assert_string_equal(f.before, "a b\"");
	assert_non_null(strstr(f.message, "`virt-warden fix 'x; rm -rf '\\''/'\\'''`"));
	vw_finding_clear(&f);
	assert_int_equal(vw_cache_judge(vw_xml_root(x), &takes_odirect, &policy, "-f\n", &f),
			 VW_CACHE_FIX);
	assert_non_null(strstr(f.message, "`virt-warden fix DOMAIN`"));
	vw_finding_clear(&f);
	assert_int_equal(vw_cache_judge(vw_xml_root(x), &takes_odirect, &policy, "-f", &f),
			 VW_CACHE_FIX);
	assert_non_null(strstr(f.message, "`virt-warden fix -- -f`"));
	vw_finding_clear(&f);
}

/* The text after a fix; and a second fix must change nothing. */
static void assert_applied(const char *disk, const char *want)
{
	VW_AUTOXML struct vw_xml *x = parse(disk);
	VW_AUTOFREE char *text = NULL;
	VW_AUTOXML struct vw_xml *again = NULL;
	struct vw_err err;

	assert_int_equal(vw_cache_apply(x, vw_xml_root(x), &policy), 0);
	assert_int_equal(vw_xml_text(x, &text, NULL, &err), 0);
	assert_string_equal(text, want);
	again = parse(text);
	assert_int_equal(vw_cache_judge(vw_xml_root(again), &takes_odirect, &policy, "web1", NULL),
			 VW_CACHE_OK);
	assert_int_equal(vw_cache_apply(again, vw_xml_root(again), &policy), 0);
	assert_false(vw_xml_changed(again));
}

static void test_apply(void **state)
{
	(void)state;
	assert_applied(
		"<disk><driver name=\"qemu\" type=\"raw\" io=\"native\"/>" FILE_SOURCE "</disk>",
		"<disk><driver name=\"qemu\" type=\"raw\" io=\"native\" cache=\"none\"/>" FILE_SOURCE
		"</disk>");
	assert_applied("<disk>\n  <driver cache='unsafe' type='qcow2'>\n    <metadata_cache/>\n  "
		       "</driver>\n  " FILE_SOURCE "\n</disk>",
		       "<disk>\n  <driver cache='none' type='qcow2'>\n    <metadata_cache/>\n  "
		       "</driver>\n  " FILE_SOURCE "\n</disk>");
	assert_applied("<disk>\n  " FILE_SOURCE "\n  <target dev='vda'/>\n</disk>",
		       "<disk>\n  " FILE_SOURCE "\n  <driver name='qemu' cache='none'/>\n"
		       "  <target dev='vda'/>\n</disk>");
}

static void test_apply_other_modes(void **state)
{
	(void)state;
	strcpy(policy.caches[0], "writethrough");
	assert_applied("<disk><driver io='native' cache='none'/>" FILE_SOURCE "</disk>",
		       "<disk><driver cache='writethrough'/>" FILE_SOURCE "</disk>");
	assert_applied("<disk><driver io='threads' cache='none'/>" FILE_SOURCE "</disk>",
		       "<disk><driver io='threads' cache='writethrough'/>" FILE_SOURCE "</disk>");
	strcpy(policy.caches[0], "default");
	assert_applied("<disk><driver cache='unsafe'/>" FILE_SOURCE "</disk>",
		       "<disk><driver/>" FILE_SOURCE "</disk>");
	assert_applied("<disk>" FILE_SOURCE "</disk>", "<disk>" FILE_SOURCE "</disk>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_not_covered, setup),
		cmocka_unit_test_setup(test_fix, setup),
		cmocka_unit_test_setup(test_block, setup),
		cmocka_unit_test_setup(test_report, setup),
		cmocka_unit_test_setup(test_network, setup),
		cmocka_unit_test_setup(test_policy, setup),
		cmocka_unit_test_setup(test_hostile, setup),
		cmocka_unit_test_setup(test_apply, setup),
		cmocka_unit_test_setup(test_apply_other_modes, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
