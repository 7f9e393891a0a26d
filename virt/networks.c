/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of which kind are the networks that a domain's cards hang on? A network with forward
 * mode='hostdev' gives out virtual functions of the host's own cards (SR-IOV).
 *
 * Where each driver has a daemon of its own, virtqemud hands these calls on to virtnetworkd, and
 * waits for it without end while it answers our keepalive. So they are made in a thread that is left
 * behind when it takes too long: what it had no answer to is unknown. A context leaves no second
 * one behind while the first still waits. */
#include "virt/ahead.h"
#include "virt/collect-internal.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#define ASK_MS 2000 /* for all networks of a domain */

/* Owned by who asked and by the thread: the last one frees it. */
struct vw_networks_ask {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned owners;
	virConnectPtr conn;
	char *names[VW_NETWORKS_MAX];
	enum vw_known hostdev[VW_NETWORKS_MAX];
	size_t n, answered;
	bool done; /* and it has let go of conn */
};

/* What libvirtd says. VW_UNKNOWN: it has no such network, or does not tell. */
static enum vw_known ask_one(virConnectPtr conn, const char *name)
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

void vw_networks_forget(struct vw_networks_ask *a)
{
	unsigned owners;

	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	owners = --a->owners;
	pthread_mutex_unlock(&a->lock);
	if (owners)
		return;
	if (a->conn)
		virConnectClose(a->conn);
	for (size_t i = 0; i < a->n; i++)
		free(a->names[i]);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

static void *ask_each(void *arg)
{
	struct vw_networks_ask *a = arg;

	for (size_t i = 0; i < a->n; i++) {
		enum vw_known hostdev = ask_one(a->conn, a->names[i]);

		pthread_mutex_lock(&a->lock);
		a->hostdev[i] = hostdev;
		a->answered++;
		pthread_mutex_unlock(&a->lock);
	}
	virConnectClose(vw_steal(a->conn)); /* virsh counts who holds it when it disconnects */
	pthread_mutex_lock(&a->lock);
	a->done = true;
	pthread_cond_signal(&a->changed);
	pthread_mutex_unlock(&a->lock);
	vw_networks_forget(a);
	return NULL;
}

/* Return: NULL if there is no memory. */
static struct vw_networks_ask *ask_new(virConnectPtr conn, const struct vw_facts *f)
{
	struct vw_networks_ask *a = calloc(1, sizeof(*a));
	pthread_condattr_t attr;

	if (!a)
		return NULL;
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->changed, &attr);
	pthread_condattr_destroy(&attr);
	a->owners = 1;
	if (virConnectRef(conn) == 0)
		a->conn = conn;
	for (; a->conn && a->n < f->n_networks; a->n++)
		if (!(a->names[a->n] = strdup(f->networks[a->n].name)))
			break;
	if (a->n == f->n_networks)
		return a;
	vw_networks_forget(a);
	return NULL;
}

/* Return: is it at work? */
static bool ask_start(struct vw_networks_ask *a)
{
	a->owners = 2;
	if (vw_ahead_start_apart(ask_each, a))
		return true;
	a->owners = 1;
	return false;
}

/* Take what was answered within ASK_MS. Return: was it all? */
static bool ask_wait(struct vw_networks_ask *a, enum vw_known *hostdev)
{
	struct timespec until;
	bool done;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ASK_MS / 1000;
	pthread_mutex_lock(&a->lock);
	while (!a->done && r == 0)
		r = pthread_cond_timedwait(&a->changed, &a->lock, &until);
	memcpy(hostdev, a->hostdev, a->answered * sizeof(*hostdev));
	done = a->done;
	pthread_mutex_unlock(&a->lock);
	return done;
}

static bool still_waits(struct vw_networks_ask *a)
{
	bool waits;

	pthread_mutex_lock(&a->lock);
	waits = !a->done;
	pthread_mutex_unlock(&a->lock);
	return waits;
}

/* What libvirtd says of each network in the facts; what it does not say stays as it is. */
static void ask_all(struct vw_context *c, virConnectPtr conn, const struct vw_facts *f,
		    enum vw_known *hostdev)
{
	struct vw_networks_ask **left = vw_context_networks_ask(c);
	struct vw_networks_ask *a;

	if (!f->n_networks || (*left && still_waits(*left)))
		return;
	vw_networks_forget(vw_steal(*left));
	a = ask_new(conn, f);
	if (a && ask_start(a) && !ask_wait(a, hostdev))
		*left = vw_steal(a);
	vw_networks_forget(a);
}

int vw_collect_networks(struct vw_context *c, struct vw_gathered *g, virConnectPtr conn,
			const xmlNode *root)
{
	enum vw_known hostdev[VW_NETWORKS_MAX] = { VW_UNKNOWN };
	struct vw_facts *f = &g->facts;

	for (xmlNode *n = vw_xml_path(root, "devices/interface"); n;
	     n = vw_xml_next(n, "interface")) {
		const char *name = vw_xml_attr(vw_xml_child(n, "source"), "network");

		if (name && vw_streq(vw_xml_attr(n, "type"), "network") &&
		    vw_facts_add_network(f, name, VW_UNKNOWN) == -ENOMEM)
			return -ENOMEM;
	}
	if (conn)
		ask_all(c, conn, f, hostdev);
	for (size_t i = 0; i < f->n_networks; i++) {
		/* libvirt's own network, by NAT; and what vw_networks_differ is to confirm */
		if (hostdev[i] == VW_UNKNOWN &&
		    (!strcmp(f->networks[i].name, "default") || (!conn && vw_context_assumes(c))))
			hostdev[i] = VW_NO;
		f->networks[i].hostdev = hostdev[i];
	}
	return 0;
}

bool vw_networks_differ(struct vw_context *c, const struct vw_gathered *g, virConnectPtr conn)
{
	enum vw_known hostdev[VW_NETWORKS_MAX] = { VW_UNKNOWN };

	ask_all(c, conn, &g->facts, hostdev);
	for (size_t i = 0; i < g->facts.n_networks; i++)
		if (hostdev[i] == VW_YES ||
		    (hostdev[i] == VW_UNKNOWN && strcmp(g->facts.networks[i].name, "default") != 0))
			return true;
	return false;
}
