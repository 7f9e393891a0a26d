/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is open, as gauges for the textfile collector of Prometheus' node-exporter
 * ([alerts] metrics). The file is written only when it would say something else. */
#include "messenger/messenger.h"
#include "lib/base/buf.h"
#include "lib/base/open.h"
#include "lib/base/replace-file.h"

#include <inttypes.h>

/* A label's value: backslash, quote and newline are escaped (the text format, 0.0.4). */
static void add_label(struct vw_buf *b, const char *key, const char *value)
{
	vw_buf_printf(b, "%s=\"", key);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			vw_buf_puts(b, "\\");
		vw_buf_add(b, value, 1);
	}
	vw_buf_puts(b, "\"");
}

static void format(struct vw_buf *b, const struct vw_alert_list *l)
{
	size_t open[VW_ALERT_CRITICAL + 1] = { 0 };

	for (size_t i = 0; i < l->n; i++)
		open[l->v[i]->severity] += !l->v[i]->resolved;
	vw_buf_puts(b, "# HELP virt_warden_alerts_open Open alerts by severity.\n"
		       "# TYPE virt_warden_alerts_open gauge\n");
	for (int s = VW_ALERT_INFO; s <= VW_ALERT_CRITICAL; s++)
		vw_buf_printf(b, "virt_warden_alerts_open{severity=\"%s\"} %zu\n",
			      vw_alert_severity_name((enum vw_alert_severity)s), open[s]);
	vw_buf_puts(
		b,
		"# HELP virt_warden_alert An open alert: when it was raised, s since the epoch.\n"
		"# TYPE virt_warden_alert gauge\n");
	for (size_t i = 0; i < l->n; i++) {
		const struct vw_alert *a = l->v[i];

		if (a->resolved)
			continue;
		vw_buf_puts(b, "virt_warden_alert{");
		add_label(b, "kind", a->kind);
		add_label(b, ",host", a->host);
		add_label(b, ",domain", a->domain);
		add_label(b, ",uuid", a->uuid);
		add_label(b, ",severity", vw_alert_severity_name(a->severity));
		vw_buf_printf(b, "} %" PRId64 "\n", a->time);
	}
}

static bool is_the_same(const char *path, const struct vw_buf *b)
{
	struct stat st;
	VW_AUTOCLOSE int fd = vw_open(AT_FDCWD, path, 0, &st, NULL);
	VW_AUTOFREE char *old = malloc(b->len);

	return fd >= 0 && old && st.st_size == (off_t)b->len &&
	       read(fd, old, b->len) == (ssize_t)b->len && memcmp(old, b->p, b->len) == 0;
}

void alert_metrics_write(const char *path, const struct vw_alert_list *l)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	int r;

	if (!*path)
		return;
	format(&b, l);
	if (b.failed || is_the_same(path, &b))
		return;
	r = agent_replace_file(path, b.p, b.len, 0644, false);
	if (r < 0)
		fprintf(stderr, "virt-warden-alert: %s: %s\n", path, strerror(-r));
}
