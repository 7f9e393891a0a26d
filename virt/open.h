/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Connections that nobody asked us for: they never ask for a password, a host key or a PIN, at no
 * terminal and in no window. Who typed the command is asked by virsh alone, once. */
#ifndef VW_VIRT_OPEN_H
#define VW_VIRT_OPEN_H

#include "lib/base/util.h"

#include <libvirt/libvirt.h>

/* The URI with no_tty=1 (ssh -T -o BatchMode=yes) behind what is there, if it goes by ssh, libssh or
 * libssh2. All else, and every parameter of it, stays. Return: malloc'ed; NULL: no memory. */
char *vw_uri_mute(const char *uri);

/* Open it (NULL: libvirt's default) with what keys, tickets and auth.conf give. flags: 0 or
 * VIR_CONNECT_RO. Return: the connection, or NULL and libvirt's last error says why. */
virConnectPtr vw_open_mute(const char *uri, unsigned flags);
/* The same with these flags, then with the other ones if that may be a question of rights: not where
 * nobody is or nobody lets us in, for a second try takes as long, and may lock an account. */
virConnectPtr vw_open_mute_either(const char *uri, unsigned flags);

#endif
