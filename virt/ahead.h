/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Work that goes on beside: a user waits at the prompt, and most of that time we
 * would wait for a disk, a child or libvirtd in turn. */
#ifndef VW_VIRT_AHEAD_H
#define VW_VIRT_AHEAD_H

#include "lib/base/util.h"

#include <pthread.h>
#include <sched.h>

struct vw_ahead {
	pthread_t thread;
	bool running;
	void *(*work)(void *);
	void *arg;
	cpu_set_t all; /* vw_ahead_start_elsewhere: where it may run, once it does; else empty */
};

/* Run work(arg) in a thread that takes none of the program's signals; at once and here
 * if there can be no thread. What it uses, *a included, is its own until vw_ahead_join. */
void vw_ahead_start(struct vw_ahead *a, void *(*work)(void *), void *arg);
/* The same, begun on another CPU if there is one: the scheduler may leave a new thread behind its
 * maker for some ms, which is longer than what it has to do. */
void vw_ahead_start_elsewhere(struct vw_ahead *a, void *(*work)(void *), void *arg);
/* The same in a thread that nobody waits for, because work may hang. Return: false: there is no thread. */
bool vw_ahead_start_apart(void *(*work)(void *), void *arg);
/* Wait for it. Harmless when nothing was started. */
void vw_ahead_join(struct vw_ahead *a);
/* Is this such a thread? What fails there is no concern of the program's. */
bool vw_ahead_is_here(void);

#endif
