/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All that a judgement needs of one host, over one connection, as JSON (see host.h).
 * What can't be asked is named in "unasked". */
#include "virt/hostfacts/collect.h"

#include "lib/base/buf.h"
#include "lib/json/json.h"

#include <errno.h>
#include <libvirt/virterror.h>

void host_unasked(json_t *facts, const char *section)
{
	const char *why = virGetLastErrorMessage();
	VW_AUTOFREE char *text = NULL;

	if (asprintf(&text, "%s: %s", section, why ? why : "unknown error") < 0)
		text = NULL;
	json_array_append_new(json_object_get(facts, "unasked"), vw_json_string(text));
}

void host_set(json_t *object, const char *key, const char *value)
{
	json_object_set_new(object, key, vw_json_string(value));
}

/* <feature> elements of an element, as those of a custom CPU. */
static char *custom_cpu(struct vw_xml *x, const xmlNode *cpu)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	const xmlNode *model = vw_xml_child(cpu, "model"), *vendor = vw_xml_child(cpu, "vendor");
	const xmlNode *f = vw_xml_child(cpu, "feature");

	vw_buf_puts(&b, "<cpu mode='custom' match='exact'><model fallback='forbid'>");
	vw_buf_xml(&b, model ? vw_xml_content(x, model) : "", 0);
	vw_buf_puts(&b, "</model>");
	if (vendor) {
		vw_buf_puts(&b, "<vendor>");
		vw_buf_xml(&b, vw_xml_content(x, vendor), 0);
		vw_buf_puts(&b, "</vendor>");
	}
	for (; f; f = vw_xml_next(f, "feature")) {
		vw_buf_puts(&b, "<feature policy='");
		vw_buf_xml(&b, vw_xml_attr(f, "policy"), '\'');
		vw_buf_puts(&b, "' name='");
		vw_buf_xml(&b, vw_xml_attr(f, "name"), '\'');
		vw_buf_puts(&b, "'/>");
	}
	vw_buf_puts(&b, "</cpu>");
	return vw_buf_take(&b);
}

json_t *host_expand_cpu(virConnectPtr conn, const char *emulator, const char *arch,
			const char *type, struct vw_xml *x, const xmlNode *cpu)
{
	VW_AUTOFREE char *text = custom_cpu(x, cpu);
	const char *cpus[] = { text };
	VW_AUTOFREE char *whole = NULL;
	VW_AUTOXML struct vw_xml *w = NULL;
	json_t *names;

	if (text)
		whole = virConnectBaselineHypervisorCPU(conn, emulator, arch, NULL, type, cpus, 1,
							VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES);
	if (!whole || vw_xml_parse(whole, strlen(whole), "cpu", "cpu", &w, NULL) < 0)
		return NULL;
	names = json_array();
	for (xmlNode *f = vw_xml_child(vw_xml_root(w), "feature"); f; f = vw_xml_next(f, "feature"))
		if (vw_streq(vw_xml_attr(f, "policy"), "require") && vw_xml_attr(f, "name"))
			json_array_append_new(names, vw_json_string(vw_xml_attr(f, "name")));
	return names;
}

static void collect_models(json_t *virt, struct vw_xml *x, const xmlNode *mode)
{
	json_t *models = json_object_get(virt, "models");

	for (xmlNode *m = vw_xml_child(mode, "model"); m; m = vw_xml_next(m, "model"))
		if (vw_streq(vw_xml_attr(m, "usable"), "yes"))
			json_array_append_new(models, vw_json_string(vw_xml_content(x, m)));
}

static void collect_host_model(virConnectPtr conn, json_t *facts, json_t *virt, struct vw_xml *x,
			       const xmlNode *mode)
{
	const xmlNode *model = vw_xml_child(mode, "model"), *vendor = vw_xml_child(mode, "vendor");
	json_t *features;

	if (!model)
		return;
	host_set(virt, "model", vw_xml_content(x, model));
	host_set(virt, "vendor", vendor ? vw_xml_content(x, vendor) : "");
	features = host_expand_cpu(conn, json_string_value(json_object_get(virt, "emulator")),
				   json_string_value(json_object_get(facts, "arch")),
				   json_string_value(json_object_get(virt, "type")), x, mode);
	if (features)
		json_object_set_new(virt, "features", features);
	else
		host_unasked(facts, "cpu");
}

