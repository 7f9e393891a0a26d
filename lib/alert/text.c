/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A name that the program gave, as a key in an alert's file. */
#include "lib/alert/alert-store.h"

char *alert_key(const char *s)
{
	char *key = strndup(s ? s : "", ALERT_KEY_MAX);

	for (char *p = key; p && *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-",
			    *p))
			*p = '_';
	return key;
}
