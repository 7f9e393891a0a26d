/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a verification takes from the domain's live XML. */
#include "virt/verify/internal.h"

#include "lib/xml/xml.h"

static void copy(char *to, size_t size, const char *from)
{
	if (from && strlen(from) < size)
		memcpy(to, from, strlen(from) + 1);
}

static void read_nics(const xmlNode *devices, struct verify_domain *d)
{
	xmlNode *n = vw_xml_child(devices, "interface");

	for (; n && d->n_nics < VERIFY_NICS; n = vw_xml_next(n, "interface")) {
		const xmlNode *m = vw_xml_child(n, "mac"), *s = vw_xml_child(n, "source");
		const char *mac = m ? vw_xml_attr(m, "address") : NULL;
		unsigned char *b = d->nics[d->n_nics].mac;

		if (!mac || sscanf(mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &b[0], &b[1], &b[2],
				   &b[3], &b[4], &b[5]) != 6)
			continue;
		if (s) /* a live <source network='…'> says its bridge, too */
			copy(d->nics[d->n_nics].bridge, sizeof(d->nics[0].bridge),
			     vw_xml_attr(s, "bridge"));
		d->n_nics++;
	}
}

static void add_file(struct verify_domain *d, const xmlNode *n, const char *attr)
{
	const char *path = n ? vw_xml_attr(n, attr) : NULL;

	if (!path || *path != '/' || strlen(path) >= sizeof(d->files[0].path) ||
	    d->n_files == VERIFY_FILES)
		return;
	for (size_t i = 0; i < d->n_files; i++)
		if (vw_streq(d->files[i].path, path))
			return;
	copy(d->files[d->n_files].path, sizeof(d->files[0].path), path);
	d->files[d->n_files++].append = vw_streq(vw_xml_attr(n, "append"), "on");
}

/* A console is the same device as the serial port that it stands for: it has its alias. */
static void add_pty(struct verify_domain *d, const xmlNode *n)
{
	const xmlNode *a = vw_xml_child(n, "alias");
	const char *name = a ? vw_xml_attr(a, "name") : NULL;

	if (!name || strlen(name) >= sizeof(d->ptys[0]) || d->n_ptys == VERIFY_FILES)
		return;
	for (size_t i = 0; i < d->n_ptys; i++)
		if (vw_streq(d->ptys[i], name))
			return;
	copy(d->ptys[d->n_ptys++], sizeof(d->ptys[0]), name);
}

/* <serial type='file'>, the <log> of any, and ptys without one. */
static void read_files(const xmlNode *devices, struct verify_domain *d)
{
	static const char *const names[] = { "serial", "console" };

	for (size_t i = 0; i < VW_N_ELEMENTS(names); i++)
		for (xmlNode *n = vw_xml_child(devices, names[i]); n;
		     n = vw_xml_next(n, names[i])) {
			if (vw_streq(vw_xml_attr(n, "type"), "file"))
				add_file(d, vw_xml_child(n, "source"), "path");
			add_file(d, vw_xml_child(n, "log"), "file");
			if (vw_streq(vw_xml_attr(n, "type"), "pty") && !vw_xml_child(n, "log"))
				add_pty(d, n);
		}
}

static void read_agent(const xmlNode *devices, struct verify_domain *d)
{
	xmlNode *n = vw_xml_child(devices, "channel");

	for (; n; n = vw_xml_next(n, "channel")) {
		const xmlNode *t = vw_xml_child(n, "target");

		if (!t || !vw_streq(vw_xml_attr(t, "name"), "org.qemu.guest_agent.0"))
			continue;
		d->agent = true;
		d->agent_connected = vw_streq(vw_xml_attr(t, "state"), "connected");
	}
}

static void read_health(const xmlNode *root, struct verify_domain *d)
{
	struct vw_health_wish h;

	vw_metadata_health(root, &h);
	d->agent_required = h.agent;
	memcpy(d->tcp, h.tcp, sizeof(d->tcp));
	d->n_tcp = h.n_tcp;
	for (size_t i = 0; i < h.n_check; i++)
		copy(d->check[d->n_check++], sizeof(d->check[0]), h.check[i]);
	for (size_t i = 0; i < h.n_address; i++)
		if (strlen(h.address[i]) < sizeof(d->address[0]))
			copy(d->address[d->n_address++], sizeof(d->address[0]), h.address[i]);
	if (h.bad)
		snprintf(d->bad, sizeof(d->bad), "%s", h.bad);
}

int verify_read_domain(const char *xml, struct verify_domain *ret, struct vw_err *err)
{
	VW_AUTOXML struct vw_xml *x = NULL;
	const xmlNode *devices;
	int r = vw_xml_parse(xml, strlen(xml), "the live XML", "domain", &x, err);

	if (r < 0)
		return r;
	devices = vw_xml_child(vw_xml_root(x), "devices");
	if (devices) {
		read_nics(devices, ret);
		read_files(devices, ret);
		read_agent(devices, ret);
	}
	read_health(vw_xml_root(x), ret);
	return 0;
}
