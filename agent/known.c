/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What outlives the agent: of each domain the hash of the config that was dealt with, what
 * is still to be done, and whether it was there before the agent ("existing").
 *
 * A text file per libvirtd: a head, then a line per domain, appended whenever one was dealt
 * with (the last line of a domain holds), written anew after the first walk. Until then, and
 * if it is lost, the list that install.sh made tells which domains were there before; where
 * there is none, all were: audited, not changed. */
#include "agent/agent.h"

#include "lib/base/buf.h"
#include "lib/base/open.h"
#include "lib/base/private-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <syslog.h>

#define LINE_FORMAT "%s %016" PRIx64 " %x %x %x\n"

/* Rules are numbered by their place in the engine's table: which table was it? */
static uint64_t rules_stamp(void)
{
	uint64_t h = 0;

	for (size_t i = 0; vw_rule_id(i); i++)
		h = h * 31 + agent_hash(vw_rule_id(i), strlen(vw_rule_id(i)));
	return h;
}

static void format_uuid(const unsigned char uuid[16], char text[33])
{
	for (size_t i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", uuid[i]);
}

static bool parse_uuid(const char *text, unsigned char uuid[16])
{
	for (size_t i = 0; i < 16; i++) {
		unsigned byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		uuid[i] = (unsigned char)byte;
	}
	return true;
}

static void load_line(struct agent_conn *c, const char *line, bool same_rules)
{
	unsigned flags, findings, hand;
	unsigned char uuid[16];
	struct agent_entry *e;
	uint64_t hash;
	char text[33];

	if (sscanf(line, "%32s %" SCNx64 " %x %x %x", text, &hash, &flags, &findings, &hand) != 5 ||
	    strlen(text) != 32 || !parse_uuid(text, uuid) ||
	    !(e = agent_table_get(&c->table, uuid, NULL)))
		return;
	e->hash = hash;
	e->flags = flags & AGENT_KEPT_FLAGS;
	e->findings = same_rules ? findings : 0;
	e->hand = same_rules ? hand : 0;
}

/* "4dea22b3-1d52-d8f3-2516-782e98ab3fa0", as install.sh writes it. */
static bool parse_dashed(const char *line, unsigned char uuid[16])
{
	char text[33];
	size_t n = 0;

	for (; *line && *line != '\n' && n < sizeof(text) - 1; line++)
		if (*line != '-')
			text[n++] = *line;
	text[n] = '\0';
	return n == 32 && (!*line || *line == '\n') &&
	       strspn(text, "0123456789abcdefABCDEF") == 32 && parse_uuid(text, uuid);
}

/* A regular file, or nothing. */
static FILE *open_file(const char *path)
{
	int fd = vw_open(AT_FDCWD, path, 0, NULL, NULL);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

	if (!f && fd >= 0)
		close(fd);
	return f;
}

/* The domains of the system's libvirtd when virt-warden was installed. */
static void load_existing(struct agent_conn *c)
{
	VW_AUTOFREE char *path = NULL;
	VW_AUTOFCLOSE FILE *f = NULL;
	unsigned char uuid[16];
	struct agent_entry *e;
	char line[160];

	if (strcmp(c->uri, "qemu:///system") ||
	    asprintf(&path, "%s/existing-domains", vw_context_paths(c->agent->ctx)->statedir) < 0) {
		path = NULL;
		return;
	}
	f = open_file(path);
	c->listed = f != NULL;
	while (f && fgets(line, sizeof(line), f))
		if (parse_dashed(line, uuid) && (e = agent_table_get(&c->table, uuid, NULL)))
			e->flags |= AGENT_EXISTING;
}

void agent_known_load(struct agent_conn *c)
{
	VW_AUTOFCLOSE FILE *f = open_file(c->known_path);
	unsigned long version;
	uint64_t stamp;
	char line[160];

	c->first = true;
	if (!f || !fgets(line, sizeof(line), f) ||
	    sscanf(line, "virt-wardend 1 %lu %" SCNx64, &version, &stamp) != 2) {
		load_existing(c);
		return;
	}
	c->first = false;
	c->known_version = version;
	/* A line without its end is one that was being written when we died. */
	while (fgets(line, sizeof(line), f) && strchr(line, '\n')) {
		load_line(c, line, stamp == rules_stamp());
		c->known_lines++;
	}
}

static int format_entry(char *line, size_t size, const struct agent_entry *e)
{
	char uuid[33];

	format_uuid(e->uuid, uuid);
	return snprintf(line, size, LINE_FORMAT, uuid, e->hash, e->flags & AGENT_KEPT_FLAGS,
			e->findings, e->hand);
}

void agent_known_add(struct agent_conn *c, const struct agent_entry *e)
{
	VW_AUTOCLOSE int fd = -1;
	char line[160];
	int len;

	if (c->first) /* the file is born with the end of the first walk */
		return;
	fd = vw_private_make_way(AT_FDCWD, c->known_path) < 0
		     ? -1
		     : open(c->known_path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	len = format_entry(line, sizeof(line), e);
	if (fd >= 0 && write(fd, line, (size_t)len) == len)
		c->known_lines++;
	else
		c->known_version = 0; /* write it anew after the next walk */
}

void agent_known_write(struct agent_conn *c)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	char line[160];
	char *slash = strrchr(c->known_path, '/');
	int r;

	*slash = '\0';
	mkdir(c->known_path, 0700);
	*slash = '/';
	vw_buf_printf(&b, "virt-wardend 1 %lu %" PRIx64 "\n", c->version, rules_stamp());
	for (struct agent_entry *e = agent_table_next(&c->table, NULL); e;
	     e = agent_table_next(&c->table, e)) {
		format_entry(line, sizeof(line), e);
		vw_buf_puts(&b, line);
	}
	r = b.failed ? -ENOMEM : agent_replace_file(c->known_path, b.p, b.len, 0600, true);
	if (r < 0) {
		agent_log(c->agent, LOG_ERR, "error", NULL, NULL, "%s: can't be written: %s",
			  c->known_path, strerror(-r));
		return;
	}
	c->known_version = c->version;
	c->known_lines = c->table.n;
}
