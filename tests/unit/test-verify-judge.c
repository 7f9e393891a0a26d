/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The judge of a guest's health over tables of figures: those of the lab, and one change each. */
#include "lib/health/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TICK 400

/* A guest as it behaves: per second, from a time of the window on. */
struct behaviour {
	double cpu;     /* of its one vCPU */
	double disk;    /* requests */
	double rx, tx;  /* packets */
	double console; /* bytes */
	int agent;      /* -1 no channel, 0 closed, 1 answers, 2 open but silent */
	bool panic_text;
};

struct row {
	const char *name;
	const char *baseline; /* NULL = unknown */
	struct behaviour b;
	enum vw_health want;
	const char *probe; /* the worst one, NULL = none is bad */
	int least, most;   /* ms until the verdict is final */
};

/* lab.md: before the move the aes guest used 0.7 % and wrote; the dead one uses 100 %. The
 * ticker: +0.04 to 0.09 s per 2 s, 32 requests per 2 s. */
#define AES "1 cpu=idle,7 wakes disk=960"
#define TICKER "1 cpu=idle,45 wakes disk=960 console=2500"
static const struct row rows[] = {
	{ "ticker", TICKER, { 0.03, 16, 0, 0, 40, -1, false }, VW_HEALTHY, NULL, 3000, 4500 },
	{ "ticker, baseline unknown",
	  NULL,
	  { 0.03, 16, 0, 0, 0, -1, false },
	  VW_HEALTHY,
	  NULL,
	  3000,
	  4500 },
	{ "the dead aes guest",
	  AES,
	  { 1.0, 0, 0, 0, 0, -1, false },
	  VW_FAILED,
	  "vcpu",
	  10000,
	  10500 },
	{ "the dead aes guest, on its console",
	  AES,
	  { 1.0, 0, 0, 0, 1, -1, true },
	  VW_FAILED,
	  "console",
	  0,
	  1000 },
	{ "dead, and its kernel answers pings",
	  "1 cpu=idle,7 wakes rx=600 tx=600",
	  { 1.0, 0, 10, 1, 0, -1, false },
	  VW_FAILED,
	  "vcpu",
	  10000,
	  10500 },
	{ "dead, idle before, no other sign ever",
	  "1 cpu=idle,7 wakes",
	  { 1.0, 0, 0, 0, 0, -1, false },
	  VW_FAILED,
	  "vcpu",
	  10000,
	  10500 },
	{ "computes, before and after, and writes",
	  "1 cpu=busy,1000 wakes disk=60",
	  { 1.0, 1, 0, 0, 0, -1, false },
	  VW_HEALTHY,
	  NULL,
	  3000,
	  4500 },
	{ "computes, and sends",
	  "1 cpu=busy,1000 wakes tx=60",
	  { 1.0, 0, 0, 1, 0, -1, false },
	  VW_HEALTHY,
	  NULL,
	  3000,
	  7000 },
	{ "computes, no other sign",
	  "1 cpu=busy,1000 wakes",
	  { 1.0, 0, 0, 0, 0, -1, false },
	  VW_HEALTH_UNKNOWN,
	  NULL,
	  10000,
	  10500 },
	{ "idled, works now",
	  "1 cpu=idle,7 wakes",
	  { 1.0, 50, 0, 0, 0, -1, false },
	  VW_HEALTHY,
	  NULL,
	  3000,
	  4500 },
	{ "idles, no other sign",
	  "1 cpu=idle,7 wakes",
	  { 0.02, 0, 0, 0, 0, -1, false },
	  VW_HEALTHY,
	  NULL,
	  3000,
	  4500 },
	{ "idles, and not every look before saw it run",
	  "1 cpu=idle,7",
	  { 0.02, 0, 0, 0, 0, -1, false },
	  VW_HEALTHY,
	  NULL,
	  3000,
	  4500 },
	{ "idles, baseline unknown",
	  NULL,
	  { 0.02, 0, 0, 0, 0, -1, false },
	  VW_HEALTH_UNKNOWN,
	  NULL,
	  10000,
	  10500 },
	{ "spins, baseline unknown",
	  NULL,
	  { 1.0, 0, 0, 0, 0, -1, false },
	  VW_HEALTH_UNKNOWN,
	  NULL,
	  10000,
	  10500 },
	{ "its vCPU stands still",
	  "1 cpu=idle,7 wakes",
	  { 0, 0, 0, 0, 0, -1, false },
	  VW_FAILED,
	  "vcpu",
	  10000,
	  10500 },
	{ "the disk stopped",
	  TICKER,
	  { 0.03, 0, 0, 0, 40, -1, false },
	  VW_FAILED,
	  "disk-progress",
	  10000,
	  10500 },
	{ "the disk stopped, the agent answers",
	  "1 cpu=idle,7 wakes disk=960 agent=yes",
	  { 0.03, 0, 0, 0, 0, 1, false },
	  VW_FAILED,
	  "disk-progress",
	  10000,
	  10500 },
	{ "one of two disks stopped",
	  "1 cpu=idle,7 wakes disk=960,960",
	  { 0.03, 16, 0, 0, 0, -1, false },
	  VW_FAILED,
	  "disk-progress",
	  10000,
	  10500 },
	{ "a slow disk: nothing can be told of it",
	  "1 cpu=idle,7 wakes disk=6",
	  { 0.03, 0, 0, 0, 0, -1, false },
	  VW_HEALTHY,
	  NULL,
	  10000,
	  10500 },
	{ "the bridge leads nowhere",
	  "1 cpu=idle,7 wakes rx=600 tx=600",
	  { 0.03, 0, 0.1, 10, 0, -1, false },
	  VW_FAILED,
	  "network-counters",
	  10000,
	  10500 },
	{ "the bridge leads nowhere, few packets came before",
	  "1 cpu=idle,7 wakes rx=440 tx=440",
	  { 0.03, 0, 0.4, 10, 0, -1, false },
	  VW_FAILED,
	  "network-counters",
	  10000,
	  10500 },
	{ "the bridge leads nowhere, and our own probes make noise",
	  "1 cpu=idle,7 wakes rx=6000 tx=600",
	  { 0.03, 0, 2.2, 10, 0, -1, false },
	  VW_FAILED,
	  "network-counters",
	  10000,
	  10500 },
	{ "few packets, as before",
	  "1 cpu=idle,7 wakes rx=440 tx=440",
	  { 0.03, 0, 7.3, 7.3, 0, -1, false },
	  VW_HEALTHY,
	  NULL,
	  4000,
	  7000 },
	{ "so few packets that nothing can be told",
	  "1 cpu=idle,7 wakes rx=120 tx=440",
	  { 0.03, 0, 0, 7.3, 0, -1, false },
	  VW_HEALTHY,
	  NULL,
	  4000,
	  7000 },
	{ "the network as before",
	  "1 cpu=idle,7 wakes rx=600 tx=600",
	  { 0.03, 0, 10, 10, 0, -1, false },
	  VW_HEALTHY,
	  NULL,
	  4000,
	  7000 },
	{ "sends nothing any more",
	  "1 cpu=idle,7 wakes rx=600 tx=600",
	  { 0.03, 0, 10, 0, 0, -1, false },
	  VW_FAILED,
	  "network-counters",
	  10000,
	  10500 },
	{ "the agent answers",
	  "1 cpu=idle,7 wakes agent=yes",
	  { 0.03, 0, 0, 0, 0, 1, false },
	  VW_HEALTHY,
	  NULL,
	  3000,
	  4500 },
	{ "the agent is frozen",
	  "1 cpu=idle,7 wakes agent=yes disk=960",
	  { 0.03, 16, 0, 0, 0, 2, false },
	  VW_FAILED,
	  "guest-agent",
	  10000,
	  10500 },
	{ "the agent died, the guest lives",
	  "1 cpu=idle,7 wakes agent=yes disk=960",
	  { 0.03, 16, 0, 0, 0, 0, false },
	  VW_DEGRADED,
	  "guest-agent",
	  10000,
	  10500 },
	{ "the agent was never there",
	  "1 cpu=idle,7 wakes agent=no disk=960",
	  { 0.03, 16, 0, 0, 0, 0, false },
	  VW_HEALTHY,
	  NULL,
	  3000,
	  4500 },
	{ "panicked, as its host noted, far from its console",
	  "1 cpu=unknown,0 panicked",
	  { 1.0, 0, 0, 0, 0, -1, false },
	  VW_FAILED,
	  "console",
	  3000,
	  4500 },
	{ "panicked, and was started anew since its host looked",
	  "1 cpu=idle,7 wakes disk=960 panicked",
	  { 0.03, 16, 0, 0, 0, -1, false },
	  VW_HEALTHY,
	  NULL,
	  3000,
	  4500 },
	{ "the console fell silent, and with it all",
	  "1 cpu=busy,1000 wakes console=2500",
	  { 1.0, 0, 0, 0, 0, -1, false },
	  VW_FAILED,
	  "console",
	  10000,
	  10500 },
};

