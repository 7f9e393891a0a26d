/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs all groups of checks over one move and draws the verdict (see migrate.h). */
#include "lib/migrate/check.h"

#include "lib/base/text.h"

#include <errno.h>

static void (*const groups[])(struct vw_judge *) = {
	vw_check_state,   vw_check_host,    vw_check_machine,  vw_check_cpu, vw_check_storage,
	vw_check_network, vw_check_devices, vw_check_versions, vw_check_xml,
};

static const char *const ids[] = {
	"not-running",
	"job-active",
	"snapshot",
	"checkpoint",
	"block-job",
	"io-error",
	"no-agent",
	"host-same",
	"host-arch",
	"host-localhost",
	"name-taken",
	"uuid-taken",
	"already-active",
	"hugepages",
	"memory-short",
	"security-model",
	"port-taken",
	"virt-type",
	"emulator-missing",
	"machine-missing",
	"cpu-features",
	"cpu-not-checked",
	"cpu-features-lost",
	"cpu-vendor",
	"cpu-model",
	"tsc-frequency",
	"disk-not-shared",
	"disk-missing",
	"disk-unproved",
	"disk-target-missing",
	"disk-other-lun",
	"disk-cache",
	"disk-transient",
	"disk-nvme",
	"media-missing",
	"boot-file-missing",
	"network-missing",
	"network-inactive",
	"bridge-missing",
	"device-missing",
	"hostdev",
	"virtiofs",
	"shared-directory",
	"shmem",
	"vhost-user",
	"tpm",
	"host-device",
	"qemu-older",
	"libvirt-older",
	"xml-abi",
	"xml-persistent",
	"unasked",
	NULL,
};

const char *const *vw_reason_ids(void)
{
	return ids;
}

const char *vw_severity_name(enum vw_severity s)
{
	static const char *const names[] = { "info", "risk", "blocker" };

	return names[s];
}

const char *vw_verdict_name(enum vw_verdict v)
{
	static const char *const names[] = { "ok", "unknown", "risk", "blocked" };

	return names[v];
}

static int worst_first(const void *a, const void *b)
{
	const struct vw_reason *x = a, *y = b;

	return y->severity != x->severity ? (int)y->severity - (int)x->severity
					  : strcmp(x->id, y->id);
}

static enum vw_verdict verdict(const struct vw_judge *j)
{
	enum vw_severity worst = j->out.n ? j->out.reasons[0].severity : VW_SEV_INFO;

	if (worst == VW_SEV_BLOCKER)
		return VW_VERDICT_BLOCKED;
	if (worst == VW_SEV_RISK)
		return VW_VERDICT_RISK;
	return j->unknown ? VW_VERDICT_UNKNOWN : VW_VERDICT_OK;
}

/* Without a domain: the fastest kind of guest that both hosts run. */
static const char *virt_type(const struct vw_judge *j)
{
	const char *type = j->root ? vw_xml_attr(j->root, "type") : NULL;

	if (type)
		return type;
	return vw_host_virt(j->m->src, "kvm") && vw_host_virt(j->m->dst, "kvm") ? "kvm" : "qemu";
}

int vw_move_judge(const struct vw_move *m, struct vw_judgement *ret, struct vw_err *err)
{
	struct vw_judge j = { .m = m, .root = m->doc ? vw_xml_root(m->doc) : NULL };
	VW_AUTOFREE char *name = vw_judge_word(vw_judge_text(&j, "name"));

	j.name = vw_or_empty(name);
	j.from = vw_host_virt(m->src, virt_type(&j));
	j.to = vw_host_virt(m->dst, virt_type(&j));
	for (size_t i = 0; i < VW_N_ELEMENTS(groups); i++)
		groups[i](&j);
	if (!name || j.failed) {
		vw_judgement_clear(&j.out);
		return vw_err_set(err, -ENOMEM, "out of memory");
	}
	if (j.out.n)
		qsort(j.out.reasons, j.out.n, sizeof(*j.out.reasons), worst_first);
	j.out.verdict = verdict(&j);
	*ret = j.out;
	return 0;
}

void vw_judgement_clear(struct vw_judgement *j)
{
	for (size_t i = 0; i < j->n; i++) {
		free(j->reasons[i].property);
		free(j->reasons[i].source);
		free(j->reasons[i].destination);
		free(j->reasons[i].message);
		free(j->reasons[i].remedy);
	}
	free(j->reasons);
	*j = (struct vw_judgement){ 0 };
}
