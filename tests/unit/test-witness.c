/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which of the changes of a domain is ours, and does a config put back what we had fixed? What is
 * compared may be hostile: 20,000 different children must not cost more than 20,000 steps. */
#include "virt/put-back.h"
#include "virt/witness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#define MANY 20000
#define UUID "11111111-2222-3333-4444-555555555555"
/* Of CPU, whatever else runs here: some 0.2 s, and 10 s and more where each is compared with each. */
/* Of CPU time; a sanitizer's or valgrind's is not ours. */
#define SECONDS_MAX (getenv("VW_SANITIZED") ? 100.0 : 3.0)

static double cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct vw_witness witness(const char *first, const char *second)
{
	return (struct vw_witness){ .watch = -1,
				    .n = 2,
				    .texts = { (char *)(uintptr_t)first,
					       (char *)(uintptr_t)second } };
}

#define DOMAIN(inner) "<domain type='kvm'>" inner "</domain>"
#define DISK(dev, cache)                                                             \
	"<disk type='file'><driver name='qemu' cache='" cache "'/><target dev='" dev \
	"' bus='virtio'/></disk>"

static void test_which_is_ours(void **state)
{
	static const char sent[] = DOMAIN("<devices>" DISK("vda", "none") "</devices>");
	/* as libvirtd writes it: with more */
	static const char ours[] = DOMAIN("<uuid>" UUID "</uuid>"
					  "<devices>" DISK("vda", "none") "<rng/></devices>");
	static const char theirs[] = DOMAIN("<uuid>" UUID "</uuid>"
					    "<devices>" DISK("vda", "writeback") "</devices>");
	struct vw_witness w = witness(theirs, ours);
	const char *text = NULL;

	(void)state;
	assert_int_equal(vw_witness_says(&w, sent, &text), VW_OVERWRITTEN);
	assert_ptr_equal(text, theirs);
	w = witness(ours, theirs);
	assert_int_equal(vw_witness_says(&w, sent, &text), VW_LATER);
	assert_null(text);
	/* what can't be read says nothing */
	w = witness(NULL, ours);
	assert_int_equal(vw_witness_says(&w, sent, &text), VW_OVERWRITTEN);
	w = witness("<not", ours);
	assert_int_equal(vw_witness_says(&w, sent, &text), VW_OVERWRITTEN);
}

/* The same words, but of another device. */
static void test_which_device(void **state)
{
	static const char sent[] = DOMAIN("<devices>" DISK("vda", "none")
						  DISK("vdb", "writeback") "</devices>");
	static const char theirs[] = DOMAIN("<devices>" DISK("vda", "writeback")
						    DISK("vdb", "none") "</devices>");
	/* libvirtd sorts disks */
	static const char ours[] = DOMAIN("<devices>" DISK("vdb", "writeback")
						  DISK("vda", "none") "</devices>");
	struct vw_witness w = witness(theirs, ours);
	const char *text = NULL;

	(void)state;
	assert_int_equal(vw_witness_says(&w, sent, &text), VW_OVERWRITTEN);
	assert_ptr_equal(text, theirs);
}

/* One thing that is there twice is not there once. */
static void test_how_often(void **state)
{
	static const char sent[] = DOMAIN("<devices><rng/><rng/></devices>");
	static const char theirs[] = DOMAIN("<devices><rng/><tpm/></devices>");
	struct vw_witness w = witness(theirs, sent);
	const char *text = NULL;

	(void)state;
	assert_int_equal(vw_witness_says(&w, sent, &text), VW_OVERWRITTEN);
}

/* A domain with MANY of `format`, which takes one number. */
static char *many(const char *head, const char *format, int first, const char *tail)
{
	VW_AUTOBUF struct vw_buf b = { 0 };

	vw_buf_puts(&b, head);
	for (int i = first; i < first + MANY; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		vw_buf_printf(&b, format, i, i);
#pragma GCC diagnostic pop
	}
	vw_buf_puts(&b, tail);
	return vw_buf_take(&b);
}

