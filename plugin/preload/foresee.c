/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* virsh define FILE, foreseen: while virsh starts and connects, which takes it a hundred times as
 * long, a thread reads the file and plans for it as for a new domain of this host's libvirtd.
 *
 * Nothing is believed: when virsh hands over its XML, that must be the file's to the byte,
 * libvirtd the one whose capabilities were taken from the disk, and the domain unknown to it.
 * Else the plan is thrown away and made as ever (the facts still serve for a domain that
 * libvirtd knows: no disk that hangs is waited for twice). Nothing is changed but that the text is
 * laid ready for the history; it is taken away again. */
#include "plugin/preload/preload.h"

#include "lib/base/open.h"
#include "virt/ahead.h"

#include <libxml/parser.h>
#include <locale.h>

#define FILE_MAX (1024 * 1024) /* ours are some KiB; a larger one is not worth it */

static struct {
	struct vw_ahead ahead;
	bool begun;
	const char *file; /* of argv */
	struct vw_foreseen seen;
	char *text; /* NULL: nothing was foreseen */
} foresight;

static void clear_plan(struct vw_foreseen *s)
{
	vw_history_abandon(vw_steal(s->typed));
	vw_plan_free(vw_steal(s->plan)); /* borrows from the facts */
	vw_xml_free(vw_steal(s->doc));
}

static void clear(struct vw_foreseen *s)
{
	clear_plan(s);
	vw_gathered_free(vw_steal(s->facts));
	vw_context_close(vw_steal(s->ctx));
}

/* A regular file only: a FIFO, which this would empty, is not even opened. */
static char *read_file(const char *path)
{
	struct stat st;
	VW_AUTOCLOSE int fd = vw_open(AT_FDCWD, path, 0, &st, NULL);
	VW_AUTOFREE char *text = NULL;

	if (fd < 0 || st.st_size <= 0 || st.st_size > FILE_MAX)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	if (!text || read(fd, text, (size_t)st.st_size) != st.st_size)
		return NULL;
	text[st.st_size] = 0;
	return vw_steal(text);
}

/* Is it one of those that can be foreseen? Not if libvirtd knows where a disk lies, or if
 * the install media would have to tell the OS, which takes a program. */
static bool is_plain(struct vw_xml *doc)
{
	struct vw_outline *o = NULL;
	bool plain;

	if (vw_outline_make(doc, &o, NULL) < 0)
		return false;
	plain = *o->os_id && o->mode != VW_MODE_OFF;
	for (size_t i = 0; i < o->n_disks; i++)
		plain = plain && strcmp(o->disks[i].type, "volume") != 0;
	vw_outline_free(o);
	return plain;
}

/* Return: is it all there? */
static bool foresee(struct vw_foreseen *s, const char *text)
{
	const struct vw_policy *policy = vw_context_policy(s->ctx);
	struct vw_request req = { .policy = policy };

	if (policy->define == VW_DEFINE_OFF ||
	    vw_xml_parse(text, strlen(text), "the XML", "domain", &s->doc, NULL) < 0 ||
	    !is_plain(s->doc) ||
	    vw_collect_begin(s->ctx, NULL, NULL, s->doc, &s->facts, NULL) < 0 ||
	    !vw_identify(s->doc, s->facts, s->uuid) ||
	    vw_collect_rest(s->ctx, NULL, s->doc, NULL, s->facts, NULL) < 0)
		return false;
	req.doc = s->doc;
	req.facts = &s->facts->facts;
	req.templates = vw_context_templates(s->ctx, NULL);
	if (!req.templates || vw_plan_make(&req, &s->plan, NULL) < 0)
		return false;
	if (policy->define != VW_DEFINE_WARN && s->plan->xml &&
	    vw_plan_count(s->plan, VW_ACTION_FIX))
		vw_apply_prepare(s->ctx, s->uuid, s->plan->name, text, &s->typed);
	return true;
}

static void *work(void *arg)
{
	/* virsh's main() sets the global locale meanwhile. */
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(c);

	(void)arg;
	foresight.text = read_file(foresight.file);
	if (foresight.text && (!vw_context_assume_daemon(foresight.seen.ctx) ||
			       vw_context_load(foresight.seen.ctx, NULL) < 0 ||
			       !foresee(&foresight.seen, foresight.text)))
		free(vw_steal(foresight.text));
	uselocale(before);
	freelocale(c);
	return NULL;
}

void vw_foresee(const char *file, const char *prober)
{
	struct vw_context *ctx;

	if (geteuid() != 0 || vw_context_new(&ctx, NULL) < 0)
		return;
	vw_context_single(ctx, true);
	if (vw_context_prober(ctx, NULL))
		vw_prober_program(vw_context_prober(ctx, NULL), prober);
	foresight.seen.ctx = ctx;
	foresight.file = file;
	foresight.begun = true;
	xmlInitParser(); /* not safe in a thread */
	vw_ahead_start_elsewhere(&foresight.ahead, work, NULL);
}

/* At exit, before libxml2's own end. */
__attribute__((destructor)) static void stop(void)
{
	vw_ahead_join(&foresight.ahead);
	vw_history_abandon(vw_steal(foresight.seen.typed));
}

bool vw_foreseen(const struct vw_define_call *call, struct vw_foreseen *ret)
{
	struct vw_foreseen *s = &foresight.seen;
	VW_AUTOFREE char *text = NULL;
	bool right;

	if (!foresight.begun)
		return false;
	foresight.begun = false;
	vw_ahead_join(&foresight.ahead);
	text = vw_steal(foresight.text);
	if (!text || strcmp(text, call->xml) != 0 ||
	    !vw_context_assumed_right(s->ctx, call->conn)) {
		clear(s);
		return false;
	}
	*ret = *s;
	*s = (struct vw_foreseen){ 0 };
	vw_collect_state(ret->facts, call->conn);
	right = ret->facts->facts.new_here == VW_YES &&
		!vw_networks_differ(ret->ctx, ret->facts, call->conn);
	if (!right) {
		vw_facts_clear_networks(&ret->facts->facts); /* asked again */
		clear_plan(ret); /* what was learnt of its OS and disks is right */
	}
	return right;
}
