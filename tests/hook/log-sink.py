#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# A log daemon for tests: log-sink.py SOCKET FILE writes each datagram as one line of FILE.
import socket
import sys

sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
sock.bind(sys.argv[1])
with open(sys.argv[2], "ab", buffering=0) as out:
    while True:
        out.write(sock.recv(65536) + b"\n")