#define HEAD "<domain type='kvm'><name>q</name><uuid>" UUID "</uuid>"

static void test_many_children(void **state)
{
	VW_AUTOFREE char *sent = many(HEAD "<metadata><x:y xmlns:x='urn:x'>", "<a n='%d'/>", 0,
				      "</x:y></metadata></domain>");
	VW_AUTOFREE char *theirs = many(HEAD "<metadata><x:y xmlns:x='urn:x'>", "<a n='%d'/>", MANY,
					"</x:y></metadata></domain>");
	struct vw_witness w = witness(theirs, sent);
	const char *text = NULL;
	double began = cpu_seconds();

	(void)state;
	assert_int_equal(vw_witness_says(&w, sent, &text), VW_OVERWRITTEN);
	assert_true(cpu_seconds() - began < SECONDS_MAX);
}

#define DISKS "<os><type>hvm</type></os><devices>"
#define DISKS_END "</devices></domain>"

/* An admin who puts the cache of MANY disks back. */
static void test_many_put_back(void **state)
{
	VW_AUTOFREE char *typed = many(HEAD DISKS,
				       "<disk type='file'><driver name='qemu' cache='writeback'/>"
				       "<source file='/nope/%d'/><target dev='vd%d'/></disk>",
				       0, DISKS_END);
	VW_AUTOFREE char *previous = many(HEAD DISKS,
					  "<disk type='file'><driver name='qemu' cache='none'/>"
					  "<source file='/nope/%d'/><target dev='vd%d'/></disk>",
					  0, DISKS_END);
	VW_AUTOXML struct vw_xml *doc = NULL;
	VW_AUTOBUF struct vw_buf rules = { 0 };
	struct vw_gathered facts = { .outline = NULL };
	struct vw_plan *plan = NULL;
	struct vw_put_back h = { .uuid = UUID, .typed = typed, .previous = previous };
	double began;

	(void)state;
	assert_int_equal(setenv("VIRT_WARDEN_DATADIR", VW_SRCDIR, 1), 0);
	assert_int_equal(setenv("VIRT_WARDEN_CONF", "/nonexistent", 1), 0);
	assert_int_equal(vw_context_open(&h.ctx, NULL), 0);
	assert_int_equal(vw_xml_parse(typed, strlen(typed), "typed", "domain", &doc, NULL), 0);
	assert_int_equal(vw_outline_make(doc, &facts.outline, NULL), 0);
	for (size_t i = 0; i < facts.outline->n_disks; i++) {
		struct vw_disk_facts *d = vw_facts_add_disk(&facts.facts,
							    facts.outline->disks[i].target);

		d->exists = d->odirect = VW_YES;
	}
	h.facts = &facts;
	h.versions = calloc(1, sizeof(*h.versions));
	h.n_versions = 1;
	h.versions[0] = (struct vw_version){ .n = 1,
					     .cause = VW_CAUSE_FIX,
					     .name = strdup("q"),
					     .who = strdup(""),
					     .rules = strdup("rng disk-cache") };
	began = cpu_seconds();
	assert_int_equal(vw_put_back_plan(&h, typed, &facts.facts, NULL, true, &plan), 0);
	assert_true(vw_plan_count(plan, VW_ACTION_FIX) >= MANY);
	h.plan = plan;
	assert_int_equal(vw_put_back_load(&h), 0);
	vw_put_back_rules(&h, &rules);
	assert_non_null(rules.p);
	assert_string_equal(rules.p, "disk-cache");
	assert_true(cpu_seconds() - began < SECONDS_MAX);
	vw_put_back_clear(&h);
	vw_plan_free(plan);
	vw_outline_free(facts.outline);
	vw_facts_clear(&facts.facts);
	vw_context_close(h.ctx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_which_is_ours), cmocka_unit_test(test_which_device),
		cmocka_unit_test(test_how_often),     cmocka_unit_test(test_many_children),
		cmocka_unit_test(test_many_put_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
