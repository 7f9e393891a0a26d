/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a check says what it found (check.h). */
#include "lib/migrate/check.h"

#include "lib/base/text.h"

#include <stdarg.h>

const char *vw_or_empty(const char *s)
{
	return s ? s : "";
}

const char *vw_judge_text(const struct vw_judge *j, const char *path)
{
	xmlNode *node = j->root ? vw_xml_path(j->root, path) : NULL;

	return node ? vw_xml_content(j->m->doc, node) : "";
}

static bool fill(struct vw_reason *r, const struct vw_found *f, const char *message)
{
	r->id = f->id;
	r->severity = f->severity;
	r->property = vw_printable(f->property, 256);
	r->source = vw_printable(f->source, 1024);
	r->destination = vw_printable(f->destination, 1024);
	r->message = vw_printable(message, 2048);
	r->remedy = vw_printable(f->remedy, 1024);
	return r->property && r->source && r->destination && r->message && r->remedy;
}

void vw_judge_add(struct vw_judge *j, const struct vw_found *f, const char *fmt, ...)
{
	VW_AUTOFREE char *text = NULL;
	struct vw_reason *more;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	more = text ? reallocarray(j->out.reasons, j->out.n + 1, sizeof(*more)) : NULL;
	if (!more) {
		j->failed = true;
		return;
	}
	j->out.reasons = more;
	j->failed |= !fill(&more[j->out.n++], f, text);
}

void vw_judge_unknown(struct vw_judge *j, const struct vw_host_facts *h, const char *section,
		      const char *property)
{
	const char *why = vw_host_unasked(h, section);

	j->unknown = true;
	vw_judge_add(
		j,
		&(struct vw_found){ .id = "unasked",
				    .property = property,
				    .remedy = "ask that host with more rights, or look there" },
		"%s: %s", h->name, why ? why : section);
}

void vw_judge_unseen(struct vw_judge *j, const char *property, const char *path)
{
	VW_AUTOFREE char *remedy = NULL;

	j->unknown = true;
	if (asprintf(&remedy, "see whether %s is there", path) < 0)
		remedy = NULL;
	vw_judge_add(
		j,
		&(struct vw_found){
			.id = "unasked", .property = property, .source = path, .remedy = remedy },
		"%s: could not be asked for the file", j->m->dst->name);
}

char *vw_judge_word(const char *s)
{
	static const char command[] = "virt-warden x ";
	char *text = vw_command_text("x", s);

	if (text)
		memmove(text, text + strlen(command), strlen(text + strlen(command)) + 1);
	return text;
}
