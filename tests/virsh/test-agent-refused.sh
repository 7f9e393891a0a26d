#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What keeps the agent from a fix, each said, with nothing half-changed: a fixed XML that libvirtd
# refuses, a domain that starts in that instant, managed save, a history of another user, a
# connection that may only read. And alerts: fix-refused, io-error, watchdog.
# timeout: 150
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
lab_start
cc -shared -fPIC -D_GNU_SOURCE -o "$tmp/start.so" "$top/tests/virsh/lib/start-at-define.c" -ldl
is_open() { on grep -qsx "kind $1" /var/lib/virt-warden/alerts/ -r --include='*.open'; }
isnt_open() { ! is_open "$1"; }

# libvirtd refuses (EPERM): the config stays; an alert, until a change that it takes.
mkdir "$tmp/templates.d"
sed "s/tickpolicy='catchup'/tickpolicy='merge'/" "$top/xml-templates/linux-modern.xml" >"$tmp/templates.d/linux-modern.xml"
agent_start
generic refused >"$tmp/refused.xml"
plain define "$tmp/refused.xml" >"$tmp/out"
wait_for 10 grep -q '^refused: left as it is, for libvirtd refuses the fixed config: ' "$agent_log" || fail "not said: $(cat "$agent_log")"
stored_has refused "bus='ide'"
hasnt "$tmp/xml" tickpolicy
wait_for 5 is_open fix-refused || fail "no alert"
rm -r "$tmp/templates.d"
agent_signal HUP
stored refused
sed -i 's,262144,262400,' "$tmp/xml"
plain define "$tmp/xml" >"$tmp/out"
wait_for 10 isnt_open fix-refused || fail "the alert stays: $(cat "$agent_log")"
stored_has refused "cache='none'"
agent_stop

# Without a quiet second, in which the host class goes first: it is tried alone then.
printf '[agent]\nquiet-seconds = 0\n' >"$tmp/warden.conf"
mkdir "$tmp/templates.d"
sed "s/tickpolicy='catchup'/tickpolicy='merge'/" "$top/xml-templates/linux-modern.xml" >"$tmp/templates.d/linux-modern.xml"
agent_start
generic half >"$tmp/half.xml"
plain define "$tmp/half.xml" >"$tmp/out"
wait_for 10 grep -q '^half: fixed: .*disk-cache' "$agent_log" || fail "the host class is not fixed: $(cat "$agent_log")"
wait_for 10 grep -q '^half: left as it is, for libvirtd refuses the fixed config: .*merge' "$agent_log" || fail "not said: $(cat "$agent_log")"
stored_has half "cache='none'"
has "$tmp/xml" "bus='ide'"
hasnt "$tmp/xml" tickpolicy
wait_for 5 is_open fix-refused || fail "no alert"
plain undefine half >"$tmp/out"
rm -r "$tmp/templates.d" "$tmp/warden.conf"
agent_stop

# It starts between our look and our define (EBUSY): the old config is put back. From then on it has
# run, so what it boots from stays as it is, also when it is off.
on env LD_PRELOAD="$tmp/start.so" "$VW_BUILD/virt-wardend" --foreground --pidfile "$tmp/agent.pid" >>"$agent_log" 2>&1 &
agent_job=$!
wait_for 10 agent_is_up || fail "the agent does not come up"
generic busy >"$tmp/busy.xml"
plain define "$tmp/busy.xml" >"$tmp/out"
wait_for 15 grep -q '^busy: started meanwhile: the old XML was put back' "$agent_log" || fail "not said: $(cat "$agent_log")"
stored_has busy "bus='ide'"
has "$tmp/xml" "cache='none'"
plain destroy busy >"$tmp/out"
wait_for 10 grep -q '^busy: not fixed: .*disk-bus' "$agent_log" || fail "not said: $(cat "$agent_log")"
settled
stored_has busy "bus='ide'"

# Managed save: what the guest sees waits.
agent_stall
generic saved >"$tmp/saved.xml"
plain define "$tmp/saved.xml" >"$tmp/out"
plain start saved >"$tmp/out"
plain managedsave saved >"$tmp/out"
agent_wake
becomes saved "cache='none'"
wait_for 10 grep -q '^saved: not fixed: .*disk-bus' "$agent_log" || fail "not said: $(cat "$agent_log")"
stored_has saved "bus='ide'"
plain start saved >"$tmp/out" # from its image, with the devices that it was saved with
plain destroy saved >"$tmp/out"

# A history that is another user's: nothing is changed until that is mended.
settled
on chown 12345 /var/lib/virt-warden/history
agent_signal HUP
generic foreign >"$tmp/foreign.xml"
plain define "$tmp/foreign.xml" >"$tmp/out"
wait_for 10 grep -q "^foreign: the history can't be kept, so nothing is changed until it can: .*run as its owner" "$agent_log" ||
	fail "not said: $(cat "$agent_log")"
sleep 1.5
stored_hasnt foreign "cache='none'"
on chown 0 /var/lib/virt-warden/history
becomes foreign "bus='virtio'"

# A disk that fails: an alert, until the guest is stopped. (libvirt's own event of one without a name is lost.)
nbdkit -U "$tmp/nbd" -P "$tmp/nbd.pid" --filter=error null size=64M error-pread=EIO error-pread-rate=100%
generic failing | sed "s,type='file' device='disk',type='network' device='disk',; s,<driver name='qemu' type='raw'/>,<driver name='qemu' type='raw' rerror_policy='stop'/>,
	s,<source file=.*,<source protocol='nbd'><host transport='unix' socket='$tmp/nbd'/></source>," >"$tmp/failing.xml"
plain define "$tmp/failing.xml" >"$tmp/out"
settled
plain start failing >"$tmp/out"
wait_for 20 is_open io-error || fail "no alert: $(cat "$agent_log")"
has "$agent_log" '^failing: a disk failed: '
plain destroy failing >"$tmp/out"
wait_for 10 isnt_open io-error || fail "the alert stays"
kill "$(cat "$tmp/nbd.pid")"

# A watchdog that nobody feeds: an alert, until the guest is stopped. (The port and value start an
# ib700 with 0 s.)
generic hanging | sed "s,^  </devices>,<watchdog model='ib700' action='none'/>&," >"$tmp/hanging.xml"
plain define "$tmp/hanging.xml" >"$tmp/out"
settled
plain start hanging >"$tmp/out"
plain qemu-monitor-command --hmp hanging 'o/b 0x443 0xf' >"$tmp/out"
wait_for 10 is_open watchdog || fail "no alert: $(cat "$tmp/out" "$agent_log")"
has "$agent_log" "^hanging: the guest's watchdog fired: "
plain destroy hanging >"$tmp/out"
wait_for 10 isnt_open watchdog || fail "the alert stays"
agent_stop

# A connection that may only read: said, nothing changed.
generic reader >"$tmp/reader.xml"
agent_log=$tmp/reader.log
on "$VW_BUILD/virt-wardend" --foreground --pidfile "$tmp/agent.pid" \
	-c 'qemu+unix:///system?socket=/run/libvirt/libvirt-sock-ro' >"$agent_log" 2>&1 &
sleep 1
plain define "$tmp/reader.xml" >"$tmp/out"
wait_for 10 grep -qiE 'read.only|denied|forbidden' "$agent_log" || fail "not said: $(cat "$agent_log")"
sleep 3
[ "$(grep -ciE 'read.only|denied|forbidden' "$agent_log")" -le 2 ] || fail "said again and again: $(cat "$agent_log")"
stored_hasnt reader "cache='none'"
agent_stop
