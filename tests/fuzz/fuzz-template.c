/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer: a template file. What is accepted must be usable for any OS. */
#include "lib/engine/plan.h"
#include "lib/engine/template.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *features[] = { "firmware-bios", "qemu-x86-q35", "tablet", "virtio1.0-block" };
static const struct vw_os some_os = {
	.id = (char *)"http://example.org/os/1",
	.short_id = (char *)"os1",
	.name = (char *)"OS 1",
	.family = (char *)"linux",
	.distro = (char *)"example",
	.version = (char *)"1",
	.release_date = (char *)"2020-01-01",
	.features = (char **)features,
	.n_features = 4,
};

static void use(const struct vw_templates *t, const struct vw_os *os)
{
	for (enum vw_known drivers = VW_UNKNOWN; drivers <= VW_YES; drivers++) {
		const struct vw_template *picked = vw_templates_pick(t, os, drivers);

		if (!picked)
			continue;
		if (!vw_template_id(picked) || !*vw_template_id(picked))
			abort();
		(void)vw_template_title(picked);
		for (size_t i = 0; vw_rule_id(i); i++)
			(void)vw_template_rule(picked, vw_rule_id(i));
	}
	(void)vw_templates_prefer(t, os, "machine");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vw_templates *t = NULL;
	struct vw_err err = { 0 };
	int r = vw_templates_load_text((const char *)data, size, "fuzz", &t, &err);

	if (r < 0) {
		if (t || err.code != r || !*err.text || strchr(err.text, '\n'))
			abort();
		return 0;
	}
	use(t, NULL);
	use(t, &some_os);
	for (size_t i = 0; i < vw_templates_count(t); i++)
		if (!vw_template_id(vw_templates_get(t, i)))
			abort();
	vw_templates_free(t);
	return 0;
}
