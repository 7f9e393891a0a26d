/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An OS that osinfo-db does not know yet: which known one stands in?
 *
 * An id or short id is split into product, version and tail: "fedora" 40,
 * "win2k" 25, "sles" 15sp6, "http://microsoft.com/win/2k" 25, "rhel" 9
 * "-unknown", "http://altlinux.org/alt/p" 11 ".starterkits". Only an entry of
 * the same product and tail may stand in: the newest one that is not newer
 * than what was asked for (what an older version drives, a newer one does), else
 * the oldest, if something before all of them was asked for.
 * Where no version fits, the product's "testing" or "unknown" entry does. */
#include "lib/osindex/reader.h"

#include <errno.h>

#define MAX_NUMBERS 8
#define MAX_ASKED 255
#define DIGITS "0123456789"
#define ID_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-._:/+"

struct split {
	size_t start, end; /* the version is text[start..end) */
	uint32_t numbers[MAX_NUMBERS];
	size_t n_numbers;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Length of the separator that ends before text[end], within a version: "." or,
 * after a digit, a service pack: "r" "u" "sp". */
static size_t separator(const char *text, size_t first, size_t end)
{
	static const char *const known[] = { ".", "r", "u", "sp" };

	for (size_t i = 0; i < VW_N_ELEMENTS(known); i++) {
		size_t len = strlen(known[i]);

		if (end - first > len && strncmp(text + end - len, known[i], len) == 0 &&
		    is_digit(text[end - len - 1]))
			return len;
	}
	return 0;
}

/* Numbers of the version, "15sp4" -> 15 4. False: too many or too big. */
static bool read_numbers(const char *text, struct split *s)
{
	size_t i = s->start;

	s->n_numbers = 0;
	while (i < s->end) {
		uint32_t number = 0;
		size_t digits = 0;

		for (; i < s->end && is_digit(text[i]); i++, digits++)
			number = digits < 9 ? number * 10 + (uint32_t)(text[i] - '0') : number;
		if (digits > 9 || s->n_numbers == MAX_NUMBERS)
			return false;
		s->numbers[s->n_numbers++] = number;
		while (i < s->end && !is_digit(text[i]))
			i++;
	}
	return true;
}

/* Find the last version in the last path component. Return: false if there is none. */
static bool split_version(const char *text, struct split *s)
{
	const char *slash = strrchr(text, '/');
	size_t first = slash ? (size_t)(slash - text) + 1 : 0;
	size_t end = strlen(text);
	size_t start;

	while (end > first && !is_digit(text[end - 1]))
		end--;
	if (end == first || (text[end] && !strchr("-.", text[end])))
		return false;
	start = end;
	for (;;) {
		size_t len;

		while (start > first && is_digit(text[start - 1]))
			start--;
		len = separator(text, first, start);
		if (!len)
			break;
		start -= len;
	}
	s->start = start;
	s->end = end;
	return read_numbers(text, s);
}

/* As numbers, a missing one is 0: 9 < 10, "8" = "8.0". */
static int compare_versions(const struct split *a, const struct split *b)
{
	for (size_t i = 0; i < MAX_NUMBERS; i++) {
		uint32_t x = i < a->n_numbers ? a->numbers[i] : 0;
		uint32_t y = i < b->n_numbers ? b->numbers[i] : 0;

		if (x != y)
			return x < y ? -1 : 1;
	}
	return 0;
}

/* "win2019" is no late successor of "win98", but a slip for "win2k19". */
static bool too_far(const struct split *asked, const struct split *candidate)
{
	return asked->numbers[0] / 10 > candidate->numbers[0];
}

struct match {
	uint32_t os;
	const char *text; /* key that matched */
	struct split split;
};

static bool better(const struct split *asked, const struct split *candidate,
		   const struct match *best)
{
	bool newer = compare_versions(candidate, asked) > 0;

	if (!best->text)
		return true;
	if (newer != (compare_versions(&best->split, asked) > 0))
		return !newer;
	return newer ? compare_versions(candidate, &best->split) < 0
		     : compare_versions(candidate, &best->split) > 0;
}

/* Keys of one product start alike, so they are neighbours in the table. */
static bool nearest_version(const struct vw_osindex *x, enum vw_osi_section table,
			    const char *asked, const struct split *wanted, struct match *best)
{
	size_t n = x->header.sections[table].count;

	for (size_t i = vw_osi_lower_bound(x, table, asked, wanted->start); i < n; i++) {
		struct match m;

		m.text = vw_osi_key(x, table, i, &m.os);
		if (!m.text || strncmp(m.text, asked, wanted->start) != 0)
			break;
		if (!split_version(m.text, &m.split) || m.split.start != wanted->start ||
		    strcmp(m.text + m.split.end, asked + wanted->end) != 0)
			continue;
		if (!too_far(wanted, &m.split) && better(wanted, &m.split, best))
			*best = m;
	}
	return best->text != NULL;
}

static bool same_key(const struct vw_osindex *x, enum vw_osi_section table, const char *text,
		     struct match *m)
{
	size_t i = vw_osi_lower_bound(x, table, text, strlen(text) + 1);

