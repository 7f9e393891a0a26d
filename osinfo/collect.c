/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the index keeps of an OS.
 *
 * Features are the names of the devices that it supports, inherited ones
 * included (libosinfo leaves out those that osinfo-db marks supported="false");
 * firmware-bios and firmware-efi as virt-install decides it for x86_64: what
 * osinfo-db says, else BIOS yes, EFI no; and arch-ARCH for each architecture
 * that its media, trees, images or firmware are for. */
#include "osinfo/collect.h"

#define ARCH "x86_64"

static gint compare_strings(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_archs(GPtrArray *features, OsinfoList *list, const char *property)
{
	gint n = osinfo_list_get_length(list);

	for (gint i = 0; i < n; i++) {
		const gchar *arch = osinfo_entity_get_param_value(osinfo_list_get_nth(list, i),
								  property);

		if (arch && !vw_streq(arch, OSINFO_ARCHITECTURE_ALL))
			g_ptr_array_add(features, g_strdup_printf("arch-%s", arch));
	}
}

/* Return: 1 yes, 0 no, -1 not said. */
static int says_firmware(OsinfoFirmwareList *firmwares, const char *type)
{
	gint n = osinfo_list_get_length(OSINFO_LIST(firmwares));

	for (gint i = 0; i < n; i++) {
		OsinfoFirmware *f = OSINFO_FIRMWARE(osinfo_list_get_nth(OSINFO_LIST(firmwares), i));

		if (vw_streq(osinfo_firmware_get_architecture(f), ARCH) &&
		    vw_streq(osinfo_firmware_get_firmware_type(f), type))
			return osinfo_firmware_is_supported(f);
	}
	return -1;
}

/* What the OS says itself comes before what it inherits. */
static bool supports_firmware(OsinfoFirmwareList *own, OsinfoFirmwareList *all, const char *type,
			      bool otherwise)
{
	int said = says_firmware(own, type);

	if (said < 0)
		said = says_firmware(all, type);
	return said < 0 ? otherwise : said;
}

static void add_firmwares(GPtrArray *features, OsinfoOs *os, OsinfoOs *source)
{
	g_autoptr(OsinfoFirmwareList) own = osinfo_os_get_firmware_list(os, NULL);
	g_autoptr(OsinfoFirmwareList) all = osinfo_os_get_complete_firmware_list(source, NULL);

	add_archs(features, OSINFO_LIST(own), OSINFO_FIRMWARE_PROP_ARCHITECTURE);
	if (supports_firmware(own, all, "bios", true))
		g_ptr_array_add(features, g_strdup("firmware-bios"));
	if (supports_firmware(own, all, "efi", false))
		g_ptr_array_add(features, g_strdup("firmware-efi"));
}

static void add_devices(GPtrArray *features, OsinfoOs *os)
{
	g_autoptr(OsinfoDeviceLinkList) links = osinfo_os_get_all_device_links(os, NULL);
	gint n = osinfo_list_get_length(OSINFO_LIST(links));

	for (gint i = 0; i < n; i++) {
		OsinfoDeviceLink *link = OSINFO_DEVICELINK(
			osinfo_list_get_nth(OSINFO_LIST(links), i));
		OsinfoDevice *device = osinfo_devicelink_get_target(link);
		const gchar *name = device ? osinfo_device_get_name(device) : NULL;

		if (name && *name)
			g_ptr_array_add(features, g_strdup(name));
	}
}

/* The entry for a product's releases to come ("rhel-unknown") often names no device, only
 * the system that it upgrades: that one's devices are its too. Return: borrowed. */
static OsinfoOs *upgraded(OsinfoOs *os)
{
	g_autoptr(OsinfoProductList) list = NULL;

	if (!vw_streq(osinfo_product_get_version(OSINFO_PRODUCT(os)), "unknown"))
		return os;
	list = osinfo_product_get_related(OSINFO_PRODUCT(os), OSINFO_PRODUCT_RELATIONSHIP_UPGRADES);
	if (osinfo_list_get_length(OSINFO_LIST(list)) == 0)
		return os;
	return OSINFO_OS(osinfo_list_get_nth(OSINFO_LIST(list), 0));
}

static GPtrArray *collect_features(OsinfoOs *os)
{
	GPtrArray *features = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(OsinfoMediaList) media = osinfo_os_get_media_list(os);
	g_autoptr(OsinfoTreeList) trees = osinfo_os_get_tree_list(os);
	g_autoptr(OsinfoImageList) images = osinfo_os_get_image_list(os);
	OsinfoOs *source = os;

	add_devices(features, os);
	if (!features->len) {
		source = upgraded(os);
		add_devices(features, source);
	}
	add_firmwares(features, os, source);
	add_archs(features, OSINFO_LIST(media), OSINFO_MEDIA_PROP_ARCHITECTURE);
	add_archs(features, OSINFO_LIST(trees), OSINFO_TREE_PROP_ARCHITECTURE);
	add_archs(features, OSINFO_LIST(images), OSINFO_IMAGE_PROP_ARCHITECTURE);
	g_ptr_array_sort(features, compare_strings);
	for (guint i = features->len; i > 1; i--)
		if (vw_streq(features->pdata[i - 1], features->pdata[i - 2]))
			g_ptr_array_remove_index(features, i - 1);
	return features;
}

/* Return: what the list says for that architecture, 0 = nothing. */
static gint64 resource_for(OsinfoResourcesList *list, const char *arch, const char *property)
{
	gint n = osinfo_list_get_length(OSINFO_LIST(list));

	for (gint i = 0; i < n; i++) {
		OsinfoEntity *r = osinfo_list_get_nth(OSINFO_LIST(list), i);
		gint64 value = osinfo_entity_get_param_value_int64_with_default(r, property, -1);

		if (value > 0 &&
		    vw_streq(osinfo_resources_get_architecture(OSINFO_RESOURCES(r)), arch))
			return value;
	}
	return 0;
}

/* Recommended, else minimum. */
static guint64 resource(OsinfoResourcesList *recommended, OsinfoResourcesList *minimum,
			const char *property)
{
	OsinfoResourcesList *const lists[] = { recommended, minimum };

	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
		gint64 value = resource_for(lists[i], ARCH, property);

		if (!value)
			value = resource_for(lists[i], OSINFO_ARCHITECTURE_ALL, property);
		if (value)
			return (guint64)value;
	}
	return 0;
}

