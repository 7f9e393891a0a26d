#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs a command at a terminal of its own, answers what asks for something, and tells all that was on it.
"""usage: at-terminal.py SECONDS [REGEX ANSWER]… -- COMMAND…
Each match of a REGEX at the end of what was written is a prompt; ANSWER is typed. What was on the terminal goes to
standard output; the last line is "prompts=N exit=STATUS" (exit=time: it had to be ended).
"""
import os
import pty
import re
import select
import signal
import sys
import termios
import time


def wait_for_no_echo(fd):
    """getpass() writes its prompt, turns the echo off, and drops what was typed before that. Who asks for
    something else leaves the echo on: 1 s is enough."""
    for _ in range(50):
        if not termios.tcgetattr(fd)[3] & termios.ECHO:
            break
        time.sleep(0.02)


def main():
    limit = time.monotonic() + float(sys.argv[1])
    end = sys.argv.index("--")
    words, command = sys.argv[2:end], sys.argv[end + 1:]
    answers = [(re.compile(words[i].encode() + rb"\s*$"), words[i + 1]) for i in range(0, len(words), 2)]
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(command[0], command)
    seen, at, prompts, status = b"", 0, 0, None
    while time.monotonic() < limit:
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            data = os.read(fd, 65536)
        except OSError:
            data = b""
        if not data:
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            break
        seen += data
        for regex, answer in answers:
            if regex.search(seen[at:]):
                prompts, at = prompts + 1, len(seen)
                wait_for_no_echo(fd)
                os.write(fd, answer.encode() + b"\n")
                break
    if status is None:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        status = "time"
    print(seen.decode(errors="replace").replace("\r", ""))
    print(f"prompts={prompts} exit={status}")


main()
