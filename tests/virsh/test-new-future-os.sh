#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An OS that osinfo-db gains tomorrow works at once: its file appears where libosinfo looks, the index
# notices, and the template is chosen by what the file says, not by a name that we know.
set -euo pipefail
# shellcheck source=tests/virsh/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/virsh/lib/os-guest.sh
. "$top/tests/virsh/lib/os-guest.sh"

export VIRT_WARDEN_CACHEDIR=$tmp/cache OSINFO_LOCAL_DIR=$tmp/osinfo
mkdir -p "$VIRT_WARDEN_CACHEDIR" "$OSINFO_LOCAL_DIR/os/example.org"

# tomorrow ID FAMILY ELEMENTS: an entry as osinfo-db has them
tomorrow() {
	cat >"$OSINFO_LOCAL_DIR/os/example.org/$1.xml" <<-END
		<libosinfo version="0.0.1">
		  <os id="http://example.org/${1//-/\/}">
		    <short-id>${1//-/}</short-id>
		    <name>$1</name>
		    <version>${1#*-}</version>
		    <vendor>Example</vendor>
		    <family>$2</family>
		    $3
		  </os>
		</libosinfo>
	END
}
pci() { printf '<device id="http://pcisig.com/pci/%s"/>' "$@"; }
q35='<device id="http://qemu.org/chipset/x86/q35"/>'

lab_start
run 0 on virt-warden os list # an index without them
hasnt "$tmp/out" tomorrow
run 2 on virt-warden new --os tomorrow1 --name t --disk "$tmp/t.img" --network default

tomorrow tomorrow-1 tomorrow "<devices>$(pci 1af4/1041 1af4/1042 1af4/1044 1af4/1050 1b36/0004)$q35</devices>"
tomorrow tomorrow-2 tomorrow "<devices>$(pci 1af4/1001)</devices>"
tomorrow nextlinux-1 linux "<derives-from id='http://fedoraproject.org/fedora/36'/>"
tomorrow oldlinux-1 linux "<devices>$(pci 1af4/1000 1af4/1001)$q35</devices>"
tomorrow tinylinux-1 linux ''
tomorrow nextbsd-1 freebsd "<devices>$(pci 1af4/1000 1af4/1001)</devices>"
tomorrow nextwin-1 winnt "<firmware arch='x86_64' type='bios' supported='false'/>
	<firmware arch='x86_64' type='efi' supported='true'/><devices>$(pci 8086/10d3 1b36/0004)$q35</devices>"

# expect SHORT-ID TEMPLATE LINE…: chosen by its facts; libvirtd stores it so, and it starts
expect() {
	local id=$1 template=$2 line
	shift 2
	run 0 on virt-warden os show "$id"
	has "$tmp/out" "^template +$template\$"
	truncate -s 1G "$tmp/$id.img"
	run 0 on virt-warden new --os "$id" --name "$id" --memory 256 --virttype qemu --disk "$tmp/$id.img" \
		--network default --define
	devices "$id"
	for line; do
		has "$tmp/devices" "^$line\$"
	done
	has "$tmp/xml" "libosinfo:os id=.http://example.org/"
	run 0 on virsh start "$id"
	run 0 on virsh domstate "$id"
	has "$tmp/out" '^running'
	run 0 on virsh destroy "$id"
}

expect tomorrow1 other-virtio 'machine: q35' 'disk-bus: virtio' 'nic-model: virtio' 'video: virtio' 'usb: qemu-xhci/15' \
	'rng: virtio /dev/urandom' 'disk-iothread: 1'
hasnt "$tmp/devices" '^agent-channel:' # it has no driver for that
expect tomorrow2 other 'machine: pc' 'disk-bus: virtio' 'nic-model: e1000' 'video: vga'
expect nextlinux1 linux-modern 'machine: q35' 'disk-bus: virtio' 'nic-model: virtio' 'agent-channel: virtio'
expect oldlinux1 linux-virtio-0.9 'machine: pc' 'disk-bus: virtio' 'nic-model: virtio'
expect tinylinux1 linux-legacy 'machine: pc' 'disk-bus: ide' 'nic-model: e1000'
expect nextbsd1 bsd-virtio 'machine: pc' 'disk-bus: virtio' 'nic-model: virtio'
expect nextwin1 windows-11 'machine: q35' 'firmware: efi' 'disk-bus: sata' 'nic-model: e1000e' \
	'tpm: tpm-crb emulator 2.0' 'clock: localtime .*'

# The same by a plain define, and what has been taken away again is unknown
truncate -s 1G "$tmp/plain.img"
hand_made plain http://example.org/tomorrow/1 "$tmp/plain.img" >"$tmp/plain.xml"
run 0 on virsh define "$tmp/plain.xml"
stored_has plain "<target dev='vda' bus='virtio'/>"
rm -r "$OSINFO_LOCAL_DIR/os/example.org"
run 2 on virt-warden new --os tomorrow1 --name t --disk "$tmp/t.img" --network default
