#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A plain `virsh define` stores the fixed XML, says so on stderr only, and keeps what was typed
# and what was replaced; policies, modes, -q and VIRT_WARDEN=off hold.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

generic web1 >"$tmp/web1.xml"
on env VIRT_WARDEN=off "$VW_BUILD/virsh" define "$tmp/web1.xml" >"$tmp/plain.out"
stored_has web1 "bus='ide'"
stored_hasnt web1 "cache='none'"
on "$real" undefine web1 >"$tmp/plain.undefine"

# Fixed; stdout and exit code as ever; the password is not in the notes.
run 0 on virsh define "$tmp/web1.xml"
cmp -s "$tmp/plain.out" "$tmp/out" || fail "another stdout than the plain virsh's"
has "$tmp/err" '^virt-warden: web1: [0-9]+ fixes \(Debian 11\)$'
has "$tmp/err" '^  disk-bus hda: ide -> virtio$'
has "$tmp/err" '^  disk-cache vda: default -> none$'
hasnt "$tmp/err" 's3kret'
stored_has web1 "<target dev='vda' bus='virtio'/>"
has "$tmp/xml" "cache='none'"
has "$tmp/xml" "<model type='virtio'/>"
has "$tmp/xml" "passwd='s3kret'"

# The history has the typed XML, byte for byte, and the fixed one; private.
uuid=$(on "$real" domuuid web1)
dir=/var/lib/virt-warden/history/$uuid
[ "$(versions "$uuid")" = 2 ] || fail "not two versions: $(versions "$uuid")"
on virt-warden history web1 >"$tmp/history"
has "$tmp/history" 'client'
has "$tmp/history" 'fix'
[ -z "$(on find /var/lib/virt-warden/history -perm /077)" ] || fail "the history is readable by others"
first=$(on find "$dir" -name '000001-*.xml')
on head -c "$(stat -c %s "$tmp/web1.xml")" "$first" | cmp - "$tmp/web1.xml" || fail "the typed XML is not kept as typed"

# Defined once more from what libvirt has: nothing to do, nothing said, what it replaces is kept.
on "$real" dumpxml --inactive --security-info web1 >"$tmp/dump.xml"
run 0 on virsh define "$tmp/dump.xml"
empty "$tmp/err"
stored web1
cmp -s "$tmp/dump.xml" "$tmp/xml" || fail "a fixed XML was changed"

# From the file that it was made of, now with its UUID: the same guest again, though not new.
generic web1 "$uuid" >"$tmp/web1-uuid.xml"
run 0 on virsh define "$tmp/web1-uuid.xml"
same_guest() { # but for the MAC address, which the file leaves to libvirt
	diff <(sed '/<mac /d' "$tmp/dump.xml") <(sed '/<mac /d' "$tmp/xml") || fail "another guest"
}
stored web1
same_guest
run 0 on virsh define "$tmp/web1-uuid.xml"
stored web1
same_guest
sed -i "s,>256<,>300<," "$tmp/web1-uuid.xml"
run 0 on virsh define "$tmp/web1-uuid.xml"
stored_has web1 "<target dev='vda' bus='virtio'/>"
has "$tmp/xml" "machine='pc-"
has "$tmp/xml" ">307200<"
on virt-warden history web1 >"$tmp/history"
has "$tmp/history" 'seen'

# The name with another UUID, or none: libvirt's refusal, and nothing else.
run 1 on virsh define "$tmp/web1.xml"
cp "$tmp/err" "$tmp/ours"
run 1 on "$real" define "$tmp/web1.xml"
cmp "$tmp/ours" "$tmp/err" || fail "another error"
before=$(versions "$uuid")
generic web1 11111111-2222-3333-4444-555555555555 >"$tmp/other.xml"
run 1 on virsh define "$tmp/other.xml"
[ "$(versions "$uuid")" = "$before" ] || fail "a refused define is in the history"

# A UUID as libvirt reads it: upper case, no dashes, blanks.
generic web2 ' AABBCCDD-11223344-55667788-99AABBCC ' >"$tmp/web2.xml"
run 0 on virsh define "$tmp/web2.xml"
[ "$(versions aabbccdd-1122-3344-5566-778899aabbcc)" = 2 ] || fail "no history under the canonical UUID"