/* Only what some check asks for. */
static void collect_device_caps(json_t *virt, const char *xml)
{
	static const char *const wanted[][2] = { { "tpm.backendModel", "emulator" },
						 { "os.firmware", "efi" },
						 { "filesystem.driverType", "virtiofs" } };
	struct vw_caps *caps = NULL;
	VW_AUTOFREE char *text = NULL;

	if (vw_caps_parse(xml, strlen(xml), &caps, NULL) < 0)
		return;
	json_array_append_new(json_object_get(virt, "caps"), json_string("devices=known"));
	for (size_t i = 0; i < VW_N_ELEMENTS(wanted); i++) {
		if (vw_caps_has(caps, wanted[i][0], wanted[i][1]) != VW_YES ||
		    asprintf(&text, "%s=%s", wanted[i][0], wanted[i][1]) < 0)
			continue;
		json_array_append_new(json_object_get(virt, "caps"), json_string(text));
		free(vw_steal(text));
	}
	vw_caps_free(caps);
}

/* No such guests here (a /dev/kvm that is unusable), or could it not be asked? */
static bool is_refused(int code)
{
	return code == VIR_ERR_INVALID_ARG || code == VIR_ERR_CONFIG_UNSUPPORTED ||
	       code == VIR_ERR_OPERATION_UNSUPPORTED;
}

static void collect_virt(virConnectPtr conn, json_t *facts, const char *type, const char *emulator,
			 json_t *machines)
{
	const char *arch = json_string_value(json_object_get(facts, "arch"));
	VW_AUTOFREE char *xml = virConnectGetDomainCapabilities(conn, emulator, arch, NULL, type,
								0);
	VW_AUTOXML struct vw_xml *x = NULL;
	json_t *virt;

	if (!xml || vw_xml_parse(xml, strlen(xml), "domain capabilities", NULL, &x, NULL) < 0) {
		if (!xml && !is_refused(virGetLastErrorCode()))
			host_unasked(facts, "capabilities");
		return;
	}
	virt = json_pack("{s:s, s:s, s:s, s:s, s:[], s:[], s:O, s:[]}", "type", type, "emulator",
			 emulator, "model", "", "vendor", "", "features", "models", "machines",
			 machines, "caps");
	json_array_append_new(json_object_get(facts, "virts"), virt);
	for (xmlNode *m = vw_xml_path(vw_xml_root(x), "cpu/mode"); m; m = vw_xml_next(m, "mode")) {
		if (vw_streq(vw_xml_attr(m, "name"), "custom"))
			collect_models(virt, x, m);
		else if (vw_streq(vw_xml_attr(m, "name"), "host-model"))
			collect_host_model(conn, facts, virt, x, m);
	}
	collect_device_caps(virt, xml);
}

/* <guest> of this architecture: emulator, machine types, domain types. */
static void collect_guest(virConnectPtr conn, json_t *facts, struct vw_xml *x, const xmlNode *arch)
{
	const xmlNode *emulator = vw_xml_child(arch, "emulator");
	json_t *machines = json_array();

	for (xmlNode *m = vw_xml_child(arch, "machine"); m; m = vw_xml_next(m, "machine"))
		json_array_append_new(machines, vw_json_string(vw_xml_content(x, m)));
	for (xmlNode *d = vw_xml_child(arch, "domain"); emulator && d;
	     d = vw_xml_next(d, "domain")) {
		const char *type = vw_xml_attr(d, "type");

		if (vw_streq(type, "kvm") || vw_streq(type, "qemu"))
			collect_virt(conn, facts, type, vw_xml_content(x, emulator), machines);
	}
	json_decref(machines);
}

/* Huge pages of one cell; what is free now is another call. */
static void collect_pages(virConnectPtr conn, json_t *facts, struct vw_xml *x, const xmlNode *cell)
{
	const char *id = vw_xml_attr(cell, "id");

	for (xmlNode *p = vw_xml_child(cell, "pages"); p; p = vw_xml_next(p, "pages")) {
		const char *size = vw_xml_attr(p, "size");
		unsigned kib = size ? (unsigned)strtoul(size, NULL, 10) : 0;
		unsigned long long count = 0;
		bool known;

		if (kib <= 4) /* those of 4 KiB are not huge */
			continue;
		known = id && virNodeGetFreePages(conn, 1, &kib, atoi(id), 1, &count, 0) > 0;
		json_array_append_new(json_object_get(facts, "pages"),
				      json_pack("{s:I, s:I, s:I}", "kib", (json_int_t)kib, "total",
						(json_int_t)strtoll(vw_xml_content(x, p), NULL, 10),
						"free",
						known ? (json_int_t)count : (json_int_t)-1));
	}
}

