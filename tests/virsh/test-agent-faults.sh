#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# libvirtd killed and restarted, the history's disk full, two agents at once, a domain undefined
# in the middle: nothing lost, nothing half-changed, back to work within seconds.
# timeout: 150
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
lab_start
agent_start --connect qemu:///system
generic web1 >"$tmp/web1.xml"
plain define "$tmp/web1.xml" >"$tmp/out"
becomes web1 "bus='virtio'"

# A second agent for the same directories ends at once, and says why; wrong usage is 2.
run 1 on "$VW_BUILD/virt-wardend" --foreground
has "$tmp/err" "virt-wardend runs already \(pid $(agent_pid),"
run 2 on "$VW_BUILD/virt-wardend" --nosuch
run 2 on "$VW_BUILD/virt-wardend" argument

# libvirtd killed, again and again; what was defined meanwhile is seen.
for i in 1 2 3; do
	on kill -KILL "$(on cat /run/libvirtd.pid)"
	libvirtd_is_back() { plain uri >/dev/null 2>&1; }
	wait_for 20 libvirtd_is_back || fail "libvirtd does not come back"
	generic "after$i" >"$tmp/after.xml"
	plain define "$tmp/after.xml" >"$tmp/out"
	becomes "after$i" "cache='none'"
done
"$top/tests/lab/lab" restart alpha
wait_for 10 agent_is_up || fail "not connected again"
generic calm >"$tmp/calm.xml"
plain define "$tmp/calm.xml" >"$tmp/out"
becomes calm "bus='virtio'"
for name in web1 after1 after2 after3; do
	becomes $name "bus='virtio'"
done

# The history's disk is full: nothing is changed, said once; then there is room again.
settled
on mkdir -p /var/lib/virt-warden/history
on mount -t tmpfs -o size=16k,nr_inodes=20 tmpfs /var/lib/virt-warden/history
on chmod 700 /var/lib/virt-warden/history
on sh -c 'head -c 100k /dev/zero >/var/lib/virt-warden/history/full 2>/dev/null || true'
agent_signal HUP # another directory: opened anew
generic full >"$tmp/full.xml"
plain define "$tmp/full.xml" >"$tmp/out"
wait_for 10 grep -q "^full: the history can't be kept, so nothing is changed" "$agent_log" || fail "not said"
sleep 3
stored_has full "bus='ide'"
hasnt "$tmp/xml" "cache='none'"
[ "$(grep -c "history can't be kept" "$agent_log")" = 1 ] || fail "said more than once"
on rm /var/lib/virt-warden/history/full
on mount -o remount,size=10m,nr_inodes=500 /var/lib/virt-warden/history
becomes full "cache='none'"
becomes full "bus='virtio'"
settled
on umount -l /var/lib/virt-warden/history
agent_signal HUP

# Undefined in the middle: forgotten, and not brought back.
for i in $(seq 12); do
	generic "gone$i" >"$tmp/gone.xml"
	plain define "$tmp/gone.xml" >"$tmp/out"
	sleep "0.0$((i * 7 % 10))"
	plain undefine "gone$i" >"$tmp/out"
done
sleep 2
settled
[ "$(plain list --all --name | grep -c gone)" = 0 ] || fail "brought back: $(plain list --all --name)"

# Two agents with directories of their own: the same result, each rule once.
on env VIRT_WARDEN_STATEDIR=/var/lib/virt-warden-2 "$VW_BUILD/virt-wardend" --foreground --pidfile "$tmp/second.pid" \
	>"$tmp/second.log" 2>&1 &
wait_for 10 grep -q 'domains compared' "$tmp/second.log" || fail "the second agent does not come up"
for i in 1 2 3 4; do
	generic "both$i" >"$tmp/both.xml"
	plain define "$tmp/both.xml" >"$tmp/out"
done
for i in 1 2 3 4; do
	becomes "both$i" "bus='virtio'"
done
settled
sleep 2
for i in 1 2 3 4; do
	stored_has "both$i" "cache='none'"
	hasnt "$tmp/xml" 'skip'
	[ "$(grep -c '<rng ' "$tmp/xml")" = 1 ] || fail "both$i: two rng"
done
on kill "$(cat "$tmp/second.pid")"
agent_stop
[ "$(grep -cE 'does not settle|refuses' "$agent_log" "$tmp/second.log" | grep -vc ':0$')" = 0 ] || fail "$(cat "$agent_log" "$tmp/second.log")"
