#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What is no blank guest keeps what it sees and boots from, for real: a disk that is not there or on the
# network, whatever media or network boot the XML names; a floppy or read-only disk with data; a host
# device that may hold a system; a domain that has run, though its disks are empty.
set -euo pipefail
# shellcheck source=tests/virsh/lib.sh
. "$(dirname "$0")/lib.sh"

device() { sed "s,</devices>,$1&,"; } # device XML: stdin with one more device
card() { sed "s,<source network='default'/>,&<model type='e1000'/>,"; }

# kept NAME: still the user's card and bus; why, and what to type
kept() {
	stored_has "$1" "<model type='e1000'/>"
	stored_has "$1" "bus='ide'"
	run 1 on virt-warden check "$1"
	has "$tmp/out" "$2"
	has "$tmp/out" "virt-warden fix $1 --allow (visible|boot)"
}

lab_start
truncate -s 1M "$tmp/install.iso"
cdrom="<disk type='file' device='cdrom'><source file='$tmp/install.iso'/><target dev='hdc' bus='ide'/><readonly/></disk>"

generic absent | card | device "$cdrom" | sed "s,</type>,&<boot dev='network'/><boot dev='hd'/>," >"$tmp/absent.xml"
rm "$tmp/absent.img"
run 0 on virsh define "$tmp/absent.xml"
stored_has absent "cache='none'" # the host's side is done all the same
kept absent 'disk hda could not be looked at .it is not there'

generic net | card | device "$cdrom" |
	sed "s,<disk type='file' device='disk'>,<disk type='network' device='disk'>,
		s,<source file='$tmp/net.img'/>,<source protocol='rbd' name='p/i'><host name='192.0.2.1'/></source>," >"$tmp/net.xml"
run 0 on virsh define "$tmp/net.xml"
kept net 'disk hda could not be looked at .not a file or block device of this host'

head -c 4096 /dev/urandom >"$tmp/data.img"
truncate -s 1440K "$tmp/data.img"
floppy="<disk type='file' device='floppy'><source file='$tmp/data.img'/><target dev='fda'/></disk>"
generic floppy | card | device "$floppy" >"$tmp/floppy.xml"
run 0 on virsh define "$tmp/floppy.xml"
kept floppy 'a disk holds data .fda'

root="<disk type='file' device='disk'><source file='$tmp/data.img'/><target dev='hdb' bus='ide'/><readonly/></disk>"
generic root | card | device "$root" >"$tmp/root.xml"
run 1 virt-warden check "$tmp/root.xml"
has "$tmp/out" 'a disk holds data .hdb'

# A host device: what it is says sysfs.
sys=$tmp/sysroot/sys/bus
mkdir -p "$sys/pci/devices/0000:05:00.0" "$sys/usb/devices/1-2" "$sys/usb/devices/1-2:1.0"
hostdev="<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='5' slot='0' function='0'/></source></hostdev>"
usb="<hostdev mode='subsystem' type='usb'><source><vendor id='0x0781'/><product id='0x5580'/></source></hostdev>"
generic pci | card | device "$hostdev" >"$tmp/pci.xml"
generic usb | card | device "$usb" >"$tmp/usb.xml"
echo 0781 >"$sys/usb/devices/1-2/idVendor"
echo 5580 >"$sys/usb/devices/1-2/idProduct"
while read -r name file value said; do
	echo "$value" >"$sys/$file"
	run 1 env VIRT_WARDEN_SYSROOT="$tmp/sysroot" virt-warden check "$tmp/$name.xml"
	"$said" "$tmp/out" 'a hostdev may hold what it boots'
done <<'END'
pci pci/devices/0000:05:00.0/class 0x010802 has
pci pci/devices/0000:05:00.0/class 0x0c0330 has
pci pci/devices/0000:05:00.0/class 0x030000 hasnt
usb usb/devices/1-2:1.0/bInterfaceClass 08 has
usb usb/devices/1-2:1.0/bInterfaceClass 03 hasnt
usb usb/devices/1-2/idProduct 5581 has
END
rm "$sys/pci/devices/0000:05:00.0/class"
run 1 env VIRT_WARDEN_SYSROOT="$tmp/sysroot" virt-warden check "$tmp/pci.xml"
has "$tmp/out" 'a hostdev may hold what it boots'

# Known to libvirtd, disks empty: what never ran is blank, what has run is not, nor one with NVRAM.
for name in never ran vars; do
	generic "$name" | card >"$tmp/$name.xml"
	run 0 on "$real" define "$tmp/$name.xml"
done
run 0 on "$real" "start ran; destroy ran"
nvram=/var/lib/libvirt/qemu/nvram
on mkdir -p $nvram
on touch $nvram/vars_VARS.fd
run 1 on virt-warden fix never
stored_has never "<model type='virtio'/>"
for name in ran vars; do
	run 1 on virt-warden fix $name
	kept $name 'it has run before'
done
# Of another domain that had its name once the log says nothing.
run 0 on "$real" undefine ran
run 0 on "$real" define "$tmp/ran.xml"
run 1 on virt-warden fix ran
stored_has ran "<model type='virtio'/>"
