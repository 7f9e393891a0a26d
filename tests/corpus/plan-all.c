/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans many domain XML files with given facts, checks that each plan is idempotent, counts rules.
 *
 * usage: plan-all --templates DIR [--index FILE --os ID] [--caps FILE]… [--blank yes|no|unknown|absent]
 *                 [--new yes|no|unknown] [--drivers yes] [--allow] [--out DIR]
 *                 [--extra media|pxe|hostdev] FILE…
 *        plan-all --list-rules
 *
 * Prints "planned NAME RULE…" (the rules that fix something), "unreadable NAME: message" or
 * "broken NAME: what is wrong", then one line "rule ID fixes skips refuses" each.
 * Broken is also a plan that changes what the guest sees or boots from, unless it has a disk and all
 * are blank (or all is allowed). --extra puts a CD-ROM, a card to boot from, or a host device that
 * holds a system, into each domain. --out keeps the text after the fix (or as it was). Exit: 1 if anything is broken. */
#include "tests/corpus/tool.h"

#include "lib/engine/caps.h"
#include "lib/osindex/osindex.h"
#include "lib/engine/plan.h"
#include "lib/engine/template.h"

#include <getopt.h>

#define MAX_CAPS 8

struct setup {
	struct vw_templates *templates;
	const struct vw_caps *caps[MAX_CAPS];
	size_t n_caps;
	struct vw_os *os;
	struct vw_policy policy;
	enum vw_known blank, new_here, drivers;
	bool absent;
	const char *extra; /* XML of one more device */
	unsigned allow;
	const char *out;
	unsigned count[64][3]; /* per rule id and action */
	bool broken;
};

static const struct {
	const char *name, *xml;
} extras[] = {
	{ "media",
	  "<disk type='file' device='cdrom'><source file='/i.iso'/><target dev='sdzz' bus='sata'/><readonly/></disk>" },
	{ "pxe", "<interface type='user'><boot order='9'/></interface>" },
	{ "hostdev",
	  "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='5' slot='0' function='0'/></source></hostdev>" },
};

static const char *extra_of(const char *name)
{
	for (size_t i = 0; i < VW_N_ELEMENTS(extras); i++)
		if (!strcmp(extras[i].name, name))
			return extras[i].xml;
	die("--extra does not know %s", name);
}

/* Return: text (which is freed) with the extra device first in <devices>, if there are some. */
static char *with_extra(char *text, size_t *len, const char *extra)
{
	char *at = extra ? strstr(text, "<devices>") : NULL;
	char *more = NULL;

	if (!at)
		return text;
	at += strlen("<devices>");
	if (asprintf(&more, "%.*s%s%s", (int)(at - text), text, extra, at) < 0)
		die("no memory");
	*len = strlen(more);
	free(text);
	return more;
}

static enum vw_known known(const char *word)
{
	return !strcmp(word, "yes") ? VW_YES : !strcmp(word, "no") ? VW_NO : VW_UNKNOWN;
}

/* The same facts for every disk: what the variation says. */
static void fill_facts(const struct setup *s, const struct vw_outline *outline, struct vw_facts *f)
{
	f->new_here = s->new_here;
	f->active = VW_NO;
	f->managed_save = VW_NO;
	f->has_run = s->blank == VW_YES ? VW_NO : VW_UNKNOWN;
	f->hostdev_storage = s->blank != VW_YES          ? VW_UNKNOWN
			     : s->extra == extras[2].xml ? VW_YES
							 : VW_NO;
	f->virtio_drivers = s->drivers;
	f->os = s->os;
	f->os_source = s->os ? VW_OS_ADMIN : VW_OS_NONE;
	f->os_confidence = s->os ? VW_EV_PROVEN : VW_EV_UNKNOWN;
	f->caps = (const struct vw_caps **)s->caps;
	f->n_caps = s->n_caps;
	for (size_t i = 0; i < outline->n_disks; i++) {
		struct vw_disk_facts *d = vw_facts_add_disk(f, outline->disks[i].target);

		if (!d)
			die("no memory");
		d->exists = s->absent ? VW_NO : s->blank == VW_UNKNOWN ? VW_UNKNOWN : VW_YES;
		d->block = !strcmp(outline->disks[i].type, "block") ? VW_YES : VW_NO;
		d->blank = s->blank;
		d->odirect = VW_YES;
		d->allocated = s->blank == VW_YES ? VW_NO : VW_YES;
		d->discard = VW_YES;
	}
}

