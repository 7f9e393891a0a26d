/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A baseline as text, and back (see sample.h): words, each at most once; unknown words of
 * the same version are skipped. */
#include "lib/health/sample.h"

#include <errno.h>
#include <stdarg.h>

#define RATE_MAX 1000000000

static const char *const cpu_names[] = { "unknown", "idle", "mixed", "busy" };

struct text {
	char *buf;
	size_t len;
};

static void add(struct text *t, const char *fmt, ...) VW_PRINTF(2, 3);
static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, VW_BASELINE_SIZE - t->len, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < VW_BASELINE_SIZE - t->len)
		t->len += (size_t)n;
	t->buf[t->len] = '\0'; /* what did not fit is left out as a whole */
}

size_t vw_baseline_format(const struct vw_baseline *b, char *buf)
{
	struct text t = { .buf = buf };

	add(&t, "1 cpu=%s,%u", cpu_names[b->cpu], b->cpu_permille);
	if (b->wakes)
		add(&t, " wakes");
	if (b->paused)
		add(&t, " paused");
	if (b->panicked)
		add(&t, " panicked");
	for (unsigned i = 0; i < b->n_disks && i < VW_SAMPLE_DISKS; i++)
		add(&t, "%s%u", i ? "," : " disk=", b->disk[i]);
	if (b->rx)
		add(&t, " rx=%u", b->rx);
	if (b->tx)
		add(&t, " tx=%u", b->tx);
	if (b->console)
		add(&t, " console=%u", b->console);
	if (b->agent)
		add(&t, " agent=%s", b->agent == VW_YES ? "yes" : "no");
	if (b->skew_known)
		add(&t, " skew=%d", b->skew);
	if (b->reachable)
		add(&t, " reachable");
	for (unsigned i = 0; i < b->n_addresses && i < VW_ADDRESSES_MAX; i++)
		add(&t, "%s%s", i ? "," : " address=", b->address[i]);
	return t.len;
}

/* A whole number, 0 to max, that ends at ',' or at the end. Moves *p behind it. */
static bool number(const char **p, unsigned max, unsigned *ret)
{
	unsigned long v = 0;
	const char *s = *p;

	if (*s < '0' || *s > '9')
		return false;
	for (; *s >= '0' && *s <= '9'; s++) {
		v = v * 10 + (unsigned long)(*s - '0');
		if (v > max)
			return false;
	}
	if (*s == ',')
		s++;
	else if (*s)
		return false;
	*p = s;
	*ret = (unsigned)v;
	return true;
}

static bool one(const char *v, unsigned *ret)
{
	return number(&v, RATE_MAX, ret) && !*v;
}

static bool parse_cpu(const char *v, struct vw_baseline *b)
{
	const char *comma = strchr(v, ',');

	for (unsigned i = 0; comma && i < VW_N_ELEMENTS(cpu_names); i++)
		if (strlen(cpu_names[i]) == (size_t)(comma - v) &&
		    !strncmp(v, cpu_names[i], (size_t)(comma - v))) {
			b->cpu = (enum vw_cpu_class)i;
			return one(comma + 1, &b->cpu_permille);
		}
	return false;
}

static bool parse_disk(const char *v, struct vw_baseline *b)
{
	while (*v) {
		if (b->n_disks == VW_SAMPLE_DISKS || !number(&v, RATE_MAX, &b->disk[b->n_disks]))
			return false;
		b->n_disks++;
	}
	return b->n_disks > 0;
}

static bool parse_rx(const char *v, struct vw_baseline *b)
{
	return one(v, &b->rx);
}

static bool parse_tx(const char *v, struct vw_baseline *b)
{
	return one(v, &b->tx);
}

static bool parse_console(const char *v, struct vw_baseline *b)
{
	return one(v, &b->console);
}

static bool parse_agent(const char *v, struct vw_baseline *b)
{
	b->agent = vw_streq(v, "yes") ? VW_YES : VW_NO;
	return b->agent == VW_YES || vw_streq(v, "no");
}

static bool parse_skew(const char *v, struct vw_baseline *b)
{
	bool minus = *v == '-';
	unsigned s;

	if (!one(v + minus, &s))
		return false;
	b->skew = minus ? -(int)s : (int)s;
	b->skew_known = true;
	return true;
}

static bool parse_address(const char *v, struct vw_baseline *b)
{
	char one_of[46];

	while (*v) {
		size_t n = strcspn(v, ",");

		if (n >= sizeof(one_of) || b->n_addresses == VW_ADDRESSES_MAX)
			return false;
		memcpy(one_of, v, n);
		one_of[n] = '\0';
		if (!vw_address_ok(one_of))
			return false;
		vw_baseline_add_address(b, one_of);
		v += n + (v[n] == ',');
	}
	return true;
}

static bool parse_wakes(const char *v, struct vw_baseline *b)
{
	b->wakes = true;
	return !*v;
}

static bool parse_paused(const char *v, struct vw_baseline *b)
{
	b->paused = true;
	return !*v;
}

static bool parse_panicked(const char *v, struct vw_baseline *b)
{
	b->panicked = true;
	return !*v;
}

static bool parse_reachable(const char *v, struct vw_baseline *b)
{
	b->reachable = true;
	return !*v;
}

static const struct {
	const char *name;
	bool (*parse)(const char *v, struct vw_baseline *b);
} words[] = {
	{ "cpu", parse_cpu },         { "wakes", parse_wakes },
	{ "paused", parse_paused },   { "disk", parse_disk },
	{ "rx", parse_rx },           { "tx", parse_tx },
	{ "console", parse_console }, { "agent", parse_agent },
	{ "skew", parse_skew },       { "reachable", parse_reachable },
	{ "address", parse_address }, { "panicked", parse_panicked },
};

/* word: "name" or "name=value"; it is cut up. */
static bool parse_word(char *word, unsigned *seen, struct vw_baseline *b)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	for (unsigned i = 0; i < VW_N_ELEMENTS(words); i++) {
		if (!vw_streq(word, words[i].name))
			continue;
		if (*seen & 1u << i)
			return false;
		*seen |= 1u << i;
		return words[i].parse(value ? value : "", b);
	}
	return true;
}

int vw_baseline_parse(const char *text, struct vw_baseline *ret)
{
	struct vw_baseline b = { .known = true };
	char copy[VW_BASELINE_SIZE + 1], *save = NULL, *word;
	unsigned seen = 0;
	size_t len;

	len = strnlen(text, sizeof(copy));
	if (len >= sizeof(copy))
		return -E2BIG;
	memcpy(copy, text, len + 1);
	for (size_t i = 0; i < len; i++)
		if (((unsigned char)copy[i] < 0x20 && !strchr("\t\n", copy[i])) || copy[i] & 0x80)
			return -EINVAL;
	word = strtok_r(copy, " \t\n", &save);
	if (!word || word[strspn(word, "0123456789")])
		return -EINVAL;
	if (!vw_streq(word, "1"))
		return -ENOTSUP;
	while ((word = strtok_r(NULL, " \t\n", &save)))
		if (!parse_word(word, &seen, &b))
			return -EINVAL;
	*ret = b;
	return 0;
}