static void collect_cells(virConnectPtr conn, json_t *facts, struct vw_xml *x, const xmlNode *host)
{
	const xmlNode *cell = vw_xml_path(host, "topology/cells/cell");
	long long kib = 0;

	for (; cell; cell = vw_xml_next(cell, "cell")) {
		const xmlNode *memory = vw_xml_child(cell, "memory");

		if (memory &&
		    __builtin_add_overflow(kib, strtoll(vw_xml_content(x, memory), NULL, 10), &kib))
			kib = 0; /* no sum that makes sense: not said */
		collect_pages(conn, facts, x, cell);
	}
	json_object_set_new(facts, "memory_kib", json_integer(kib));
}

static void collect_host(virConnectPtr conn, json_t *facts, struct vw_xml *x, const xmlNode *host)
{
	const xmlNode *uuid = vw_xml_child(host, "uuid"), *arch = vw_xml_path(host, "cpu/arch");
	const xmlNode *c = vw_xml_path(host, "cpu/counter");

	host_set(facts, "uuid", uuid ? vw_xml_content(x, uuid) : "");
	host_set(facts, "arch", arch ? vw_xml_content(x, arch) : "");
	for (; c; c = vw_xml_next(c, "counter")) {
		const char *hz = vw_xml_attr(c, "frequency");

		if (!vw_streq(vw_xml_attr(c, "name"), "tsc") || !hz)
			continue;
		json_object_set_new(facts, "tsc_khz", json_integer(strtoll(hz, NULL, 10) / 1000));
		json_object_set_new(facts, "tsc_scaling",
				    json_boolean(vw_streq(vw_xml_attr(c, "scaling"), "yes")));
	}
	for (xmlNode *s = vw_xml_child(host, "secmodel"); s; s = vw_xml_next(s, "secmodel")) {
		const xmlNode *model = vw_xml_child(s, "model");

		if (model)
			json_array_append_new(json_object_get(facts, "security"),
					      vw_json_string(vw_xml_content(x, model)));
	}
	collect_cells(conn, facts, x, host);
}

static void collect_capabilities(virConnectPtr conn, json_t *facts)
{
	VW_AUTOFREE char *xml = virConnectGetCapabilities(conn);
	VW_AUTOXML struct vw_xml *x = NULL;
	const xmlNode *root;

	if (!xml || vw_xml_parse(xml, strlen(xml), "capabilities", "capabilities", &x, NULL) < 0) {
		host_unasked(facts, "capabilities");
		return;
	}
	root = vw_xml_root(x);
	if (vw_xml_child(root, "host"))
		collect_host(conn, facts, x, vw_xml_child(root, "host"));
	for (xmlNode *g = vw_xml_child(root, "guest"); g; g = vw_xml_next(g, "guest")) {
		const xmlNode *arch = vw_xml_child(g, "arch"), *os = vw_xml_child(g, "os_type");

		if (arch && os && vw_streq(vw_xml_content(x, os), "hvm") &&
		    vw_streq(vw_xml_attr(arch, "name"),
			     json_string_value(json_object_get(facts, "arch"))))
			collect_guest(conn, facts, x, arch);
	}
}

static json_t *empty_facts(void)
{
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:b, s:i, s:[], s:[], "
			 "s:[], s:[], s:[], s:[], s:[], s:[], s:[], s:[]}",
			 "version", VW_FACTS_VERSION, "name", "", "uri", "", "hostname", "", "uuid",
			 "", "arch", "", "libvirt", 0, "qemu", 0, "tsc_khz", 0, "tsc_scaling", 0,
			 "memory_kib", 0, "security", "interfaces", "unasked", "virts", "networks",
			 "pools", "luns", "domains", "pages", "files");
}

json_t *host_collect(virConnectPtr conn, const struct vw_words *paths, struct vw_err *err)
{
	VW_AUTOFREE char *hostname = NULL;
	VW_AUTOFREE char *uri = NULL;
	unsigned long version = 0;
	json_t *facts;

	if (!vw_conn_is_qemu(conn)) {
		vw_err_set(err, -EOPNOTSUPP, "this libvirt runs no QEMU guests");
		return NULL;
	}
	facts = empty_facts();
	hostname = virConnectGetHostname(conn);
	uri = virConnectGetURI(conn);
	host_set(facts, "name", hostname);
	host_set(facts, "hostname", hostname);
	host_set(facts, "uri", uri);
	if (virConnectGetLibVersion(conn, &version) == 0)
		json_object_set_new(facts, "libvirt", json_integer((json_int_t)version));
	if (virConnectGetVersion(conn, &version) == 0)
		json_object_set_new(facts, "qemu", json_integer((json_int_t)version));
	collect_capabilities(conn, facts);
	host_collect_networks(conn, facts);
	host_collect_storage(conn, facts);
	host_collect_domains(conn, facts);
	host_collect_files(conn, facts, paths);
	return facts;
}
