/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Defines many domain XML files in a libvirtd, one after the other, and undefines each again.
 *
 * usage: define-all [-c URI] [-o DIR] [-s] FILE…
 *   prints "ok NAME" or "refused NAME: message"; -o keeps what libvirtd stored in DIR/NAME;
 *   -s starts each, paused: "started NAME" or "unstarted NAME: message", and of each PCI device of
 *   the running guest "place NAME ALIAS ADDRESS"
 *
 * With virsh-warden.so preloaded this is the front-end's path, without it is plain libvirt. */
#include "tests/corpus/tool.h"

#include "lib/xml/xml.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <unistd.h>

#define UNDEFINE_FLAGS                                                               \
	(VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA | \
	 VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA)

static void ignore_error(void *data, virError *error)
{
	(void)data;
	(void)error;
}

static void keep_stored(virDomainPtr dom, const char *dir, const char *name)
{
	char *xml = virDomainGetXMLDesc(dom, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);

	if (!xml)
		die("%s: stored XML can't be read: %s", name, virGetLastErrorMessage());
	write_file(dir, name, xml, strlen(xml));
	free(xml);
}

static void print_places(const char *name, const xmlNode *devices)
{
	for (xmlNode *d = vw_xml_first(devices); d; d = vw_xml_next(d, NULL)) {
		const xmlNode *a = vw_xml_child(d, "address");
		const char *alias = vw_xml_attr(vw_xml_child(d, "alias"), "name");

		if (vw_streq(vw_xml_attr(a, "type"), "pci"))
			printf("place %s %s %s:%s.%s\n", name, alias ? alias : (char *)d->name,
			       vw_xml_attr(a, "bus"), vw_xml_attr(a, "slot"),
			       vw_xml_attr(a, "function"));
	}
}

static void start_one(virDomainPtr dom, const char *name)
{
	VW_AUTOXML struct vw_xml *doc = NULL;
	char *xml;

	if (virDomainCreateWithFlags(dom, VIR_DOMAIN_START_PAUSED) < 0) {
		const char *why = virGetLastErrorMessage();

		printf("unstarted %s: %.*s\n", name, (int)strcspn(why, "\n"), why);
		return;
	}
	xml = virDomainGetXMLDesc(dom, 0);
	if (!xml || vw_xml_parse(xml, strlen(xml), name, "domain", &doc, NULL) < 0)
		die("%s: live XML can't be read", name);
	printf("started %s\n", name);
	print_places(name, vw_xml_child(vw_xml_root(doc), "devices"));
	free(xml);
	if (virDomainDestroy(dom) < 0)
		die("%s: can't be ended: %s", name, virGetLastErrorMessage());
}

static void define_one(virConnectPtr conn, const char *path, const char *dir, bool start)
{
	const char *name = base_name(path);
	size_t len;
	char *xml = read_file(path, &len);
	virDomainPtr dom = virDomainDefineXMLFlags(conn, xml, 0);

	if (!dom) {
		const char *why = virGetLastErrorMessage(); /* may quote the XML: its first line */

		printf("refused %s: %.*s\n", name, (int)strcspn(why, "\n"), why);
		free(xml);
		return;
	}
	printf("ok %s\n", name);
	if (dir)
		keep_stored(dom, dir, name);
	if (start)
		start_one(dom, name);
	if (virDomainUndefineFlags(dom, UNDEFINE_FLAGS) < 0)
		die("%s: can't be undefined: %s", name, virGetLastErrorMessage());
	virDomainFree(dom);
	free(xml);
}

int main(int argc, char **argv)
{
	const char *uri = "qemu:///system", *dir = NULL;
	virConnectPtr conn;
	bool start = false;
	int opt;

	while ((opt = getopt(argc, argv, "c:o:s")) != -1) {
		if (opt == 'c')
			uri = optarg;
		else if (opt == 'o')
			dir = optarg;
		else if (opt == 's')
			start = true;
		else
			die("usage: define-all [-c URI] [-o DIR] [-s] FILE…");
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	virSetErrorFunc(NULL, ignore_error);
	conn = virConnectOpen(uri);
	if (!conn)
		die("%s: %s", uri, virGetLastErrorMessage());
	for (int i = optind; i < argc; i++)
		define_one(conn, argv[i], dir, start);
	virConnectClose(conn);
	return 0;
}
