#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# `virsh start` warns at the prompt about caches, `virsh create` is fixed as a define is;
# stdout and exit codes stay.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

generic web1 >"$tmp/web1.xml"
run 0 on "$real" define "$tmp/web1.xml"
run 0 on "$real" start --paused web1
cp "$tmp/out" "$tmp/plain"
stop() { run 0 on "$real" destroy web1; }
stop

run 0 on virsh start --paused web1
cmp "$tmp/plain" "$tmp/out" || fail "another stdout"
[ "$(wc -l <"$tmp/err")" = 1 ] || fail "not one line"
has "$tmp/err" "^virt-warden: web1: hda: cache 'default' .*\`virt-warden fix web1\` sets 'none'$"
run 1 on virsh start web1
has "$tmp/err" 'already active'
stop
run 0 on virsh -q start --paused web1
empty "$tmp/err"
stop
run 0 on env VIRT_WARDEN=off virsh start --paused web1
empty "$tmp/err"
stop
for policy in refuse off; do # refusing is the hook's part
	echo -e "[policy]\\nstart = $policy" >"$tmp/warden.conf"
	run 0 on virsh start --paused web1
	empty "$tmp/err"
	stop
done
rm "$tmp/warden.conf"
run 1 on virsh start nosuch
hasnt "$tmp/err" 'virt-warden'

# Fixed: nothing to say.
run 0 on "$real" undefine web1
run 0 on virsh define "$tmp/web1.xml"
run 0 on virsh start --paused web1
empty "$tmp/err"
stop

# Ten such disks: a few lines, not ten.
run 0 on "$real" undefine web1
disks=
for i in 1 2 3 4 5 6 7 8 9; do
	truncate -s 1M "$tmp/$i.img"
	disks+="<disk type='file' device='disk'><source file='$tmp/$i.img'/><target dev='sd$(tr 1-9 a-i <<<$i)' bus='scsi'/></disk>"
done
sed "s,</devices>,$disks&," "$tmp/web1.xml" >"$tmp/ten.xml"
run 0 on "$real" define "$tmp/ten.xml"
run 0 on virsh start --paused web1
[ "$(wc -l <"$tmp/err")" = 5 ] || fail "not five lines"
has "$tmp/err" 'and 6 more disks'
stop
run 0 on "$real" undefine web1

# create: a transient domain is fixed, and kept in the history.
run 0 on "$real" create --paused "$tmp/web1.xml"
cp "$tmp/out" "$tmp/plain"
stop
run 0 on virsh create --paused "$tmp/web1.xml"
cmp "$tmp/plain" "$tmp/out" || fail "another stdout"
has "$tmp/err" '^  disk-bus hda: ide -> virtio$'
on "$real" dumpxml web1 >"$tmp/xml"
has "$tmp/xml" "bus='virtio'"
[ "$(versions "$(on "$real" domuuid web1)")" = 2 ] || fail "no history"
run 1 on "$real" create "$tmp/web1.xml"
cp "$tmp/err" "$tmp/plain"
run 1 on virsh create "$tmp/web1.xml"
cmp "$tmp/plain" "$tmp/err" || fail "another error"
stop