static void add_networks(const xmlNode *root, struct vw_facts *f)
{
	for (xmlNode *n = vw_xml_path(root, "devices/interface"); n;
	     n = vw_xml_next(n, "interface")) {
		const char *name = vw_xml_attr(vw_xml_child(n, "source"), "network");

		if (name)
			vw_facts_add_network(f, name, VW_NO);
	}
}

/* Return: the plan of text, or NULL (the line is in e). */
static struct vw_plan *plan_text(struct setup *s, const char *text, size_t len, const char *name,
				 struct vw_err *e)
{
	VW_AUTOXML struct vw_xml *doc = NULL;
	struct vw_outline *outline = NULL;
	struct vw_facts facts = { 0 };
	struct vw_plan *plan = NULL;
	struct vw_request req = { .facts = &facts,
				  .templates = s->templates,
				  .policy = &s->policy,
				  .allow = s->allow,
				  .force_enforce = s->allow != 0 };

	if (vw_xml_parse(text, len, name, "domain", &doc, e) < 0 ||
	    vw_outline_make(doc, &outline, e) < 0)
		return NULL;
	fill_facts(s, outline, &facts);
	vw_outline_free(outline);
	add_networks(vw_xml_root(doc), &facts);
	req.doc = doc;
	vw_plan_make(&req, &plan, e);
	vw_facts_clear(&facts);
	return plan;
}

static void count_rules(struct setup *s, const struct vw_plan *plan)
{
	for (size_t i = 0; i < plan->n_findings; i++)
		for (size_t r = 0; vw_rule_id(r) && r < VW_N_ELEMENTS(s->count); r++)
			if (!strcmp(vw_rule_id(r), plan->findings[i].rule))
				s->count[r][plan->findings[i].action]++;
}

static void broken(struct setup *s, const char *name, const char *what)
{
	printf("broken %s: %s\n", name, what);
	s->broken = true;
}

/* fix(fix(x)) = fix(x), byte for byte; and a plan that fixes nothing has no text. */
static void check_again(struct setup *s, const struct vw_plan *plan, const char *name)
{
	struct vw_err e = { 0 };
	struct vw_plan *again;

	if (!plan->xml != !vw_plan_count(plan, VW_ACTION_FIX))
		broken(s, name,
		       plan->xml ? "text changed, but no finding says so" : "a fix, but no text");
	if (!plan->xml)
		return;
	again = plan_text(s, plan->xml, plan->xml_len, name, &e);
	if (!again)
		broken(s, name, e.text);
	else if (again->xml)
		broken(s, name, again->n_findings ? again->findings[0].message : "not idempotent");
	vw_plan_free(again);
}

static bool has_disk(const char *text, size_t len)
{
	VW_AUTOXML struct vw_xml *doc = NULL;
	struct vw_outline *o = NULL;
	bool disk = false;

	if (vw_xml_parse(text, len, "", "domain", &doc, NULL) < 0 ||
	    vw_outline_make(doc, &o, NULL) < 0)
		return false;
	for (size_t i = 0; i < o->n_disks; i++)
		disk |= !strcmp(o->disks[i].device, "disk") || !strcmp(o->disks[i].device, "lun");
	vw_outline_free(o);
	return disk;
}

/* Unless every disk was read and holds nothing, nothing on the guest's side is changed. */
static void check_blank(struct setup *s, const struct vw_plan *plan, const char *name,
			bool has_disk)
{
	bool blank = s->blank == VW_YES && has_disk && s->extra != extras[2].xml;

	for (size_t i = 0; i < plan->n_findings && !blank && !s->allow; i++)
		if (plan->findings[i].action == VW_ACTION_FIX &&
		    plan->findings[i].cls >= VW_CLASS_VISIBLE)
			broken(s, name, plan->findings[i].rule);
}

