/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A domain's metadata: mode, skips, foreign owners, OS; and text made safe for messages. */
#include "lib/engine/metadata.h"
#include "lib/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct vw_xml *domain(const char *metadata)
{
	VW_AUTOFREE char *text = NULL;
	struct vw_xml *x = NULL;
	struct vw_err err = { 0 };
	int len = asprintf(&text, "<domain><metadata>%s</metadata></domain>", metadata);

	assert_true(len > 0);
	assert_int_equal(vw_xml_parse(text, (size_t)len, "t", "domain", &x, &err), 0);
	return x;
}

static void assert_mode(const char *metadata, enum vw_mode mode, enum vw_mode effective)
{
	VW_AUTOXML struct vw_xml *x = domain(metadata);

	assert_int_equal(vw_metadata_mode(vw_xml_root(x)), mode);
	assert_int_equal(vw_metadata_effective_mode(vw_xml_root(x)), effective);
}

#define W(inner) "<w:warden xmlns:w='urn:virt-warden:domain:1'" inner
#define NOVA "<n:instance xmlns:n='http://openstack.org/xmlns/libvirt/nova/1.1'/>"

static void test_mode(void **state)
{
	(void)state;
	assert_mode("", VW_MODE_DEFAULT, VW_MODE_ENFORCE);
	assert_mode(W("/>"), VW_MODE_DEFAULT, VW_MODE_ENFORCE);
	assert_mode(W(" mode='enforce'/>"), VW_MODE_ENFORCE, VW_MODE_ENFORCE);
	assert_mode(W(" mode='audit'/>"), VW_MODE_AUDIT, VW_MODE_AUDIT);
	assert_mode(W(" mode='off'/>"), VW_MODE_OFF, VW_MODE_OFF);
	assert_mode(W(" mode='Off'/>"), VW_MODE_AUDIT, VW_MODE_AUDIT);
	assert_mode(NOVA, VW_MODE_DEFAULT, VW_MODE_AUDIT);
	assert_mode(NOVA W(" mode='enforce'/>"), VW_MODE_ENFORCE, VW_MODE_ENFORCE);
	/* Only our namespace counts. */
	assert_mode("<warden mode='off'/>", VW_MODE_DEFAULT, VW_MODE_ENFORCE);
	assert_mode("<w:warden xmlns:w='urn:other' mode='off'/>", VW_MODE_DEFAULT, VW_MODE_ENFORCE);
}

static void test_skips(void **state)
{
	VW_AUTOXML struct vw_xml *x = domain(
		W("><w:skip rule='disk-bus'/><skip rule='rng'/><w:skip/>"
		  "<w:skip rule='disk-cache'/></w:warden>"));
	VW_AUTOXML struct vw_xml *none = domain("");

	(void)state;
	assert_true(vw_metadata_skips(vw_xml_root(x), "disk-bus"));
	assert_true(vw_metadata_skips(vw_xml_root(x), "disk-cache"));
	assert_false(vw_metadata_skips(vw_xml_root(x), "rng"));
	assert_false(vw_metadata_skips(vw_xml_root(x), "disk"));
	assert_false(vw_metadata_skips(vw_xml_root(none), "disk-cache"));
}

#define CLOUDSTACK                                                                        \
	"</metadata><sysinfo type='smbios'><system><entry name='product'>CloudStack KVM " \
	"Hypervisor</entry></system></sysinfo><metadata>"

static void test_owner(void **state)
{
	static const char *const foreign[] = {
		NOVA,
		"<instance xmlns='http://openstack.org/xmlns/libvirt/nova/1.0'/>",
		"<o:vm xmlns:o='http://ovirt.org/vm/1.0'/>",
		"<t:qos xmlns:t='http://ovirt.org/vm/tune/1.0'/>",
		"<kubevirt xmlns='http://kubevirt.io'><uid/></kubevirt>",
		"<n:vm xmlns:n='http://opennebula.org/xmlns/libvirt/1.0'><n:name>db</n:name></n:vm>",
		CLOUDSTACK,
	};
	VW_AUTOXML struct vw_xml *own = domain(W("/>"));

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(foreign); i++) {
		VW_AUTOXML struct vw_xml *x = domain(foreign[i]);

		assert_true(vw_metadata_foreign_owner(vw_xml_root(x)));
	}
	assert_false(vw_metadata_foreign_owner(vw_xml_root(own)));
}

static void test_os_id(void **state)
{
	VW_AUTOXML struct vw_xml *x = domain(
		"<l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'>"
		"<l:os id='http://debian.org/debian/12'/></l:libosinfo>");
	VW_AUTOXML struct vw_xml *none = domain(
		"<l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'>"
		"<l:os id=''/></l:libosinfo>");

	(void)state;
	assert_string_equal(vw_metadata_os_id(vw_xml_root(x)), "http://debian.org/debian/12");
	assert_null(vw_metadata_os_id(vw_xml_root(none)));
}

static void assert_printable(const char *s, size_t max, const char *want)
{
	VW_AUTOFREE char *text = vw_printable(s, max);

	assert_string_equal(text, want);
}

static void assert_command(const char *domain_name, const char *want)
{
	VW_AUTOFREE char *text = vw_command_text("fix", domain_name);

	assert_string_equal(text, want);
}

static void test_quote(void **state)
{
	char longest[300];

	(void)state;
	assert_printable(NULL, 8, "");
	assert_printable("12345678", 8, "12345678");
	assert_printable("123456789", 8, "12345...");
	assert_printable("1234\xc3\xa4zzz", 8, "1234...");
	assert_printable("a\x1b[31m\x7f\n\xc2\x9b", 20, "a?[31m? ?");
	assert_printable("\xc3\xa4", 3, "\xc3\xa4");
	assert_command("web-1.example_com", "virt-warden fix web-1.example_com");
	assert_command("web 1", "virt-warden fix 'web 1'");
	assert_command("$(reboot)", "virt-warden fix '$(reboot)'");
	assert_command("it's", "virt-warden fix 'it'\\''s'");
	assert_command("-a b", "virt-warden fix -- '-a b'");
	assert_command("", "virt-warden fix DOMAIN");
	assert_command(NULL, "virt-warden fix DOMAIN");
	memset(longest, '\'', sizeof(longest));
	longest[255] = '\0';
	{
		VW_AUTOFREE char *text = vw_command_text("fix", longest);

		assert_int_equal(strlen(text), strlen("virt-warden fix ") + 255 * 4 + 2);
	}
	longest[255] = 'x';
	longest[256] = '\0';
	assert_command(longest, "virt-warden fix DOMAIN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mode),  cmocka_unit_test(test_skips),
		cmocka_unit_test(test_owner), cmocka_unit_test(test_os_id),
		cmocka_unit_test(test_quote),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
