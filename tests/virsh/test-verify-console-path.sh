#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# `verify` of a guest whose console's path leads somewhere else since its start, by a link in the path's
# parents: to a FIFO (whose writer must wait on), a device, /proc/kmsg. None of them is opened.
# timeout: 90
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start
# Whoever opens one of these is told of; O_PATH is no open.
cat >"$tmp/watch.py" <<'END'
import ctypes, os, select, sys
libc = ctypes.CDLL(None, use_errno=True)
fd, ready, files = libc.inotify_init1(0), sys.argv[1], sys.argv[2:]
held = [os.open(f, os.O_PATH) for f in files] # the kernel's files are one while held
for f in files:
    if libc.inotify_add_watch(fd, f.encode(), 0x20) < 0: # IN_OPEN
        sys.exit(f"{f}: {os.strerror(ctypes.get_errno())}")
open(ready, "w").close()
while True:
    select.select([fd], [], [])
    os.read(fd, 4096)
    print("opened", flush=True)
END

mkdir "$tmp/log" "$tmp/fifo" "$tmp/device"
generic web1 | sed "s,</devices>,<serial type='file'><source path='$tmp/log/kmsg'/></serial>&," >"$tmp/web1.xml"
run 0 on "$real" define "$tmp/web1.xml"
run 0 on "$real" start --paused web1
run 0 on "$real" resume web1
mkfifo "$tmp/fifo/kmsg"
mknod "$tmp/device/kmsg" c 1 3
on timeout 80 /usr/bin/python3 "$tmp/watch.py" "$tmp/ready" "$tmp/fifo/kmsg" "$tmp/device/kmsg" /proc/kmsg >"$tmp/opened" 2>"$tmp/watch.err" &
watcher=$!
for _ in {1..100}; do [ -e "$tmp/ready" ] || sleep 0.1; done
[ -e "$tmp/ready" ] || fail "no watch: $(cat "$tmp/watch.err")"

mv "$tmp/log" "$tmp/log.real"
for place in log.real fifo device proc; do
	ln -sfn "$place" "$tmp/log"
	[ $place != proc ] || ln -sfn /proc "$tmp/log"
	on timeout 30 "$VW_BUILD/virt-warden" verify web1 --json --window 2 >"$tmp/verdict.$place" 2>"$tmp/err" </dev/null || [ $? -le 3 ] || fail "$place: it does not end"
	jq -e .verdict "$tmp/verdict.$place" >/dev/null || fail "$place: no verdict: $(cat "$tmp/verdict.$place")"
	empty "$tmp/opened"
done
# The watch sees what it should: an open of the device by its name.
: <"$tmp/device/kmsg"
for _ in {1..50}; do [ -s "$tmp/opened" ] || sleep 0.1; done
[ -s "$tmp/opened" ] || fail "the watch is blind"
kill "$watcher" 2>/dev/null || true
wait "$watcher" 2>/dev/null || true
run 0 on "$real" destroy web1
