/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the domain is doing at the source: libvirt refuses some of it. */
#include "lib/migrate/check.h"

static void say(struct vw_judge *j, const char *id, enum vw_severity severity, const char *command,
		const char *message)
{
	VW_AUTOFREE char *remedy = NULL;

	if (asprintf(&remedy, command, j->name) < 0)
		remedy = NULL;
	vw_judge_add(j,
		     &(struct vw_found){ .id = id,
					 .severity = severity,
					 .property = "domain",
					 .source = j->m->live->state,
					 .remedy = remedy },
		     "%s", message);
}

void vw_check_state(struct vw_judge *j)
{
	const struct vw_live *l = j->m->live;
	bool offline = j->m->flags & VW_MOVE_OFFLINE;

	if (!l || j->m->flags & VW_MOVE_BACK)
		return;
	if (!l->active && !offline)
		say(j, "not-running", VW_SEV_INFO, "virsh start %s, or virsh migrate --offline",
		    "it does not run: judged as if it were started now");
	if (l->snapshots > 0)
		say(j, "snapshot", VW_SEV_BLOCKER,
		    "virsh snapshot-delete %s SNAPSHOT --metadata (the images stay), for each",
		    "libvirt migrates no domain that has snapshots");
	if (l->checkpoints > 0)
		say(j, "checkpoint", VW_SEV_INFO, "make a full backup of %s after the move",
		    "its checkpoints do not travel: the next incremental backup has none to start from");
	if (l->block_job)
		say(j, "block-job", VW_SEV_BLOCKER,
		    "virsh blockjob %s DISK --abort, or wait for it",
		    "a block job runs on one of its disks");
	if (l->job)
		say(j, "job-active", VW_SEV_BLOCKER, "virsh domjobinfo %s; wait for its end",
		    "another job (migration, save, dump) runs");
	if (l->io_error)
		say(j, "io-error", VW_SEV_RISK, "virsh domblkerror %s; then virsh resume",
		    "it stands still because of an I/O error");
	if (l->active && !l->agent)
		say(j, "no-agent", VW_SEV_INFO, "virt-warden fix %s adds the channel",
		    "no guest agent is connected: after the move nothing inside can say that it is well");
}
