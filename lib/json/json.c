/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON of texts that others wrote (json.h). */
#include "lib/json/json.h"

#include "lib/base/text.h"

json_t *vw_json_string(const char *s)
{
	VW_AUTOFREE char *valid = NULL;
	json_t *value = json_string(s ? s : "");

	if (value)
		return value;
	valid = vw_utf8_valid(s);
	return valid ? json_string(valid) : NULL;
}
