/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which addresses of a guest may be asked (see address.h). */
#include "lib/health/address.h"

#include <arpa/inet.h>

/* Return: AF_INET or AF_INET6 with the bytes, 0 = no address. */
static int family_of(const char *text, unsigned char bytes[16])
{
	if (inet_pton(AF_INET, text, bytes) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, text, bytes) == 1 ? AF_INET6 : 0;
}

static unsigned place_for(const struct vw_addresses *a, bool trusted)
{
	unsigned i = 0;

	if (a->n < VW_ADDRESSES_MAX)
		return a->n;
	while (i < a->n && (!trusted || a->trusted[i]))
		i++;
	return i;
}

void vw_addresses_add(struct vw_addresses *a, const char *text, bool trusted)
{
	unsigned char bytes[16];
	int family = vw_address_ok(text) ? family_of(text, bytes) : 0;
	char plain[sizeof(a->text[0])];
	unsigned i;

	if (!family || (family == AF_INET && bytes[0] == 169 && bytes[1] == 254) ||
	    !inet_ntop(family, bytes, plain, sizeof(plain)))
		return;
	for (i = 0; i < a->n; i++)
		if (vw_streq(a->text[i], plain)) {
			a->trusted[i] |= trusted;
			return;
		}
	i = place_for(a, trusted);
	if (i == VW_ADDRESSES_MAX)
		return;
	memcpy(a->text[i], plain, sizeof(plain));
	a->trusted[i] = trusted;
	a->answered[i] = false;
	a->n += i == a->n;
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
	unsigned bytes = bits / 8, rest = bits % 8;

	return !memcmp(a, b, bytes) && (!rest || !((a[bytes] ^ b[bytes]) >> (8 - rest)));
}

enum vw_ask vw_address_ask(const struct vw_addresses *a, unsigned i,
			   const struct vw_subnet *subnets, size_t n)
{
	unsigned char bytes[16];
	int family = family_of(a->text[i], bytes);
	unsigned size = family == AF_INET ? 4 : 16;
	bool any = false, inside = false;

	if (a->trusted[i])
		return VW_ASK_IP;
	for (size_t k = 0; k < n; k++) {
		if (subnets[k].family != family)
			continue;
		if (!memcmp(subnets[k].host, bytes, size))
			return VW_ASK_NOT; /* this host itself would answer */
		any = true;
		inside |= same_bits(subnets[k].host, bytes, subnets[k].prefix);
	}
	if (inside)
		return VW_ASK_IP;
	return family == AF_INET && !any ? VW_ASK_LINK : VW_ASK_NOT;
}

unsigned vw_addresses_answered(const struct vw_addresses *a)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->n; i++)
		n += a->answered[i];
	return n;
}
