#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# One agent for the libvirtds of two hosts: what is defined on either is fixed; while one is away the other
# is served, and what was defined there meanwhile is fixed when it is back; SIGHUP compares all of both anew.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"

lab_begin
lab_own_config
export VIRT_WARDEN_STATEDIR=/var/lib/virt-warden # alpha's own
printf '[agent]\ncompare-interval = 86400\n' >"$VIRT_WARDEN_CONF"
"$lab" up --hosts alpha,beta >/dev/null
far=$("$lab" uri beta)

real() { "$lab" exec "$1" /usr/bin/virsh -q -c qemu:///system "${@:2}"; }
until_true() # until_true SECONDS COMMAND…
{
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || fail "never true: $* (agent: $(tail -n 12 "$work/log"); $(state))"
		sleep 0.2
	done
}
state() { "$lab" exec alpha cat /var/lib/virt-warden/run/agent 2>/dev/null; }
state_says() { state | grep -cE "^connection $1" | grep -qx "$2"; }
stored_has() { real "$1" dumpxml --inactive "$2" 2>/dev/null | grep -q "$3"; }
define() # define HOST NAME
{
	truncate -s 8M "$work/$2.img"
	generic_xml "$2" "$work/$2.img" "$work/$2.console" >"$work/$2.xml"
	real "$1" define "$work/$2.xml" >/dev/null
}

"$lab" exec alpha "$VW_BUILD/virt-wardend" --foreground --pidfile "$work/pid" \
	-c qemu:///system -c "$far" >"$work/log" 2>&1 &
until_true 15 state_says 'up ' 2

# Both. The agent can't look at the disks of another host, and leaves them alone.
define alpha here
define beta there
until_true 10 stored_has alpha here "cache='none'"
until_true 10 stored_has beta there "<stats period='10'/>"
! stored_has beta there "cache='none'" || fail "a disk that nobody here can look at was changed"

# One is away.
daemon=$("$lab" exec beta cat /run/libvirtd.pid)
"$lab" exec beta kill -STOP "$daemon"
define alpha alone
until_true 10 stored_has alpha alone "cache='none'"
"$lab" exec beta kill -CONT "$daemon"
"$lab" restart beta >/dev/null
until_true 20 state_says 'up ' 2
define beta again
until_true 10 stored_has beta again "<stats period='10'/>"

# SIGHUP: both are compared once more.
count() { grep -F "$1: " "$work/log" | grep -c ' domains compared' || true; }
compared_anew() { [ "$(count qemu:///system)" -gt "$near_before" ] && [ "$(count "$far")" -gt "$far_before" ]; }
agent_is_gone() { [ ! -e "$work/pid" ]; }
near_before=$(count 'qemu:///system') far_before=$(count "$far")
[ "$near_before" -ge 1 ] && [ "$far_before" -ge 2 ] || fail "compared: $(cat "$work/log")"
"$lab" exec alpha kill -HUP "$(<"$work/pid")"
until_true 10 compared_anew

"$lab" exec alpha kill "$(<"$work/pid")"
until_true 10 agent_is_gone
