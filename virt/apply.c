/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Stores a plan as the config of a domain (see virt/apply.h). libvirt's define has no
 * compare-and-swap: the config is compared just before, and read again just after. */
#include "virt/apply.h"

#include "lib/base/text.h"
#include "virt/domain.h"
#include "virt/witness.h"

#include <errno.h>
#include <libvirt/virterror.h>

#define CONFIG (VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE)
#define GIVE_BACK_MAX 5 /* so many clients may come between, one after the other */

static int libvirt_err(struct vw_err *err, int code, const char *what)
{
	return vw_err_set(err, code, "%s: %s", what, virGetLastErrorMessage());
}

/* It failed: not for what the XML says, but for a connection that is lost, a disk that is full … */
static bool is_trouble(int code)
{
	return code == VIR_ERR_SYSTEM_ERROR || code == VIR_ERR_RPC || code == VIR_ERR_NO_MEMORY ||
	       code == VIR_ERR_OPERATION_FAILED || /* it is being undefined */
	       code == VIR_ERR_OPERATION_TIMEOUT;
}

int vw_apply_error(struct vw_err *err, int code, const char *what, const char *name)
{
	VW_AUTOFREE char *command = NULL;

	if (!vw_virt_is_silent())
		return libvirt_err(err, code, what);
	command = vw_command_text("history", name);
	return vw_err_set(err, -ETIME,
			  "%s: libvirtd was asked to change it and does not answer: whether it "
			  "did is not known; when it answers again, look with: %s",
			  name, command ? command : "virt-warden history");
}

static int define(virConnectPtr conn, const char *name, const char *xml, struct vw_err *err)
{
	virDomainPtr dom = virDomainDefineXML(conn, xml);

	if (!dom && vw_virt_is_silent())
		return vw_apply_error(err, -EIO, name, name);
	if (!dom && is_trouble(virGetLastErrorCode()))
		return libvirt_err(err, -EIO, "the new XML can't be stored");
	if (!dom)
		return libvirt_err(err, -EPERM, "libvirtd refuses the new XML");
	virDomainFree(dom);
	return 0;
}

static int check_unchanged(virDomainPtr dom, const char *name, const char *original,
			   struct vw_err *err)
{
	VW_AUTOFREE char *now = virDomainGetXMLDesc(dom, CONFIG);

	if (!now)
		return libvirt_err(err, -EIO, name);
	if (strcmp(now, original))
		return vw_err_set(err, -EAGAIN,
				  "%s: another client changed it meanwhile: try again", name);
	return 0;
}

/* One define, and what came of it. */
struct store {
	const struct vw_redefine *d;
	const char *name, *uuid;
	struct vw_witness witness;
	enum vw_witnessed says;
	const char *theirs; /* the version that we overwrote; NULL = can't be had */
	char *now;          /* read back; may be NULL */
};

static void store_clear(struct store *s)
{
	vw_witness_clear(&s->witness);
	free(vw_steal(s->now));
}

static int store(struct store *s, const char *old, const char *new, struct vw_err *err)
{
	virDomainPtr dom = s->d->dom;
	int r;

	vw_witness_begin(&s->witness, s->d->conn, s->name);
	/* last, so that least time is left for another client to change it in between */
	r = check_unchanged(dom, s->name, old, err);
	if (r == 0)
		r = define(s->d->conn, s->name, new, err);
	vw_witness_end(&s->witness);
	if (r < 0)
		return vw_startswith(err->text, s->name) ? r : vw_err_wrap(err, r, "%s", s->name);
	s->says = vw_witness_says(&s->witness, new, &s->theirs);
	s->now = virDomainGetXMLDesc(dom, CONFIG);
	return 0;
}

/* We overwrote another client's version: keep it, and make it the config again. While that is
 * done the same may happen with a third one. */
static int give_back(struct vw_context *c, struct store *s, struct vw_err *err)
{
	int r = 0;

	for (int i = 0; r == 0 && s->says == VW_OVERWRITTEN && s->theirs && i < GIVE_BACK_MAX;
	     i++) {
		struct store again = { .d = s->d, .name = s->name, .uuid = s->uuid };

		if (!s->now) /* gone since */
			return 0;
		r = vw_apply_keep(c, s->uuid, s->name, s->theirs, VW_CAUSE_SEEN, "", err);
		if (r == 0)
			r = store(&again, s->now, s->theirs, err);
		store_clear(s);
		*s = again;
	}
	return r;
}

