/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One domain that changed: facts -> plan -> keep -> redefine -> read back.
 *
 * A loop is impossible: what we changed is recognised by its hash; what somebody puts back
 * is skipped from then on (judge.c); and after MAX_APPLIED changes of our own in a row, with
 * none of somebody else's between, we stop and say so. */
#include "agent/agent-job.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <syslog.h>

#define CONFIG (VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE)
#define MAX_TRIES 3   /* another client was faster: start over so often, then wait for its event */
#define MAX_APPLIED 4 /* the host class, the rest, and a change that came between, twice */
#define RETRY_MS 5000
#define RETRY_MAX_MS 600000
#define TIMER_MS 1    /* so late the loop's timer comes, for it rounds up */
#define EVENTS_MS 200 /* for an event that is on its way */

static void job_clear(struct agent_job *j)
{
	vw_ahead_join(&j->keeping);
	vw_plan_free(j->plan);
	vw_gathered_free(j->facts);
	vw_xml_free(j->doc);
	free(j->xml);
	free(j->hand);
	free(j->report_only);
	free(j->refused);
	if (j->dom)
		virDomainFree(j->dom);
}

void agent_job_retry(struct agent_job *j)
{
	int64_t wait = (int64_t)RETRY_MS << (j->e->failures < 8 ? j->e->failures : 8);

	if (j->e->failures < UINT8_MAX)
		j->e->failures++;
	j->e->due = vw_clock_ms() + (wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
}

/* Was it undefined meanwhile? Its event tells the rest. */
static bool is_gone(const struct agent_job *j)
{
	virDomainPtr dom = virDomainLookupByUUID(j->c->virt, j->e->uuid);

	if (dom)
		virDomainFree(dom);
	return !dom && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN;
}

static void failed(struct agent_job *j, const struct vw_err *err)
{
	if (is_gone(j)) {
		j->e->due = 0;
		return;
	}
	if (j->e->failures == 0) { /* perhaps it was undefined and defined anew just now */
		j->e->failures = 1;
		j->e->due = vw_clock_ms() + EVENTS_MS;
		return;
	}
	if (j->e->failures == 1) {
		j->a->counts.errors++;
		agent_log(j->a, LOG_ERR, "error", j->dom ? agent_job_name(j) : NULL, j->uuid, "%s",
			  err->text);
	}
	agent_job_retry(j);
}

/* Undefine it, and leave alone what is not in libvirtd's config: NVRAM, TPM. */
static bool undefine(struct agent_job *j)
{
	unsigned flags = VIR_DOMAIN_UNDEFINE_KEEP_NVRAM;

#if LIBVIR_VERSION_NUMBER >= 8009000
	if (j->c->version >= 8009000)
		flags |= VIR_DOMAIN_UNDEFINE_KEEP_TPM;
#endif
	if (virDomainUndefineFlags(j->dom, flags) < 0) {
		agent_log(j->a, LOG_WARNING, "undefined", agent_job_name(j), j->uuid,
			  "it was undefined while it was being fixed, is back by that, and can't "
			  "be undefined again: %s",
			  virGetLastErrorMessage());
		return false;
	}
	agent_log(j->a, LOG_NOTICE, "undefined", agent_job_name(j), j->uuid,
		  "it was undefined while it was being fixed, and is undefined again");
	return true;
}

/* The domain was undefined in the window between our look and our define, and that define
 * brought it back: undefined is what its owner wants, unless somebody touched it since. The
 * history has what is undefined here. */
static bool take_back(struct agent_job *j)
{
	bool ours = j->e->defined <= 1 && j->e->hash == j->hash &&
		    virDomainIsActive(j->dom) == j->e->ran;

	j->e->flags &= ~(unsigned)AGENT_GONE;
	if (ours && undefine(j))
		return true;
	j->e->flags |= AGENT_NEW;
	j->e->hash = 0;
	j->e->hand = 0;
	return false;
}

/* The handle that came with the last event saves a round trip, but its id is of that time. */
static virDomainPtr handle_of(struct agent_job *j)
{
	virDomainPtr recent = vw_steal(j->c->recent);
	unsigned char uuid[VIR_UUID_BUFLEN];

	if (recent && virDomainGetUUID(recent, uuid) == 0 &&
	    !memcmp(uuid, j->e->uuid, sizeof(uuid)))
		return recent;
	if (recent)
		virDomainFree(recent);
	return virDomainLookupByUUID(j->c->virt, j->e->uuid);
}

/* Read the config. Return: false = there is nothing (more) to do. */
static bool look(struct agent_job *j)
{
	struct agent_entry *e = j->e;
	struct vw_err err = { 0 };
	int persistent = -1;

	j->dom = handle_of(j);
	if (j->dom) /* what is off is persistent */
		persistent = virDomainGetID(j->dom) == (unsigned)-1 ? 1
								    : virDomainIsPersistent(j->dom);
	if (persistent == 1)
		j->xml = virDomainGetXMLDesc(j->dom, CONFIG);
	if (persistent == 0 || (!j->xml && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)) {
		e->due = 0; /* its event forgets it, or tells that it was defined anew */
		if (persistent == 0 || e->flags & AGENT_GONE)
			agent_forget(j->c, e);
		return false;
	}
	if (!j->xml) {
		vw_err_set(&err, -EIO, "%s", virGetLastErrorMessage());
		failed(j, &err);
		return false;
	}
	virDomainGetUUIDString(j->dom, j->uuid);
	j->hash = agent_hash(j->xml, strlen(j->xml));
	if (e->flags & AGENT_GONE && take_back(j)) {
		agent_forget(j->c, e);
		return false;
	}
	return true;
}

static int64_t quiet_ms(const struct agent_job *j)
{
	int64_t ms = (int64_t)vw_context_policy(j->ctx)->agent_quiet * 1000;

	return ms > 0 ? ms - TIMER_MS : 0;
}

/* Nobody told of a change: there is no event of it, or it is on its way, and may say that the
 * domain was undefined and defined anew. Then nobody took anything back by hand. */
static bool is_untold(const struct agent_entry *e)
{
	return !(e->flags & AGENT_NEWS) && (e->hash || !(e->flags & AGENT_EXISTING));
}

/* Who changed it? Return: true if there is something to think about now. */
static bool is_due(struct agent_job *j)
{
	struct agent_entry *e = j->e;
	int64_t now = vw_clock_ms();

	j->changed = j->hash != e->hash;
	if (!j->changed)
		e->flags &= ~(unsigned)AGENT_NEWS;
	if (!j->changed && !(e->flags & AGENT_UNSETTLED)) {
		e->due = 0;
		return false;
	}
	if (!j->changed && e->quiet > now) { /* the event of our own define */
		e->due = e->quiet;
		return false;
	}
	if (j->changed && is_untold(e) && e->untold != j->hash) {
		e->untold = j->hash;
		e->due = now + EVENTS_MS;
		return false;
	}
	if (j->changed) {
		e->untold = j->hash;
		if (e->hash)
			e->flags &= ~(unsigned)AGENT_EXISTING;
		e->quiet = (e->due < now && e->failures == 0 ? e->due : now) + quiet_ms(j);
		e->flags = (e->flags & ~(unsigned)(AGENT_SAFE | AGENT_NEWS)) | AGENT_UNSETTLED;
		e->applied = 0;
	}
	j->held = e->quiet > now;
	j->kept = e->flags & AGENT_SAFE;
	return true;
}

void agent_job_settle(struct agent_job *j)
{
	struct agent_entry *e = j->e;

	e->hash = j->hash;
	e->due = e->quiet = 0;
	e->tries = e->failures = 0;
	e->flags &= ~(unsigned)(AGENT_UNSETTLED | AGENT_WORD | AGENT_REVERTED);
	if (!j->facts || j->facts->facts.active == VW_NO)
		e->flags &= ~(unsigned)AGENT_NEW;
	agent_known_add(j->c, e);
}

/* It is stored: recognise it, look at it once more, tell. */
static void applied(struct agent_job *j, const char *stored)
{
	VW_AUTOFREE char *rules = vw_plan_rules(j->plan);
	VW_AUTOFREE char *command = vw_command_text("mode", agent_job_name(j));
	bool active = j->facts->facts.active == VW_YES;
	struct agent_entry *e = j->e;

	if (stored)
		j->hash = agent_hash(stored, strlen(stored));
	e->hash = j->hash;
	e->expect = true;
	e->ran = active;
	e->applied++;
	e->tries = e->failures = 0;
	/* After the host class the quiet second goes on; else a last look. */
	if (!j->held)
		e->quiet = vw_clock_ms() + quiet_ms(j);
	e->due = e->quiet;
	e->flags = (e->flags & ~(unsigned)(AGENT_WORD | AGENT_REVERTED | AGENT_SAFE)) |
		   AGENT_UNSETTLED | (active ? AGENT_PENDING : 0) | (j->held ? AGENT_SAFE : 0);
	agent_job_left(j, true, NULL);
	agent_refused_over(j->c, e);
	agent_known_add(j->c, e);
	j->a->counts.latency_n++;
	j->a->counts.latency_ms += (uint64_t)(vw_clock_ms() - j->since);
	if (j->hand && *j->hand) {
		j->a->counts.put_back++;
		agent_log(
			j->a, LOG_NOTICE, "put-back", agent_job_name(j), j->uuid,
			"put back by hand, so left alone from now on: %s (%s --unskip RULE undoes that)",
			j->hand, command ? command : "");
	}
	if (!rules || !*rules)
		return;
	j->a->counts.fixes++;
	agent_log(j->a, LOG_NOTICE, "fixed", agent_job_name(j), j->uuid, "fixed: %s%s", rules,
		  active ? " (it runs: at its next cold boot)" : "");
}

static bool is_connected(const struct agent_job *j)
{
	return virConnectIsAlive(j->c->virt) == 1;
}

/* Our define brought it back. Return: when to look whether that is what somebody wants, too. */
static int64_t look_later(struct agent_entry *e)
{
	e->flags |= AGENT_GONE;
	e->defined = 0;
	return vw_clock_ms() + AGENT_GONE_MS;
}

static void apply(struct agent_job *j)
{
	bool gone = false;
	struct vw_redefine d = {
		.conn = j->c->virt,
		.dom = j->dom,
		.original = j->xml,
		.plan = j->plan,
		.cause = VW_CAUSE_AGENT,
		.kept = j->kept,
		.hurry = !j->held, /* else there is time, and the rest will need it kept */
		.ret_gone = &gone,
	};
	VW_AUTOFREE char *stored = NULL;
	struct vw_err err = { 0 };
	int r;

	if (j->e->applied >= MAX_APPLIED) {
		agent_log(j->a, LOG_WARNING, "error", agent_job_name(j), j->uuid,
			  "it does not settle after %d changes; left as it is", MAX_APPLIED);
		agent_job_settle(j);
		return;
	}
	r = vw_apply_redefine(j->ctx, &d, &stored, &err);
	switch (r) {
	case 0:
		applied(j, stored);
		if (gone)
			j->e->due = look_later(j->e);
		break;
	case -EAGAIN:
		j->e->due = ++j->e->tries < MAX_TRIES ? vw_clock_ms() : 0;
		if (gone && stored) {
			j->e->hash = agent_hash(stored, strlen(stored));
			j->e->due = look_later(j->e);
		}
		break;
	case -EPERM:
		if (!is_connected(j) || is_gone(j)) /* its name may be another's by now */
			failed(j, &err);
		else if (agent_job_host_class(j, &err))
			apply(j);
		else
			agent_job_refused(j, &err);
		break;
	case -EBUSY: /* it runs now: the rest when it stops */
		agent_log(j->a, LOG_INFO, "busy", agent_job_name(j), j->uuid, "%s",
			  agent_job_said(j, &err));
		j->e->hash = j->hash;
		j->e->due = 0;
		break;
	default: failed(j, &err); break;
	}
}

static void work(struct agent_job *j)
{
	struct agent_entry *e = j->e;
	struct vw_err err = { 0 };
	int r;

	if (!look(j) || !is_due(j))
		return;
	j->a->dirty = true;
	j->a->counts.passes++;
	r = agent_job_think(j, &err);
	if (r < 0)
		failed(j, &err);
	if (r != 0)
		return;
	if (!is_connected(j)) { /* then facts may be missing */
		agent_job_retry(j);
		return;
	}
	j->a->history_failed = false;
	if (!j->report_only && j->plan->xml &&
	    ((j->hand && *j->hand) || vw_plan_count(j->plan, VW_ACTION_FIX))) {
		apply(j);
		return;
	}
	if (j->changed)
		agent_refused_over(j->c, e);
	agent_job_report(j);
	if (!j->held || j->report_only) {
		agent_job_settle(j);
		return;
	}
	e->hash = j->hash;
	e->due = e->quiet;
	e->failures = 0;
	agent_known_add(j->c, e);
}

void agent_work(struct agent_conn *c, struct agent_entry *e)
{
	VW_CLEANUP(job_clear)
	struct agent_job j = {
		.c = c,
		.a = c->agent,
		.e = e,
		.ctx = agent_context(c->agent),
		.since = e->due,
	};

	if (j.ctx)
		work(&j);
	else
		agent_job_retry(&j);
}
