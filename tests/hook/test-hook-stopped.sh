#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the hook reads from, writes to and looks at is stopped, one thing at a time: it ends within its
# bound, with 0, says so, and prints a whole XML or none. All rows run at the same time.
# timeout: 60
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/common.sh"
[ -e /dev/fuse ] || die "no /dev/fuse"

jobs_of=()
trap 'kill "${jobs_of[@]}" 2>/dev/null || true; cleanup' EXIT
mkdir "$tmp/mnt-hang"
/usr/bin/python3 "$here/fuse-hang.py" "$tmp/mnt-hang" &
jobs_of+=($!)
wait_for grep -q " $tmp/mnt-hang " /proc/mounts
/usr/bin/python3 -c 'import socket, signal
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
signal.pause()' &
jobs_of+=($!)
wait_for test -S /dev/log

img=$(image a.img)
domain "$(disk vda "cache='writeback'" "file='$img'")" >"$tmp/small.xml"
domain "$(disk vda "cache='writeback'" "file='$img'")" "<x:x xmlns:x='urn:x'>$(head -c 300000 /dev/zero | tr '\0' x)</x:x>" >"$tmp/big.xml"
domain "$(disk vda "cache='writeback'" "file='$tmp/mnt-hang/disk.img'")" >"$tmp/hung.xml"
many=$(for i in {1..1000}; do disk "d$i" "cache='writeback'" "file='$img'"; done)
domain "$many" >"$tmp/many.xml"
mkfifo "$tmp/silence"
exec 8<>"$tmp/silence" # stays open, and nothing comes

# row NAME BOUND OPERATION STATEDIR STDIN STDOUT: in the background; its time is in NAME.ms, its status in NAME.rc.
row() {
	local name=$1 bound=$2 op=$3 state=$4 in=$5 out=$6
	(
		local begin=${EPOCHREALTIME/./} rc=0
		timeout -s KILL 20 env -i PATH=/usr/bin:/bin VIRT_WARDEN_LOG=stderr VIRT_WARDEN_CONF="$tmp/none.conf" \
			VIRT_WARDEN_STATEDIR="$state" "$hook" web1 "$op" begin - <"$in" >"$out" 2>"$tmp/$name.err" || rc=$?
		echo "$name $((bound * 1000)) $(((${EPOCHREALTIME/./} - begin) / 1000)) $rc" >"$tmp/$name.row"
	) &
	jobs_of+=($!)
	rows+=("$name" $!)
}
rows=()
# A pipe that nobody reads, empty and full; fd 9 holds both ends.
mkfifo "$tmp/unread" "$tmp/full"
exec 9<>"$tmp/unread" 7<>"$tmp/full"
dd if=/dev/zero of="$tmp/full" bs=4096 count=16 oflag=nonblock status=none || true

row stdout-unread 3 migrate "$tmp/state1" "$tmp/big.xml" "$tmp/unread"
row stdout-full 6 migrate "$tmp/state2" "$tmp/small.xml" "$tmp/full"
row stdin-silent 5 migrate "$tmp/state3" "$tmp/silence" "$tmp/out3"
row stdin-silent-prepare 5 prepare "$tmp/state3" "$tmp/silence" "$tmp/out4"
row state-hangs 6 migrate "$tmp/mnt-hang/state" "$tmp/small.xml" "$tmp/out5"
row disk-hangs 4 prepare "$tmp/state6" "$tmp/hung.xml" "$tmp/out6"
row disk-hangs-incoming 4 migrate "$tmp/state7" "$tmp/hung.xml" "$tmp/out7"
for ((i = 1; i < ${#rows[@]}; i += 2)); do
	wait "${rows[i]}" || true
done
for ((i = 0; i < ${#rows[@]}; i += 2)); do
	read -r name bound ms rc <"$tmp/${rows[i]}.row"
	echo "$name: $ms ms, exit $rc"
	[ "$rc" = 0 ] || die "$name: exit $rc: $(cat "$tmp/$name.err")"
	[ "$ms" -le "$bound" ] || die "$name: $ms ms, not $bound"
done
said() { grep -qE -- "$2" "$tmp/$1.err" || die "$1 does not say '$2': $(cat "$tmp/$1.err")"; }
said stdout-full 'given up after 4 s, for something hangs'
said state-hangs 'given up after 4 s, for something hangs'
said stdin-silent 'nothing was changed: stdin: Connection timed out'
said stdin-silent-prepare 'nothing was checked: stdin'
said disk-hangs 'rule=disk-cache'
for n in 3 4 5 6; do
	[ ! -s "$tmp/out$n" ] || die "out$n is not empty"
done
# The whole XML is in the pipe that nobody read.
dd if="$tmp/unread" of="$tmp/got.xml" bs=1M count=8 iflag=nonblock status=none 2>/dev/null || true
/usr/bin/python3 -c 'import sys, xml.dom.minidom as m
assert "none" in m.parse(sys.argv[1]).toxml()' "$tmp/got.xml" || die "half an XML"

# A log daemon that does not read (VIRT_WARDEN_LOG is of the tests above): as quick as ever.
begin=${EPOCHREALTIME/./}
run_hook prepare <"$tmp/many.xml"
[ "$status" = 0 ] || die "log daemon: exit $status"
[ $(((${EPOCHREALTIME/./} - begin) / 1000)) -le 4500 ] || die "log daemon: it was waited for"
# SIGTERM ends it whatever it waits for.
env -i VIRT_WARDEN_STATEDIR="$tmp/mnt-hang/state" "$hook" web1 migrate begin - <"$tmp/small.xml" >"$tmp/out" 2>"$tmp/err" &
pid=$!
wait_for grep -q hook "/proc/$pid/comm"
kill -TERM $pid
wait_for test ! -e "/proc/$pid/fd/0"
