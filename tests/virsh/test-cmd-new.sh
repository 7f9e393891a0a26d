#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# new without a libvirt: XML that libvirt's schema takes, devices of the OS, names that need
# escaping, disks of all kinds; an image with something in it is not taken for a blank one.
# timeout: 180
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export LIBVIRT_DEFAULT_URI=nosuch:///
cd "$tmp"

valid() { # the XML in $tmp/out, by libvirt's own schema
	xmllint --noout --nonet --relaxng /usr/share/libvirt/schemas/domain.rng out 2>schema.err || fail "not valid: $(head -n 5 schema.err)"
}
xpath() { xmllint --xpath "$1" out 2>/dev/null || true; } # prints what the XPath gives
same() { [ "$(xpath "$1")" = "$2" ] || fail "$1 is '$(xpath "$1")', not '$2'"; }

# Linux: everything on virtio, and nothing left to do.
run 0 virt-warden new --os debian11 --name web1 --disk "$tmp/web1.qcow2,size=20" --network default \
	--cdrom "$tmp/debian.iso"
has err 'no libvirt can be reached'
valid
same 'string(/domain/name)' web1
same 'string(//disk[@device="disk"]/target/@bus)' virtio
same 'string(//disk[@device="disk"]/driver/@type)' qcow2
same 'string(//disk[@device="cdrom"]/source/@file)' "$tmp/debian.iso"
same 'string(//interface/model/@type)' virtio
same 'count(/domain/os/boot)' 2
same 'string(//*[local-name()="os"]/@id)' http://debian.org/debian/11
[ ! -e web1.qcow2 ] || fail "an image was created without --define"
cp out web1.xml
run 0 virt-warden fix --quiet web1.xml
cmp out web1.xml || fail "what new prints is not what fix would leave alone"
run 0 virt-warden new --quiet --json --os debian11 --name web1 --disk "$tmp/web1.qcow2,size=20" --network default
jq -e '.version == 1 and .domain == "web1" and .defined == false and (.xml | startswith("<domain"))' out >/dev/null ||
	fail "JSON"

# Windows has other devices; its resources come from osinfo-db unless they are said.
run 0 virt-warden new --os win10 --name win --disk "$tmp/win.qcow2" --network default --cdrom win.iso
valid
same 'string(//disk[@device="disk"]/target/@bus)' sata
same 'string(/domain/clock/@offset)' localtime
[ "$(xpath 'number(/domain/memory)')" -ge 2048 ] || fail "memory: $(xpath 'string(/domain/memory)')"
run 0 virt-warden new --os win10 --name win --disk "$tmp/win.qcow2" --network default --memory 777 --vcpus 3
same 'string(/domain/memory)' 777
same 'string(/domain/memory/@unit)' MiB
same 'string(/domain/vcpu)' 3

# Hostile names and paths are text, never markup; a comma in a path is written twice.
name='a&b<c>"d'\''e'
run 0 virt-warden new --os debian11 --name "$name" --disk "$tmp/x<&>,,y.qcow2,size=1" --network 'bridge=br"0' \
	--network 'network=n&n' --network user,mac=52:54:00:00:00:01 --graphics none
xmllint --noout out
same 'string(/domain/name)' "$name"
same 'string(//disk/source/@file)' "$tmp/x<&>,y.qcow2"
same 'string(//interface[1]/source/@bridge)' 'br"0'
same 'string(//interface[2]/source/@network)' 'n&n'
same 'string(//interface[3]/@type)' user
same 'string(//interface[3]/mac/@address)' 52:54:00:00:00:01
same 'count(//graphics)' 0
for bad in $'a\nb' $'a\001b' $'\377' '' 'a/b'; do run 2 virt-warden new --os debian11 --name "$bad"; done

# Formats: by name, by what is there, or as said; a relative path becomes an absolute one.
qemu-img create -q -f qcow2 there.img 1M
run 0 virt-warden new --os debian11 --name f --disk a.raw --disk b.img --disk c --disk there.img \
	--disk /dev/nosuchlun --disk d,format=vmdk --network user
formats=$(for i in 1 2 3 4 5 6; do xpath "string(//disk[$i]/driver/@type)" | tr '\n' ' '; done)
[ "$formats" = "raw raw qcow2 qcow2 raw vmdk " ] || fail "formats: $formats"
same 'string(//disk[1]/source/@file)' "$tmp/a.raw"
same 'string(//disk[5]/source/@dev)' /dev/nosuchlun
valid

# Sixteen disks: all on virtio, all with names of their own.
args=()
for i in $(seq 16); do args+=(--disk "d$i.qcow2,size=1"); done
run 0 virt-warden new --os debian11 --name many "${args[@]}" --network user --cdrom x.iso
valid
same 'count(//disk[target/@bus="virtio"])' 16
[ "$(xpath '//disk/target/@dev' | tr ' ' '\n' | grep -c dev=)" = "$(xpath '//disk/target/@dev' | tr ' ' '\n' | grep dev= | sort -u | wc -l)" ] ||
	fail "target names collide"
run 2 virt-warden new --os debian11 --name many "${args[@]}" --disk one-more

# A bus that was named stays, now and after a fix.
run 0 virt-warden new --os debian11 --name sata --disk s.qcow2,size=1,bus=sata --network user
valid
same 'string(//disk/target/@bus)' sata
cp out sata.xml
run 0 virt-warden fix --quiet sata.xml
cmp out sata.xml || fail "fix changes the bus that was named"
run 0 virt-warden new --os debian11 --name ide --disk s.qcow2,size=1,bus=ide --network user
valid
same 'string(//disk/target/@bus)' ide

# An image that holds something keeps what every guest boots on, and it is said.
printf data | dd of=installed.img bs=1 seek=100000 conv=notrunc status=none
run 0 virt-warden new --os debian11 --name inst --disk installed.img,format=raw --network user
valid
has err 'disk-bus +hda'
same 'string(//disk/target/@bus)' ide

# The OS must be known; another family has its own devices; other architectures are made as well.
run 2 virt-warden new --os debain11 --name a --disk x --network user
has err debian
run 0 virt-warden new --os freebsd13.0 --name bsd --disk b.qcow2,size=1 --network user
valid
run 0 virt-warden new --os winxp --name xp --disk x.qcow2,size=1 --network user --cdrom xp.iso
valid
same 'string(//disk[@device="disk"]/target/@bus)' ide
run 0 virt-warden new --os debian11 --name arm --arch aarch64 --virttype qemu --disk a.qcow2,size=1 --network user --cdrom x.iso
same 'string(/domain/os/type/@arch)' aarch64
same 'count(//disk[@device="disk"]/target[@bus="ide"])' 0
