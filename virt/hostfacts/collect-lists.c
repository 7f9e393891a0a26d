/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Networks, storage, domains and files of a host, as facts (see virt/hostfacts/collect.h). */
#include "lib/json/json.h"
#include "virt/hostfacts/collect.h"

#include <errno.h>
#include <libvirt/virterror.h>

static void collect_interfaces(virConnectPtr conn, json_t *facts)
{
	virInterfacePtr *all = NULL;
	int n = virConnectListAllInterfaces(conn, &all, 0);

	if (n < 0)
		host_unasked(facts, "interfaces");
	for (int i = 0; i < n; i++) {
		json_array_append_new(json_object_get(facts, "interfaces"),
				      vw_json_string(virInterfaceGetName(all[i])));
		virInterfaceFree(all[i]);
	}
	free(all);
}

/* A network's own bridge is an interface too, whatever the interface driver sees. */
static void add_bridge(json_t *facts, virNetworkPtr net)
{
	VW_AUTOFREE char *bridge = virNetworkGetBridgeName(net);

	if (bridge && virNetworkIsActive(net) == 1)
		json_array_append_new(json_object_get(facts, "interfaces"), vw_json_string(bridge));
}

void host_collect_networks(virConnectPtr conn, json_t *facts)
{
	virNetworkPtr *all = NULL;
	int n = virConnectListAllNetworks(conn, &all, 0);

	if (n < 0)
		host_unasked(facts, "networks");
	for (int i = 0; i < n; i++) {
		json_array_append_new(json_object_get(facts, "networks"),
				      json_pack("{s:o, s:b}", "name",
						vw_json_string(virNetworkGetName(all[i])), "active",
						virNetworkIsActive(all[i]) == 1));
		add_bridge(facts, all[i]);
		virNetworkFree(all[i]);
	}
	free(all);
	collect_interfaces(conn, facts);
}

static void collect_volumes(virStoragePoolPtr pool, json_t *entry, size_t *room)
{
	virStorageVolPtr *vols = NULL;
	int n = virStoragePoolListAllVolumes(pool, &vols, 0);

	for (int i = 0; i < n; i++) {
		VW_AUTOFREE char *path = *room ? virStorageVolGetPath(vols[i]) : NULL;

		if (path) {
			json_array_append_new(json_object_get(entry, "volumes"),
					      vw_json_string(path));
			--*room;
		} else {
			json_object_set_new(entry, "cut", json_true());
		}
		virStorageVolFree(vols[i]);
	}
	free(vols);
}

/* <source>: "host:/dir" of what is mounted over the network, or the device. */
static char *pool_source(const xmlNode *source)
{
	const xmlNode *host = vw_xml_child(source, "host"), *dir = vw_xml_child(source, "dir");
	const xmlNode *device = vw_xml_child(source, "device");
	const char *path = dir ? vw_xml_attr(dir, "path") : NULL;
	char *text = NULL;

	if (!path && device)
		path = vw_xml_attr(device, "path");
	if (asprintf(&text, "%s%s%s",
		     host && vw_xml_attr(host, "name") ? vw_xml_attr(host, "name") : "",
		     host ? ":" : "", path ? path : "") < 0)
		return NULL;
	return text;
}

static void collect_pool_source(json_t *entry, const xmlNode *source)
{
	const xmlNode *format = source ? vw_xml_child(source, "format") : NULL;
	VW_AUTOFREE char *text = source ? pool_source(source) : NULL;

	host_set(entry, "format", format ? vw_xml_attr(format, "type") : "");
	host_set(entry, "source", text);
}

