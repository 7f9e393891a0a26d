/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer: what a guest may say to a verification (the bytes of its console, its agent's time and
 * addresses, its counters, the baseline in its metadata), in any order, and the judge in between. */
#include "lib/health/address.h"
#include "lib/health/health.h"

#include <arpa/inet.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SAMPLES 32

struct world {
	const uint8_t *data;
	size_t size;
	struct vw_signals s;
	struct vw_baseline before;
	struct vw_sample samples[SAMPLES];
	struct vw_addresses addresses;
	struct vw_console_reader console;
	struct vw_watch watch;
	struct vw_subnet subnet;
};

static uint64_t number(struct world *w)
{
	size_t n = w->size < 8 ? w->size : 8;
	uint64_t v = 0;

	memcpy(&v, w->data, n);
	w->data += n;
	w->size -= n;
	return v;
}

/* The next text, as long as its first byte says. Return: malloc'ed. */
static char *text(struct world *w, size_t *ret_len)
{
	size_t n = w->size ? *w->data : 0;
	char *copy;

	w->data += w->size != 0;
	w->size -= w->size != 0;
	n = n < w->size ? n : w->size;
	copy = malloc(n + 1);
	if (!copy)
		abort();
	memcpy(copy, w->data, n);
	copy[n] = '\0';
	w->data += n;
	w->size -= n;
	*ret_len = n;
	return copy;
}

static void take_console(struct world *w)
{
	size_t len;
	VW_AUTOFREE char *t = text(w, &len);

	vw_console_take(&w->s, &w->console, t, len);
	w->s.console.readable = true;
	if (w->console.len > sizeof(w->console.line))
		abort();
	for (const char *p = w->s.console.text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			abort();
}

/* Only what is in the subnet of a bridge is asked of what the guest named. */
static void take_address(struct world *w, bool trusted)
{
	size_t len;
	VW_AUTOFREE char *t = text(w, &len);
	unsigned char b[16];

	vw_addresses_add(&w->addresses, t, trusted);
	if (w->addresses.n > VW_ADDRESSES_MAX)
		abort();
	for (unsigned i = 0; i < w->addresses.n; i++) {
		const char *a = w->addresses.text[i];
		bool four = inet_pton(AF_INET, a, b) == 1;

		if (!four && inet_pton(AF_INET6, a, b) != 1)
			abort();
		if (four && ((b[0] == 169 && b[1] == 254) || b[0] == 127))
			abort();
		if (w->addresses.trusted[i] ||
		    vw_address_ask(&w->addresses, i, &w->subnet, 1) == VW_ASK_NOT)
			continue;
		if (!four || b[0] != 10 || b[1] != 77)
			abort();
	}
}

/* What is taken is given back as the same text. */
static void take_baseline(struct world *w)
{
	char once[VW_BASELINE_SIZE], twice[VW_BASELINE_SIZE];
	struct vw_baseline again = { 0 };
	size_t len;
	VW_AUTOFREE char *t = text(w, &len);

	if (vw_baseline_parse(t, &w->before) < 0)
		return;
	vw_baseline_format(&w->before, once);
	if (vw_baseline_parse(once, &again) < 0)
		abort();
	vw_baseline_format(&again, twice);
	if (strcmp(once, twice) != 0)
		abort();
	for (unsigned i = 0; i < w->before.n_addresses; i++)
		vw_addresses_add(&w->addresses, w->before.address[i], false);
}

static void take_sample(struct world *w)
{
	struct vw_sample s = { .t = w->s.now, .have = (unsigned)number(w) & 15 };

	s.n_vcpus = 1 + (s.have & 1);
	s.n_disks = 2;
	for (unsigned i = 0; i < 2; i++) {
		s.vcpu[i] = number(w);
		s.wait[i] = number(w);
		s.disk[i] = number(w);
	}
	s.rx = number(w);
	s.tx = number(w);
	s.console = number(w);
	if (w->s.n_samples == SAMPLES)
		memmove(w->samples, w->samples + 1, --w->s.n_samples * sizeof(s));
	w->samples[w->s.n_samples++] = s;
	vw_watch_add(&w->watch, &s, 60000);
	vw_watch_classify(&w->watch, &(struct vw_baseline){ 0 });
}

/* virDomainGetTime: any time at all. */
static void take_time(struct world *w)
{
	long long s = (long long)number(w);
	unsigned ns = (unsigned)number(w);

	w->s.agent.asked = w->s.agent.skew_known = w->s.agent.configured = true;
	w->s.agent.answered_at = w->s.now;
	w->s.agent.answers++;
	w->s.agent.skew = (double)s + ns / 1e9 - 1.7e9;
}

static void take_state(struct world *w)
{
	uint64_t bits = number(w);

	w->s.asked = true;
	w->s.state = bits % (VW_DOM_GONE + 1);
	w->s.reason = (bits >> 8) % (VW_REASON_SHUTDOWN + 1);
	w->s.control = (bits >> 16) % (VW_CONTROL_ERROR + 1);
	w->s.events.bits |= (bits >> 24) & 0x3ff; /* with a text of ours, as all have */
	snprintf(w->s.events.text, sizeof(w->s.events.text), "an event");
	snprintf(w->s.disk_errors_text, sizeof(w->s.disk_errors_text), "disk vda: I/O error");
	w->s.disk_errors = (int)((bits >> 40) & 3) - 1;
	w->s.agent.connected = bits >> 48 & 1;
	w->s.migrated = bits >> 49 & 1;
	w->s.over = bits >> 50 & 1;
}

static void judge(const struct world *w)
{
	struct vw_verify v;

	vw_verify_judge(&w->s, &v);
	if (v.n > VW_PROBES_MAX || v.verdict > VW_HEALTH_UNKNOWN)
		abort();
	for (size_t i = 0; i < v.n; i++)
		if (v.probes[i].status > VW_SKIP || !*v.probes[i].detail ||
		    !memchr(v.probes[i].detail, 0, sizeof(v.probes[i].detail)))
			abort();
	if (w->s.state == VW_DOM_GONE && v.verdict == VW_HEALTHY)
		abort();
	if (v.may_reset && v.verdict != VW_FAILED)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = { .data = data,
			   .size = size,
			   .s = { .name = "web1",
				  .started = 1000,
				  .now = 1000,
				  .window = 10000,
				  .disk_errors = -1 },
			   .console = { .began = 64 },
			   .subnet = {
				   .family = AF_INET, .host = { 10, 77, 0, 1 }, .prefix = 16 } };

	w.s.before = &w.before;
	w.s.samples = w.samples;
	while (w.size) {
		uint8_t op = *w.data++;

		w.size--;
		switch (op % 8) {
		case 0: take_console(&w); break;
		case 1: take_address(&w, op & 8); break;
		case 2: take_baseline(&w); break;
		case 3: take_sample(&w); break;
		case 4: take_time(&w); break;
		case 5: take_state(&w); break;
		case 6: w.s.now += op * 8; break;
		default: judge(&w); break;
		}
	}
	judge(&w);
	return 0;
}
