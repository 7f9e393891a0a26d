/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `doctor`: its checks, each a function that looks and says what it saw. */
#ifndef VW_CMD_DOCTOR_H
#define VW_CMD_DOCTOR_H

#include "plugin/cmd/cmd.h"

enum doctor_status { DOCTOR_PASS = 0, DOCTOR_WARN, DOCTOR_FAIL, DOCTOR_SKIP };

struct doctor {
	struct cmd *cmd;
	struct vw_paths paths;
	struct vw_err context_err; /* why cmd->ctx is NULL */
};

struct doctor_result {
	enum doctor_status status;
	char detail[640];
	char remedy[320]; /* what to type or to change; "" when all is well */
};

/* Fill a result. */
void doctor_say(struct doctor_result *r, enum doctor_status status, const char *remedy,
		const char *fmt, ...) VW_PRINTF(4, 5);

struct doctor_check {
	const char *name;
	void (*run)(struct doctor *d, struct doctor_result *r);
};

/* May others than root (or we) write it? *ret_mode: set if it is there. */
bool doctor_open_to_others(const char *path, unsigned *ret_mode);

/* plugin/cmd/doctor-host.c: what lies on this host. plugin/cmd/doctor-data.c: data and config. */
void doctor_libvirt(struct doctor *d, struct doctor_result *r);
void doctor_wrapper(struct doctor *d, struct doctor_result *r);
void doctor_preload(struct doctor *d, struct doctor_result *r);
void doctor_hook(struct doctor *d, struct doctor_result *r);
void doctor_hook_seen(struct doctor *d, struct doctor_result *r);
void doctor_security(struct doctor *d, struct doctor_result *r);
void doctor_agent(struct doctor *d, struct doctor_result *r);
void doctor_index(struct doctor *d, struct doctor_result *r);
void doctor_templates(struct doctor *d, struct doctor_result *r);
void doctor_config(struct doctor *d, struct doctor_result *r);
void doctor_state(struct doctor *d, struct doctor_result *r);
void doctor_history(struct doctor *d, struct doctor_result *r);

#endif
