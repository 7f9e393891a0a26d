#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whoever puts a fixed value back wins the first time: a skip is recorded and said, also when a
# tool writes its config anew without it; --unskip and undo hold. Modes: audit, off, enforce.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
lab_start
warden() { on "$VW_BUILD/virt-warden" "$@"; }
# A domain of somebody else, and one that is audited although it was here before.
generic nova | sed "s,<metadata>,&<n:instance xmlns:n='http://openstack.org/xmlns/libvirt/nova/1.1'/>," >"$tmp/nova.xml"
agent_start --connect qemu:///system
plain define "$tmp/nova.xml" >"$tmp/out"

generic web1 >"$tmp/web1.xml"
plain define "$tmp/web1.xml" >"$tmp/out"
becomes web1 "<target dev='vda' bus='virtio'/>"
settled

# By hand: cache and tablet. Both stay so, the rest stays fixed.
stored web1
sed "s,cache='none',cache='writeback'," "$tmp/xml" | sed "/<input type='tablet'/,/<\/input>/d" >"$tmp/back.xml"
plain define "$tmp/back.xml" >"$tmp/out"
becomes web1 "<w:skip .*rule='disk-cache'/>|rule=\"disk-cache\""
has "$tmp/xml" "cache='writeback'"
has "$tmp/xml" "rule=.tablet."
hasnt "$tmp/xml" "type='tablet'"
wait_for 5 grep -qE '^web1: put back by hand, so left alone from now on: .*disk-cache.*--unskip RULE' "$agent_log" || fail "not said"
settled
stored_has web1 "cache='writeback'"

# A tool that knows no skip writes its config again: still theirs.
plain define "$tmp/back.xml" >"$tmp/out"
settled
becomes web1 "rule=.disk-cache."
stored_has web1 "cache='writeback'"

# The admin takes the skip away: fixed again.
warden mode web1 --unskip disk-cache >"$tmp/out"
becomes web1 "cache='none'"
settled
stored_hasnt web1 "rule=.disk-cache."
stored_hasnt web1 "type='tablet'"

# undo: what is undone is not done again.
warden undo web1 >"$tmp/out" 2>&1 || fail "undo failed: $(cat "$tmp/out")"
settled
sleep 2.5
stored_has web1 "cache='writeback'"

# mode audit: one line per config; off: nothing; enforce: fixed.
for mode in audit off; do
	generic $mode | sed "s,<metadata>,&<w:warden xmlns:w='urn:virt-warden:domain:1' mode='$mode'/>," >"$tmp/$mode.xml"
	plain define "$tmp/$mode.xml" >"$tmp/out"
done
wait_for 5 grep -q '^audit: not fixed, because its mode is audit: .*disk-cache' "$agent_log" || fail "nothing said of audit"
settled
sleep 2.5
[ "$(said audit 'not fixed')" = 1 ] || fail "audit: said $(said audit 'not fixed') times"
[ "$(said off '')" = 0 ] || fail "off is talked of"
for name in audit off nova; do
	stored_has $name "bus='ide'"
	hasnt "$tmp/xml" "cache='none'"
done
[ "$(said nova 'not fixed, because OpenStack owns it')" = 1 ] || fail "nova is not audited"
warden mode audit enforce >"$tmp/out"
becomes audit "cache='none'"
agent_stop
[ "$(grep -cE 'does not settle|refuse' "$agent_log")" = 0 ] || fail "$(cat "$agent_log")"
