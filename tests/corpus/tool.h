/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Helpers of the corpus programs: read and write whole files. */
#ifndef CORPUS_TOOL_H
#define CORPUS_TOOL_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* End the program with a line on stderr. (The C library's err.h is hidden by lib/err.h.) */
static inline void __attribute__((noreturn, format(printf, 1, 2))) die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

/* Return: the file's text, malloc'ed and terminated; a file that can't be read ends the program. */
static inline char *read_file(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	size_t cap = 0, len = 0;
	char *text = NULL;

	if (!f)
		die("%s: %m", path);
	do {
		cap = cap ? cap * 2 : 65536;
		text = realloc(text, cap);
		if (!text)
			die("no memory");
		len += fread(text + len, 1, cap - len - 1, f);
	} while (len == cap - 1);
	if (ferror(f))
		die("%s: %m", path);
	fclose(f);
	text[len] = '\0';
	*ret_len = len;
	return text;
}

static inline const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static inline void write_file(const char *dir, const char *name, const char *text, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (!f || fwrite(text, 1, len, f) != len || fclose(f))
		die("%s: %m", path);
}

#endif
