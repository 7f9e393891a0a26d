/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What probes share: how they answer, and what changed lately (verify-probe.h). */
#include "lib/health/verify-probe.h"

#include <stdarg.h>

void vw_result(struct vw_probe_result *r, enum vw_status status, const char *fmt, ...)
{
	va_list ap;

	r->status = status;
	va_start(ap, fmt);
	vsnprintf(r->detail, sizeof(r->detail), fmt, ap);
	va_end(ap);
}

void vw_result_wait(const struct vw_view *v, struct vw_probe_result *r, enum vw_status status,
		    const char *fmt, ...)
{
	va_list ap;

	r->status = v->s->over ? status : VW_SKIP;
	r->pending = !v->s->over;
	va_start(ap, fmt);
	vsnprintf(r->detail, sizeof(r->detail), fmt, ap);
	va_end(ap);
}

double vw_expected(unsigned rate, int64_t ms)
{
	return (double)rate * (double)ms / 60000;
}

static bool usable(const struct vw_signals *s, const struct vw_sample *p, unsigned have)
{
	return (p->have & have) == have &&
	       !(have & VW_HAVE_NET && s->migrated && p->t < s->started + VW_ANNOUNCE_MS);
}

bool vw_since(const struct vw_signals *s, unsigned have, int64_t ms, struct vw_delta *ret)
{
	const struct vw_sample *last = NULL;

	for (size_t i = s->n_samples; i-- > 0;) {
		const struct vw_sample *p = &s->samples[i];

		if (!usable(s, p, have))
			continue;
		if (!last && s->now - p->t > VW_RECENT_MS)
			return false;
		if (!last) {
			last = p;
		} else if (last->t - p->t >= ms) {
			vw_delta(p, last, ret);
			return true;
		}
	}
	return false;
}

int64_t vw_late_ms(const struct vw_signals *s)
{
	int64_t ms = s->window * 2 / 3;

	return ms > 20000 ? 20000 : ms;
}

bool vw_late(const struct vw_signals *s, unsigned have, struct vw_delta *ret)
{
	int64_t ms = vw_late_ms(s);

	while (ms >= 2000 && !vw_since(s, have, ms, ret))
		ms -= 500;
	return ms >= 2000;
}
