#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# For real: a generic XML over a blank disk is stored with the devices of its OS, and a Linux system put
# onto that disk then boots from it on virtio; over an installed disk it keeps its bus and boots as before.
# timeout: 900
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"

lab_begin
"$lab" up --hosts alpha >/dev/null

# here COMMAND…: on the host, with our build in front.
here()
{
	"$lab" exec alpha "$TOP_DIR/run" "$@"
}

# stored DOMAIN XPATH: what libvirtd has, asked past our wrapper.
stored()
{
	"$lab" exec alpha /usr/bin/virsh -c qemu:///system dumpxml --inactive "$1" |
		xmllint --xpath "string($2)" -
}

same()
{
	[ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"
}

# boot DOMAIN: prints the guest's first line of facts and leaves it running.
boot()
{
	: >"$work/$1.serial"
	here virsh -c qemu:///system start "$1" >"$work/start" 2>&1 || fail "start $1: $(<"$work/start")"
	console_wait "$work/$1.serial" '^VWLAB root=' 240 ||
		fail "$1 did not boot: $(tail -n 5 "$work/$1.serial")"
	console_wait "$work/$1.serial" '^VWLAB tick=' 60 >/dev/null || fail "$1 booted, but does not live"
}

define()
{
	generic_xml "$1" "$work/$1.disk" "$work/$1.serial" >"$work/$1.xml"
	here virsh -c qemu:///system define "$work/$1.xml" >"$work/out" 2>"$work/notes" ||
		fail "define $1: $(<"$work/notes")"
	same "virsh's own output" "$(<"$work/out")" "Domain '$1' defined from $work/$1.xml"
	[ -s "$work/notes" ] || fail "define of $1 said nothing on stderr"
}

# 1. Blank disks, raw and qcow2.
for format in raw qcow2; do
	name=blank-$format
	qemu-img create -q -f $format "$work/$name.disk" 1G
	define "$name"
	same "disk bus" "$(stored "$name" //disk/target/@bus)" virtio
	same "disk target" "$(stored "$name" //disk/target/@dev)" vda
	same "disk cache" "$(stored "$name" //disk/driver/@cache)" none
	same "NIC model" "$(stored "$name" //interface/model/@type)" virtio
	same "rng" "$(stored "$name" //rng/@model)" virtio
	same "a kernel from outside" "$(stored "$name" //os/kernel)" ""

	"$LAB_DIR/make-disk" --onto "$work/$name.disk"
	line=$(boot "$name")
	echo "$line"
	same "root" "$(fact "$line" root)" /dev/vda1
	same "disk driver" "$(fact "$line" disk-driver)" virtio_blk
	same "NIC driver" "$(fact "$line" nic-driver)" virtio_net
	same "boot loader" "$(fact "$line" bootloader)" grub
	same "boot" "$(fact "$line" boot)" 1
	"$lab" virsh alpha destroy "$name" >/dev/null
done

# 2. The same XML over a disk that has a system: nothing that it boots from is touched, caches are.
qemu-img create -q -f raw "$work/installed.disk" 1G
"$LAB_DIR/make-disk" --onto "$work/installed.disk"
define installed
same "disk bus" "$(stored installed //disk/target/@bus)" ide
same "disk target" "$(stored installed //disk/target/@dev)" hda
same "NIC model" "$(stored installed //interface/model/@type)" rtl8139
same "disk cache" "$(stored installed //disk/driver/@cache)" none
[[ $(stored installed //os/type/@machine) = pc-i440fx-* ]] || fail "the machine of an installed guest changed"
line=$(boot installed)
echo "$line"
same "root" "$(fact "$line" root)" /dev/sda1
same "disk driver" "$(fact "$line" disk-driver)" ata_piix
"$lab" virsh alpha destroy installed >/dev/null

# check says why, and what to type; that brings it onto virtio, and it still boots.
status=0
here virt-warden -c qemu:///system check installed >"$work/check" || status=$?
same "exit code of check" $status 1
grep -E 'disk-bus +hda +ide → virtio +skip/' "$work/check" >/dev/null || fail "check does not report the bus: $(<"$work/check")"
grep 'a disk holds data' "$work/check" >/dev/null || fail "check does not say why: $(<"$work/check")"
grep -F 'virt-warden -c qemu:///system fix installed --allow boot' "$work/check" >/dev/null ||
	fail "check does not say what to type: $(<"$work/check")"
status=0
here virt-warden -c qemu:///system fix installed --allow boot >"$work/fix" 2>&1 || status=$?
[ $status -le 1 ] || fail "fix --allow boot: exit $status: $(<"$work/fix")"
same "disk bus" "$(stored installed //disk/target/@bus)" virtio
line=$(boot installed)
echo "$line"
same "root" "$(fact "$line" root)" /dev/vda1
same "disk driver" "$(fact "$line" disk-driver)" virtio_blk
same "boot" "$(fact "$line" boot)" 2
echo ok