	if (i >= x->header.sections[table].count)
		return false;
	m->text = vw_osi_key(x, table, i, &m->os);
	return vw_streq(m->text, text);
}

/* The entry that osinfo-db keeps for what is yet to come. Ids come from programs,
 * so one without a known version is a code name ("debian/forky"); short ids are
 * typed by people, so there it is a slip of the pen. */
static bool evergreen(const struct vw_osindex *x, enum vw_osi_section table, const char *asked,
		      struct split *wanted, struct match *m)
{
	static const char *const names[] = { "testing", "unknown" };
	const char *slash = strrchr(asked, '/');

	if (table != VW_OSI_IDS || !slash || !slash[1])
		return false;
	wanted->start = (size_t)(slash - asked) + 1;
	wanted->end = strlen(asked);
	for (size_t i = 0; i < VW_N_ELEMENTS(names); i++) {
		VW_AUTOFREE char *text = NULL;

		if (asprintf(&text, "%.*s%s", (int)wanted->start, asked, names[i]) < 0) {
			text = NULL;
			return false;
		}
		if (same_key(x, table, text, m)) {
			m->split.start = wanted->start;
			m->split.end = strlen(text);
			return true;
		}
	}
	return false;
}

/* Does `text` hold the version of `known`, and where? As the last version that is in it
 * ("sles12sp5" for "http://suse.com/sles/12.5"), or at its end ("debiantesting"). */
static bool find_version(const char *text, const char *known, const struct split *k,
			 struct split *ret)
{
	size_t len = strlen(text);
	size_t old = k->end - k->start;

	if (k->n_numbers)
		return split_version(text, ret) && compare_versions(ret, k) == 0;
	ret->start = len > old ? len - old : 0;
	ret->end = len;
	return len > old && strncmp(text + ret->start, known + k->start, old) == 0;
}

/* `other` (the short id of an id, or the reverse) with the version of `known`
 * replaced by that of `asked`. Where they write versions differently ("12.5",
 * "12sp5") the numbers are replaced one by one. NULL = can't be told. */
static char *with_version(const char *other, const char *known, const struct split *k,
			  const char *asked, const struct split *a)
{
	size_t old = k->end - k->start;
	struct split o = { 0 };
	char *text = NULL;
	size_t second;
	int r;

	if (!find_version(other, known, k, &o))
		return NULL;
	if (o.n_numbers != 2 || k->n_numbers != 2 || a->n_numbers != 2 ||
	    strncmp(other + o.start, known + k->start, old) == 0) {
		r = asprintf(&text, "%.*s%.*s%s", (int)o.start, other, (int)(a->end - a->start),
			     asked + a->start, other + o.end);
		return r < 0 ? NULL : text;
	}
	second = o.start + strspn(other + o.start, DIGITS);
	r = asprintf(&text, "%.*s%u%.*s%u%s", (int)o.start, other, a->numbers[0],
		     (int)strcspn(other + second, DIGITS), other + second, a->numbers[1],
		     other + o.end);
	return r < 0 ? NULL : text;
}

/* Make the copy of the stand-in say what it is. What can't be known is "". */
static int rename_os(struct vw_os *os, enum vw_osi_section table, const char *asked,
		     const struct split *wanted, const struct match *m)
{
	bool by_id = table == VW_OSI_IDS;
	char **same = by_id ? &os->id : &os->short_id;
	char **other = by_id ? &os->short_id : &os->id;
	VW_AUTOFREE char *like = strdup(os->short_id);
	VW_AUTOFREE char *mine = strdup(asked);
	VW_AUTOFREE char *derived = with_version(*other, m->text, &m->split, asked, wanted);
	VW_AUTOFREE char *name = NULL;
	size_t len = wanted->end - wanted->start;
	bool versioned = m->split.end - m->split.start == strlen(os->version) &&
			 strncmp(os->version, m->text + m->split.start, strlen(os->version)) == 0;
	VW_AUTOFREE char *version = strndup(asked + wanted->start, versioned ? len : 0);

	if (!derived)
		derived = strdup(asked);
	if (!like || !mine || !derived || !version)
		return -ENOMEM;
	if (asprintf(&name, "%s (like %s)", by_id ? derived : mine, os->name) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	free(*same);
	*same = vw_steal(mine);
	free(*other);
	*other = vw_steal(derived);
	free(os->name);
	os->name = vw_steal(name);
	free(os->version);
	os->version = vw_steal(version);
	os->release_date[0] = '\0';
	os->like = vw_steal(like);
	return 0;
}

static void cleanup_os(struct vw_os **os)
{
	vw_os_free(*os);
}

int vw_osi_stand_in(const struct vw_osindex *x, enum vw_osi_section table, const char *asked,
		    struct vw_os **ret, struct vw_err *err)
{
	VW_CLEANUP(cleanup_os) struct vw_os *os = NULL;
	struct match best = { 0 };
	struct split wanted = { 0 };
	int r;

	if (strlen(asked) > MAX_ASKED || asked[strspn(asked, ID_CHARACTERS)])
		return -ENOENT;
	if (!(split_version(asked, &wanted) && nearest_version(x, table, asked, &wanted, &best)) &&
	    !evergreen(x, table, asked, &wanted, &best))
		return -ENOENT;
	r = vw_osi_load(x, best.os, &os, err);
	if (r < 0)
		return r;
	if (!os->family[0] && !os->distro[0]) /* osinfo-db's "Unknown" says nothing */
		return -ENOENT;
	r = rename_os(os, table, asked, &wanted, &best);
	if (r < 0)
		return vw_err_set(err, r, "%s: out of memory", x->path);
	*ret = vw_steal(os);
	return 0;
}
