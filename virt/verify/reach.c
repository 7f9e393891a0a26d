/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A verification's thread that asks the guest's addresses from this host: ARP on the bridges
 * that it hangs on (only an answer from one of its own MACs counts), and ICMP echo. */
#include "virt/verify/internal.h"

#include "lib/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define ROUNDS 3 /* without any answer: then it is settled */
#define ROUND_MS 1000

struct arp {
	uint16_t hrd, pro;
	uint8_t hln, pln;
	uint16_t op;
	uint8_t sha[6], spa[4], tha[6], tpa[4];
} __attribute__((packed));

struct ask {
	struct verify *v;
	int arp[VERIFY_NICS]; /* one socket per bridge, -1 = none */
	struct sockaddr_ll to[VERIFY_NICS];
	uint8_t mac[VERIFY_NICS][6]; /* of the bridge */
	uint8_t ip[VERIFY_NICS][4];
	int ping4, ping6;
	uint16_t id;
	bool by_arp;
};

/* A socket for ARP on the bridge of NIC i; several NICs on one bridge share it. */
static void open_arp(struct ask *a, size_t i)
{
	const char *bridge = a->v->d.nics[i].bridge;
	struct ifreq r = { 0 };
	int fd;

	a->arp[i] = -1;
	for (size_t k = 0; k < i; k++)
		if (vw_streq(a->v->d.nics[k].bridge, bridge))
			return;
	if (!*bridge)
		return;
	fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ARP));
	if (fd < 0)
		return;
	memcpy(r.ifr_name, bridge, strnlen(bridge, IFNAMSIZ - 1));
	a->to[i] = (struct sockaddr_ll){ .sll_family = AF_PACKET,
					 .sll_protocol = htons(ETH_P_ARP),
					 .sll_ifindex = (int)if_nametoindex(r.ifr_name),
					 .sll_halen = 6,
					 .sll_addr = { 255, 255, 255, 255, 255, 255 } };
	if (!a->to[i].sll_ifindex || ioctl(fd, SIOCGIFHWADDR, &r) < 0 ||
	    bind(fd, (struct sockaddr *)&a->to[i], sizeof(a->to[i])) < 0) {
		close(fd);
		return;
	}
	memcpy(a->mac[i], r.ifr_hwaddr.sa_data, 6);
	if (ioctl(fd, SIOCGIFADDR, &r) == 0) /* without: 0.0.0.0, an ARP probe (RFC 5227) */
		memcpy(a->ip[i], &((struct sockaddr_in *)(void *)&r.ifr_addr)->sin_addr, 4);
	a->arp[i] = fd;
}

static void send_arp(const struct ask *a, const struct in_addr *ip)
{
	for (size_t i = 0; i < a->v->d.n_nics; i++) {
		struct arp p = { htons(ARPHRD_ETHER),
				 htons(ETH_P_IP),
				 6,
				 4,
				 htons(ARPOP_REQUEST),
				 { 0 },
				 { 0 },
				 { 0 },
				 { 0 } };

		if (a->arp[i] < 0)
			continue;
		memcpy(p.sha, a->mac[i], 6);
		memcpy(p.spa, a->ip[i], 4);
		memcpy(p.tpa, ip, 4);
		sendto(a->arp[i], &p, sizeof(p), MSG_DONTWAIT, (const struct sockaddr *)&a->to[i],
		       sizeof(a->to[i]));
	}
}

static uint16_t checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	return htons((uint16_t) ~(sum + (sum >> 16)));
}

/* settled: it answered; then only ARP, as little as does no harm to the figures. */
static void send_to(const struct ask *a, const char *address, enum vw_ask how, bool settled)
{
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, address, &to4.sin_addr) == 1) {
		struct icmphdr h = { .type = ICMP_ECHO };

		h.un.echo.id = a->id;
		h.checksum = checksum(&h, sizeof(h));
		send_arp(a, &to4.sin_addr);
		if (how != VW_ASK_IP || (settled && a->by_arp))
			return;
		sendto(a->ping4, &h, sizeof(h), MSG_DONTWAIT, (struct sockaddr *)&to4, sizeof(to4));
	} else if (inet_pton(AF_INET6, address, &to6.sin6_addr) == 1) {
		struct icmp6_hdr h = { .icmp6_type = ICMP6_ECHO_REQUEST };

		h.icmp6_id = a->id; /* the kernel fills in the checksum */
		sendto(a->ping6, &h, sizeof(h), MSG_DONTWAIT, (struct sockaddr *)&to6, sizeof(to6));
	}
}

