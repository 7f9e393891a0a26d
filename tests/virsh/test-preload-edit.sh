#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# virsh edit goes through us; the editor sees the environment that the user has; a fixed value
# that the admin puts back by hand stays, and that is recorded and said.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

cat >"$tmp/editor" <<END
#!/bin/sh
env >"$tmp/env"
sed -i -f "$tmp/sed" "\$1"
END
chmod +x "$tmp/editor"
export EDITOR=$tmp/editor
edit() { # edit STATUS SED-COMMAND
	echo "$2" >"$tmp/sed"
	run "$1" on virsh edit web1
}
skips() { stored web1 && sed -n "s/.*<w:skip .*rule=[\"']\([a-z-]*\).*/\1/p" "$tmp/xml" | tr -d '\n'; }

generic web1 >"$tmp/web1.xml"
run 0 on virsh define "$tmp/web1.xml"
uuid=$(on "$real" domuuid web1)

# Unchanged; changed; the password survives; the editor sees nothing of us.
edit 0 ''
has "$tmp/out" 'not changed'
edit 0 's,<description>.*,,;s,<memory .*</memory>,<memory>307200</memory>,'
has "$tmp/out" "edited"
empty "$tmp/err"
stored_has web1 '>307200<'
has "$tmp/xml" "passwd='s3kret'"
hasnt "$tmp/env" 'LD_PRELOAD|VIRT_WARDEN_LD_PRELOAD|VIRT_WARDEN_CHAIN'

# What is new is fixed: a second disk without a cache mode.
truncate -s 64M "$tmp/second.img"
edit 0 "s,<controller type='usb',<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='$tmp/second.img'/><target dev='vdb' bus='virtio'/></disk>&,"
has "$tmp/err" '^  disk-cache vdb: default -> none$'
stored web1
[ "$(grep -c "cache='none'" "$tmp/xml")" = 2 ] || fail "the second disk is not fixed"
[ -z "$(skips)" ] || fail "a skip was recorded"

# Put back by hand: stays, is recorded, and said, once; the other rules go on.
edit 0 "s,cache='none',cache='writeback',"
has "$tmp/err" '^virt-warden: web1: put back by hand, so left alone from now on: disk-cache \(virt-warden mode web1 --unskip RULE undoes that\)$'
stored_has web1 "cache='writeback'"
[ "$(skips)" = disk-cache ] || fail "not recorded: $(skips)"
edit 0 's,>307200<,>262144<,'
empty "$tmp/err"
stored_has web1 "cache='writeback'"
edit 0 '/<rng /,/<\/rng>/d'
has "$tmp/err" 'by hand, so left alone from now on: rng '
stored_hasnt web1 '<rng '
[ "$(skips)" = disk-cacherng ] || fail "not recorded: $(skips)"

# By dumpxml, an editor and define, too.
on "$real" dumpxml --inactive --security-info web1 >"$tmp/dump.xml"
sed -i "s/discard='unmap'//" "$tmp/dump.xml"
run 0 on virsh define "$tmp/dump.xml"
has "$tmp/err" 'left alone from now on: disk-discard '
stored_hasnt web1 "discard="

# The generic file again is not the admin's hand: it is fixed, as it was then.
generic web1 "$uuid" >"$tmp/web1-uuid.xml"
run 0 on virsh define "$tmp/web1-uuid.xml"
hasnt "$tmp/err" 'by hand'
stored_has web1 "cache='none'"
[ -z "$(skips)" ] || fail "a skip from elsewhere"

# What libvirt refuses, and an editor that fails, end as with the plain virsh.
for change in 's,<vcpu.*,<vcpu>-3</vcpu>,' 'nonsense'; do
	echo "$change" >"$tmp/sed"
	want=0
	on "$real" edit web1 >"$tmp/real.out" 2>"$tmp/real.err" </dev/null || want=$?
	run "$want" on virsh edit web1
	cmp "$tmp/real.out" "$tmp/out" || fail "another stdout"
	diff <(sed 's,virsh[A-Za-z0-9]*.xml,TEMP,' "$tmp/real.err") <(sed 's,virsh[A-Za-z0-9]*.xml,TEMP,' "$tmp/err") ||
		fail "another stderr"
done
stored_has web1 "cache='none'"