struct world {
	struct vw_baseline before;
	struct vw_sample samples[64];
	struct vw_signals s;
};

static void start(struct world *w, const char *baseline)
{
	memset(w, 0, sizeof(*w));
	if (baseline)
		assert_int_equal(vw_baseline_parse(baseline, &w->before), 0);
	w->s = (struct vw_signals){ .name = "g",
				    .before = &w->before,
				    .samples = w->samples,
				    .started = 1000000,
				    .window = 10000,
				    .migrated = true,
				    .state = VW_DOM_RUNNING,
				    .reason_text = "migrated",
				    .control = VW_CONTROL_OK,
				    .asked = true };
}

static uint64_t count(double per_second, int64_t ms)
{
	return (uint64_t)(per_second * (double)ms / 1000);
}

static void sample(struct world *w, const struct behaviour *b, int64_t ms)
{
	w->samples[w->s.n_samples++] = (struct vw_sample){
		.t = w->s.started + ms,
		.have = VW_HAVE_VCPU | VW_HAVE_DISK | VW_HAVE_NET | VW_HAVE_CONSOLE,
		.n_vcpus = 1,
		.n_disks = 2,
		.vcpu = { (uint64_t)(b->cpu * (double)ms * 1e6) },
		.disk = { count(b->disk, ms) },
		.rx = count(b->rx, ms),
		.tx = count(b->tx, ms),
		.console = count(b->console, ms),
	};
	w->s.console.readable = b->console > 0 || w->before.console;
	w->s.console.panic = b->panic_text;
	w->s.agent.configured = b->agent >= 0;
	w->s.agent.connected = b->agent > 0;
	if (b->agent == 1)
		w->s.agent.answered_at = w->s.started + ms;
}

