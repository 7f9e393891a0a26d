/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Are the networks and bridges of the guest's interfaces there, and active? */
#include "lib/migrate/check.h"

static const struct vw_host_net *find_net(const struct vw_host_facts *h, const char *name)
{
	for (size_t i = 0; i < h->n_nets; i++)
		if (vw_streq(h->nets[i].name, name))
			return &h->nets[i];
	return NULL;
}

static void check_network(struct vw_judge *j, const char *name)
{
	const struct vw_host_net *net = find_net(j->m->dst, name);
	VW_AUTOFREE char *uri = vw_judge_word(j->m->dst->uri), *word = vw_judge_word(name);
	VW_AUTOFREE char *remedy = NULL;

	if (vw_host_unasked(j->m->dst, "networks")) {
		vw_judge_unknown(j, j->m->dst, "networks", name);
		return;
	}
	if (net && net->active)
		return;
	if (asprintf(&remedy,
		     net ? "virsh -c %1$s net-start %2$s"
			 : "virsh net-dumpxml %2$s >net.xml; virsh -c %1$s net-create net.xml",
		     vw_or_empty(uri), vw_or_empty(word)) < 0)
		remedy = NULL;
	vw_judge_add(j,
		     &(struct vw_found){ .id = net ? "network-inactive" : "network-missing",
					 .severity = VW_SEV_BLOCKER,
					 .property = "interface",
					 .source = name,
					 .destination = net ? "inactive" : "none",
					 .remedy = remedy },
		     net ? "the network %s is not active on the destination"
			 : "the destination has no network %s",
		     name);
}

static void check_link(struct vw_judge *j, const char *name, const char *id)
{
	if (vw_host_unasked(j->m->dst, "interfaces")) {
		vw_judge_unknown(j, j->m->dst, "interfaces", name);
		return;
	}
	if (!vw_words_have(&j->m->dst->interfaces, name))
		vw_judge_add(
			j,
			&(struct vw_found){
				.id = id,
				.severity = VW_SEV_BLOCKER,
				.property = "interface",
				.source = name,
				.destination = "none",
				.remedy =
					"create it there, or give the guest another by migrate --xml" },
			"the destination has no interface %s", name);
}

void vw_check_network(struct vw_judge *j)
{
	const xmlNode *devices = j->root ? vw_xml_child(j->root, "devices") : NULL;
	const xmlNode *n = devices ? vw_xml_child(devices, "interface") : NULL;

	if (j->m->flags & VW_MOVE_OFFLINE)
		return;
	for (; n; n = vw_xml_next(n, "interface")) {
		const xmlNode *source = vw_xml_child(n, "source");
		const char *type = vw_or_empty(vw_xml_attr(n, "type"));
		const char *value;

		if (!source)
			continue;
		/* Live, an interface of a network may have another type: that of what it got. */
		if ((value = vw_xml_attr(source, "network")))
			check_network(j, value);
		else if (!strcmp(type, "bridge") && (value = vw_xml_attr(source, "bridge")))
			check_link(j, value, "bridge-missing");
		else if (!strcmp(type, "direct") && (value = vw_xml_attr(source, "dev")))
			check_link(j, value, "device-missing");
	}
}