static void collect_pool(virStoragePoolPtr pool, json_t *facts, size_t *room)
{
	VW_AUTOFREE char *xml = virStoragePoolGetXMLDesc(pool, 0);
	VW_AUTOXML struct vw_xml *x = NULL;
	const xmlNode *path;
	json_t *entry;

	if (!xml || vw_xml_parse(xml, strlen(xml), "pool", "pool", &x, NULL) < 0)
		return;
	path = vw_xml_path(vw_xml_root(x), "target/path");
	entry = json_pack("{s:o, s:o, s:o, s:b, s:[], s:b}", "name",
			  vw_json_string(virStoragePoolGetName(pool)), "type",
			  vw_json_string(vw_xml_attr(vw_xml_root(x), "type")), "path",
			  vw_json_string(path ? vw_xml_content(x, path) : ""), "active",
			  virStoragePoolIsActive(pool) == 1, "volumes", "cut", 0);
	collect_pool_source(entry, vw_xml_child(vw_xml_root(x), "source"));
	json_array_append_new(json_object_get(facts, "pools"), entry);
	if (virStoragePoolIsActive(pool) == 1)
		collect_volumes(pool, entry, room);
}

static const char *below(struct vw_xml *x, const xmlNode *node, const char *name)
{
	const xmlNode *child = vw_xml_child(node, name);

	return child ? vw_xml_content(x, child) : "";
}

/* libvirt says no WWN of a disk; the names that udev makes of it do. Return: "" = none; borrowed. */
static const char *wwn_of_links(struct vw_xml *x, const xmlNode *link)
{
	static const char *const made_of_wwn[] = { "/dev/disk/by-id/wwn-",
						   "/dev/disk/by-id/dm-uuid-mpath-",
						   "/dev/disk/by-id/nvme-eui.",
						   "/dev/disk/by-id/nvme-uuid." };

	for (size_t i = 0; i < VW_N_ELEMENTS(made_of_wwn); i++)
		for (const xmlNode *l = link; l; l = vw_xml_next(l, "devnode")) {
			const char *name = vw_xml_content(x, l);

			if (vw_startswith(name, made_of_wwn[i]))
				return name + strlen(made_of_wwn[i]);
		}
	return "";
}

/* <device><devnode type='link'>/dev/disk/by-id/wwn-… <capability type='storage'><block>/dev/sda,
 * <serial>, <size>: one entry for each name of the disk. */
static void collect_lun(virNodeDevicePtr dev, json_t *facts)
{
	VW_AUTOFREE char *xml = virNodeDeviceGetXMLDesc(dev, 0);
	VW_AUTOXML struct vw_xml *x = NULL;
	const xmlNode *root, *c, *link;
	json_t *luns = json_object_get(facts, "luns");
	const char *wwn;

	if (!xml || vw_xml_parse(xml, strlen(xml), "device", "device", &x, NULL) < 0)
		return;
	root = vw_xml_root(x);
	c = vw_xml_child(root, "capability");
	if (!c || !*below(x, c, "block"))
		return;
	link = vw_xml_child(root, "devnode");
	wwn = wwn_of_links(x, link);
	for (const char *path = below(x, c, "block"); path;) {
		json_array_append_new(
			luns, json_pack("{s:o, s:o, s:o, s:I}", "path", vw_json_string(path), "wwn",
					vw_json_string(wwn), "serial",
					vw_json_string(below(x, c, "serial")), "bytes",
					(json_int_t)strtoll(below(x, c, "size"), NULL, 10)));
		while (link && !vw_streq(vw_xml_attr(link, "type"), "link"))
			link = vw_xml_next(link, "devnode");
		path = link ? vw_xml_content(x, link) : NULL;
		link = link ? vw_xml_next(link, "devnode") : NULL;
	}
}

void host_collect_storage(virConnectPtr conn, json_t *facts)
{
	virStoragePoolPtr *pools = NULL;
	virNodeDevicePtr *devs = NULL;
	size_t room = HOST_MAX_VOLUMES;
	int i, n = virConnectListAllStoragePools(conn, &pools, 0);

	if (n < 0)
		host_unasked(facts, "pools");
	for (i = 0; i < n; i++) {
		collect_pool(pools[i], facts, &room);
		virStoragePoolFree(pools[i]);
	}
	free(pools);
	n = virConnectListAllNodeDevices(conn, &devs, VIR_CONNECT_LIST_NODE_DEVICES_CAP_STORAGE);
	if (n < 0)
		host_unasked(facts, "luns");
	for (i = 0; i < n; i++) {
		collect_lun(devs[i], facts);
		virNodeDeviceFree(devs[i]);
	}
	free(devs);
}