/* Let the window pass until the verdict is final. Return: ms. */
static int64_t run(struct world *w, const struct behaviour *b, struct vw_verify *v)
{
	for (int64_t ms = 0;; ms += TICK) {
		sample(w, b, ms);
		w->s.now = w->s.started + ms;
		w->s.over = ms >= w->s.window;
		vw_verify_judge(&w->s, v);
		if (v->final)
			return ms;
		assert_true(*v->waiting);
	}
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(rows); i++) {
		const struct row *r = &rows[i];
		const struct vw_probe_result *worst;
		struct vw_verify v;
		struct world w;
		int64_t ms;

		start(&w, r->baseline);
		ms = run(&w, &r->b, &v);
		worst = vw_verify_worst(&v);
		print_message("%-45s %-8s %5lld ms  %s\n", r->name, vw_health_name(v.verdict),
			      (long long)ms, worst ? worst->detail : "");
		assert_string_equal(vw_health_name(v.verdict), vw_health_name(r->want));
		if (r->probe)
			assert_string_equal(worst ? worst->probe : "none", r->probe);
		else
			assert_null(worst);
		assert_in_range(ms, (uintmax_t)r->least, (uintmax_t)r->most);
	}
}

/* One thing is changed in a healthy ticker; what comes out at the end of the window? */
struct change {
	const char *name;
	void (*make)(struct vw_signals *s);
	enum vw_health want;
	const char *probe;
	bool reset;
};

