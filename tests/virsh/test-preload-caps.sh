#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Domain capabilities are kept on disk: used by the next define, asked for anew when QEMU or
# libvirtd is another, and forgotten when libvirtd refuses what they led to.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

mkdir "$tmp/cache"
[ ! -e "$VIRT_WARDEN_CACHEDIR/os.index" ] || cp -p "$VIRT_WARDEN_CACHEDIR/os.index" "$tmp/cache"
export VIRT_WARDEN_CACHEDIR=$tmp/cache
generic web1 >"$tmp/web1.xml"

# define: what is stored, without what is made up each time, goes to $tmp/stored.
define() {
	run 0 on virsh define "$tmp/web1.xml"
	stored web1
	grep -vE '<uuid|<mac' "$tmp/xml" >"$tmp/stored"
	on "$real" undefine web1 >"$tmp/undefine"
}

# kept: inode and mode of the one file with capabilities.
kept() { stat -c '%i %a' "$tmp"/cache/caps-*; }

define
has "$tmp/err" 'fixes'
cp "$tmp/stored" "$tmp/first"
first=$(kept)
[[ $first =~ ^[0-9]+\ 600$ ]] || fail "not one private file: $first"

define
[ "$(kept)" = "$first" ] || fail "asked for again"
cmp "$tmp/first" "$tmp/stored" || fail "another result with what was kept"

# A command, too, and another emulator for it.
stored_at=$(stat -c %Y "$tmp"/cache/caps-*)
run 1 on virt-warden check -c qemu:///system "$tmp/web1.xml"
[ "$(kept)" = "$first" ] && [ "$(stat -c %Y "$tmp"/cache/caps-*)" = "$stored_at" ] || fail "asked for again by check"

# Damaged, or by somebody else: asked for again, and replaced.
for harm in 'sed -i s/pc-q35/pc-q36/' 'truncate -s 300' 'chmod 666' 'chown 1' 'ln -sf /etc/passwd'; do
	$harm "$tmp"/cache/caps-*
	before=$(kept)
	define
	cmp "$tmp/first" "$tmp/stored" || fail "another result: $harm"
	[ "$(kept)" != "$before" ] || fail "taken: $harm"
done

# Another libvirtd has other capabilities, whatever they were.
before=$(kept)
"$top/tests/lab/lab" restart alpha >"$tmp/out" 2>&1 || fail "no restart"
define
[ "$(kept)" != "$before" ] || fail "kept from one libvirtd to the next"
cmp "$tmp/first" "$tmp/stored" || fail "another result after a restart"

# libvirtd refuses what we made of them.
mkdir "$tmp/templates.d"
sed "s/tickpolicy='catchup'/tickpolicy='merge'/" "$top/xml-templates/linux-modern.xml" >"$tmp/templates.d/linux-modern.xml"
run 0 on virsh define "$tmp/web1.xml"
has "$tmp/err" "libvirt refuses the whole fix, so only what the guest can.t see was fixed"
[ -z "$(find "$tmp/cache" -name 'caps-*')" ] || fail "kept although libvirtd refused"
