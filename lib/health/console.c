/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From the bytes of a guest's console to lines, and from those to what they say of its kernel. The
 * guest chooses them: no line is longer than the reader's room, whatever comes. */
#include "lib/health/health.h"

#include "lib/base/text.h"

static bool is_boot(const char *line, size_t len)
{
	static const char *const boots[] = { "Linux version ", "SeaBIOS (version", "GRUB" };

	for (size_t i = 0; i < VW_N_ELEMENTS(boots); i++)
		if (memmem(line, len, boots[i], strlen(boots[i])))
			return true;
	return false;
}

static void take_line(struct vw_signals *s, const struct vw_console_reader *r)
{
	size_t n = r->len < sizeof(s->console.text) - 1 ? r->len : sizeof(s->console.text) - 1;
	int sign = vw_console_sign(r->line, r->len);
	bool old = r->at <= r->began;

	if (old && is_boot(r->line, r->len)) {
		s->console.panic = s->console.oops = s->console.old = false;
	} else if (sign == 2 ? !s->console.panic : sign && !s->console.panic && !s->console.oops) {
		for (size_t i = 0; i < n; i++)
			s->console.text[i] = r->line[i] ? r->line[i] : '?';
		s->console.text[n] = '\0';
		vw_text_clean(s->console.text);
		s->console.panic |= sign == 2;
		s->console.oops |= sign == 1;
		s->console.old = old;
	}
}

void vw_console_take(struct vw_signals *s, struct vw_console_reader *r, const char *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		r->at++;
		if (data[i] == '\n' || r->len == sizeof(r->line)) {
			take_line(s, r);
			r->len = 0;
		}
		if (data[i] != '\n' && data[i] != '\r')
			r->line[r->len++] = data[i];
	}
}
