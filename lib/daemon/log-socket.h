/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system's log: journald's native protocol (KEY=VALUE lines in one datagram,
 * https://systemd.io/JOURNAL_NATIVE_PROTOCOL/), else syslog. Never waits. */
#ifndef VW_LOG_SOCKET_H
#define VW_LOG_SOCKET_H

#include "lib/base/buf.h"

/* Return: a socket that does not block, or -1: nobody listens. */
int log_socket_open(bool *ret_journal);
/* Is there a log on this host at all (it may be down for a moment)? */
bool log_socket_is_there(void);
/* A syslog line's head: "<29>Nov 22 22:13:54 name[123]: ". */
void log_socket_head(struct vw_buf *b, int priority, const char *name);
/* Return: 0, or -1 with errno. */
int log_socket_send(int fd, const struct vw_buf *b);

#endif
