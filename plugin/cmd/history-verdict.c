/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The agent's last verdict on a guest (agent/verdict.c writes it), for `virt-warden history`. */
#include "plugin/cmd/cmd.h"
#include "plugin/cmd/history.h"

#include "lib/base/open.h"

#define MAX_BYTES (64 * 1024)

json_t *cmd_verdict_read(const struct cmd *cmd, const char *uuid)
{
	VW_AUTOFREE char *path = NULL;
	json_t *object = NULL;
	VW_AUTOCLOSE int fd = -1;
	struct stat st;

	if (asprintf(&path, "%s/verdicts/%s", vw_context_paths(cmd->ctx)->statedir, uuid) < 0) {
		path = NULL;
		return NULL;
	}
	fd = vw_open(AT_FDCWD, path, VW_OPEN_NOLINK, &st, NULL);
	if (fd >= 0 && st.st_size <= MAX_BYTES)
		object = json_loadfd(fd, 0, NULL);
	if (json_is_string(json_object_get(object, "verdict")) &&
	    json_is_integer(json_object_get(object, "time")))
		return object;
	json_decref(object);
	return NULL;
}
