#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# A dead file server: fuse-hang.py DIR mounts a FUSE filesystem there that never answers,
# and stays until it is killed (its end makes the kernel give up all that waits).
import ctypes
import os
import signal
import sys

libc = ctypes.CDLL(None, use_errno=True)
fd = os.open("/dev/fuse", os.O_RDWR)
options = "fd=%d,rootmode=40000,user_id=%d,group_id=%d" % (fd, os.getuid(), os.getgid())
if libc.mount(b"hang", sys.argv[1].encode(), b"fuse", 0, options.encode()) != 0:
    sys.exit("mount: " + os.strerror(ctypes.get_errno()))
signal.pause()