static void plan_one(struct setup *s, const char *path)
{
	const char *name = base_name(path);
	struct vw_err e = { 0 };
	size_t len;
	char *text = with_extra(read_file(path, &len), &len, s->extra);
	struct vw_plan *plan = plan_text(s, text, len, name, &e);

	if (!plan) {
		printf("unreadable %s: %s\n", name, e.text);
		free(text);
		return;
	}
	printf("planned %s", name);
	for (size_t i = 0; i < plan->n_findings; i++)
		if (plan->findings[i].action == VW_ACTION_FIX)
			printf(" %s", plan->findings[i].rule);
	printf("\n");
	count_rules(s, plan);
	check_again(s, plan, name);
	check_blank(s, plan, name, has_disk(text, len));
	if (s->out)
		write_file(s->out, name, plan->xml ? plan->xml : text,
			   plan->xml ? plan->xml_len : len);
	vw_plan_free(plan);
	free(text);
}

static void load_templates(struct setup *s, const char *dir)
{
	const char *dirs[] = { dir, NULL };
	struct vw_err e = { 0 };

	if (vw_templates_load(dirs, &s->templates, &e) < 0)
		die("%s", e.text);
}

static void load_caps(struct setup *s, const char *path)
{
	struct vw_caps *caps;
	struct vw_err e = { 0 };
	size_t len;
	char *text = read_file(path, &len);

	if (s->n_caps == MAX_CAPS || vw_caps_parse(text, len, &caps, &e) < 0)
		die("%s: %s", path, e.text);
	s->caps[s->n_caps++] = caps;
	free(text);
}

static void load_os(struct setup *s, const char *index, const char *id)
{
	struct vw_osindex *x = NULL;
	struct vw_err e = { 0 };

	if (vw_osindex_open(index, &x, &e) < 0 || vw_osindex_find(x, id, &s->os, &e) < 0)
		die("%s", e.text);
	vw_osindex_close(x);
}

static const struct option options[] = {
	{ "templates", required_argument, NULL, 't' }, { "index", required_argument, NULL, 'i' },
	{ "os", required_argument, NULL, 's' },        { "caps", required_argument, NULL, 'c' },
	{ "blank", required_argument, NULL, 'b' },     { "new", required_argument, NULL, 'n' },
	{ "drivers", required_argument, NULL, 'd' },   { "allow", no_argument, NULL, 'a' },
	{ "out", required_argument, NULL, 'o' },       { "extra", required_argument, NULL, 'e' },
	{ "list-rules", no_argument, NULL, 'l' },      { NULL, 0, NULL, 0 },
};

static void list_rules(void)
{
	for (size_t i = 0; vw_rule_id(i); i++)
		printf("%s\n", vw_rule_id(i));
	exit(0);
}

static void parse_options(struct setup *s, int argc, char **argv)
{
	const char *index = NULL, *os = NULL;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 't': load_templates(s, optarg); break;
		case 'i': index = optarg; break;
		case 's': os = optarg; break;
		case 'c': load_caps(s, optarg); break;
		case 'b':
			s->blank = known(optarg);
			s->absent = !strcmp(optarg, "absent");
			break;
		case 'e': s->extra = extra_of(optarg); break;
		case 'n': s->new_here = known(optarg); break;
		case 'd': s->drivers = known(optarg); break;
		case 'a': s->allow = ~0u; break;
		case 'o': s->out = optarg; break;
		case 'l': list_rules(); break;
		default: exit(2);
		}
	}
	if (!s->templates || (os && !index))
		die("needs --templates, and --index for --os");
	if (os)
		load_os(s, index, os);
}

int main(int argc, char **argv)
{
	struct setup s = { 0 };

	vw_policy_defaults(&s.policy);
	parse_options(&s, argc, argv);
	for (int i = optind; i < argc; i++)
		plan_one(&s, argv[i]);
	for (size_t r = 0; vw_rule_id(r) && r < VW_N_ELEMENTS(s.count); r++)
		printf("rule %s %u %u %u\n", vw_rule_id(r), s.count[r][0], s.count[r][1],
		       s.count[r][2]);
	vw_templates_free(s.templates);
	for (size_t i = 0; i < s.n_caps; i++)
		vw_caps_free((struct vw_caps *)s.caps[i]);
	vw_os_free(s.os);
	return s.broken;
}
