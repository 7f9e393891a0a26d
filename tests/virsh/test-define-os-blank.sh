#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 600
# A plain `virsh define` of a hand-made XML over a blank disk: what libvirtd stores has the devices that
# suit each OS, the guest starts in QEMU, and its firmware boots the disk (by a boot sector that is
# written after the define, and speaks on the serial port).
set -euo pipefail
# shellcheck source=tests/virsh/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/virsh/lib/os-guest.sh
. "$top/tests/virsh/lib/os-guest.sh"

lab_start
"$VW_BUILD/virt-warden-osinfo" build --output "$VIRT_WARDEN_CACHEDIR/os.index" >/dev/null 2>&1

# os NAME ID SAYS: define, compare with the lines on stdin, start, listen, stop.
os() {
	truncate -s 1G "$tmp/$1.img"
	hand_made "$1" "$2" "$tmp/$1.img" >"$tmp/$1.xml"
	run 0 on virsh define "$tmp/$1.xml"
	has "$tmp/out" "^Domain '$1' defined from"
	devices_are "$1"
	# shellcheck disable=SC2015 # the XML has the id, or it must have none
	[ -n "$2" ] && has "$tmp/xml" "<libosinfo:os id=.$2./>" || hasnt "$tmp/xml" 'libosinfo'
	boot_sector "$tmp/$1.img"
	run 0 on virsh start "$1"
	says "$1" "$3" 90
	run 0 on virsh domstate "$1"
	has "$tmp/out" '^running'
	run 0 on virsh destroy "$1"
	run 0 on virsh undefine --nvram "$1"
	echo "ok $1"
}

linux() { # linux NAME ID VIDEO: any Linux with virtio 1.0
	os "$1" "$2" 'VW boot sector' <<-END
		acpi: acpi apic
		agent-channel: virtio
		balloon: virtio 10
		cdrom-bus: sata read-only
		clock: utc hpet=no pit=delay rtc=catchup
		cpu-mode: qemu64 +popcnt +sse4.1 +sse4.2 +ssse3
		disk-bus: virtio
		disk-cache: none
		disk-discard: unmap
		disk-iothread: 1
		firmware: bios
		machine: q35
		nic-model: virtio
		nic-queues: 2
		panic-device: isa restart
		pcie-ports: 14
		pm: suspend-to-mem=no suspend-to-disk=no
		rng: virtio /dev/urandom
		tablet: usb
		usb: qemu-xhci/15
		video: $3
	END
}

# osinfo-db of Debian 12 does not know Debian 12: the newest that it knows stands in
linux debian12 http://debian.org/debian/12 virtio
linux ubuntu2204 http://ubuntu.com/ubuntu/22.04 vga
linux fedora36 http://fedoraproject.org/fedora/36 virtio

# virtio of before 1.0: never on PCI Express, where it would not find its disk
os rhel6 http://redhat.com/rhel/6.5 'VW boot sector' <<-END
	acpi: acpi apic
	agent-channel: virtio
	balloon: virtio 10
	cdrom-bus: ide read-only
	clock: utc hpet=no pit=delay rtc=catchup
	cpu-mode: qemu64 +popcnt +sse4.1 +sse4.2 +ssse3
	disk-bus: virtio
	disk-cache: none
	disk-discard: unmap
	disk-iothread: 1
	firmware: bios
	machine: pc
	nic-model: virtio
	nic-queues: 2
	panic-device: isa restart
	pm: suspend-to-mem=no suspend-to-disk=no
	tablet: usb
	usb: ich9-ehci1 ich9-uhci1 ich9-uhci2 ich9-uhci3
	video: vga
END

os win10 http://microsoft.com/win/10 'VW boot sector' <<-END
	acpi: acpi apic
	balloon: virtio 10
	cdrom-bus: sata read-only
	clock: localtime hpet=no hypervclock=yes pit=delay rtc=catchup
	cpu-mode: qemu64 +popcnt +sse4.1 +sse4.2 +ssse3
	disk-bus: sata
	disk-cache: none
	disk-discard: unmap
	firmware: bios
	hyperv: spinlocks=8191
	machine: q35
	nic-model: e1000e
	panic-device: destroy
	pcie-ports: 14
	pm: suspend-to-mem=no suspend-to-disk=no
	tablet: usb
	usb: qemu-xhci/15
	video: vga