# -q: silent; VIRT_WARDEN=off: plain.
generic web3 >"$tmp/web3.xml"
for quiet in -q --quiet -qk5; do
	run 0 on virsh $quiet define "$tmp/web3.xml"
	empty "$tmp/out"
	empty "$tmp/err"
	stored_has web3 "bus='virtio'"
	on "$real" undefine web3 >"$tmp/undefine"
done
run 0 on env VIRT_WARDEN=off virsh define "$tmp/web3.xml"
empty "$tmp/err"
stored_has web3 "bus='ide'"
on "$real" undefine web3 >"$tmp/undefine"
run 0 on env VIRT_WARDEN=off LD_PRELOAD="$VW_BUILD/virsh-warden.so" "$real" define "$tmp/web3.xml"
empty "$tmp/err"
stored_has web3 "bus='ide'"
on "$real" undefine web3 >"$tmp/undefine"

# Policy: warn tells, off does not look.
echo -e '[policy]\ndefine = warn' >"$tmp/warden.conf"
run 0 on virsh define "$tmp/web3.xml"
has "$tmp/err" '^virt-warden: web3: [0-9]+ findings, nothing was changed \(define = warn in warden.conf\): virt-warden check web3$'
stored_has web3 "bus='ide'"
on "$real" undefine web3 >"$tmp/undefine"
echo -e '[policy]\ndefine = off' >"$tmp/warden.conf"
run 0 on virsh define "$tmp/web3.xml"
empty "$tmp/err"
stored_has web3 "bus='ide'"
on "$real" undefine web3 >"$tmp/undefine"
rm "$tmp/warden.conf"

# Modes of the domain: off is not looked at, audit is told.
mode() { sed "s,<metadata>,&<w:warden xmlns:w='urn:virt-warden:domain:1' mode='$1'/>," "$tmp/web3.xml"; }
mode off >"$tmp/off.xml"
run 0 on virsh define "$tmp/off.xml"
empty "$tmp/err"
stored_has web3 "bus='ide'"
[ "$(versions "$(on "$real" domuuid web3)")" = 0 ] || fail "mode off has a history"
on "$real" undefine web3 >"$tmp/undefine"
mode audit >"$tmp/audit.xml"
run 0 on virsh define "$tmp/audit.xml"
has "$tmp/err" '^virt-warden: web3: [0-9]+ findings, nothing was changed \(its mode is audit\)'
stored_has web3 "bus='ide'"
on "$real" undefine web3 >"$tmp/undefine"

# OpenNebula makes its domains itself, and gives them a start of their own: told, not changed, however it comes.
sed "s,<metadata>,&<one:vm xmlns:one='http://opennebula.org/xmlns/libvirt/1.0'><one:name>db</one:name></one:vm>,; s,<name>web3,<name>one-42," \
	"$tmp/web3.xml" >"$tmp/one.xml"
for how in define create; do
	run 0 on virsh $how "$tmp/one.xml"
	has "$tmp/err" '^virt-warden: one-42: [0-9]+ findings, nothing was changed \(OpenNebula owns it\)'
	on "$real" dumpxml one-42 >"$tmp/xml"
	has "$tmp/xml" "<target dev='hda' bus='ide'/>"
	hasnt "$tmp/xml" "cache=|<rng|type='virtio'"
	if [ $how = define ]; then on "$real" undefine one-42; else on "$real" destroy one-42; fi >"$tmp/undefine"
done

# An installed disk keeps its bus; the report says what to type.
echo 'this is no boot sector' | dd of="$tmp/web3.img" conv=notrunc status=none
run 0 on virsh define "$tmp/web3.xml"
stored_has web3 "<target dev='hda' bus='ide'/>"
has "$tmp/xml" "cache='none'"
has "$tmp/err" '^  [0-9]+ changes? needs? your word: virt-warden fix web3 --allow boot$'

# Other drivers are none of our business.
run 0 on virsh -c test:///default define "$tmp/web1.xml"
empty "$tmp/err"
