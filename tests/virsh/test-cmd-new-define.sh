#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# new --define: images are created and never overwritten, the domain is what new printed, it
# starts; where libvirt refuses it nothing is left behind.
# timeout: 180
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

new() { on virt-warden new --virttype qemu "$@"; }

: >"$tmp/install.iso"
run 0 new --os debian11 --name web1 --disk "$tmp/web1.qcow2,size=3" --disk "$tmp/data.raw,size=1" \
	--network default --cdrom "$tmp/install.iso" --define
has "$tmp/out" '^web1: defined\.  Next: virsh start web1$'
empty "$tmp/err"
[ "$(qemu-img info --output=json "$tmp/web1.qcow2" | jq -r '"\(.format) \(."virtual-size")"')" = "qcow2 3221225472" ] ||
	fail "the image is another one"
[ "$(qemu-img info --output=json "$tmp/data.raw" | jq -r '"\(.format) \(."virtual-size")"')" = "raw 1073741824" ] ||
	fail "the second image is another one"
[ "$(stat -c %a "$tmp/web1.qcow2")" = 600 ] || fail "mode of the image"
stored_has web1 "bus='virtio'"
stored_has web1 "cache='none'"
stored_has web1 "machine='pc-q35-"
# It is in the history, is conformant, and QEMU takes it.
[ "$(versions "$(on "$real" domuuid web1)")" = 1 ] || fail "not in the history"
run 0 on virt-warden check web1
run 0 on "$real" start web1
run 0 on "$real" destroy web1

# What it prints is what it would define: one through virsh, one by itself.
run 0 new --os debian11 --name a --disk "$tmp/a.qcow2" --network default --cdrom "$tmp/install.iso"
cp "$tmp/out" "$tmp/a.xml"
has "$tmp/a.xml" '<rng '
run 0 on "$real" define --validate "$tmp/a.xml"

# Every virtual OS kind can be defined, and starts as far as libvirt has a say.
for os in win10 win2k22 winxp freebsd13.0 fedora36 ubuntu22.04; do
	run 0 new --os $os --name "os-$os" --disk "$tmp/$os.qcow2,size=1" --network default --cdrom "$tmp/install.iso" --define
	run 0 on virt-warden check "os-$os"
done

# An image that is there is not overwritten, and nothing is defined.
echo precious >"$tmp/precious.raw"
run 3 new --os debian11 --name b --disk "$tmp/fresh.raw,size=1" --disk "$tmp/precious.raw,size=1" --network default --define
has "$tmp/err" 'precious.raw: is there already'
[ "$(cat "$tmp/precious.raw")" = precious ] || fail "an image was overwritten"
[ ! -e "$tmp/fresh.raw" ] || fail "a new image was left behind"
run 1 on "$real" dominfo b
ln -s "$tmp/precious.raw" "$tmp/link.raw"
ln -s "$tmp/nowhere.raw" "$tmp/dangling.raw"
for link in link dangling; do
	run 3 new --os debian11 --name b --disk "$tmp/$link.raw,size=1" --network default --define
done
[ "$(cat "$tmp/precious.raw")" = precious ] && [ ! -e "$tmp/nowhere.raw" ] || fail "a link was followed"
# Without size= it is taken as it is.
run 0 new --os debian11 --name b --disk "$tmp/precious.raw" --network default --define
[ "$(cat "$tmp/precious.raw")" = precious ] || fail "an image was overwritten"
run 0 new --os debian11 --name c --disk "$tmp/later.qcow2" --network default --define
has "$tmp/err" 'later.qcow2: is not there yet'

# A name that is taken; what libvirt refuses; a directory that is not there: nothing is left behind.
run 3 new --os debian11 --name web1 --disk "$tmp/x.qcow2,size=1" --network default --define
has "$tmp/err" 'web1: libvirt has a domain of that name'
[ ! -e "$tmp/x.qcow2" ] || fail "an image was left behind"
run 3 new --os debian11 --name d --disk "$tmp/x.qcow2,size=1" --network default --define --arch s390x
[ ! -e "$tmp/x.qcow2" ] || fail "an image was left behind"
run 3 new --os debian11 --name d --disk "$tmp/nodir/x.qcow2,size=1" --network default --define
run 1 on "$real" dominfo d

# JSON, with the UUID that libvirt gave.
run 0 new --json --os debian11 --name j --disk "$tmp/j.qcow2,size=1" --network default --define
jq -e --arg u "$(on "$real" domuuid j)" '.defined == true and .uuid == $u and .domain == "j"' "$tmp/out" >/dev/null || fail "JSON"
