/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of which kind are the networks that a domain's cards hang on? A network with forward
 * mode='hostdev' gives out virtual functions of the host's own cards (SR-IOV). */
#include "virt-collect-internal.h"

#include <errno.h>

/* What libvirtd says. VW_UNKNOWN: it has no such network, or does not tell. */
static enum vw_known ask(virConnectPtr conn, const char *name)
{
	virNetworkPtr net = virNetworkLookupByName(conn, name);
	VW_AUTOFREE char *text = net ? virNetworkGetXMLDesc(net, 0) : NULL;
	VW_AUTOXML struct vw_xml *doc = NULL;
	enum vw_known hostdev = VW_UNKNOWN;

	if (net)
		virNetworkFree(net);
	if (text && vw_xml_parse(text, strlen(text), "network", "network", &doc, NULL) == 0)
		hostdev = vw_streq(vw_xml_attr(vw_xml_child(vw_xml_root(doc), "forward"), "mode"),
				   "hostdev")
				  ? VW_YES
				  : VW_NO;
	return hostdev;
}

int vw_collect_networks(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
			const xmlNode *root)
{
	struct vw_facts *f = &g->facts;

	for (xmlNode *n = vw_xml_path(root, "devices/interface"); n;
	     n = vw_xml_next(n, "interface")) {
		const char *name = vw_xml_attr(vw_xml_child(n, "source"), "network");
		const size_t before = f->n_networks;
		enum vw_known hostdev = VW_UNKNOWN;
		int r = 0;

		if (name && vw_streq(vw_xml_attr(n, "type"), "network"))
			r = vw_facts_add_network(f, name, VW_UNKNOWN);
		if (r == -ENOMEM)
			return r;
		if (f->n_networks == before) /* none, known already, or too many */
			continue;
		if (conn)
			hostdev = ask(conn, name);
		/* libvirt's own network, by NAT; and what vw_networks_differ is to confirm */
		if (hostdev == VW_UNKNOWN &&
		    (!strcmp(name, "default") || (!conn && vw_context_assumes(c))))
			hostdev = VW_NO;
		f->networks[before].hostdev = hostdev;
	}
	return 0;
}

bool vw_networks_differ(const struct vw_gathered *g, virConnectPtr conn)
{
	for (size_t i = 0; i < g->facts.n_networks; i++) {
		const struct vw_network_facts *n = &g->facts.networks[i];
		enum vw_known now = ask(conn, n->name);

		if (now == VW_YES || (now == VW_UNKNOWN && strcmp(n->name, "default") != 0))
			return true;
	}
	return false;
}
