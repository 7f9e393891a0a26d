#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 600
# The same hand-made XML over a disk that holds data keeps what the guest boots from and sees: bus,
# machine, firmware, network card. check says why, and what to type; what it says to type does it.
set -euo pipefail
# shellcheck source=tests/virsh/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/virsh/lib/os-guest.sh
. "$top/tests/virsh/lib/os-guest.sh"

lab_start
"$VW_BUILD/virt-warden-osinfo" build --output "$VIRT_WARDEN_CACHEDIR/os.index" >/dev/null 2>&1

# installed NAME FORMAT: a disk with a boot sector, far less than what a system would leave there
installed() {
	truncate -s 64M "$tmp/$1.raw"
	boot_sector "$tmp/$1.raw"
	if [ "$2" = raw ]; then
		mv "$tmp/$1.raw" "$tmp/$1.img"
	else
		qemu-img convert -f raw -O "$2" "$tmp/$1.raw" "$tmp/$1.img"
	fi
}

# keeps NAME ID FORMAT: define over an installed disk; the guest's side is libvirt's default, as without us
keeps() {
	installed "$1" "$3"
	hand_made "$1" "$2" "$tmp/$1.img" "$3" >"$tmp/$1.xml"
	run 0 on virsh define "$tmp/$1.xml"
	devices "$1"
	for line in 'machine: pc' 'firmware: bios' 'disk-bus: ide' 'cdrom-bus: ide read-only' 'nic-model: rtl8139' \
		'cpu-mode: qemu64' 'clock: utc' 'disk-cache: none' 'balloon: virtio 10'; do
		has "$tmp/devices" "^$line\$"
	done
	hasnt "$tmp/devices" '^(hyperv|tpm|pcie-ports|disk-iothread):'
	stored_has "$1" "<target dev='hda' bus='ide'/>"
}

# says_why NAME RULE…: check names each rule, that a disk holds data, and the command
says_why() {
	local name=$1 rule
	shift
	run 1 on virt-warden check "$name"
	has "$tmp/out" 'a disk holds data'
	has "$tmp/out" "virt-warden fix $name --allow boot"
	for rule; do
		has "$tmp/out" "(^|[^a-z-])$rule( |\$)"
	done
}

# boots NAME: from its own boot sector
boots() {
	rm -f "$tmp/$1.serial"
	run 0 on virsh start "$1"
	says "$1" 'VW boot sector' 90
	run 0 on virsh destroy "$1"
}

for format in raw qcow2; do
	keeps "debian-$format" http://debian.org/debian/12 $format
	says_why "debian-$format" machine disk-bus nic-model
	stored "debian-$format" # its owner's next define changes nothing of it either
	run 0 on virsh define "$tmp/xml"
	stored_has "debian-$format" "<target dev='hda' bus='ide'/>"
done
boots debian-raw

# what check says to type: now the admin has said that the guest has the drivers
run 0 on virt-warden fix debian-raw --allow boot
devices debian-raw
for line in 'machine: q35' 'disk-bus: virtio' 'cdrom-bus: sata read-only' 'nic-model: virtio' 'cpu-mode: qemu64 [+]popcnt [+]sse4.1 [+]sse4.2 [+]ssse3' \
	'disk-iothread: 1' 'usb: qemu-xhci/15'; do
	has "$tmp/devices" "^$line\$"
done
stored_has debian-raw "<target dev='vda' bus='virtio'/>"
boots debian-raw
run 0 on virt-warden fix debian-raw --allow boot # nothing is left to do
has "$tmp/out" ' 0 fixed, 0 left'

keeps win11 http://microsoft.com/win/11 qcow2
says_why win11 machine firmware nic-model
boots win11
run 1 on virt-warden fix win11 --allow boot # the firmware stays, whatever is allowed: the disk was installed for it
has "$tmp/out" 'firmware .* boots with the firmware that it was installed with'
devices win11
for line in 'machine: q35' 'firmware: bios' 'disk-bus: sata' 'nic-model: e1000e'; do
	has "$tmp/devices" "^$line\$"
done
boots win11
keeps winxp http://microsoft.com/win/xp raw
boots winxp
keeps freebsd http://freebsd.org/freebsd/13.1 raw
says_why freebsd disk-bus nic-model
run 0 on virt-warden fix freebsd --allow boot
stored_has freebsd "<target dev='vda' bus='virtio'/>"
stored_has freebsd "machine='pc-i440fx"
boots freebsd

# a disk that can't be looked at is no blank disk
hand_made absent http://debian.org/debian/12 "$tmp/absent.img" >"$tmp/absent.xml"
run 0 on virsh define "$tmp/absent.xml"
stored_has absent "<target dev='hda' bus='ide'/>"
run 1 on virt-warden check absent
has "$tmp/out" 'could not be looked at'
