#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# undo: after a define through the front-end, after a fix, of an undefined domain, of an undo;
# MAC addresses stay, undone rules stay undone, EFI variables need the admin's word.
# timeout: 240
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

w() { on virt-warden "$@"; }
mac() { stored "$1" && sed -n "s/.*<mac address='\(.*\)'.*/\1/p" "$tmp/xml"; }

# A generic XML without UUID and MAC, defined through the front-end: what was typed comes back,
# for the same domain and the same card, and stays when it is defined again.
generic web1 >"$tmp/web1.xml"
run 0 on virsh define "$tmp/web1.xml"
stored_has web1 "bus='virtio'"
uuid=$(on "$real" domuuid web1)
card=$(mac web1)
run 0 w undo web1
has "$tmp/out" '^web1: back to version [0-9]+ \(client by '
has "$tmp/out" '^skipped from now on: .*disk-bus'
stored_has web1 "<target dev='hda' bus='ide'/>"
stored_hasnt web1 "cache='none'"
stored_has web1 "<w:skip[^>]* rule=.disk-bus."
stored_has web1 "passwd='s3kret'"
[ "$(on "$real" domuuid web1)" = "$uuid" ] || fail "another UUID"
[ "$(mac web1)" = "$card" ] || fail "another MAC address"
run 0 w check web1
has "$tmp/out" 'conformant$'
stored web1 && cp "$tmp/xml" "$tmp/undone.xml"
run 0 on virsh define "$tmp/undone.xml"
stored_has web1 "<target dev='hda' bus='ide'/>"

# An undo is undone by the next one: what was fixed is back, without the skips.
run 0 w undo web1
stored_has web1 "bus='virtio'"
stored_hasnt web1 'w:skip'
[ "$(mac web1)" = "$card" ] || fail "another MAC address"

# A named version; the one that it has already; one that there is not.
first=$(on virt-warden history --json web1 | jq '.versions[0].n')
run 0 w undo web1 "$first"
stored_has web1 "bus='ide'"
newest=$(on virt-warden history --json web1 | jq '.versions[-1].n')
run 0 w undo --json web1 "$newest"
jq -e --argjson n "$newest" '.version == 1 and .domain == "web1" and .restored == $n and .active == false' "$tmp/out" >/dev/null ||
	fail "JSON"
stored web1 && cp "$tmp/xml" "$tmp/now.xml"
run 3 w undo web1 4711
has "$tmp/err" 'there is no version 4711'
stored web1
cmp "$tmp/xml" "$tmp/now.xml" || fail "a wrong version changed something"

# After a fix of an installed guest: byte for byte what was there, but for the skips.
printf 'not blank' | dd of="$tmp/inst.img" bs=1 seek=4096 conv=notrunc status=none
truncate -s 1G "$tmp/inst.img"
generic inst >"$tmp/inst.xml"
run 0 on "$real" define "$tmp/inst.xml"
stored inst && cp "$tmp/xml" "$tmp/before.xml"
run 1 w fix inst
stored inst
! cmp -s "$tmp/xml" "$tmp/before.xml" || fail "fix did nothing"
run 0 w undo inst
stored inst
diff "$tmp/before.xml" "$tmp/xml" | grep '^[<>]' | grep -vE 'w:(warden|skip)' >"$tmp/other" || true
empty "$tmp/other"
run 1 w check inst
hasnt "$tmp/out" ' fix/'
# One that is running says when it takes effect.
on "$real" start inst >/dev/null
run 0 w undo inst
has "$tmp/out" 'next cold boot'
on "$real" destroy inst >/dev/null

# Nothing to go back to.
generic fresh >"$tmp/fresh.xml"
run 0 on "$real" define "$tmp/fresh.xml"
run 3 w undo fresh
has "$tmp/err" 'nothing to go back to'
run 3 w undo nosuch

# A domain that was undefined comes back, by name and by UUID, as it was last.
stored inst && cp "$tmp/xml" "$tmp/last.xml"
run 0 w mode inst enforce
stored inst && cp "$tmp/xml" "$tmp/last.xml"
gone=$(on "$real" domuuid inst)
run 0 on "$real" undefine inst
run 0 w history inst
run 0 w undo inst
stored inst
cmp "$tmp/xml" "$tmp/last.xml" || fail "the undefined domain came back as another"
run 0 on "$real" undefine inst
run 0 w undo "$gone"
stored inst
# Its name belongs to another one now: libvirt's word is passed on, nothing is changed.
run 0 on "$real" undefine inst
generic inst >"$tmp/other.xml"
run 0 on "$real" define "$tmp/other.xml"
stored inst && cp "$tmp/xml" "$tmp/other.xml"
run 3 w undo "$gone"
has "$tmp/err" 'already exists'
stored inst
cmp "$tmp/xml" "$tmp/other.xml" || fail "another domain was changed"

# A domain that was renamed keeps its new name.
run 0 on "$real" domrename web1 renamed
run 0 w undo renamed
stored_has renamed '<name>renamed</name>'
[ "$(on "$real" domuuid renamed)" = "$uuid" ] || fail "another UUID"

# EFI: variables and TPM would no longer be used. That is said; nothing without --force, and then
# nothing is deleted.
generic efi 99999999-0000-4000-8000-000000000001 >"$tmp/efi.xml"
run 0 on "$real" define "$tmp/efi.xml"
sed "s,<os>,<os firmware='efi'>,; s,<type arch='x86_64'>,<type arch='x86_64' machine='q35'>,
	s,</os>,</os><features><acpi/></features>,; s,dev='hda' bus='ide',dev='sda' bus='sata'," \
	"$tmp/efi.xml" >"$tmp/efi2.xml"
run 0 w mode --quiet efi enforce
run 0 on "$real" define "$tmp/efi2.xml"
stored_has efi "firmware='efi'"
run 1 w undo efi
has "$tmp/err" 'EFI.*BIOS.*--force'
stored_has efi "firmware='efi'"
run 0 w undo --force efi
stored_hasnt efi "firmware='efi'"
