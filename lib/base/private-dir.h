/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories of ours below the state directory: open to nobody else, reached by no link, locked by
 * whoever writes. For lib/history and lib/alert. */
#ifndef VW_PRIVATE_DIR_H
#define VW_PRIVATE_DIR_H

#include <stdbool.h>

/* The directory `name` of parent: ours (-EPERM), mode 0700 (mended), no link (-ELOOP, -ENOTDIR). With
 * create it is made; with sync that is safe on disk. Return: descriptor or negative errno. */
int vw_private_dir(int parent, const char *name, bool create, bool sync);

/* The directory `name` of statedir, made if it is not there, as is each missing part of statedir
 * (0700). Return: descriptor or negative errno. */
int vw_private_open(const char *statedir, const char *name);

/* What stands under a name that is a file of ours, and is none (a FIFO, a folder, a link, a device: a
 * restore, a mistake), would make us wait, or hold up everything: it goes. A folder with something
 * in it is moved to NAME.odd. dirfd: may be AT_FDCWD. Return: 0 (nothing there, or a regular file)
 * or negative errno. */
int vw_private_make_way(int dirfd, const char *name);
/* The same for regular files, too: then nothing is there. */
int vw_private_remove(int dirfd, const char *name);

/* Open the file `name` of a directory, to be locked or written; made (empty) if it is not there.
 * What is no regular file makes way. Return: descriptor or negative errno. */
int vw_private_file(int dirfd, const char *name);
/* The same, and lock it against all others; close the descriptor to unlock. Waits two seconds at
 * most. Return: descriptor or negative errno (-EBUSY). */
int vw_private_lock(int dirfd, const char *name);

/* The same for the directory itself, without a file that costs an inode; where the filesystem locks
 * no directories (NFS), by the file `name`. */
int vw_private_lock_dir(int dirfd, const char *name);

/* The same, but who has it is not waited for (-EBUSY). */
int vw_private_try_lock_dir(int dirfd, const char *name);

/* What to do about a failure there: the end of an error line. */
const char *vw_private_remedy(int code);

#endif
