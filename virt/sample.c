/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Samples and baselines from and to libvirt (see virt/sample.h). */
#include "virt/sample.h"

#include "lib/xml/xml.h"

#include <errno.h>
#include <libvirt/virterror.h>

/* "vcpu.3.time": index 3 and "time". Return: false if the field is none of that group. */
static bool split(const char *field, const char *group, unsigned *ret_index, const char **ret_rest)
{
	size_t n = strlen(group);
	unsigned long i;
	char *end;

	if (strncmp(field, group, n) != 0 || field[n] < '0' || field[n] > '9')
		return false;
	i = strtoul(field + n, &end, 10);
	if (*end != '.' || i > 100000)
		return false;
	*ret_index = (unsigned)i;
	*ret_rest = end + 1;
	return true;
}

static uint64_t value_of(const virTypedParameter *p)
{
	switch (p->type) {
	case VIR_TYPED_PARAM_ULLONG: return p->value.ul;
	case VIR_TYPED_PARAM_LLONG: return p->value.l > 0 ? (uint64_t)p->value.l : 0;
	case VIR_TYPED_PARAM_UINT: return p->value.ui;
	case VIR_TYPED_PARAM_INT: return p->value.i > 0 ? (uint64_t)p->value.i : 0;
	default: return 0;
	}
}

static void take_vcpu(const virTypedParameter *p, unsigned i, const char *rest, struct vw_sample *s)
{
	if (i >= VW_SAMPLE_VCPUS)
		return;
	if (vw_streq(rest, "time")) {
		s->vcpu[i] = value_of(p);
		s->have |= VW_HAVE_VCPU;
		if (i + 1 > s->n_vcpus)
			s->n_vcpus = i + 1;
	} else if (vw_streq(rest, "delay")) {
		s->wait[i] = value_of(p);
	}
}

static void take_block(const virTypedParameter *p, unsigned i, const char *rest,
		       struct vw_sample *s)
{
	if (i >= VW_SAMPLE_DISKS)
		return;
	if (i + 1 > s->n_disks)
		s->n_disks = i + 1;
	if (vw_streq(rest, "rd.reqs") || vw_streq(rest, "wr.reqs") || vw_streq(rest, "fl.reqs")) {
		s->disk[i] += value_of(p);
		s->have |= VW_HAVE_DISK;
	}
}

static void take_net(const virTypedParameter *p, const char *rest, struct vw_sample *s)
{
	if (vw_streq(rest, "rx.pkts"))
		s->rx += value_of(p);
	else if (vw_streq(rest, "tx.pkts"))
		s->tx += value_of(p);
	else
		return;
	s->have |= VW_HAVE_NET;
}

void vw_sample_from_stats(const virTypedParameter *params, int n, int64_t now,
			  struct vw_sample *ret, int *ret_state, int *ret_reason)
{
	int state = -1, reason = -1;

	*ret = (struct vw_sample){ .t = now };
	for (int k = 0; k < n; k++) {
		const virTypedParameter *p = &params[k];
		const char *rest;
		unsigned i;

		if (split(p->field, "vcpu.", &i, &rest))
			take_vcpu(p, i, rest, ret);
		else if (split(p->field, "block.", &i, &rest))
			take_block(p, i, rest, ret);
		else if (split(p->field, "net.", &i, &rest))
			take_net(p, rest, ret);
		else if (vw_streq(p->field, "state.state"))
			state = (int)value_of(p);
		else if (vw_streq(p->field, "state.reason"))
			reason = (int)value_of(p);
	}
	if (ret_state)
		*ret_state = state;
	if (ret_reason)
		*ret_reason = reason;
}

static int virt_error(struct vw_err *err, virDomainPtr dom)
{
	const char *message = virGetLastErrorMessage();

	return vw_err_set(err, -EIO, "%s: %s", virDomainGetName(dom),
			  message ? message : "unknown error");
}

int vw_baseline_read(virDomainPtr dom, struct vw_baseline *ret, struct vw_err *err)
{
	VW_AUTOFREE char *xml = virDomainGetMetadata(dom, VIR_DOMAIN_METADATA_ELEMENT,
						     VW_BASELINE_NS, VIR_DOMAIN_AFFECT_LIVE);
	VW_AUTOXML struct vw_xml *x = NULL;
	int r;

	if (!xml) {
		int code = virGetLastErrorCode();

		if (code == VIR_ERR_NO_DOMAIN_METADATA || code == VIR_ERR_OPERATION_INVALID)
			return vw_err_set(err, -ENOENT, "%s: no baseline was recorded",
					  virDomainGetName(dom));
		return virt_error(err, dom);
	}
	r = vw_xml_parse(xml, strlen(xml), "baseline", NULL, &x, err);
	if (r < 0)
		return r;
	r = vw_baseline_parse(vw_xml_content(x, vw_xml_root(x)), ret);
	if (r < 0)
		return vw_err_set(err, r, "%s: its metadata holds a baseline that %s",
				  virDomainGetName(dom),
				  r == -ENOTSUP ? "a newer virt-warden wrote" : "makes no sense");
	return 0;
}

int vw_baseline_write(virDomainPtr dom, const struct vw_baseline *b, struct vw_err *err)
{
	char text[VW_BASELINE_SIZE], xml[VW_BASELINE_SIZE + 64];
	virDomainControlInfo info;

	if (virDomainGetControlInfo(dom, &info, 0) < 0)
		return virt_error(err, dom);
	if (info.state != VIR_DOMAIN_CONTROL_OK)
		return vw_err_set(err, -EBUSY, "%s: busy with another job", virDomainGetName(dom));
	vw_baseline_format(b, text); /* no '<' or '&' is ever in it */
	snprintf(xml, sizeof(xml), "<baseline>%s</baseline>", text);
	if (virDomainSetMetadata(dom, VIR_DOMAIN_METADATA_ELEMENT, xml, "baseline", VW_BASELINE_NS,
				 VIR_DOMAIN_AFFECT_LIVE) < 0)
		return virt_error(err, dom);
	return 0;
}

static void addresses_of(virDomainPtr dom, unsigned source, struct vw_baseline *b)
{
	virDomainInterfacePtr *ifaces = NULL;
	int n = virDomainInterfaceAddresses(dom, &ifaces, source, 0);

	for (int i = 0; i < n; i++) {
		for (unsigned k = 0; k < ifaces[i]->naddrs; k++)
			if (ifaces[i]->addrs[k].addr)
				vw_baseline_add_address(b, ifaces[i]->addrs[k].addr);
		virDomainInterfaceFree(ifaces[i]);
	}
	free(ifaces);
}

void vw_baseline_addresses(virDomainPtr dom, struct vw_baseline *b)
{
	addresses_of(dom, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE, b);
	addresses_of(dom, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP, b);
}
