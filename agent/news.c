/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the thread of libvirt's event loop to the main thread: what happened to which domain, in
 * order. A queue with a bound: the main thread may wait for a disk. What is lost is made good by
 * comparing all domains. */
#include "agent/agent.h"

#define NEWS_MAX 16384

static void news_free(struct agent_news *n)
{
	virDomainFree(n->dom);
	free(n->text);
	free(n);
}

void agent_news_add(struct agent_conn *c, virDomainPtr dom, agent_news_fn *fn, int a, int b,
		    const char *text)
{
	struct agent_queue *q = &c->agent->news;
	struct agent_news *n = calloc(1, sizeof(*n));

	if (n) {
		*n = (struct agent_news){ .conn = c, .fn = fn, .a = a, .b = b };
		n->text = text ? strdup(text) : NULL;
		n->dom = (!text || n->text) && virDomainRef(dom) == 0 ? dom : NULL;
	}
	pthread_mutex_lock(&q->lock);
	if (n && n->dom && q->n < NEWS_MAX) {
		*(q->last ? &q->last->next : &q->first) = n;
		q->last = n;
		q->n++;
		n = NULL;
	} else {
		q->lost = true;
	}
	pthread_mutex_unlock(&q->lock);
	if (n && n->dom)
		virDomainFree(n->dom);
	if (n)
		free(n->text);
	free(n);
	agent_wake(c->agent);
}

/* All that there is. */
static struct agent_queue take(struct agent_queue *q)
{
	struct agent_queue all;

	pthread_mutex_lock(&q->lock);
	all = *q;
	q->first = q->last = NULL;
	q->n = 0;
	q->lost = false;
	pthread_mutex_unlock(&q->lock);
	return all;
}

void agent_news_tell(struct agent *a)
{
	struct agent_queue all = take(&a->news);

	for (struct agent_news *n = all.first, *next; n; n = next) {
		next = n->next;
		/* of a connection that is no more: all are compared after the next connect */
		if (virDomainGetConnect(n->dom) == n->conn->virt)
			n->fn(n->conn, n->dom, n);
		news_free(n);
	}
	for (size_t i = 0; all.lost && i < a->n_conns; i++) {
		a->conns[i].sync.wanted = true;
		if (a->conns[i].virt)
			agent_verify_reconnected(&a->conns[i]);
	}
}

void agent_news_drop(struct agent *a)
{
	for (struct agent_news *n = take(&a->news).first, *next; n; n = next) {
		next = n->next;
		news_free(n);
	}
}