/* It became active while we stored what only a cold boot may bring: the old config again. */
static int put_back(const struct vw_redefine *d, const char *name, struct vw_err *err)
{
	int r = define(d->conn, name, d->original, err);

	if (r < 0)
		return vw_err_wrap(
			err, r, "%s: started meanwhile, and the old XML can't be put back", name);
	return vw_err_set(err, -EBUSY,
			  "%s: started meanwhile: the old XML was put back; fix it when it is off",
			  name);
}

/* Keep what was stored. */
static int keep_stored(struct vw_context *c, struct store *s, char **ret_stored, struct vw_err *err)
{
	VW_AUTOFREE char *rules = vw_plan_rules(s->d->plan);
	struct vw_history *h = vw_context_history(c, NULL);
	int r;

	if (h && s->d->hurry)
		vw_history_disk(h, VW_DISK_NEVER);
	r = rules ? vw_apply_keep(c, s->uuid, s->name, s->now ? s->now : s->d->plan->xml,
				  s->d->cause, rules, err)
		  : -ENOMEM;
	if (h && s->d->hurry)
		vw_history_disk(h, VW_DISK_NOW);
	if (ret_stored)
		*ret_stored = vw_steal(s->now);
	if (r < 0)
		return vw_err_wrap(
			err, r, "%s: fixed, but the new XML can't be kept in the history", s->name);
	return 0;
}

/* Another client came between, and wins. Return: -EAGAIN, or why it does not. */
static int crossed(struct vw_context *c, struct store *s, struct vw_err *err)
{
	int r = give_back(c, s, err);

	if (r < 0 && r != -EAGAIN)
		return vw_err_wrap(err, r == -EPERM ? -EIO : r,
				   "%s: overwrote what another client stored in that instant, and "
				   "can't put it back",
				   s->name);
	return vw_err_set(err, -EAGAIN, "%s: another client changed it meanwhile: try again",
			  s->name);
}

int vw_apply_redefine(struct vw_context *c, const struct vw_redefine *d, char **ret_stored,
		      struct vw_err *err)
{
	bool was_inactive = virDomainGetID(d->dom) == (unsigned)-1;
	char uuid[VIR_UUID_STRING_BUFLEN];
	VW_CLEANUP(store_clear)
	struct store s = { .d = d, .name = virDomainGetName(d->dom), .uuid = uuid };
	int r = 0;

	if (!s.name || virDomainGetUUIDString(d->dom, uuid) < 0)
		return vw_err_set(err, -ENOMEM, "out of memory");
	if (!d->plan->xml)
		return 0;
	if (!d->kept)
		r = vw_apply_keep(c, uuid, s.name, d->original, VW_CAUSE_SEEN, "", err);
	if (r < 0)
		return vw_err_wrap(err, r, "%s: nothing was changed, for the old XML can't be kept",
				   s.name);
	r = store(&s, d->original, d->plan->xml, err);
	if (r == -EPERM)
		vw_context_doubt_caps(c);
	if (r < 0)
		return r;
	if (s.says == VW_LATER || s.theirs)
		r = crossed(c, &s, err);
	if (d->ret_gone)
		*d->ret_gone = s.says == VW_GONE;
	if (r < 0 && ret_stored)
		*ret_stored = vw_steal(s.now);
	if (r < 0)
		return r;
	if (was_inactive && vw_plan_needs_cold_boot(d->plan) && virDomainIsActive(d->dom) == 1)
		return put_back(d, s.name, err);
	return keep_stored(c, &s, ret_stored, err);
}

int vw_apply_restore(struct vw_context *c, virConnectPtr conn, const char *uuid, const char *name,
		     const char *current, const char *xml, virDomainPtr *ret, struct vw_err *err)
{
	virDomainPtr dom;
	int r = 0;

	if (current)
		r = vw_apply_keep(c, uuid, name, current, VW_CAUSE_UNDO, "", err);
	if (r < 0)
		return vw_err_wrap(err, r, "%s: nothing was changed, for the config can't be kept",
				   name);
	dom = virDomainDefineXML(conn, xml);
	if (!dom)
		return vw_apply_error(err, -EPERM, name, name);
	*ret = dom;
	return 0;
}
