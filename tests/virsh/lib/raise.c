/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Raises and resolves alerts for tests, as the agent does: through lib/alert.
 *
 * usage: raise STATEDIR raise KIND DOMAIN UUID HOST SEVERITY(0-2) SUMMARY [KEY=VALUE]…
 *        raise STATEDIR resolve KIND UUID HOST
 *        raise STATEDIR many N KIND HOST          N alerts, of web1 … webN
 * A SUMMARY of "@FILE" is what the file holds. */
#include "lib/alert/alert.h"

#include <fcntl.h>
#include <time.h>

static char *text_of(char *arg)
{
	char *text = calloc(1, 2 << 20);
	VW_AUTOCLOSE int fd = *arg == '@' ? open(arg + 1, O_RDONLY) : -1;

	if (!text || fd < 0 || read(fd, text, (2 << 20) - 1) < 0) {
		free(text);
		return arg;
	}
	return text;
}

static int do_raise(struct vw_alerts *q, int argc, char **argv, struct vw_err *err)
{
	struct vw_alert_detail details[64];
	struct vw_alert a = { .details = details };
	char id[VW_ALERT_ID_SIZE];
	int r;

	if (argc < 6)
		return vw_err_set(err, -1, "six arguments are needed");
	a.kind = argv[0];
	a.domain = text_of(argv[1]);
	a.uuid = argv[2];
	a.host = argv[3];
	a.severity = (enum vw_alert_severity)atoi(argv[4]);
	a.summary = text_of(argv[5]);
	for (int i = 6; i < argc && a.n_details < VW_N_ELEMENTS(details); i++) {
		char *equals = strchr(argv[i], '=');

		if (!equals)
			continue;
		*equals = '\0';
		details[a.n_details++] = (struct vw_alert_detail){ argv[i], equals + 1 };
	}
	r = vw_alert_raise(q, &a, time(NULL), id, err);
	if (r >= 0)
		puts(id);
	return r;
}

static int do_many(struct vw_alerts *q, int argc, char **argv, struct vw_err *err)
{
	int r = 0;

	for (int i = 1; argc == 3 && r >= 0 && i <= atoi(argv[0]); i++) {
		char domain[32], uuid[40], summary[64];
		struct vw_alert a = { .kind = argv[1],
				      .host = argv[2],
				      .domain = domain,
				      .uuid = uuid,
				      .summary = summary };

		snprintf(domain, sizeof(domain), "web%d", i);
		snprintf(uuid, sizeof(uuid), "%08d-0000-4000-8000-000000000000", i);
		snprintf(summary, sizeof(summary), "web%d is dead", i);
		r = vw_alert_raise(q, &a, time(NULL), NULL, err);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct vw_alerts *q = NULL;
	struct vw_err err = { 0 };
	int r;

	if (argc < 4)
		return 2;
	r = vw_alerts_open(argv[1], &q, &err);
	if (r == 0 && vw_streq(argv[2], "raise"))
		r = do_raise(q, argc - 3, argv + 3, &err);
	else if (r == 0 && vw_streq(argv[2], "many"))
		r = do_many(q, argc - 3, argv + 3, &err);
	else if (r == 0 && argc == 6)
		r = vw_alert_resolve(q, argv[3], argv[4], argv[5], time(NULL), &err);
	if (r < 0)
		fprintf(stderr, "%s\n", err.text);
	vw_alerts_close(q);
	return r < 0;
}
