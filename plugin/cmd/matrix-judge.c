/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Cells of a matrix of hosts (matrix.h). */
#include "plugin/cmd/matrix.h"

/* The domain runs on that host: a move there is judged as one of a guest started elsewhere. */
static bool is_home(const struct matrix *m, size_t i)
{
	const xmlNode *uuid = m->dom.doc ? vw_xml_child(vw_xml_root(m->dom.doc), "uuid") : NULL;
	const struct vw_host_facts *h = &m->hosts[i].facts;

	for (size_t k = 0; uuid && k < h->n_domains; k++)
		if (h->domains[k].active &&
		    vw_streq(h->domains[k].uuid, vw_xml_content(m->dom.doc, uuid)))
			return true;
	return false;
}

const char *matrix_name(const struct matrix *m, size_t i)
{
	return m->hosts[i].known ? m->hosts[i].facts.name : m->hosts[i].arg;
}

int matrix_judge(struct matrix *m, size_t from, size_t to, struct vw_judgement *ret,
		 struct vw_err *err)
{
	struct vw_move move = { .doc = m->dom.doc,
				.sent = m->dom.sent,
				.live = m->dom.has_live ? &m->dom.live : NULL,
				.src = &m->hosts[from].facts,
				.dst = &m->hosts[to].facts,
				.desturi = m->hosts[to].facts.uri,
				.flags = is_home(m, to) ? VW_MOVE_BACK | VW_MOVE_FRESH : 0,
				.table = &m->table };

	if (!m->hosts[from].known || !m->hosts[to].known) {
		*ret = (struct vw_judgement){ .verdict = VW_VERDICT_UNKNOWN };
		return 0;
	}
	return vw_move_judge(&move, ret, err);
}
