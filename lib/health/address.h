/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The addresses of a guest, and which of them may be asked from this host.
 *
 * Who named an address counts. One that the host's own tables (DHCP leases, ARP) or the owner's
 * metadata name is asked. One that only the guest named (its agent, or the baseline that came from
 * there) is asked in the subnets of the guest's own bridges on this host, and nowhere else: a guest
 * must not choose what the host sends packets to. No address is asked that means another machine on
 * each link (169.254/16, where clouds keep their secrets). */
#ifndef VW_VERIFY_ADDRESS_H
#define VW_VERIFY_ADDRESS_H

#include "lib/health/sample.h"

#define VW_SUBNETS_MAX 32

/* A subnet of one of the guest's bridges, by an address that this host has on it. */
struct vw_subnet {
	int family;             /* AF_INET, AF_INET6 */
	unsigned char host[16]; /* the host's address, network order */
	unsigned prefix;        /* bits */
};

struct vw_addresses {
	char text[VW_ADDRESSES_MAX][46]; /* as inet_ntop(3) writes it */
	bool trusted[VW_ADDRESSES_MAX];  /* the host or the owner named it */
	bool answered[VW_ADDRESSES_MAX];
	unsigned n;
};

/* Add one, if it is an address that may ever be asked. What is there already only becomes trusted;
 * where there is no room a trusted one takes the place of one that is not. */
void vw_addresses_add(struct vw_addresses *a, const char *text, bool trusted);

enum vw_ask {
	VW_ASK_NOT = 0,
	VW_ASK_LINK, /* by ARP, on the guest's own bridges */
	VW_ASK_IP,   /* by any means */
};
/* How may address i be asked? subnets: of the guest's bridges; none of IPv4 among them: only the link
 * itself can tell. */
enum vw_ask vw_address_ask(const struct vw_addresses *a, unsigned i,
			   const struct vw_subnet *subnets, size_t n);
/* Return: how many have answered. */
unsigned vw_addresses_answered(const struct vw_addresses *a);

#endif
