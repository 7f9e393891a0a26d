/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hostile text on its way into a message: printable, bounded, safe to paste. */
#ifndef VW_TEXT_H
#define VW_TEXT_H

#include "util.h"

/* A copy of s (NULL = "") of at most max bytes (>= 3), cut between UTF-8 characters with
 * "..." at its end if it was longer; control characters become '?'.
 * Return: malloc'ed, or NULL (no memory). */
char *vw_printable(const char *s, size_t max);

/* The command that a message advises: vw_command_text("fix", "web 1") is
 * virt-warden fix 'web 1'. A name that no shell could be given back as it is
 * (control characters, longer than 255 bytes, empty) becomes DOMAIN.
 * Return: malloc'ed, or NULL (no memory). */
char *vw_command_text(const char *verb, const char *domain);

#endif