static void add_resources(struct vw_osi_os *record, OsinfoOs *os)
{
	g_autoptr(OsinfoResourcesList) recommended = osinfo_os_get_recommended_resources(os);
	g_autoptr(OsinfoResourcesList) minimum = osinfo_os_get_minimum_resources(os);

	record->ram = resource(recommended, minimum, OSINFO_RESOURCES_PROP_RAM);
	record->storage = resource(recommended, minimum, OSINFO_RESOURCES_PROP_STORAGE);
	record->ncpus = (uint32_t)MIN(resource(recommended, minimum, OSINFO_RESOURCES_PROP_N_CPUS),
				      G_MAXINT32);
}

static void add_os(struct vw_osi_writer *w, OsinfoOs *os)
{
	OsinfoProduct *product = OSINFO_PRODUCT(os);
	g_autoptr(GPtrArray) features = collect_features(os);
	const char *id = osinfo_entity_get_id(OSINFO_ENTITY(os));
	g_autoptr(GList) names = osinfo_product_get_short_id_list(product);
	struct vw_osi_os record = {
		.id = vw_osi_writer_string(w, id),
		.short_id = vw_osi_writer_string(w, osinfo_product_get_short_id(product)),
		.name = vw_osi_writer_string(w, osinfo_product_get_name(product)),
		.family = vw_osi_writer_string(w, osinfo_os_get_family(os)),
		.distro = vw_osi_writer_string(w, osinfo_os_get_distro(os)),
		.version = vw_osi_writer_string(w, osinfo_product_get_version(product)),
		.release_date = vw_osi_writer_string(
			w, osinfo_product_get_release_date_string(product)),
	};

	add_resources(&record, os);
	vw_osi_writer_features(w, features, &record);
	vw_osi_writer_name(w, w->ids, id);
	for (GList *l = names; l; l = l->next)
		vw_osi_writer_name(w, w->shorts, l->data);
	g_array_append_val(w->os, record);
}

/* 9 comes before 10. */
static gint compare_os(gconstpointer a, gconstpointer b)
{
	const char *x = osinfo_product_get_short_id(OSINFO_PRODUCT((gpointer)a));
	const char *y = osinfo_product_get_short_id(OSINFO_PRODUCT((gpointer)b));
	int c = strverscmp(x ? x : "", y ? y : "");

	return c ? c
		 : strcmp(osinfo_entity_get_id(OSINFO_ENTITY((gpointer)a)),
			  osinfo_entity_get_id(OSINFO_ENTITY((gpointer)b)));
}

guint vw_osi_collect(struct vw_osi_writer *w, OsinfoDb *db)
{
	g_autoptr(OsinfoOsList) list = osinfo_db_get_os_list(db);
	g_autoptr(GList) all = osinfo_list_get_elements(OSINFO_LIST(list));

	all = g_list_sort(all, compare_os);
	for (GList *l = all; l; l = l->next)
		add_os(w, OSINFO_OS(l->data));
	return w->os->len;
}
