#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The lab itself: two labs at once, hosts that reach each other, hooks, loop devices, a restart, guests,
# and that nothing stays behind, not even when the owner of a lab is killed.
# timeout: 300
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"

# What is wrongly used says how it is used, without a lab.
for words in '' 'nonsense' 'guest' 'guest a/b' 'guest a --disk cdrom' 'guest a --payload sleep' 'guest a --cpu' 'up --else'; do
	status=0
	# shellcheck disable=SC2086 # words
	VW_LAB='' "$lab" $words >/dev/null 2>&1 || status=$?
	[ $status = 2 ] || fail "lab $words: exit $status"
done
"$lab" --help >/dev/null

lab_begin
"$lab" up >/dev/null

# A second lab, with names and addresses that are the same, owned by a process that we can kill.
sleep 300 &
owner=$!
other=$(VW_LAB='' "$lab" up --owner $owner)
[ "$(VW_LAB=$other "$lab" exec alpha hostname)" = alpha ] || fail "the second lab's host is not alpha"

# Own hosts, each with its libvirtd, reachable from the other one.
host_uuid()
{
	"$@" capabilities | sed -n 's|^    <uuid>\(.*\)</uuid>|\1|p'
}
a=$(host_uuid "$lab" exec alpha virsh -c "$("$lab" uri beta)")
b=$(host_uuid "$lab" virsh beta)
c=$(host_uuid "$lab" virsh alpha)
[ "$a" = "$b" ] || fail "beta by TCP is another host than beta"
[ "$a" != "$c" ] || fail "alpha and beta are the same host"
"$lab" virsh alpha net-list --name | grep -x default >/dev/null || fail "no network on alpha"
"$lab" exec alpha test ! -e /dev/kvm || fail "there is a /dev/kvm in the lab"

# A domain is defined on one host of one lab only.
truncate -s 1M "$work/disk"
generic_xml guest "$work/disk" "$work/serial" >"$work/guest.xml"
"$lab" exec alpha /usr/bin/virsh -c qemu:///system define "$work/guest.xml" >/dev/null
"$lab" virsh alpha list --all --name | grep -x guest >/dev/null || fail "the domain is not on alpha"
for who in "$VW_LAB beta" "$other alpha"; do
	names=$(VW_LAB=${who% *} "$lab" virsh "${who#* }" list --all --name)
	[ -z "$names" ] || fail "a domain of alpha is seen on another host"
done

# A hook that appears later runs after reload; a killed guest is reaped at once (else libvirt waits for 40 s).
hook=$("$lab" path alpha /etc/libvirt/hooks/qemu)
printf '#!/bin/sh\necho "$*" >>%s\n' "$work/hook-calls" >"$hook"
chmod +x "$hook"
"$lab" reload alpha
sleep 0.5
"$lab" virsh alpha start guest >/dev/null
SECONDS=0
"$lab" virsh alpha destroy guest >/dev/null
[ $SECONDS -le 20 ] || fail "destroy took $SECONDS s"
grep -q '^guest start begin' "$work/hook-calls" || fail "the hook was not called"

"$lab" restart alpha
"$lab" virsh alpha list --all --name | grep -x guest >/dev/null || fail "the domain is gone after a restart"

dev=$("$lab" loop "$work/disk")
"$lab" exec beta test -b "$dev" || fail "beta does not see $dev"
[ "$("$lab" exec beta blockdev --getsize64 "$dev")" = 1048576 ] || fail "$dev is another device"

# A guest in the other lab, whose network has the same addresses: it reaches its own hosts.
console=$(VW_LAB=$other "$lab" guest lives --payload net --disk nbd --cpu max-nonsense 2>&1) &&
	fail "a guest of an unknown CPU starts: $console"
console=$(VW_LAB=$other "$lab" guest lives2 --payload net --disk nbd)
console_wait "$console" '^VWLAB tick=[0-9]+ payload=net disk=ok net=ok' 30 >/dev/null ||
	fail "the guest has no disk or network: $(tail -n 3 "$console")"
ping=$(VW_LAB=$other "$lab" exec beta busybox ping -c 1 -W 5 10.77.0.102) || fail "beta does not reach the guest: $ping"
! "$lab" exec beta busybox ping -c 1 -W 1 10.77.0.102 >/dev/null || fail "a host of another lab reaches the guest"
VW_LAB=$other "$lab" guest printed --disk block --print | xmllint --noout - || fail "guest --print prints no XML"
losetup --list --noheadings | grep "$other" >/dev/null || fail "the guest's disk is no loop device"

# The owner dies: the lab goes, with its directory. SIGKILL leaves no chance to clean up by hand.
gone()
{
	for _ in {1..200}; do
		[ -e "$1" ] || return 0
		sleep 0.1
	done
	return 1
}
pid=$(cat "$other/alpha/pid")
kill -KILL $owner
gone "$other" || fail "the lab of a killed owner is still in $other"
gone "/proc/$pid" || fail "its host still lives"
if losetup --list --noheadings | grep "$other" || grep -lsa "[/]${other#/}" /proc/[0-9]*/cmdline; then
	fail "something of the killed owner's lab was left"
fi

# The keeper dies (SIGKILL): the kernel ends the hosts. down cleans up, twice is harmless.
pids=$(cat "$VW_LAB"/{alpha,beta}/pid)
kill -KILL "$(cat "$VW_LAB/keeper")"
for pid in $pids; do
	gone "/proc/$pid" || fail "a host outlived its keeper"
done
"$lab" down
"$lab" down
[ -z "$(ls "$VW_LAB")" ] || fail "the lab left $(ls "$VW_LAB")"
if losetup --list --noheadings | grep -q "$work"; then
	fail "the loop device is still there"
fi
echo "ok"
