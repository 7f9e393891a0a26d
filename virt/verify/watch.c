/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at all running guests of a host from time to time, and notes in each one's live
 * metadata what is normal for it; so the host that it migrates to knows.
 *
 * A process of its own (virt-warden verify --watch-all SECONDS, started by the agent): the
 * call for all figures asks each guest's QEMU, and hangs with one that stands still. Then
 * no dot comes, and the agent ends us; libvirtd passes that guest over the next time, for
 * our call still holds its job. It ends when no guest runs, or nobody reads its dots. */
#include "virt/verify/internal.h"
#include "lib/base/clock.h"
#include "virt/collect.h"
#include "virt/open.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <sys/stat.h>

#define XML_EVERY 4    /* rounds: the guest agent's state, serial ports, addresses */
#define STALE_ROUNDS 8 /* a guest that was not seen for so long starts anew */

struct guest {
	struct guest *next;
	unsigned char uuid[VIR_UUID_BUFLEN];
	struct vw_watch watch;
	struct vw_baseline written; /* as it stands in the metadata */
	struct vw_baseline pending; /* to be written, if it lives on */
	struct verify_domain d;
	struct vw_baseline addresses;
	unsigned rounds;
	bool seen;
};

static struct guest *guest_of(struct guest **list, virDomainPtr dom)
{
	unsigned char uuid[VIR_UUID_BUFLEN];
	struct guest *g;

	if (virDomainGetUUID(dom, uuid) < 0)
		return NULL;
	for (g = *list; g; g = g->next)
		if (!memcmp(g->uuid, uuid, sizeof(uuid)))
			return g;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	memcpy(g->uuid, uuid, sizeof(uuid));
	vw_baseline_read(dom, &g->written, NULL);
	g->next = *list;
	return *list = g;
}

static void read_xml(struct guest *g, virDomainPtr dom, bool local)
{
	VW_AUTOFREE char *xml = virDomainGetXMLDesc(dom, 0);

	g->d = (struct verify_domain){ .n_nics = 0 };
	if (xml)
		verify_read_domain(xml, &g->d, NULL);
	if (!local)
		g->d.n_files = 0;
	g->addresses.n_addresses = 0;
	if (g->d.n_nics)
		vw_baseline_addresses(dom, &g->addresses);
}

/* Bytes in the files that serial ports write; a path that is something else is not opened. */
static void add_console(const struct guest *g, struct vw_sample *s)
{
	for (size_t i = 0; i < g->d.n_files; i++) {
		struct stat sb;

		if (lstat(g->d.files[i].path, &sb) < 0 || !S_ISREG(sb.st_mode))
			continue;
		s->console += (uint64_t)sb.st_size;
		s->have |= VW_HAVE_CONSOLE;
	}
}

static void write_down(struct guest *g, virDomainPtr dom, const struct vw_baseline *b)
{
	if (g->written.known && !vw_baseline_differs(&g->written, b))
		return;
	if (vw_baseline_write(dom, b, NULL) == 0)
		g->written = *b;
}

/* A guest that panicked spins for ever, and one that computes does, too. What is normal for it stays
 * as it was; that its console says so is noted for those who cannot read that. */
static bool died(struct guest *g, virDomainPtr dom)
{
	const struct vw_delta *d = vw_watch_newest(&g->watch);
	bool panicked = d && vw_spins(d) && !d->disks && !d->console && verify_console_died(&g->d);
	struct vw_baseline b = g->written;

	if (!panicked && !vw_watch_lost(&g->watch, &g->written))
		return false;
	if (panicked) {
		b.known = b.panicked = true;
		write_down(g, dom, &b);
	}
	g->pending.known = false;
	g->watch.n = 0;
	return true;
}

static void look(struct guest *g, virDomainStatsRecordPtr r, bool local, unsigned seconds)
{
	struct vw_baseline b = { .known = false };
	struct vw_baseline pending = g->pending;
	struct vw_sample s;
	int state;

	if (g->rounds++ % XML_EVERY == 0)
		read_xml(g, r->dom, local);
	vw_sample_from_stats(r->params, r->nparams, vw_clock_ms(), &s, &state, NULL);
	add_console(g, &s);
	vw_watch_add(&g->watch, &s, (int64_t)seconds * 1000 * STALE_ROUNDS);
	if (died(g, r->dom))
		return;
	b.paused = b.known = state == VIR_DOMAIN_PAUSED;
	if (!vw_watch_classify(&g->watch, &b) && !b.paused)
		return;
	b.agent = g->d.agent && g->d.agent_connected ? VW_YES : VW_NO;
	b.skew_known = g->written.skew_known;
	b.skew = g->written.skew;
	b.reachable = g->written.reachable;
	for (unsigned i = 0; i < g->addresses.n_addresses; i++)
		vw_baseline_add_address(&b, g->addresses.address[i]);
	/* It may have died in the middle of the last interval: what came before is written. */
	g->pending = b;
	write_down(g, r->dom, g->written.known && pending.known && !b.paused ? &pending : &b);
}

/* Return: how many guests run, or -1: libvirt is gone. */
static int look_at_all(virConnectPtr conn, struct guest **list, bool local, unsigned seconds)
{
	virDomainStatsRecordPtr *records = NULL;
	int n = virConnectGetAllDomainStats(conn, VW_SAMPLE_STATS, &records, VW_SAMPLE_FLAGS);
	struct guest **at = list;

	if (n < 0)
		return -1;
	for (struct guest *g = *list; g; g = g->next)
		g->seen = false;
	for (int i = 0; i < n; i++) {
		struct guest *g = guest_of(list, records[i]->dom);

		if (!g)
			continue;
		g->seen = true;
		look(g, records[i], local, seconds);
	}
	virDomainStatsRecordListFree(records);
	while (*at) {
		struct guest *g = *at;

		if (g->seen) {
			at = &g->next;
			continue;
		}
		*at = g->next;
		free(g);
	}
	return n;
}

int verify_watch_all(const char *uri, unsigned seconds, struct vw_err *err)
{
	struct guest *list = NULL;
	virConnectPtr conn;
	bool local;
	int n = 1;

	signal(SIGPIPE, SIG_DFL); /* nobody reads: end */
	if (virInitialize() < 0 || !(conn = vw_open_mute(uri, 0)))
		return vw_err_set(err, -EIO, "%s", virGetLastErrorMessage());
	local = vw_conn_is_local(conn);
	while (n > 0) {
		n = look_at_all(conn, &list, local, seconds);
		if (n > 0 && (putchar('.') == EOF || fflush(stdout) == EOF))
			break;
		if (n > 0)
			sleep(seconds);
	}
	while (list) {
		struct guest *next = list->next;

		free(list);
		list = next;
	}
	virConnectClose(conn);
	return n < 0 ? vw_err_set(err, -EIO, "libvirt went away") : 0;
}
