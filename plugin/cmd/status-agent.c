/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the agent tells of itself: $rundir/agent, key and value, a line each. */
#include "plugin/cmd/status.h"

#include "lib/base/open.h"

/* The number behind " key=" in a line, 0 = it has none. */
static size_t number(const char *line, const char *key)
{
	const char *p = strstr(line, key);

	return p ? (size_t)strtoull(p + strlen(key), NULL, 10) : 0;
}

static void read_line(struct status_agent *s, char *line)
{
	long long when;
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (vw_startswith(line, "connection ")) {
		s->connections++;
		s->connected += vw_startswith(line, "connection up ");
		s->domains += number(line, " domains=");
		s->waiting += number(line, " waiting=");
		s->pending += number(line, " pending=");
		s->existing += number(line, " existing=");
		s->silent = s->silent ? s->silent : (int64_t)number(line, " silent=");
	} else if (vw_startswith(line, "fixes ")) {
		s->fixes = number(line, "fixes ");
	} else if (sscanf(line, "error %lld %n", &when, &at) == 1 && at > 0) {
		s->error_time = when;
		snprintf(s->error, sizeof(s->error), "%s", line + at);
	}
}

bool status_agent_read(const char *rundir, pid_t pid, struct status_agent *ret)
{
	VW_AUTOFREE char *path = NULL;
	VW_AUTOFCLOSE FILE *f = NULL;
	char line[512];
	int writer = 0, fd;

	*ret = (struct status_agent){ 0 };
	if (!pid || asprintf(&path, "%s/agent", rundir) < 0) {
		path = NULL;
		return false;
	}
	fd = vw_open(AT_FDCWD, path, VW_OPEN_NOLINK, NULL, NULL);
	f = fd < 0 ? NULL : fdopen(fd, "r");
	if (!f && fd >= 0)
		close(fd);
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "pid %d", &writer) != 1)
			read_line(ret, line);
	/* What an agent left that was killed says nothing of this one. */
	if (writer != pid)
		*ret = (struct status_agent){ 0 };
	return writer == pid;
}
