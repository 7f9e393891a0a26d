/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CPU that runs on all hosts: a named model that each of them can give, and the
 * features that all of them have (see matrix.h). */
#include "lib/json/json.h"
#include "plugin/cmd/matrix.h"

#include "lib/base/buf.h"
#include "plugin/out/json.h"

#include <errno.h>

/* Named models of x86 by age, the newest first, with what tells them from the older ones;
 * libvirt's variants (-IBRS, -noTSX) begin with the same name. A model that is in no list
 * here is taken last. A host may call a model usable and yet lack one of these: its features
 * are what counts. */
static const struct {
	const char *name, *needs;
} by_age[] = {
	{ "SapphireRapids", "amx-tile" },
	{ "EPYC-Genoa", "avx512f" },
	{ "Icelake-Server", "avx512vbmi" },
	{ "EPYC-Milan", "vaes" },
	{ "Cooperlake", "avx512-bf16" },
	{ "EPYC-Rome", "clwb" },
	{ "Cascadelake-Server", "avx512vnni" },
	{ "EPYC", "sha-ni" },
	{ "Skylake-Server", "avx512f" },
	{ "Skylake-Client", "xsavec" },
	{ "Broadwell", "adx" },
	{ "Haswell", "avx2" },
	{ "IvyBridge", "f16c" },
	{ "SandyBridge", "avx" },
	{ "Opteron_G5", "tbm" },
	{ "Opteron_G4", "xop" },
	{ "Westmere", "aes" },
	{ "Nehalem", "sse4.2" },
	{ "Opteron_G3", "sse4a" },
	{ "Penryn", "sse4.1" },
	{ "Conroe", "ssse3" },
	{ "Opteron_G2", "cx16" },
	{ "Opteron_G1", "sse2" },
	{ "kvm64", "sse2" },
	{ "qemu64", "sse2" },
};

static size_t age(const char *model)
{
	size_t i = 0;

	while (i < VW_N_ELEMENTS(by_age) && !vw_startswith(model, by_age[i].name))
		i++;
	return i;
}

static bool has_needs(const struct vw_features *t, const struct vw_featset *set, const char *model)
{
	size_t k = age(model);

	for (size_t i = 0; k < VW_N_ELEMENTS(by_age) && i < t->n; i++)
		if (vw_streq(t->names[i], by_age[k].needs))
			return set->bits[i / 64] >> i % 64 & 1;
	return k == VW_N_ELEMENTS(by_age);
}

static bool all_run(const struct matrix *m, const char *type, const char *model)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->hosts[i].known &&
		    !vw_words_have(&vw_host_virt(&m->hosts[i].facts, type)->models, model))
			return false;
	return true;
}

static const char *best_model(const struct matrix *m, const char *type, size_t first,
			      const struct vw_featset *set)
{
	const struct vw_words *models = &vw_host_virt(&m->hosts[first].facts, type)->models;
	const char *best = NULL;

	for (size_t i = 0; i < models->n; i++)
		if ((!best || age(models->v[i]) < age(best)) &&
		    has_needs(&m->table, set, models->v[i]) && all_run(m, type, models->v[i]))
			best = models->v[i];
	return best;
}

static bool all_have_type(const struct matrix *m, const char *type)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->hosts[i].known && !vw_host_virt(&m->hosts[i].facts, type))
			return false;
	return true;
}

static char *cpu_text(const struct matrix *m, const char *model, const struct vw_featset *set)
{
	VW_AUTOBUF struct vw_buf b = { 0 };

	vw_buf_puts(
		&b,
		"<cpu mode='custom' match='exact' check='partial'>\n  <model fallback='forbid'>");
	vw_buf_xml(&b, model, 0);
	vw_buf_puts(&b, "</model>\n");
	for (size_t i = 0; i < m->table.n; i++) {
		if (!(set->bits[i / 64] >> i % 64 & 1))
			continue;
		vw_buf_puts(&b, "  <feature policy='require' name='");
		vw_buf_xml(&b, m->table.names[i], '\'');
		vw_buf_puts(&b, "'/>\n");
	}
	vw_buf_puts(&b, "</cpu>\n");
	return vw_buf_take(&b);
}

int matrix_baseline(struct matrix *m, char **ret_cpu, struct vw_featset *ret_set,
		    const char **ret_type, struct vw_err *err)
{
	const char *type = all_have_type(m, "kvm") ? "kvm" : "qemu", *model;
	struct vw_featset set = { 0 };
	size_t first = m->n;
	char *cpu;

	if (!all_have_type(m, type))
		return vw_err_set(err, -ENOENT, "the hosts have no kind of guest in common");
	for (size_t i = 0; i < m->n; i++) {
		if (!m->hosts[i].known)
			return vw_err_set(err, -ENOENT,
					  "%s is not known: a baseline without it would be a guess",
					  m->hosts[i].arg);
		if (first == m->n)
			set = vw_host_virt(&m->hosts[i].facts, type)->set;
		first = first == m->n ? i : first;
		vw_featset_and(&set, &vw_host_virt(&m->hosts[i].facts, type)->set);
	}
	model = best_model(m, type, first, &set);
	if (!model)
		return vw_err_set(err, -ENOENT, "no CPU model runs on all of these hosts");
	cpu = cpu_text(m, model, &set);
	if (!cpu)
		return vw_err_set(err, -ENOMEM, "out of memory");
	*ret_cpu = cpu;
	*ret_set = set;
	*ret_type = type;
	return 0;
}

json_t *matrix_losses(const struct matrix *m, const struct vw_featset *set, const char *type)
{
	json_t *all = json_array();

	for (size_t i = 0; i < m->n; i++) {
		const struct vw_host_virt *v = vw_host_virt(&m->hosts[i].facts, type);
		struct vw_featset lost;
		VW_AUTOFREE char *names = NULL;

		if (!v)
			continue;
		vw_featset_minus(&v->set, set, &lost);
		names = vw_featset_names(&m->table, &lost);
		json_array_append_new(all, json_pack("{s:o, s:o}", "name",
						     vw_json_string(matrix_name(m, i)), "loses",
						     vw_json_string(names)));
	}
	return all;
}
