/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs a helper program of ours: no shell, no inherited descriptors, with an end. */
#ifndef VW_VIRT_RUN_H
#define VW_VIRT_RUN_H

#include "lib/base/err.h"

#include <sys/types.h>

/* Run argv[0] (a full path) with stdin and stderr on /dev/null and take what it
 * prints: at most size-1 bytes into out, always terminated (the rest is dropped).
 * After timeout_ms it is killed. Waits for this child only and leaves the
 * process's signal dispositions alone.
 * Return: its exit status (0 if somebody else reaped it), -ETIME if it had to be
 * killed, -EINTR if the user interrupted it (SIGINT), another negative errno if it
 * could not be started or died by another signal. */
int vw_run(char *const argv[], unsigned timeout_ms, char *out, size_t size, struct vw_err *err);

/* The same, but stderr is the caller's: for progress on a terminal. */
int vw_run_shown(char *const argv[], unsigned timeout_ms, char *out, size_t size,
		 struct vw_err *err);

/* Start it and wait for nothing: what it prints comes by *ret_fd (closed on exec), and the caller
 * reaps *ret_pid. Return: 0 or negative errno. */
int vw_run_start(char *const argv[], pid_t *ret_pid, int *ret_fd, struct vw_err *err);

#endif
