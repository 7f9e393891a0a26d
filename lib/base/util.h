/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small helpers that every room may use: cleanup attributes, string tests. libc only. */
#ifndef VW_UTIL_H
#define VW_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Cleanup attributes: the variable must be initialised where it is declared,
 * and never be what the function returns (hand over with vw_steal). */
#define VW_CLEANUP(fn) __attribute__((cleanup(fn)))
#define VW_AUTOFREE VW_CLEANUP(vw_cleanup_free)
#define VW_AUTOCLOSE VW_CLEANUP(vw_cleanup_close)
#define VW_AUTOFCLOSE VW_CLEANUP(vw_cleanup_fclose)
#define VW_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define VW_N_ELEMENTS(a) (sizeof(a) / sizeof((a)[0]))

/* Hand the pointer over to the caller: the local is NULL afterwards. */
#define vw_steal(p)                        \
	({                                 \
		__typeof__(p) _vw_p = (p); \
		(p) = NULL;                \
		_vw_p;                     \
	})

static inline void vw_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void vw_cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void vw_cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* Return: true if both are NULL or both are the same string. */
static inline bool vw_streq(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

/* Return: true if s starts with prefix. NULL starts with nothing. */
static inline bool vw_startswith(const char *s, const char *prefix)
{
	return s && strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Return: true if word is one of the space-separated words. NULL has none, "" is none. */
static inline bool vw_has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = words; n && p && (p = strstr(p, word)); p += n)
		if ((p == words || p[-1] == ' ') && (!p[n] || p[n] == ' '))
			return true;
	return false;
}

#endif