static void paused_user(struct vw_signals *s)
{
	s->state = VW_DOM_PAUSED;
	s->reason = VW_REASON_USER;
}
static void paused_io(struct vw_signals *s)
{
	s->state = VW_DOM_PAUSED;
	s->reason = VW_REASON_IO_ERROR;
}
static void paused_migration(struct vw_signals *s)
{
	s->state = VW_DOM_PAUSED;
	s->reason = VW_REASON_MIGRATION;
}
static void postcopy(struct vw_signals *s)
{
	s->state = VW_DOM_PAUSED;
	s->reason = VW_REASON_POSTCOPY;
}
static void shutoff(struct vw_signals *s)
{
	s->state = VW_DOM_SHUTOFF;
}
static void paused_crashed(struct vw_signals *s)
{
	s->state = VW_DOM_PAUSED;
	s->reason = VW_REASON_CRASHED;
}
static void gone(struct vw_signals *s)
{
	s->state = VW_DOM_GONE;
}
static void crashed(struct vw_signals *s)
{
	s->state = VW_DOM_CRASHED;
	s->events.bits = VW_EVENT_PANIC;
}
static void panicked(struct vw_signals *s)
{
	s->events.bits = VW_EVENT_PANIC;
}
static void reset(struct vw_signals *s)
{
	s->events.bits = VW_EVENT_RESET;
}
static void io_report(struct vw_signals *s)
{
	s->events.bits = VW_EVENT_IO_REPORT;
}
static void frozen(struct vw_signals *s)
{
	s->monitor_since = s->started + 400;
	s->n_samples = s->n_samples > 2 ? 2 : s->n_samples;
}
static void other_call(struct vw_signals *s)
{
	s->control = VW_CONTROL_BUSY;
	s->control_ms = s->now - s->started;
}
static void control_error(struct vw_signals *s)
{
	s->control = VW_CONTROL_ERROR;
}
static void disk_error(struct vw_signals *s)
{
	s->disk_errors = 1;
}
static void clock_off(struct vw_signals *s)
{
	s->agent.configured = s->agent.connected = s->agent.skew_known = true;
	s->agent.answered_at = s->now;
	s->agent.skew = -90;
}
static void declared_fails(struct vw_signals *s)
{
	s->n_declared = 1;
	snprintf(s->declared[0].what, sizeof(s->declared[0].what), "tcp 22");
}
static void declared_unasked(struct vw_signals *s)
{
	declared_fails(s);
	s->declared[0].unasked = true;
}
static void declared_one_unasked(struct vw_signals *s)
{
	declared_unasked(s);
	s->n_declared = 2;
}
static void declared_passes(struct vw_signals *s)
{
	declared_fails(s);
	s->declared[0].done = s->declared[0].ok = true;
}
static void other(struct vw_signals *s, enum vw_dom_state state, bool persistent)
{
	s->other.asked = true;
	s->other.at = s->now;
	s->other.state = state;
	s->other.persistent = persistent;
	snprintf(s->other.uri, sizeof(s->other.uri), "qemu+ssh://a/system");
}
static void both_run(struct vw_signals *s)
{
	other(s, VW_DOM_RUNNING, true);
}
static void source_paused(struct vw_signals *s)
{
	other(s, VW_DOM_PAUSED, true);
}
static void both_defined(struct vw_signals *s)
{
	s->persistent = true;
	other(s, VW_DOM_SHUTOFF, true);
}
static void source_defined(struct vw_signals *s)
{
	other(s, VW_DOM_SHUTOFF, true);
}
static void source_gone(struct vw_signals *s)
{
	s->persistent = true;
	other(s, VW_DOM_GONE, false);
}
static void rolled_back(struct vw_signals *s)
{
	gone(s);
	other(s, VW_DOM_RUNNING, true);
}
static void left_paused(struct vw_signals *s)
{
	gone(s);
	other(s, VW_DOM_PAUSED, true);
}
static void source_silent(struct vw_signals *s)
{
	s->other.asked = true;
}
static void panicked_source_gone(struct vw_signals *s)
{
	panicked(s);
	other(s, VW_DOM_GONE, false);
}
static void panicked_source_paused(struct vw_signals *s)
{
	panicked(s);
	other(s, VW_DOM_PAUSED, false);
}