END

# EFI takes no boot sector: that its firmware tried the disk is what it says
os win11 http://microsoft.com/win/11 'BdsDxe: .*Sata\(' <<-END
	acpi: acpi apic
	balloon: virtio 10
	cdrom-bus: sata read-only
	clock: localtime hpet=no hypervclock=yes pit=delay rtc=catchup
	cpu-mode: qemu64 +popcnt +sse4.1 +sse4.2 +ssse3
	disk-bus: sata
	disk-cache: none
	disk-discard: unmap
	firmware: efi
	hyperv: spinlocks=8191
	machine: q35
	nic-model: e1000e
	panic-device: destroy
	pcie-ports: 14
	pm: suspend-to-mem=no suspend-to-disk=no
	tablet: usb
	tpm: tpm-crb emulator 2.0
	usb: qemu-xhci/15
	video: bochs
END

os winxp http://microsoft.com/win/xp 'VW boot sector' <<-END
	acpi: acpi apic
	balloon: virtio 10
	cdrom-bus: ide read-only
	clock: localtime hpet=no hypervclock=yes pit=delay rtc=catchup
	cpu-mode: qemu64 +popcnt +sse4.1 +sse4.2 +ssse3
	disk-bus: ide
	disk-cache: none
	disk-discard: unmap
	firmware: bios
	hyperv: spinlocks=8191
	machine: pc
	nic-model: rtl8139
	panic-device: destroy
	pm: suspend-to-mem=no suspend-to-disk=no
	tablet: usb
	usb: ich9-ehci1 ich9-uhci1 ich9-uhci2 ich9-uhci3
	video: vga
END

os freebsd13 http://freebsd.org/freebsd/13.1 'VW boot sector' <<-END
	acpi: acpi apic
	balloon: virtio 10
	cdrom-bus: ide read-only
	clock: utc hpet=no pit=delay rtc=catchup
	cpu-mode: qemu64 +popcnt +sse4.1 +sse4.2 +ssse3
	disk-bus: virtio
	disk-cache: none
	disk-discard: unmap
	disk-iothread: 1
	firmware: bios
	machine: pc
	nic-model: virtio
	panic-device: destroy
	pm: suspend-to-mem=no suspend-to-disk=no
	tablet: usb
	usb: ich9-ehci1 ich9-uhci1 ich9-uhci2 ich9-uhci3
	video: vga
END

# nothing is known of the OS: the host's side only, the rest is libvirt's
os unknown '' 'VW boot sector' <<-END
	balloon: virtio 10
	cdrom-bus: ide read-only
	clock: utc
	cpu-mode: qemu64
	disk-bus: ide
	disk-cache: none
	disk-discard: unmap
	firmware: bios
	machine: pc
	nic-model: rtl8139
	panic-device: destroy
	usb: piix3-uhci
	video: cirrus
END

# Windows with the media of its virtio drivers attached: they can be loaded during the installation
truncate -s 1G "$tmp/win2022.img"
truncate -s 1M "$tmp/virtio-win-0.1.229.iso"
hand_made win2022 http://microsoft.com/win/2k22 "$tmp/win2022.img" |
	sed "s,<target dev='hdc' bus='ide'/>,<source file='$tmp/virtio-win-0.1.229.iso'/>&," >"$tmp/win2022.xml"
run 0 on virsh define "$tmp/win2022.xml"
devices win2022
for line in 'machine: q35' 'disk-bus: virtio' 'nic-model: virtio' 'rng: virtio /dev/urandom' 'agent-channel: virtio'; do
	has "$tmp/devices" "^$line\$"
done
boot_sector "$tmp/win2022.img"
run 0 on virsh start win2022
says win2022 'VW boot sector' 90
