#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# attach-disk, attach-device and update-device --config get an allowed cache mode and keep all
# else as typed; a LIVE update is never touched; other devices pass; policy and modes hold.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

generic web1 >"$tmp/web1.xml"
run 0 on virsh define "$tmp/web1.xml"
uuid=$(on "$real" domuuid web1)
for n in b c d e f g h; do
	truncate -s 16M "$tmp/$n.img"
done

# disk DEV [DRIVER-ATTRIBUTES]: a disk's XML into $tmp/disk.xml
disk() {
	cat >"$tmp/disk.xml" <<-END
		<disk type='file' device='disk'>
		  <driver name='qemu' type='raw'${2:+ $2}/>
		  <source file='$tmp/${1#??}.img'/>
		  <target dev='$1' bus='virtio'/>
		</disk>
	END
}
# driver DEV: the driver element of a disk in $tmp/xml
driver() { grep -B 9 "target dev='$1'" "$tmp/xml" | grep '<driver' | tail -n 1; }
# live: the XML of the running domain into $tmp/xml
live() { on "$real" dumpxml --security-info web1 >"$tmp/xml"; }

# Into the config of a domain that is off.
before=$(versions "$uuid")
run 0 on virsh attach-disk web1 "$tmp/b.img" vdb --config --subdriver raw
has "$tmp/out" 'Disk attached successfully'
has "$tmp/err" '^virt-warden: web1: disk-cache vdb: default -> none$'
stored web1
[[ $(driver vdb) == *"cache='none'"* ]] || fail "vdb: $(driver vdb)"
[ "$(versions "$uuid")" -gt "$before" ] || fail "the config that was there is not kept"
disk vdc "cache='unsafe' io='threads'"
run 0 on virsh attach-device web1 "$tmp/disk.xml" --current
has "$tmp/err" 'disk-cache vdc: unsafe -> none'
stored web1
[[ $(driver vdc) == *"cache='none' io='threads'"* ]] || fail "vdc: $(driver vdc)"

# An allowed mode is left, and nothing is said; a CD-ROM, a NIC are none of our business.
disk vdd "cache='directsync'"
run 0 on virsh attach-device web1 "$tmp/disk.xml" --config
empty "$tmp/err"
run 0 on virsh attach-disk web1 "" sda --type cdrom --config
empty "$tmp/err"
run 0 on virsh attach-interface web1 network default --config
empty "$tmp/err"
run 0 on virsh change-media web1 sda "$tmp/h.img" --insert --config
empty "$tmp/err"

# The user's bus and address stay; -q is silent.
sed "s/bus='virtio'/bus='sata'/;s/vdd/sdb/" "$tmp/disk.xml" | sed "s/ cache='directsync'//;s,/d.img,/e.img," >"$tmp/sata.xml"
run 0 on virsh -q attach-device web1 "$tmp/sata.xml" --config
empty "$tmp/err"
stored_has web1 "<target dev='sdb' bus='sata'/>"
[[ $(driver sdb) == *"cache='none'"* ]] || fail "sdb: $(driver sdb)"

# update-device --config
sed "s/ cache='none'//;s/<driver name='qemu' type='raw'/& cache='writeback'/" "$tmp/sata.xml" >"$tmp/update.xml"
run 0 on virsh update-device web1 "$tmp/update.xml" --config
has "$tmp/err" 'disk-cache sdb: writeback -> none'
stored web1
[[ $(driver sdb) == *"cache='none'"* ]] || fail "sdb: $(driver sdb)"

# What libvirt refuses is refused with its own words, and nothing of ours.
for x in define attach; do
	disk vdb
	[ $x = define ] || sed -i "s,<target.*,<target dev='vdz' bus='nosuch'/>," "$tmp/disk.xml"
	run 1 on "$real" attach-device web1 "$tmp/disk.xml" --config
	cp "$tmp/err" "$tmp/real.err"
	run 1 on virsh attach-device web1 "$tmp/disk.xml" --config
	cmp "$tmp/real.err" "$tmp/err" || fail "another error"
done

# Running: a live attach is fixed, a live update is not touched.
run 0 on "$real" start --paused web1
disk vdf
run 0 on virsh attach-device web1 "$tmp/disk.xml" --live
has "$tmp/err" 'disk-cache vdf: default -> none'
live
[[ $(driver vdf) == *"cache='none'"* ]] || fail "vdf: $(driver vdf)"
stored_hasnt web1 "vdf"
disk vdg
run 0 on virsh attach-device web1 "$tmp/disk.xml" --persistent
live
[[ $(driver vdg) == *"cache='none'"* ]] || fail "live vdg: $(driver vdg)"
stored web1
[[ $(driver vdg) == *"cache='none'"* ]] || fail "stored vdg: $(driver vdg)"
disk vdf "cache='writeback'"
for how in --live --current '' '--live --config' --persistent; do
	want=0
	# shellcheck disable=SC2086 # several options
	on "$real" update-device web1 "$tmp/disk.xml" $how >"$tmp/real.out" 2>"$tmp/real.err" || want=$?
	# shellcheck disable=SC2086
	run "$want" on virsh update-device web1 "$tmp/disk.xml" $how
	cmp "$tmp/real.err" "$tmp/err" || fail "a live update was touched: $how"
done
run 0 on virsh change-media web1 sda --eject --live --force
empty "$tmp/err"
run 0 on "$real" destroy web1

# warn tells only, off does not look; the domain's own skip and mode hold.
disk vdh
echo -e '[policy]\ndefine = warn' >"$tmp/warden.conf"
run 0 on virsh attach-device web1 "$tmp/disk.xml" --config
has "$tmp/err" "^virt-warden: web1: vdh: cache 'default'"
stored web1
[[ $(driver vdh) != *cache* ]] || fail "vdh: $(driver vdh)"
detach() { run 0 on "$real" detach-disk web1 vdh --config; }
detach
echo -e '[policy]\ndefine = off' >"$tmp/warden.conf"
run 0 on virsh attach-device web1 "$tmp/disk.xml" --config
empty "$tmp/err"
detach
rm "$tmp/warden.conf"
run 0 on env VIRT_WARDEN=off virsh attach-device web1 "$tmp/disk.xml" --config
empty "$tmp/err"
stored web1
[[ $(driver vdh) != *cache* ]] || fail "vdh: $(driver vdh)"
detach
w="xmlns:w='urn:virt-warden:domain:1'"
stored web1
for inner in "<w:warden $w><w:skip rule='disk-cache'/></w:warden>" "<w:warden $w mode='off'/>"; do
	sed "s,<metadata>,&$inner," "$tmp/xml" >"$tmp/with.xml"
	run 0 on "$real" define "$tmp/with.xml"
	run 0 on virsh attach-device web1 "$tmp/disk.xml" --config
	empty "$tmp/err"
	detach
done