static const struct change changes[] = {
	{ "paused by a user", paused_user, VW_FAILED, "state", false },
	{ "paused by an I/O error", paused_io, VW_FAILED, "state", false },
	{ "left paused by the migration", paused_migration, VW_FAILED, "state", false },
	{ "post-copy broke", postcopy, VW_FAILED, "state", false },
	{ "shut off", shutoff, VW_FAILED, "state", false },
	{ "vanished", gone, VW_FAILED, "state", false },
	{ "crashed", crashed, VW_FAILED, "state", false },
	{ "panicked (event)", panicked, VW_FAILED, "events", false },
	{ "panicked, gone from the source", panicked_source_gone, VW_FAILED, "events", true },
	{ "panicked, paused on the source", panicked_source_paused, VW_FAILED, "events", false },
	{ "was reset", reset, VW_DEGRADED, "events", false },
	{ "an I/O error was reported to it", io_report, VW_DEGRADED, "events", false },
	{ "QEMU stands still", frozen, VW_FAILED, "monitor", false },
	{ "QEMU does not answer another client", other_call, VW_FAILED, "monitor", false },
	{ "the monitor is lost", control_error, VW_FAILED, "monitor", false },
	{ "a disk has an error", disk_error, VW_FAILED, "disk-errors", false },
	{ "its clock is off", clock_off, VW_DEGRADED, "clock", false },
	{ "a declared port is closed", declared_fails, VW_FAILED, "declared", false },
	{ "a declared port may not be asked", declared_unasked, VW_HEALTHY, NULL, false },
	{ "one of two may not be asked, the other is closed", declared_one_unasked, VW_FAILED,
	  "declared", false },
	{ "a declared port is open", declared_passes, VW_HEALTHY, NULL, false },
	{ "runs on both", both_run, VW_FAILED, "source-host", false },
	{ "paused on the source", source_paused, VW_DEGRADED, "source-host", false },
	{ "defined on both", both_defined, VW_DEGRADED, "source-host", false },
	{ "its config is at the source only", source_defined, VW_HEALTHY, NULL, false },
	{ "gone from the source", source_gone, VW_HEALTHY, NULL, false },
	{ "rolled back", rolled_back, VW_FAILED, "source-host", false },
	{ "left paused on the source", left_paused, VW_FAILED, "source-host", false },
	{ "the source does not answer", source_silent, VW_HEALTHY, NULL, false },
};

/* libvirt says so: there is nothing to wait for, and to resume it alone would not help. */
static void test_paused_crashed(void **state)
{
	static const struct behaviour dead = { 0, 0, 0, 0, 0, -1, false };
	const struct vw_probe_result *worst;
	struct vw_verify v;
	struct world w;

	(void)state;
	start(&w, NULL);
	paused_crashed(&w.s);
	assert_in_range(run(&w, &dead, &v), 0, 500);
	worst = vw_verify_worst(&v);
	assert_int_equal(v.verdict, VW_FAILED);
	assert_string_equal(worst->probe, "state");
	assert_non_null(strstr(worst->detail, "virsh reset g"));
}

