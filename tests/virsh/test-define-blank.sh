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

# Whatever may have been cut off its log, or lies under the name that it had: nobody can say that it never ran.
log=/var/log/libvirt/qemu
past() { # past WORDS: what fix says of "never", defined anew
	run 0 on "$real" undefine never
	run 0 on "$real" define "$tmp/never.xml"
	run 1 on virt-warden fix never
	kept never "$1"
}
start='2026-01-01 00:00:00.000+0000: starting up libvirt version: 9.0.0'
while read -r file text; do
	on sh -c "printf '%b' '${text//START/$start}' >$log/$file"
	echo "log $file"
	past 'whether it has ever run is not known'
	on rm "$log/$file"
done <<'END'
never.log
never.log.1
never.log.0 2026-01-01 00:00:00.000+0000: shutting down\n
never.log.2.gz START\n
never.log-20260101.gz START\n
never.log.3.xz START\n
END
on sh -c "{ echo '$start'; head -c 9M /dev/zero; } >$log/never.log"
past 'whether it has ever run is not known'
on rm $log/never.log
# Renamed: its log has the old name, and its UUID.
run 0 on "$real" undefine never
run 0 on "$real" define "$tmp/never.xml"
uuid=$(on "$real" domuuid never)
on sh -c "printf '%s\n' '$start' '-uuid $uuid \' >$log/before.log"
run 1 on virt-warden fix never
kept never 'it has run before'
# Other logs say nothing.
run 0 on "$real" undefine never
run 0 on "$real" define "$tmp/never.xml"
on sh -c ": >$log/other.log; : >$log/never-2.log; : >$log/other.log.1.gz"
run 1 on virt-warden fix never
stored_has never "<model type='virtio'/>"

# The file of the firmware's variables in each way to name it.
code=$(on find /usr/share/OVMF -name 'OVMF_CODE*.fd' | sort | head -n 1)
vars=$(on find /usr/share/OVMF -name 'OVMF_VARS*.fd' | sort | head -n 1)
efi() { sed "s,</os>,<loader readonly='yes' type='pflash'>$code</loader>$1&<features><acpi/></features>,; s,arch='x86_64',& machine='q35',; s,hda' bus='ide,sda' bus='sata,"; }
while read -r name nvram; do
	generic "$name" | card | efi "${nvram//VARS/$tmp/$name.vars}" >"$tmp/$name.xml"
	run 0 on "$real" define "$tmp/$name.xml"
	run 1 on virt-warden check "$name"
	hasnt "$tmp/out" 'it has run before'
	cp "$vars" "$tmp/$name.vars"
	run 1 on virt-warden fix "$name"
	stored_has "$name" "<model type='e1000'/>"
	has "$tmp/out" 'it has run before'
done <<'END'
plain <nvram>VARS</nvram>
source <nvram type='file'><source file='VARS'/></nvram>
END
