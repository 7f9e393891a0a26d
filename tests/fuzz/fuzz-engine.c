/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer: a domain XML through the engine, with our templates and facts that a digest of
 * the input chooses. The plan's text must be XML, and planning it again must change nothing. */
#include "lib/engine/caps.h"
#include "lib/base/diff.h"
#include "lib/engine/metadata.h"
#include "lib/engine/plan.h"
#include "lib/engine/template.h"

#include <fcntl.h>
#include <stdint.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vw_templates *templates;
static struct vw_caps *caps[2];
static struct vw_policy policy;

static const char *linux_features[] = {
	"firmware-bios",  "firmware-efi", "qemu-x86-q35",    "tablet",
	"virtio-balloon", "virtio-block", "virtio-console",  "virtio-net",
	"virtio-rng",     "virtio-video", "virtio1.0-block", "virtio1.0-net",
};
static const char *windows_features[] = { "e1000e",       "firmware-bios", "firmware-efi",
					  "qemu-x86-q35", "tablet",        "tpm2.0-crb" };
static const struct vw_os systems[] = {
	{ .id = (char *)"http://debian.org/debian/11",
	  .short_id = (char *)"debian11",
	  .name = (char *)"Debian 11",
	  .family = (char *)"linux",
	  .distro = (char *)"debian",
	  .version = (char *)"11",
	  .release_date = (char *)"2021-08-14",
	  .features = (char **)linux_features,
	  .n_features = VW_N_ELEMENTS(linux_features) },
	{ .id = (char *)"http://microsoft.com/win/11",
	  .short_id = (char *)"win11",
	  .name = (char *)"Microsoft Windows 11",
	  .family = (char *)"winnt",
	  .distro = (char *)"win",
	  .version = (char *)"11",
	  .release_date = (char *)"2021-10-05",
	  .features = (char **)windows_features,
	  .n_features = VW_N_ELEMENTS(windows_features) },
	{ .id = (char *)"http://example.org/old/1",
	  .short_id = (char *)"old1",
	  .name = (char *)"Old 1",
	  .family = (char *)"",
	  .distro = (char *)"",
	  .version = (char *)"1",
	  .release_date = (char *)"" },
};

static char *read_all(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = malloc(1 << 20);
	ssize_t n = fd >= 0 && text ? read(fd, text, 1 << 20) : -1;

	if (n < 0)
		abort();
	close(fd);
	*ret_len = (size_t)n;
	return text;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char *const files[] = { VW_SRCDIR "/tests/corpus/caps/q35.xml",
					     VW_SRCDIR "/tests/corpus/caps/pc.xml" };
	const char *dirs[] = { VW_SRCDIR "/xml-templates", NULL };

	(void)argc;
	(void)argv;
	vw_policy_defaults(&policy);
	if (vw_templates_load(dirs, &templates, NULL) < 0)
		abort();
	for (size_t i = 0; i < VW_N_ELEMENTS(files); i++) {
		size_t len;
		VW_AUTOFREE char *text = read_all(files[i], &len);

		if (vw_caps_parse(text, len, &caps[i], NULL) < 0)
			abort();
	}
	return 0;
}

/* FNV-1a: facts must not depend on a place in the input that XML needs for itself. */
static uint32_t digest(const uint8_t *data, size_t size)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < size; i++)
		h = (h ^ data[i]) * 16777619u;
	return h ^ (h >> 15);
}

static enum vw_known take(uint32_t *bits)
{
	enum vw_known k = *bits % 3;

	*bits /= 3;
	return k;
}

static void make_facts(uint32_t bits, const struct vw_outline *o, struct vw_facts *f)
{
	uint32_t os = bits % 4, per_disk;

	bits /= 4;
	f->new_here = take(&bits);
	f->active = VW_NO;
	f->managed_save = take(&bits);
	f->virtio_drivers = take(&bits);
	f->os = os < VW_N_ELEMENTS(systems) ? &systems[os] : NULL;
	f->os_source = f->os ? VW_OS_ADMIN : VW_OS_NONE;
	f->os_confidence = f->os ? VW_EV_PROVEN : VW_EV_UNKNOWN;
	f->caps = (const struct vw_caps **)caps;
	f->n_caps = bits % 3;
	per_disk = bits / 3;
	for (size_t i = 0; i < o->n_disks; i++) {
		struct vw_disk_facts *d = vw_facts_add_disk(f, o->disks[i].target);

		if (!d)
			abort();
		bits = per_disk;
		d->exists = VW_YES;
		d->block = take(&bits);
		d->blank = take(&bits);
		d->odirect = take(&bits);
		d->allocated = take(&bits);
		d->discard = take(&bits);
	}
}

