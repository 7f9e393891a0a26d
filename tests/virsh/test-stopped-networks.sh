#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# virtnetworkd is stopped, while the daemon that hands the calls on to it is not: what is asked about networks is
# given up together, once, and unknown; all else goes on. And a network that is not there is no error of the user's.
# timeout: 60
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start
cc -shared -fPIC -std=c11 -D_GNU_SOURCE -o "$tmp/hung.so" "$top/tests/virsh/lib/hung-networks.c"
hung=(env "LD_PRELOAD=$tmp/hung.so" "HUNG_NETWORKS=$tmp/calls")

# cards NAME: generic, with a card of "default" and two of other networks
cards() {
	local card="<interface type='network'><source network='%s'/></interface>"
	# shellcheck disable=SC2059 # a format of ours
	generic "$1" | sed "s,<graphics,$(printf "$card$card" one two)&,"
}

# within SECONDS STATUS COMMAND…
within() {
	local bound=$1 begin=${EPOCHREALTIME/./} ms
	shift
	run "$@"
	ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
	[ $ms -le $((bound * 1000)) ] || fail "$ms ms: ${*:2}"
	echo "ok $ms ms: ${*:$#}"
}

cards net1 >"$tmp/net1.xml"
cards net2 >"$tmp/net2.xml"

# They are not there: virsh's user hears of the cards that were left, not of our question.
within 10 0 on virsh define "$tmp/net2.xml"
has "$tmp/err" '2 findings were left as found'
hasnt "$tmp/err" '^error'
on "$real" undefine net2 >"$tmp/out"

on "$real" define "$tmp/net1.xml" >"$tmp/out"
within 6 1 on "${hung[@]}" virt-warden -c qemu:///system check net1
has "$tmp/out" "whether the network 'one' gives out host devices"
has "$tmp/out" "whether the network 'two' gives out host devices"
[ "$(wc -l <"$tmp/calls")" = 1 ] || fail "asked $(wc -l <"$tmp/calls") times"

# Of many domains the first waits, for all.
for i in 3 4 5; do
	cards net$i >"$tmp/net$i.xml"
	on "$real" define "$tmp/net$i.xml" >"$tmp/out"
done
rm "$tmp/calls"
within 8 1 on "${hung[@]}" virt-warden -c qemu:///system check --all
[ "$(wc -l <"$tmp/calls")" -le 2 ] || fail "asked $(wc -l <"$tmp/calls") times"
within 8 0 on "${hung[@]}" virsh define "$tmp/net2.xml"
stored_has net2 'machine=.pc-q35'