static void test_changes(void **state)
{
	static const struct behaviour ticker = { 0.03, 16, 0, 0, 40, -1, false };

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(changes); i++) {
		const struct change *c = &changes[i];
		const struct vw_probe_result *worst;
		struct vw_verify v;
		struct world w;
		int64_t ms = 0;

		start(&w, TICKER);
		do {
			sample(&w, &ticker, ms);
			w.s.now = w.s.started + ms;
			w.s.over = ms >= w.s.window;
			c->make(&w.s);
			vw_verify_judge(&w.s, &v);
			ms += TICK;
		} while (!v.final);
		worst = vw_verify_worst(&v);
		print_message("%-40s %-8s %5lld ms  %s\n", c->name, vw_health_name(v.verdict),
			      (long long)ms, worst ? worst->detail : "");
		assert_string_equal(vw_health_name(v.verdict), vw_health_name(c->want));
		assert_string_equal(worst ? worst->probe : "none", c->probe ? c->probe : "none");
		assert_int_equal(v.may_reset, c->reset);
	}
}

/* A guest that lived for the first second only is not healthy. */
static void test_dies_late(void **state)
{
	static const struct behaviour alive = { 0.03, 16, 0, 0, 40, -1, false };
	struct vw_verify v;
	struct world w;

	(void)state;
	start(&w, AES);
	for (int64_t ms = 0;; ms += TICK) {
		struct vw_sample *last;

		sample(&w, &alive, ms < 1000 ? ms : 1000);
		last = &w.samples[w.s.n_samples - 1];
		last->t = w.s.started + ms;
		last->vcpu[0] += ms > 1000 ? (uint64_t)(ms - 1000) * 1000000 : 0;
		w.s.now = w.s.started + ms;
		w.s.over = ms >= w.s.window;
		vw_verify_judge(&w.s, &v);
		if (v.final)
			break;
	}
	assert_string_equal(vw_health_name(v.verdict), "failed");
}

/* A host that is short of CPU: the vCPU gets half, and waits for the rest. */
static void test_busy_host(void **state)
{
	struct vw_sample a = { .t = 1000, .have = VW_HAVE_VCPU, .n_vcpus = 2 }, b = a;
	struct vw_delta d;

	(void)state;
	b.t = 3000;
	b.vcpu[0] = 1000000000;
	b.wait[0] = 950000000;
	b.vcpu[1] = 10000000;
	vw_delta(&a, &b, &d);
	assert_true(d.most > 0.97 && d.most <= 1);
	assert_true(d.cpu > 0.50 && d.cpu < 0.51);
	vw_delta(&b, &a, &d); /* goes back: nothing */
	assert_int_equal(d.ms, 0);
}

static void test_console(void **state)
{
	static const struct {
		const char *line;
		int sign;
	} lines[] = {
		{ "[   32.96] Kernel panic - not syncing: Attempted to kill init!", 2 },
		{ "---[ end Kernel panic - not syncing: VFS ]---", 2 },
		{ "*** STOP: 0x0000007B (0xFFFF, 0x0)", 2 },
		{ "panic: page fault", 2 },
		{ "don't panic: nothing happened", 0 },
		{ "BUG: unable to handle page fault for address: 00", 1 },
		{ "watchdog: BUG: soft lockup - CPU#1 stuck for 22s!", 1 },
		{ "VWLAB tick=5", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < VW_N_ELEMENTS(lines); i++)
		assert_int_equal(vw_console_sign(lines[i].line, strlen(lines[i].line)),
				 lines[i].sign);
}

/* A pty that somebody has is no fault, and the reason is said. */
static void test_refused(void **state)
{
	const struct vw_probe_result *console = NULL;
	struct vw_verify v;
	struct world w;

	(void)state;
	start(&w, NULL);
	w.s.now = w.s.started;
	snprintf(w.s.console.refused, sizeof(w.s.console.refused),
		 "its console is a pty that was not read: somebody else has it open");
	vw_verify_judge(&w.s, &v);
	for (size_t i = 0; i < v.n; i++)
		if (vw_streq(v.probes[i].probe, "console"))
			console = &v.probes[i];
	assert_non_null(console);
	assert_int_equal(console->status, VW_SKIP);
	assert_string_equal(console->detail, "its console is a pty that was not read: somebody "
					     "else has it open");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),      cmocka_unit_test(test_paused_crashed),
		cmocka_unit_test(test_changes),   cmocka_unit_test(test_dies_late),
		cmocka_unit_test(test_busy_host), cmocka_unit_test(test_console),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
