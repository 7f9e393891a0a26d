/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Queue files as text: a first line that says what it is, "key value" lines, "end HASH". */
#include "lib/alert/alert-store.h"
#include "lib/base/text.h"

#include <errno.h>
#include <inttypes.h>

#define ALERT_MAGIC "virt-warden-alert 1"
#define MEMORY_MAGIC "virt-warden-told 1"
#define END_SIZE 21 /* "end ", 16 digits, newline */

static const char *const severities[] = { "info", "warning", "critical" };

const char *vw_alert_severity_name(enum vw_alert_severity s)
{
	return (size_t)s < VW_N_ELEMENTS(severities) ? severities[s] : "?";
}

static int severity_of(const char *name)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(severities); i++)
		if (vw_streq(name, severities[i]))
			return (int)i;
	return -1;
}

/* FNV-1a, 64 bit (http://www.isthe.com/chongo/tech/comp/fnv/). */
uint64_t alert_hash(uint64_t h, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static void add_end(struct vw_buf *b)
{
	if (!b->failed)
		vw_buf_printf(b, "end %016" PRIx64 "\n",
			      alert_hash(ALERT_HASH_START, b->p, b->len));
}

void alert_format(struct vw_buf *b, const struct vw_alert *a)
{
	vw_buf_printf(b, ALERT_MAGIC "\nid %s\ntime %" PRId64 "\nresolved %" PRId64 "\ncount %u\n",
		      a->id, a->time, a->resolved, a->count);
	vw_buf_printf(b, "severity %s\nkind %s\nhost %s\ndomain %s\nuuid %s\nsummary %s\n",
		      vw_alert_severity_name(a->severity), a->kind, a->host, a->domain, a->uuid,
		      a->summary);
	for (size_t i = 0; i < a->n_details; i++)
		vw_buf_printf(b, "detail %s %s\n", a->details[i].key, a->details[i].value);
	add_end(b);
}

/* The text between the first line and the last, if both are as they must be. The lines in it
 * have their newlines. Return: malloc'ed; NULL with *ret_code -EBADMSG or -ENOMEM. */
static char *body_of(const char *text, size_t len, const char *magic, int *ret_code)
{
	const size_t head = strlen(magic);
	char end[END_SIZE + 1];
	char *copy;

	*ret_code = -EBADMSG;
	if (len < head + 1 + END_SIZE || len > ALERT_FILE_MAX || memchr(text, 0, len) ||
	    memcmp(text, magic, head) != 0 || text[head] != '\n')
		return NULL;
	snprintf(end, sizeof(end), "end %016" PRIx64 "\n",
		 alert_hash(ALERT_HASH_START, text, len - END_SIZE));
	if (memcmp(text + len - END_SIZE, end, END_SIZE) != 0 || text[len - END_SIZE - 1] != '\n')
		return NULL;
	copy = strndup(text + head + 1, len - head - 1 - END_SIZE);
	if (!copy)
		*ret_code = -ENOMEM;
	return copy;
}

static bool number(const char *s, int64_t *ret)
{
	char *end = NULL;

	errno = 0;
	*ret = strtoll(s, &end, 10);
	return *s >= '0' && *s <= '9' && !*end && !errno;
}

static bool is_id(const char *s)
{
	return strlen(s) == VW_ALERT_ID_SIZE - 1 &&
	       strspn(s, "0123456789abcdef") == VW_ALERT_ID_SIZE - 1;
}

/* Take over a text; each may stand once. */
static int set_text(const char **member, const char *value)
{
	if (*member)
		return -EBADMSG;
	*member = vw_printable(value, VW_ALERT_MAX_TEXT);
	return *member ? 0 : -ENOMEM;
}

static int add_detail(struct vw_alert *a, char *value)
{
	struct vw_alert_detail *details = (struct vw_alert_detail *)(uintptr_t)a->details;
	char *blank = strchr(value, ' ');

	if (!blank || a->n_details == VW_ALERT_MAX_DETAILS)
		return -EBADMSG;
	if (!details) {
		details = calloc(VW_ALERT_MAX_DETAILS, sizeof(*details));
		if (!details)
			return -ENOMEM;
		a->details = details;
	}
	*blank = '\0';
	details[a->n_details].key = alert_key(value);
	details[a->n_details].value = vw_printable(blank + 1, VW_ALERT_MAX_TEXT);
	a->n_details++;
	return details[a->n_details - 1].key && details[a->n_details - 1].value ? 0 : -ENOMEM;
}

static int set_number(struct vw_alert *a, const char *key, const char *value)
{
	int64_t n;

	if (!number(value, &n))
		return -EBADMSG;
	if (vw_streq(key, "time"))
		a->time = n;
	else if (vw_streq(key, "resolved"))
		a->resolved = n;
	else if (n <= UINT32_MAX)
		a->count = (unsigned)n;
	else
		return -EBADMSG;
	return 0;
}

static int set_line(struct vw_alert *a, const char *key, char *value)
{
	const struct {
		const char *key;
		const char **member;
	} texts[] = { { "host", &a->host },
		      { "domain", &a->domain },
		      { "uuid", &a->uuid },
		      { "summary", &a->summary } };

	for (size_t i = 0; i < VW_N_ELEMENTS(texts); i++)
		if (vw_streq(key, texts[i].key))
			return set_text(texts[i].member, value);
	if (vw_streq(key, "id") && is_id(value)) {
		memcpy(a->id, value, VW_ALERT_ID_SIZE);
		return 0;
	}
	if (vw_streq(key, "severity") && severity_of(value) >= 0) {
		a->severity = (enum vw_alert_severity)severity_of(value);
		return 0;
	}
	if (vw_streq(key, "kind") && !a->kind) {
		a->kind = alert_key(value);
		return a->kind ? 0 : -ENOMEM;
	}
	if (vw_streq(key, "detail"))
		return add_detail(a, value);
	if (vw_streq(key, "time") || vw_streq(key, "resolved") || vw_streq(key, "count"))
		return set_number(a, key, value);
	return -EBADMSG;
}

int vw_alert_parse(const char *text, size_t len, struct vw_alert **ret)
{
	int r = 0;
	VW_AUTOFREE char *body = body_of(text, len, ALERT_MAGIC, &r);
	struct vw_alert *a = body ? calloc(1, sizeof(*a)) : NULL;
	char *save = NULL;

	if (!body)
		return r;
	r = a ? 0 : -ENOMEM;
	for (char *line = strtok_r(body, "\n", &save); r == 0 && line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *blank = strchr(line, ' ');

		if (!blank) {
			r = -EBADMSG;
			break;
		}
		*blank = '\0';
		r = set_line(a, line, blank + 1);
	}
	if (r == 0 && (!*a->id || !a->host || !a->domain || !a->uuid || !a->kind || !a->summary))
		r = -EBADMSG;
	if (r < 0) {
		vw_alert_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

void vw_alert_free(struct vw_alert *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < a->n_details; i++) {
		free((char *)(uintptr_t)a->details[i].key);
		free((char *)(uintptr_t)a->details[i].value);
	}
	free((struct vw_alert_detail *)(uintptr_t)a->details);
	free((char *)(uintptr_t)a->host);
	free((char *)(uintptr_t)a->domain);
	free((char *)(uintptr_t)a->uuid);
	free((char *)(uintptr_t)a->kind);
	free((char *)(uintptr_t)a->summary);
	free(a);
}

void alert_memory_format(struct vw_buf *b, const struct vw_alert_memory *m)
{
	vw_buf_puts(b, MEMORY_MAGIC "\n");
	for (size_t i = 0; i < m->n; i++) {
		const struct vw_alert_told *t = &m->sinks[i];
		VW_AUTOFREE char *error = vw_printable(t->error, VW_ALERT_ERROR_SIZE - 1);

		vw_buf_printf(b, "%s %d %d %d %u %" PRId64 " %" PRId64 " %u %s %s\n", t->sink,
			      t->raised, t->resolved, (int)t->severity, t->count, t->last, t->next,
			      t->failures, *t->progress ? t->progress : "-", error ? error : "");
	}
	add_end(b);
}

/* Return: true if the line is whole. */
static bool read_told(const char *line, struct vw_alert_told *t)
{
	int raised, resolved, severity, at = 0;

	if (sscanf(line, "%31s %d %d %d %u %" SCNd64 " %" SCNd64 " %u %511s%n", t->sink, &raised,
		   &resolved, &severity, &t->count, &t->last, &t->next, &t->failures, t->progress,
		   &at) != 9 ||
	    line[at] != ' ' || severity < 0 || (size_t)severity >= VW_N_ELEMENTS(severities))
		return false;
	if (vw_streq(t->progress, "-"))
		t->progress[0] = '\0';
	t->raised = raised != 0;
	t->resolved = resolved != 0;
	t->severity = (enum vw_alert_severity)severity;
	snprintf(t->error, sizeof(t->error), "%s", line + at + 1);
	return true;
}

int vw_alert_memory_parse(const char *text, size_t len, struct vw_alert_memory *ret)
{
	int r = 0;
	VW_AUTOFREE char *body = body_of(text, len, MEMORY_MAGIC, &r);
	struct vw_alert_memory m = { .n = 0 };
	char *save = NULL;

	if (!body)
		return r;
	for (char *line = strtok_r(body, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (m.n == VW_ALERT_MAX_SINKS || !read_told(line, &m.sinks[m.n++]))
			return -EBADMSG;
	*ret = m;
	return 0;
}
