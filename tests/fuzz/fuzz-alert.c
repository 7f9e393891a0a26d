/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer: the queue's files. The hash in the last line is made anew first, as malice would,
 * so that what lies behind it is reached. What is read is what was written, byte for byte. */
#include "lib/alert/alert-store.h"

#include <errno.h>
#include <inttypes.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t max)
{
	if (!s || strlen(s) > max)
		abort();
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			abort();
}

static void check_alert(struct vw_alert *a)
{
	VW_AUTOBUF struct vw_buf once = { 0 };
	VW_AUTOBUF struct vw_buf twice = { 0 };
	struct vw_alert *again = NULL;

	check_text(a->summary, VW_ALERT_MAX_TEXT);
	check_text(a->domain, VW_ALERT_MAX_TEXT);
	for (size_t i = 0; i < a->n_details; i++) {
		check_text(a->details[i].key, ALERT_KEY_MAX);
		check_text(a->details[i].value, VW_ALERT_MAX_TEXT);
	}
	alert_format(&once, a);
	if (once.failed || vw_alert_parse(once.p, once.len, &again) < 0)
		abort();
	alert_format(&twice, again);
	if (twice.failed || once.len != twice.len || memcmp(once.p, twice.p, once.len) != 0)
		abort();
	vw_alert_free(again);
}

static void check_memory(const struct vw_alert_memory *m)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	struct vw_alert_memory again;

	if (m->n > VW_ALERT_MAX_SINKS)
		abort();
	alert_memory_format(&b, m);
	if (b.failed || vw_alert_memory_parse(b.p, b.len, &again) < 0 || again.n != m->n)
		abort();
}

/* The first byte chooses which kind of file it is; the rest stands between its first line and
 * its last. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	VW_AUTOBUF struct vw_buf b = { 0 };
	struct vw_alert_memory memory;
	struct vw_alert *alert = NULL;
	const bool told = size && data[0] & 1;

	if (!size)
		return 0;
	vw_alert_parse((const char *)data, size, &alert); /* as it is: refused, or whole */
	vw_alert_free(vw_steal(alert));
	vw_buf_puts(&b, told ? "virt-warden-told 1\n" : "virt-warden-alert 1\n");
	vw_buf_add(&b, data + 1, size - 1);
	if (!b.failed && b.p[b.len - 1] != '\n')
		vw_buf_puts(&b, "\n");
	if (b.failed)
		return 0;
	vw_buf_printf(&b, "end %016" PRIx64 "\n", alert_hash(ALERT_HASH_START, b.p, b.len));
	if (told && vw_alert_memory_parse(b.p, b.len, &memory) == 0)
		check_memory(&memory);
	if (!told && vw_alert_parse(b.p, b.len, &alert) == 0)
		check_alert(alert);
	vw_alert_free(alert);
	return 0;
}