static void collect_ports(virDomainPtr dom, json_t *ports)
{
	VW_AUTOFREE char *xml = virDomainGetXMLDesc(dom, 0);
	VW_AUTOXML struct vw_xml *x = NULL;
	xmlNode *g;

	if (!xml || vw_xml_parse(xml, strlen(xml), "domain", "domain", &x, NULL) < 0)
		return;
	for (g = vw_xml_path(vw_xml_root(x), "devices/graphics"); g; g = vw_xml_next(g, "graphics"))
		if (vw_xml_attr(g, "port") && *vw_xml_attr(g, "port") != '-')
			json_array_append_new(ports, vw_json_string(vw_xml_attr(g, "port")));
}

static void collect_domain(virDomainPtr dom, json_t *facts)
{
	char uuid[VIR_UUID_STRING_BUFLEN] = "";
	bool active = virDomainIsActive(dom) == 1;
	json_t *ports = json_array();

	virDomainGetUUIDString(dom, uuid);
	if (active)
		collect_ports(dom, ports);
	json_array_append_new(json_object_get(facts, "domains"),
			      json_pack("{s:o, s:s, s:b, s:o}", "name",
					vw_json_string(virDomainGetName(dom)), "uuid", uuid,
					"active", active, "ports", ports));
}

void host_collect_domains(virConnectPtr conn, json_t *facts)
{
	virDomainPtr *all = NULL;
	int n = virConnectListAllDomains(conn, &all, 0);

	if (n < 0 || n > HOST_MAX_DOMAINS)
		host_unasked(facts, "domains");
	for (int i = 0; i < n; i++) {
		if (i < HOST_MAX_DOMAINS)
			collect_domain(all[i], facts);
		virDomainFree(all[i]);
	}
	free(all);
}

/* Only where a disk or a boot file may lie: never a device that does something when it is opened. */
static bool may_open(const char *path)
{
	static const char *const never[] = { "/proc/", "/sys/", "/run/" };
	static const char *const disks[] = {
		"/dev/disk/", "/dev/mapper/", "/dev/sd", "/dev/vd",    "/dev/loop", "/dev/dm-",
		"/dev/nvme",  "/dev/nbd",     "/dev/sr", "/dev/zvol/", "/dev/drbd", "/dev/rbd"
	};

	for (size_t i = 0; i < VW_N_ELEMENTS(never); i++)
		if (vw_startswith(path, never[i]))
			return false;
	if (*path != '/' || strstr(path, "/../"))
		return false;
	for (size_t i = 0; i < VW_N_ELEMENTS(disks); i++)
		if (vw_startswith(path, disks[i]))
			return true;
	return !vw_startswith(path, "/dev/");
}

/* libvirt has no call that asks for a file. Reading it as a saved guest opens it
 * read-only on the host: it is not there (ENOENT), or it is no saved guest. */
void host_collect_files(virConnectPtr conn, json_t *facts, const struct vw_words *paths)
{
	for (size_t i = 0; paths && i < paths->n; i++) {
		VW_AUTOFREE char *xml = NULL;
		virErrorPtr e;
		bool gone;

		if (!may_open(paths->v[i]))
			continue;
		virResetLastError();
		xml = virDomainSaveImageGetXMLDesc(conn, paths->v[i], 0);
		e = virGetLastError();
		gone = !xml && e && e->code == VIR_ERR_SYSTEM_ERROR && e->int1 == ENOENT;
		if (xml || gone || (e && e->code == VIR_ERR_OPERATION_FAILED))
			json_array_append_new(json_object_get(facts, "files"),
					      json_pack("{s:o, s:b}", "path",
							vw_json_string(paths->v[i]), "there",
							!gone));
	}
}
