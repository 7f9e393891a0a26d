/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text that others wrote, on its way to a person: the one place that says what may be shown.
 *
 * Shown is valid UTF-8 that stands where it is and says what it is. Not shown, each replaced by
 * one '?' (white space: by a blank): control characters (C0, DEL, C1; a terminal obeys them),
 * separators of lines (a log would have two), what turns the direction of the text or can't be
 * seen at all (a name that reads as another), noncharacters, and each byte of broken UTF-8.
 * Sources: ECMA-48 (C0, C1), UAX #9 (directions), UTR #36 (spoofing), RFC 3629 (UTF-8). */
#ifndef VW_TEXT_H
#define VW_TEXT_H

#include "lib/base/buf.h"

#include <stdint.h>

/* The character at s, of which len bytes may be read.
 * Return: its bytes (1 to 4), *ret is its code; 0: broken (RFC 3629), or len is 0. */
size_t vw_utf8_at(const char *s, size_t len, uint32_t *ret);

/* Bytes of the longest prefix of s (NUL-terminated) of at most max bytes that cuts no character. */
size_t vw_utf8_prefix(const char *s, size_t max);

/* Return: true if a character of this code may be shown. */
bool vw_text_shows(uint32_t code);

/* Return: true if the whole of s may be shown as it is. */
bool vw_text_is_clean(const char *s);

/* Make s fit to be shown, where it stands; it never becomes longer. */
void vw_text_clean(char *s);

/* A copy of s (NULL = "") that may be shown, of at most max bytes (>= 3), cut between characters
 * with "..." at its end if it was longer. Return: malloc'ed, or NULL (no memory). */
char *vw_printable(const char *s, size_t max);

/* Append value to b as a log's field takes it: "…", fit to be shown, of at most max bytes (>= 3)
 * before each '"' and '\' gets a '\'. */
void vw_text_quote(struct vw_buf *b, const char *value, size_t max);

/* Append the name that a line for people begins with, as in "web1: fixed": quoted as above if it
 * holds anything but letters, digits and "._+@-", so that it can't say what the line should. */
void vw_text_name(struct vw_buf *b, const char *name, size_t max);

/* A copy of s in which each byte of broken UTF-8 is a '?'; nothing else changes (for JSON, which
 * holds any valid text). Return: malloc'ed, or NULL (no memory). */
char *vw_utf8_valid(const char *s);

/* Append JSON (valid UTF-8, as a library wrote it) to b, what may not be shown as \u escapes: the
 * same value for every reader, and harmless on a terminal. Line feeds between values stay. */
void vw_json_escape(struct vw_buf *b, const char *json, size_t len);

/* One word of a command that can be typed: as it is, or in quotes; `otherwise` for what no shell
 * could be given back as it is (not to be shown, longer than 255 bytes, empty, NULL).
 * Return: malloc'ed, or NULL (no memory). */
char *vw_shell_word(const char *word, const char *otherwise);

/* The command that a message advises: vw_command_text("fix", "web 1") is
 * virt-warden fix 'web 1'. A name that no shell could be given back as it is
 * (not to be shown, longer than 255 bytes, empty) becomes DOMAIN.
 * Return: malloc'ed, or NULL (no memory). */
char *vw_command_text(const char *verb, const char *domain);

#endif
