/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer: two hosts' facts and a domain XML, one after the other with a NUL between, through the strict
 * reader and the judge of migrations, there and back. What is missing is taken from a host of ours. */
#include "virt/hostfacts/host.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *ours;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	ours = json_load_file(VW_SRCDIR "/tests/migrate/facts/alpha.json", 0, NULL);
	if (!ours)
		abort();
	return 0;
}

/* The next part of the input, up to a NUL. */
static const char *part(const char **p, const char *end, size_t *ret_len)
{
	const char *start = *p, *nul = memchr(start, 0, (size_t)(end - start));

	*ret_len = (size_t)((nul ? nul : end) - start);
	*p = nul ? nul + 1 : end;
	return start;
}

/* Return: false where it is refused; then one line says why. */
static bool load(const char *text, size_t len, struct vw_features *t, struct host *h)
{
	json_t *json = len ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL)
			   : json_deep_copy(ours);

	h->arg = "fuzz.json";
	if (!json)
		return false;
	if (host_load(h, json, h->arg, t, &h->err) == 0)
		return true;
	if (!*h->err.text || strchr(h->err.text, '\n'))
		abort();
	return false;
}

static void check(const struct vw_judgement *j)
{
	enum vw_severity worst = VW_SEV_INFO;

	if (j->verdict > VW_VERDICT_BLOCKED)
		abort();
	for (size_t i = 0; i < j->n; i++) {
		const struct vw_reason *r = &j->reasons[i];

		if (!r->id || !r->property || !r->source || !r->destination || !r->message ||
		    !r->remedy || !*r->message)
			abort();
		worst = r->severity > worst ? r->severity : worst;
	}
	if ((worst == VW_SEV_BLOCKER) != (j->verdict == VW_VERDICT_BLOCKED))
		abort();
}

/* FNV-1a: flags must not depend on a place in the input. */
static unsigned digest(const uint8_t *data, size_t size)
{
	unsigned h = 2166136261u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ data[i]) * 16777619u;
	return h ^ (h >> 15);
}

static void judge(const struct host *hosts, struct vw_features *t, struct vw_xml *doc,
		  unsigned bits)
{
	struct vw_live live = { .active = bits & 1, .state = "running", .agent = bits & 2 };

	for (unsigned back = 0; back < 2; back++) {
		struct vw_move m = { .doc = doc,
				     .live = bits & 4 ? &live : NULL,
				     .src = &hosts[back].facts,
				     .dst = &hosts[!back].facts,
				     .desturi = "",
				     .dname = bits & 8 ? "other" : NULL,
				     .flags = (bits >> 4 & 3) | (back ? VW_MOVE_BACK : 0) |
					      (bits >> 6 & VW_MOVE_FRESH),
				     .table = t };
		struct vw_judgement j = { 0 };
		struct vw_err err = { 0 };

		if (vw_move_judge(&m, &j, &err) == 0)
			check(&j);
		vw_judgement_clear(&j);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char plain[] = "<domain type='qemu'><name>g</name></domain>";
	const char *p = (const char *)data, *end = p + size, *text[3];
	struct host hosts[2] = { 0 };
	struct vw_features t = { 0 };
	VW_AUTOXML struct vw_xml *doc = NULL;
	struct vw_err err = { 0 };
	size_t len[3];

	for (size_t i = 0; i < 3; i++)
		text[i] = part(&p, end, &len[i]);
	if (!len[2]) {
		text[2] = plain;
		len[2] = strlen(plain);
	}
	if (load(text[0], len[0], &t, &hosts[0]) && load(text[1], len[1], &t, &hosts[1]) &&
	    vw_xml_parse(text[2], len[2], "fuzz", "domain", &doc, &err) == 0)
		judge(hosts, &t, doc, digest(data, size));
	for (size_t i = 0; i < 2; i++)
		host_clear(&hosts[i]);
	vw_features_clear(&t);
	return 0;
}
