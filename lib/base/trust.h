/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* May root use a file? What root reads as configuration, templates, programs or answers of before
 * must be root's, and nobody else may change it, or put another in its place: as sshd(8) wants
 * of its files (StrictModes). */
#ifndef VW_TRUST_H
#define VW_TRUST_H

#include "lib/base/err.h"

/* Look at the file or directory of that path, each directory above it and each link on the way:
 * all must belong to root, and neither group nor others may write to them (to a directory above
 * that is sticky, as /tmp, they may). Who owns the program that is running, or a directory above
 * it, counts as root: he can change the program itself (a checkout that root runs). In a user
 * namespace so do owners that it does not know: they are the outside's.
 *
 * Nothing is checked unless the effective user is root; what is not there is no fault.
 * Return: 0, or -EPERM with a line that names what is wrong and the remedy. */
int vw_trust(const char *path, struct vw_err *err);

#endif