/* What the metadata tells us beside the plan: bounded, and of one mind. */
static void check_metadata(const xmlNode *root)
{
	const char *why = vw_metadata_audit_why(root), *id = vw_metadata_os_id(root);
	const enum vw_mode mode = vw_metadata_effective_mode(root);
	struct vw_health_wish h;

	if (mode == VW_MODE_DEFAULT || (why && mode != VW_MODE_AUDIT) || (id && !*id))
		abort();
	vw_metadata_health(root, &h);
	if (h.n_tcp > VW_HEALTH_MAX || h.n_check > VW_HEALTH_MAX || h.n_address > VW_HEALTH_MAX)
		abort();
	for (size_t i = 0; i < h.n_tcp; i++)
		if (h.tcp[i] < 1 || h.tcp[i] > 65535)
			abort();
	for (size_t i = 0; i < h.n_check; i++)
		if (!*h.check[i] || strpbrk(h.check[i], "./ "))
			abort();
}

/* No baseline, one that every host has, one that none has, one with features. */
static void choose_policy(uint32_t bits)
{
	static const char *const baselines[] = { "", "qemu64", "NoSuchModel", "Nehalem +aes -mpx" };

	snprintf(policy.cpu_baseline, sizeof(policy.cpu_baseline), "%s", baselines[bits >> 27 & 3]);
}

/* Return: the plan, or NULL where the input is refused. */
static struct vw_plan *make_plan(const char *text, size_t len, uint32_t bits)
{
	VW_AUTOXML struct vw_xml *doc = NULL;
	struct vw_outline *outline = NULL;
	struct vw_facts facts = { 0 };
	struct vw_plan *plan = NULL;
	struct vw_err err = { 0 };
	struct vw_request req = { .facts = &facts,
				  .templates = templates,
				  .policy = &policy,
				  .allow = bits & 0x40000000 ? ~0u : 0,
				  .force_enforce = true };

	if (vw_xml_parse(text, len, "fuzz", "domain", &doc, &err) < 0 ||
	    vw_outline_make(doc, &outline, &err) < 0) {
		if (!*err.text || strchr(err.text, '\n'))
			abort();
		return NULL;
	}
	check_metadata(vw_xml_root(doc));
	choose_policy(bits);
	make_facts(bits, outline, &facts);
	vw_outline_free(outline);
	req.doc = doc;
	if (vw_plan_make(&req, &plan, &err) < 0 && !*err.text)
		abort();
	vw_facts_clear(&facts);
	return plan;
}

/* The text of a plan is no domain any more, or planning it again changes it again: say how. */
static void complain(const struct vw_plan *plan, const struct vw_plan *again)
{
	fprintf(stderr, "%.*s\n", (int)plan->xml_len, plan->xml);
	for (size_t i = 0; again && i < again->n_findings; i++)
		fprintf(stderr, "%s %s %s: %s -> %s\n", vw_action_name(again->findings[i].action),
			again->findings[i].rule, again->findings[i].device,
			again->findings[i].before, again->findings[i].after);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t bits = digest(data, size);
	VW_AUTOFREE char *copy = malloc(size + 1), *diff = NULL;
	struct vw_plan *plan, *again;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	copy[size] = '\0';
	plan = make_plan(copy, size, bits);
	if (plan && plan->xml) {
		if (!vw_plan_count(plan, VW_ACTION_FIX))
			abort(); /* changed without a finding */
		again = make_plan(plan->xml, plan->xml_len, bits);
		if (!again || again->xml)
			complain(plan, again);
		vw_plan_free(again);
		if (vw_diff_unified(copy, "before", plan->xml, "after", &diff) < 0)
			abort();
	}
	vw_plan_free(plan);
	return 0;
}
