/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer: warden.conf. What is accepted must be a policy that makes sense. */
#include "lib/conf/conf.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vw_policy p;
	struct vw_err err = { 0 };
	int r = vw_conf_parse((const char *)data, size, "fuzz", &p, &err);

	if (r == 0 && (p.n_caches < 1 || p.n_caches > VW_CACHES_MAX || p.history_versions < 1 ||
		       p.history_days < 1 || p.start > VW_START_OFF ||
		       !vw_policy_cache_allowed(&p, p.caches[0])))
		abort();
	if (r != 0 && (err.code != r || !*err.text || strchr(err.text, '\n')))
		abort();
	return 0;
}