static void note(struct ask *a, int family, const void *ip, const char *how)
{
	struct verify *v = a->v;
	char text[INET6_ADDRSTRLEN];

	if (!inet_ntop(family, ip, text, sizeof(text)))
		return;
	verify_lock(v);
	for (unsigned i = 0; i < v->addresses.n; i++) {
		if (!vw_streq(v->addresses.text[i], text))
			continue;
		v->addresses.answered[i] = true;
		v->s.reach.answered = vw_addresses_answered(&v->addresses);
		v->s.reach.answered_at = vw_clock_ms();
		snprintf(v->s.reach.text, sizeof(v->s.reach.text), "%s by %s", text, how);
	}
	verify_unlock(v);
}

static bool its_mac(const struct verify *v, const uint8_t *mac)
{
	for (size_t i = 0; i < v->d.n_nics; i++)
		if (!memcmp(v->d.nics[i].mac, mac, 6))
			return true;
	return false;
}

static void receive(struct ask *a, int fd)
{
	union {
		uint8_t bytes[256];
		struct arp arp;
		struct icmp6_hdr icmp6;
	} b;
	struct sockaddr_storage from = { 0 };
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(fd, &b, sizeof(b), MSG_DONTWAIT, (struct sockaddr *)&from, &len);
	size_t head = n > 0 ? (size_t)(b.bytes[0] & 15) * 4 : 0; /* of IPv4 */
	struct icmphdr h;

	if (n <= 0)
		return;
	if (fd == a->ping4) {
		if ((size_t)n < head + sizeof(h))
			return;
		memcpy(&h, b.bytes + head, sizeof(h));
		if (h.type == ICMP_ECHOREPLY && h.un.echo.id == a->id)
			note(a, AF_INET, &((struct sockaddr_in *)(void *)&from)->sin_addr, "ping");
	} else if (fd == a->ping6) {
		if ((size_t)n >= sizeof(b.icmp6) && b.icmp6.icmp6_type == ICMP6_ECHO_REPLY &&
		    b.icmp6.icmp6_id == a->id)
			note(a, AF_INET6, &((struct sockaddr_in6 *)(void *)&from)->sin6_addr,
			     "ping");
	} else if ((size_t)n >= sizeof(b.arp) && its_mac(a->v, b.arp.sha)) {
		note(a, AF_INET, b.arp.spa, "ARP");
		a->by_arp = true;
	}
}

/* Collect answers for a round. Return: false when the verification is over. */
static bool listen_for(struct ask *a)
{
	struct pollfd p[VERIFY_NICS + 2];
	int64_t until = vw_clock_ms() + ROUND_MS;
	size_t n = a->v->d.n_nics;

	for (size_t i = 0; i < n; i++)
		p[i] = (struct pollfd){ .fd = a->arp[i], .events = POLLIN };
	p[n] = (struct pollfd){ .fd = a->ping4, .events = POLLIN };
	p[n + 1] = (struct pollfd){ .fd = a->ping6, .events = POLLIN };
	while (vw_clock_ms() < until && !a->v->stop)
		if (poll(p, n + 2, 100) > 0)
			for (size_t i = 0; i < n + 2; i++)
				if (p[i].revents)
					receive(a, p[i].fd);
	return !a->v->stop;
}

static void ask_all(struct ask *a, unsigned round)
{
	enum vw_ask how[VW_ADDRESSES_MAX];
	struct verify *v = a->v;
	struct vw_addresses now;
	const char *first = NULL;
	unsigned tried = 0;
	bool settled;

	verify_lock(v);
	now = v->addresses;
	for (unsigned i = 0; i < now.n; i++) {
		how[i] = vw_address_ask(&now, i, v->subnets, v->n_subnets);
		first = how[i] && !first ? now.text[i] : first;
		tried += how[i] != VW_ASK_NOT;
	}
	settled = tried && v->s.reach.answered == tried;
	v->s.reach.tried = tried;
	v->s.reach.finished = round >= ROUNDS;
	if (!v->s.reach.answered && first)
		snprintf(v->s.reach.text, sizeof(v->s.reach.text), "%.45s%s", first,
			 tried > 1 ? " and others" : "");
	verify_unlock(v);
	for (unsigned i = 0; i < now.n && (!settled || round % 3 == 0); i++)
		if (how[i] != VW_ASK_NOT)
			send_to(a, now.text[i], how[i], settled);
}

void *verify_reach(void *arg)
{
	struct verify *v = arg;
	struct vw_baseline found = { 0 };
	struct ask a = { .v = v, .id = (uint16_t)getpid() };

	vw_baseline_addresses(v->dom, &found);
	verify_lock(v);
	for (unsigned i = 0; i < found.n_addresses; i++)
		vw_addresses_add(&v->addresses, found.address[i], true);
	verify_unlock(v);
	if (!v->local)
		return NULL;
	for (size_t i = 0; i < v->d.n_nics; i++)
		open_arp(&a, i);
	a.ping4 = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
	a.ping6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	verify_look_at_bridges(v);
	for (unsigned round = 0;; round++) {
		ask_all(&a, round);
		if (!listen_for(&a))
			return NULL;
	}
}
