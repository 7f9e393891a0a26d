/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does a bridge of the guest lead nowhere? It has no port with a carrier but those of guests,
 * and no address of its own, by which the host would route or translate. */
#include "virt/verify/internal.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <ifaddrs.h>
#include <net/if.h>

static bool has_address(const char *bridge)
{
	struct ifaddrs *all = NULL;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return true; /* can't tell */
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		const struct sockaddr_in6 *six = (const void *)i->ifa_addr;

		if (!vw_streq(i->ifa_name, bridge) || !i->ifa_addr)
			continue;
		found |= i->ifa_addr->sa_family == AF_INET ||
			 (i->ifa_addr->sa_family == AF_INET6 &&
			  !IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr));
	}
	freeifaddrs(all);
	return found;
}

/* A port that is no tap device, and has a carrier. */
static bool leads_on(const char *port)
{
	char path[300], carrier = '0';
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/net/%.200s/tun_flags", port);
	if (access(path, F_OK) == 0)
		return false;
	snprintf(path, sizeof(path), "/sys/class/net/%.200s/carrier", port);
	f = fopen(path, "re");
	if (!f)
		return true;
	if (fread(&carrier, 1, 1, f) != 1)
		carrier = '0'; /* EINVAL: it is down */
	fclose(f);
	return carrier == '1';
}

static bool isolated(const char *bridge)
{
	char path[64];
	const struct dirent *e;
	bool on = false;
	DIR *d;

	snprintf(path, sizeof(path), "/sys/class/net/%s/brif", bridge);
	if (!*bridge || strchr(bridge, '/'))
		return false;
	d = opendir(path);
	if (!d) /* no Linux bridge */
		return false;
	while (!on && (e = readdir(d)))
		on = e->d_name[0] != '.' && leads_on(e->d_name);
	closedir(d);
	return !on && !has_address(bridge);
}

static unsigned prefix_of(const unsigned char *mask, size_t size)
{
	unsigned n = 0;

	while (n < size * 8 && mask[n / 8] & 0x80 >> n % 8)
		n++;
	return n;
}

static bool is_its_bridge(const struct verify_domain *d, const char *name)
{
	for (size_t i = 0; i < d->n_nics; i++)
		if (*d->nics[i].bridge && vw_streq(d->nics[i].bridge, name))
			return true;
	return false;
}

void verify_find_subnets(struct verify *v)
{
	struct ifaddrs *all = NULL;

	if (getifaddrs(&all) < 0)
		return;
	for (const struct ifaddrs *i = all; i && v->n_subnets < VW_SUBNETS_MAX; i = i->ifa_next) {
		struct vw_subnet *s = &v->subnets[v->n_subnets];
		bool six = i->ifa_addr && i->ifa_addr->sa_family == AF_INET6;
		size_t at = six ? offsetof(struct sockaddr_in6, sin6_addr)
				: offsetof(struct sockaddr_in, sin_addr);
		size_t size = six ? 16 : 4;

		if (!i->ifa_addr || !i->ifa_netmask ||
		    (!six && i->ifa_addr->sa_family != AF_INET) ||
		    !is_its_bridge(&v->d, i->ifa_name))
			continue;
		s->family = i->ifa_addr->sa_family;
		memcpy(s->host, (const char *)i->ifa_addr + at, size);
		s->prefix = prefix_of((const unsigned char *)i->ifa_netmask + at, size);
		v->n_subnets++;
	}
	freeifaddrs(all);
}

void verify_look_at_bridges(struct verify *v)
{
	for (size_t i = 0; i < v->d.n_nics; i++) {
		bool yes = isolated(v->d.nics[i].bridge);

		verify_lock(v);
		if (yes)
			memcpy(v->s.reach.isolated, v->d.nics[i].bridge,
			       sizeof(v->s.reach.isolated));
		verify_unlock(v);
	}
}
