/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The destination itself: identity, what is taken there, memory, security model. */
#include "lib/migrate/check.h"

#include <limits.h>

static void say(struct vw_judge *j, const char *id, enum vw_severity severity, const char *source,
		const char *destination, const char *remedy, const char *message)
{
	vw_judge_add(j,
		     &(struct vw_found){ .id = id,
					 .severity = severity,
					 .property = "host",
					 .source = source,
					 .destination = destination,
					 .remedy = remedy },
		     "%s", message);
}

static void check_identity(struct vw_judge *j)
{
	const struct vw_host_facts *a = j->m->src, *b = j->m->dst;

	if (*a->uuid && vw_streq(a->uuid, b->uuid))
		say(j, "host-same", VW_SEV_BLOCKER, a->uuid, b->uuid,
		    "if they are two hosts: set host_uuid in libvirtd.conf of one",
		    "both have the same host UUID: libvirt takes them for one host");
	if (*a->arch && *b->arch && strcmp(a->arch, b->arch) != 0)
		say(j, "host-arch", VW_SEV_BLOCKER, a->arch, b->arch, "choose another host",
		    "the host is of another architecture");
	if (vw_startswith(b->hostname, "localhost"))
		say(j, "host-localhost", VW_SEV_RISK, "", b->hostname,
		    "give it a host name, or migration_host in its qemu.conf",
		    "the destination calls itself localhost: libvirt refuses that unless migration_host is set");
}

static void check_taken(struct vw_judge *j, const char *name, const char *uuid)
{
	const struct vw_host_facts *b = j->m->dst;

	for (size_t i = 0; i < b->n_domains; i++) {
		const struct vw_host_domain *d = &b->domains[i];
		bool same = vw_streq(d->uuid, uuid), named = vw_streq(d->name, name);

		if (same && named && d->active && !(j->m->flags & VW_MOVE_BACK))
			say(j, "already-active", VW_SEV_BLOCKER, name, d->name,
			    "end one of the two", "this domain is active there already");
		else if (same && !named)
			say(j, "uuid-taken", VW_SEV_BLOCKER, uuid, d->name,
			    "undefine the other domain, or give it another UUID",
			    "another domain there has its UUID");
		else if (named && !same)
			say(j, "name-taken", VW_SEV_BLOCKER, name, d->uuid,
			    "virsh migrate --dname NAME, or rename the other one",
			    "another domain there has its name");
	}
}

static void check_ports(struct vw_judge *j, const char *uuid)
{
	const xmlNode *g = vw_xml_path(j->root, "devices/graphics");

	for (; g; g = vw_xml_next(g, "graphics")) {
		const char *port = vw_xml_attr(g, "port");

		if (!port || *port == '-' || vw_streq(vw_xml_attr(g, "autoport"), "yes"))
			continue;
		for (size_t i = 0; i < j->m->dst->n_domains; i++) {
			const struct vw_host_domain *d = &j->m->dst->domains[i];

			if (d->active && !vw_streq(d->uuid, uuid) && vw_words_have(&d->ports, port))
				say(j, "port-taken", VW_SEV_BLOCKER, port, d->name,
				    "use autoport='yes', or migrate --xml with another port",
				    "the display's fixed port is taken there");
		}
	}
}

/* <memory unit='KiB'>: libvirt always prints KiB. */
static long long memory_kib(const struct vw_judge *j)
{
	const xmlNode *memory = vw_xml_child(j->root, "memory");
	const char *unit = memory ? vw_xml_attr(memory, "unit") : NULL;

	return memory && (!unit || !strcmp(unit, "KiB"))
		       ? strtoll(vw_judge_text(j, "memory"), NULL, 10)
		       : 0;
}

static void say_hugepages(struct vw_judge *j, long long size, long long need, long long have)
{
	VW_AUTOFREE char *remedy = NULL;
	char here[32], there[32];

	snprintf(here, sizeof(here), "%lld", need);
	snprintf(there, sizeof(there), "%lld", have);
	if (asprintf(
		    &remedy,
		    "on %s: echo %lld >/sys/kernel/mm/hugepages/hugepages-%lldkB/nr_hugepages (so many more)",
		    j->m->dst->name, need - have, size) < 0)
		remedy = NULL;
	say(j, "hugepages", VW_SEV_BLOCKER, here, there, remedy,
	    "the destination has not enough free huge pages of that size");
}

static void check_hugepages(struct vw_judge *j, const xmlNode *huge)
{
	const xmlNode *page = vw_xml_child(huge, "page");
	const char *unit = page ? vw_or_empty(vw_xml_attr(page, "unit")) : "";
	long long size = page ? strtoll(vw_or_empty(vw_xml_attr(page, "size")), NULL, 10) : 2048;
	long long factor = *unit == 'M' ? 1024 : *unit == 'G' ? 1024 * 1024 : 1;
	long long need = memory_kib(j), have = 0;

	if (vw_host_unasked(j->m->dst, "pages")) {
		vw_judge_unknown(j, j->m->dst, "pages", "hugepages");
		return;
	}
	if (size <= 0 || size > 1LL << 40)
		return;
	size *= factor;
	need = need > 0 ? need / size + (need % size != 0) : 0;
	for (size_t i = 0; i < j->m->dst->n_pages; i++) { /* one entry for each NUMA node */
		const struct vw_host_pages *p = &j->m->dst->pages[i];

		long long some = p->free >= 0 ? p->free : p->total;

		if (p->kib == size && some > 0 && __builtin_add_overflow(have, some, &have))
			have = LLONG_MAX;
	}
	if (have < need)
		say_hugepages(j, size, need, have);
}

/* As it would be sent: labels that libvirt added on its own do not travel. */
static void check_security(struct vw_judge *j)
{
	const xmlNode *label = j->m->sent ? vw_xml_child(vw_xml_root(j->m->sent), "seclabel")
					  : NULL;

	for (; label; label = vw_xml_next(label, "seclabel")) {
		const char *model = vw_xml_attr(label, "model");

		if (model && strcmp(model, "none") != 0 && j->m->dst->security.n &&
		    !vw_words_have(&j->m->dst->security, model))
			say(j, "security-model", VW_SEV_BLOCKER, model, j->m->dst->security.v[0],
			    "drop <seclabel>, or enable the model there",
			    "its security model is not in use there");
	}
}

static void say_memory(struct vw_judge *j)
{
	char here[32], there[32];

	snprintf(here, sizeof(here), "%lld KiB", memory_kib(j));
	snprintf(there, sizeof(there), "%lld KiB", j->m->dst->memory_kib);
	say(j, "memory-short", VW_SEV_RISK, here, there, "choose a larger host",
	    "the guest has more memory than the whole destination");
}

void vw_check_host(struct vw_judge *j)
{
	const char *uuid = vw_judge_text(j, "uuid");
	const xmlNode *huge = j->root ? vw_xml_path(j->root, "memoryBacking/hugepages") : NULL;

	check_identity(j);
	if (!j->root)
		return;
	if (vw_host_unasked(j->m->dst, "domains"))
		vw_judge_unknown(j, j->m->dst, "domains", "name");
	check_taken(j, j->m->dname ? j->m->dname : vw_judge_text(j, "name"), uuid);
	if (j->m->flags & VW_MOVE_OFFLINE)
		return;
	check_ports(j, uuid);
	check_security(j);
	if (huge)
		check_hugepages(j, huge);
	else if (j->m->dst->memory_kib && memory_kib(j) > j->m->dst->memory_kib)
		say_memory(j);
}
