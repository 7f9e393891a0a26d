/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which mount namespaces show the same files? */
#include "virt/mounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define ROOT "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
#define PROC "23 22 0:21 / /proc rw shared:5 - proc proc rw\n"
#define RUN "24 22 0:22 / /run rw shared:6 - tmpfs tmpfs rw\n"
#define DEV "25 22 0:5 / /dev rw shared:2 - devtmpfs udev rw\n"
#define DATA "26 22 8:1 / /srv rw shared:7 - xfs /dev/sda1 rw\n"
#define HOST ROOT PROC RUN DEV DATA

static void check(const char *ours, bool same)
{
	assert_int_equal(vw_mounts_agree(ours, HOST), same);
	assert_int_equal(vw_mounts_agree(HOST, ours), same);
}

static void test_same(void **state)
{
	(void)state;
	check(HOST, true);
	/* other ids, another order */
	check("90 80 8:1 / /srv rw - xfs /dev/sda1 rw\n91 80 0:5 / /dev rw - devtmpfs udev rw\n" PROC
		      RUN "80 1 254:0 / / rw - ext4 /dev/vda rw\n",
	      true);
}

/* What our own unit asks of systemd: ProtectSystem=strict, ProtectHome=read-only, PrivateMounts,
 * ProtectKernel…, StateDirectory: binds of the same to the same place, and nodes that hide. */
static void test_protected(void **state)
{
	(void)state;
	check("22 1 254:0 / / ro,relatime master:1 - ext4 /dev/vda rw\n" PROC RUN DEV DATA
	      "30 22 254:0 /home /home ro master:1 - ext4 /dev/vda rw\n"
	      "31 22 254:0 /var/lib/virt-warden /var/lib/virt-warden rw master:1 - ext4 /dev/vda rw\n"
	      "32 26 8:1 /images /srv/images ro master:7 - xfs /dev/sda1 rw\n"
	      "33 23 0:21 /sys /proc/sys ro master:5 - proc proc rw\n"
	      "34 25 0:22 /systemd/inaccessible/chr /dev/kmsg ro master:6 - tmpfs tmpfs rw\n"
	      "35 22 0:22 /systemd/inaccessible/dir /usr/lib/modules ro master:6 - tmpfs tmpfs rw\n"
	      "36 24 0:22 /systemd/propagate/x /run/systemd/incoming ro master:6 - tmpfs tmpfs rw\n",
	      true);
}

static void test_other(void **state)
{
	(void)state;
	check(ROOT PROC RUN DEV, false); /* the disks' filesystem is not there */
	check(HOST "40 22 0:40 / /tmp rw - tmpfs tmpfs rw\n", false);
	check(HOST "40 22 254:0 /tmp/systemd-private-1/tmp /tmp rw - ext4 /dev/vda rw\n", false);
	check(HOST "40 22 0:22 /systemd/inaccessible/dir /home ro - tmpfs tmpfs rw\n", false);
	check(HOST "40 26 8:1 /other /srv/images rw - xfs /dev/sda1 rw\n", false);
	check(ROOT PROC RUN DEV "26 22 8:2 / /srv rw - xfs /dev/sdb1 rw\n",
	      false);                                                  /* another disk */
	check(HOST "41 26 8:2 / /srv rw - xfs /dev/sdb1 rw\n", false); /* mounted over it */
	check(PROC RUN DEV DATA "22 1 0:50 / / rw - overlay overlay rw\n", false); /* a container */
	/* names that only begin alike */
	check(HOST "40 22 254:0 /srv2 /srv2 rw - ext4 /dev/vda rw\n", true);
	check(HOST "40 22 0:9 / /process rw - tmpfs tmpfs rw\n", false);
}

static void test_garbage(void **state)
{
	static const char *const bad[] = { "",
					   "\n",
					   "x",
					   "22 1 254 / / rw\n",
					   "22 1 254:0 /\n",
					   HOST "\n",
					   "22 1\n254:0 / / rw - ext4 x rw\n" };

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(bad); i++) {
		assert_false(vw_mounts_agree(bad[i], HOST));
		assert_false(vw_mounts_agree(HOST, bad[i]));
		assert_false(vw_mounts_agree(bad[i], bad[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same),
		cmocka_unit_test(test_protected),
		cmocka_unit_test(test_other),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
