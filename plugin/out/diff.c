/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A unified diff, coloured on a terminal. To a file or a pipe it goes byte for byte,
 * so that patch(1) takes it. */
#include "plugin/out/term.h"

static enum out_style style_of(const char *line, bool head)
{
	if (head)
		return OUT_BOLD;
	switch (*line) {
	case '-': return OUT_BAD;
	case '+': return OUT_GOOD;
	case '@': return OUT_HUNK;
	default: return OUT_PLAIN;
	}
}

void out_diff(const struct out *o, const char *diff)
{
	size_t n;

	if (!o->tty) {
		fputs(diff, o->f);
		return;
	}
	for (n = 0; *diff; n++) {
		size_t len = strcspn(diff, "\n");
		VW_AUTOFREE char *line = strndup(diff, len);

		if (!line)
			return;
		out_data(o, style_of(line, n < 2), line);
		fputc('\n', o->f);
		diff += len + (diff[len] == '\n');
	}
}
