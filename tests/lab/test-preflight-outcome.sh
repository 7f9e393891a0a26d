#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What preflight predicts against what libvirt does, between two hosts, the second of which has an older
# CPU: every "blocked" is refused, and with the error that its reason stands for; every "ok" works, there
# and back. Ends with the confusion table.
# timeout: 900
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"
. "$LAB_DIR/lib/outcome.sh"

shopt -s lastpipe # scenario counts in this shell
need bindfs swtpm jq
lab_begin
"$lab" up --asymmetric >/dev/null
# shellcheck disable=SC2034 # scenario uses it
declare -A uri=([alpha]=$("$lab" uri alpha) [beta]=$("$lab" uri beta))
images=/var/lib/libvirt/images

# guest NAME <DEVICES: prints its XML. $cpu, $os, $memory: elements. It has no system: QEMU's BIOS waits.
guest()
{
	cat <<-END
		<domain type='qemu'><name>$1</name><memory unit='MiB'>32</memory>${memory-}<vcpu>1</vcpu>
		<os><type arch='x86_64' machine='${machine-q35}'>hvm</type>${os-}</os>
		${cpu-<cpu mode='custom' match='exact'><model>Nehalem</model></cpu>}
		<devices>$(cat)</devices></domain>
	END
}

disk() # disk TYPE SOURCE [EXTRA]: one virtio disk without a cache, or with $cache
{
	local attribute=file
	[ "$1" = file ] || attribute=dev
	echo "<disk type='$1' device='disk'><driver name='qemu' type='${format-raw}' cache='${cache-none}'/>
	<source $attribute='$2'/><target dev='vda' bus='virtio'/>${3-}</disk>"
}

cdrom() # cdrom FILE [SOURCE-ATTRIBUTE]
{
	echo "<disk type='file' device='cdrom'><source file='$1' ${2-}/><target dev='sda' bus='sata'/><readonly/></disk>"
}

vnc()
{
	echo "<graphics type='vnc' port='$1' autoport='no'/>"
}

# What udev would know of a disk; libvirtd reads it when it starts.
udev() # udev HOST DEVICE WWN
{
	"$lab" exec "$1" sh -c "mkdir -p /run/udev/data
		printf 'I:1\nE:ID_TYPE=disk\nE:ID_BUS=scsi\nE:ID_SERIAL=serial-$3\nS:disk/by-id/wwn-$3\n' >/run/udev/data/b7:${2#/dev/loop}"
}

# --- what the hosts have ----------------------------------------------------------------------
for file in lun other nameless away; do
	truncate -s 8M "$work/$file"
done
lun=$("$lab" loop "$work/lun") other=$("$lab" loop "$work/other")
nameless=$("$lab" loop "$work/nameless") away=$("$lab" loop "$work/away")
mkdir "$work/volume" "$work/gluster"
for host in alpha beta; do
	udev $host "$lun" 0x6001405aaaaaaaa1
	"$lab" exec $host mkdir -p "$images"
	"$lab" exec $host bindfs -o subtype=glusterfs "$work/volume" "$work/gluster"
done
# "other" is another LUN on beta, under the same path.
udev alpha "$other" 0x6001405aaaaaaaa2
udev beta "$other" 0x6001405aaaaaaaa3
"$lab" exec beta sh -c "rm $other $away && mknod -m 660 $other b 7 ${away#/dev/loop}"
"$lab" restart alpha
"$lab" restart beta

nic="<interface type='network'><source network='default'/><model type='virtio'/></interface>"
printf '%-16s %-10s %-8s %-40s %-8s %-4s %s\n' scenario way forecast reasons outcome fits 'libvirt says'

# --- works, there and back --------------------------------------------------------------------
guest network <<<"$nic" | scenario network ok ""
cpu='' guest default-cpu <<<"$nic" | scenario default-cpu ok ""
cpu="<cpu mode='custom' match='exact'><model>Nehalem</model><feature policy='require' name='popcnt'/></cpu>" \
	guest named-cpu <<<"" | scenario named-cpu ok ""
cpu="<cpu mode='host-model'/>" guest host-model-b <<<"$nic" | from=beta scenario host-model-b ok ""
cpu="<cpu mode='maximum'/>" guest maximum-b <<<"" | from=beta scenario maximum-b ok ""
guest lun <<<"$(disk block "$lun")" | scenario lun ok ""
! jq -e '.directions[].reasons[] | select(.id == "disk-unproved")' "$work/json" >/dev/null ||
	fail "the WWN of $lun is not seen: $(<"$work/json")"
guest lun-nameless <<<"$(disk block "$nameless")" | scenario lun-nameless ok ""
jq -e '.directions[0].reasons[] | select(.id == "disk-unproved")' "$work/json" >/dev/null ||
	fail "nothing proves that $nameless is one device"
suspend() { real alpha suspend "$1" >/dev/null; }
prepare=suspend scenario paused ok "" < <(guest paused <<<"$nic")
guest bridge <<<"<interface type='bridge'><source bridge='br0'/></interface>" | scenario bridge ok ""
guest vnc <<<"$(vnc 5977)" | scenario vnc ok ""
"$lab" exec alpha setsid -f qemu-nbd --persistent --shared 8 -f raw -b 10.77.0.1 -p 10809 "$work/nameless" >/dev/null 2>&1
guest nbd <<<"<disk type='network' device='disk'><driver name='qemu' type='raw' cache='none'/>
	<source protocol='nbd'><host name='10.77.0.1' port='10809'/></source><target dev='vda' bus='virtio'/></disk>" |
	scenario nbd ok ""
truncate -s 8M "$work/volume/shared.img"
guest shared-file <<<"$(disk file "$work/gluster/shared.img")" | scenario shared-file ok ""
"$lab" exec alpha truncate -s 8M "$images/local.img"
"$lab" exec beta truncate -s 8M "$images/local.img"
guest copy-storage <<<"$(disk file "$images/local.img")" |
	scenario copy-storage ok "" --copy-storage -- --copy-storage-all
truncate -s 1M "$work/shared.iso"
guest iso <<<"$(cdrom "$work/shared.iso")" | scenario iso ok ""
guest tpm <<<"<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>" | scenario tpm ok ""

# --- let through, with a danger ---------------------------------------------------------------
cpu="<cpu mode='maximum'/>" guest maximum <<<"" >"$work/devices"
danger="libvirt compares no CPU of this mode" scenario maximum risk cpu-features-lost <"$work/devices"
cache=writeback disk block "$lun" >"$work/devices"
danger="QEMU drops the cache of this host, not of the other" scenario cached risk disk-cache \
	< <(guest cached <"$work/devices")
danger="libvirt takes every block device as shared" scenario other-lun risk disk-other-lun \
	< <(guest other-lun <<<"$(disk block "$other")")
"$lab" exec alpha truncate -s 1M "$images/optional.iso"
danger="the drive is empty after the move" scenario optional-iso risk media-missing \
	< <(guest optional-iso <<<"$(cdrom "$images/optional.iso" "startupPolicy='optional'")")
danger="who stays behind shares no memory any more" scenario shmem-master risk shmem \
	< <(guest shmem-master <<<"<shmem name='vw-$$' role='master'><model type='ivshmem-plain'/><size unit='M'>1</size></shmem>")

# --- refused: CPU, storage --------------------------------------------------------------------
cpu="<cpu mode='host-model'/>" guest host-model <<<"" | scenario host-model blocked cpu-features
cpu="<cpu mode='custom' match='exact'><model>Nehalem</model><feature policy='require' name='aes'/></cpu>" \
	guest named-aes <<<"" | scenario named-aes blocked cpu-features
guest local-file <<<"$(disk file "$images/local.img")" | scenario local-file blocked disk-not-shared
guest local-file-b <<<"$(disk file "$images/local.img")" | from=beta scenario local-file-b blocked disk-not-shared
"$lab" exec alpha truncate -s 8M "$images/only-here.img"
guest copy-no-target <<<"$(disk file "$images/only-here.img")" |
	scenario copy-no-target blocked disk-target-missing --copy-storage -- --copy-storage-all
real beta pool-create-as images dir --target "$images" >/dev/null
guest copy-precreate <<<"$(disk file "$images/only-here.img")" |
	scenario copy-precreate ok "" --copy-storage -- --copy-storage-all
real beta pool-destroy images >/dev/null
guest transient <<<"$(disk file "$images/local.img" '<transient/>')" | scenario transient blocked disk-transient
guest no-lun <<<"$(disk block "$away")" | scenario no-lun blocked disk-missing
"$lab" exec alpha truncate -s 1M "$images/install.iso"
guest no-iso <<<"$(cdrom "$images/install.iso")" | scenario no-iso blocked media-missing
"$lab" exec beta truncate -s 1M "$images/beta.iso"
guest no-iso-b <<<"$(cdrom "$images/beta.iso")" | from=beta scenario no-iso-b blocked media-missing
"$lab" exec alpha cp /usr/share/seabios/bios-256k.bin "$images/kernel"
machine=pc os="<kernel>$images/kernel</kernel>" guest no-kernel <<<"" | scenario no-kernel blocked boot-file-missing

# --- refused: what the guest is and does ------------------------------------------------------
guest shmem <<<"<shmem name='vw-$$' role='peer'><model type='ivshmem-plain'/><size unit='M'>1</size></shmem>" |
	scenario shmem blocked shmem
rm -f "/dev/shm/vw-$$"
memory="<memoryBacking><source type='memfd'/><access mode='shared'/></memoryBacking>" guest virtiofs <<-END |
	<filesystem type='mount'><driver type='virtiofs'/><source dir='$work/volume'/><target dir='x'/></filesystem>
END
	scenario virtiofs blocked virtiofs
snap() { real alpha snapshot-create-as "$1" s1 >/dev/null; }
point() { real alpha checkpoint-create-as "$1" c1 >/dev/null; }
"$lab" exec alpha qemu-img create -q -f qcow2 "$lun" 4M
format=qcow2 disk block "$lun" >"$work/devices"
prepare=snap scenario snapshot blocked snapshot < <(guest snapshot <"$work/devices")
"$lab" exec alpha qemu-img create -q -f qcow2 "$lun" 4M
prepare=point scenario checkpoint ok "" < <(guest checkpoint <"$work/devices")
"$lab" exec alpha qemu-img create -q -f raw "$images/copy.img" 8M
job() { real alpha blockcopy "$1" vda "$images/copy.img" --transient-job --reuse-external --format raw >/dev/null; }
prepare=job scenario block-job blocked block-job < <(guest block-job <<<"$(disk block "$lun")")

# --- refused: what the other host has, in both directions -------------------------------------
taken() { guest "$1" <<<"" >"$work/taken.xml" && real "$(other "${from-alpha}")" define "$work/taken.xml" >/dev/null; }
gone() { real "$1" undefine "$2" >/dev/null; }
prepare=taken scenario name-taken blocked name-taken < <(guest name-taken <<<"")
from=beta prepare=taken scenario name-taken-b blocked name-taken < <(guest name-taken-b <<<"")
same_uuid()
{
	guest other-name <<<"" | sed "s|</name>|&<uuid>$(real alpha domuuid "$1")</uuid>|" >"$work/taken.xml"
	real beta define "$work/taken.xml" >/dev/null
}
prepare=same_uuid scenario uuid-taken blocked uuid-taken < <(guest uuid-taken <<<"")
gone beta name-taken && gone alpha name-taken-b && gone beta other-name
runs_there()
{
	sed "s|</name>|&<uuid>$(real alpha domuuid "$1")</uuid>|" "$work/$1.xml" >"$work/taken.xml"
	real beta create "$work/taken.xml" >/dev/null
}
prepare=runs_there scenario runs-there blocked already-active < <(guest runs-there <<<"")

for host in alpha beta; do
	cat >"$work/net.xml" <<-END
		<network><name>only-$host</name><forward mode='bridge'/><bridge name='br0'/></network>
	END
	real $host net-create "$work/net.xml" >/dev/null
	"$lab" exec $host ip link add "br9$host" type bridge
	"$lab" exec $host ip link set "br9$host" up
	from=$host scenario "no-network-$host" blocked network-missing \
		< <(guest "no-network-$host" <<<"<interface type='network'><source network='only-$host'/></interface>")
	from=$host scenario "no-bridge-$host" blocked bridge-missing \
		< <(guest "no-bridge-$host" <<<"<interface type='bridge'><source bridge='br9$host'/></interface>")
done
sed 's/only-beta/only-alpha/' "$work/net.xml" >"$work/net2.xml"
real beta net-define "$work/net2.xml" >/dev/null
guest net-inactive <<<"<interface type='network'><source network='only-alpha'/></interface>" |
	scenario net-inactive blocked network-inactive
for host in alpha beta; do
	guest holder <<<"$(vnc 5978)" >"$work/holder.xml"
	real "$(other $host)" create "$work/holder.xml" >/dev/null
	from=$host scenario "vnc-taken-$host" blocked port-taken < <(guest "vnc-taken-$host" <<<"$(vnc 5978)")
	real "$(other $host)" destroy holder >/dev/null
done
dest=${uri[alpha]} scenario same-host blocked host-same < <(guest same-host <<<"")

# --- not running: the config only -------------------------------------------------------------
guest offline <<<"$nic" >"$work/offline.xml"
real alpha define "$work/offline.xml" >/dev/null
predict alpha offline "${uri[beta]}" --offline
wanted offline ok ""
live=--offline move alpha offline "${uri[beta]}" --persistent
row offline alpha-beta "$there" "$ids" "$blockers"

# --- beta made worse: no such machine type, no swtpm; then the same host UUID -----------------
sed -i "/<machine type='[a-z]*' name='pc-q35-5.2'/d; /pc-q35-5.2/d" \
	"$("$lab" path beta /var/cache/libvirt/qemu/capabilities)"/*.xml
"$lab" exec beta mount --bind /dev/null /usr/bin/swtpm
"$lab" restart beta
machine=pc-q35-5.2 guest machine <<<"" | scenario machine blocked machine-missing
guest no-tpm <<<"<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>" | scenario no-tpm blocked tpm
uuid=$(sed -n 's/^host_uuid = //p' "$("$lab" path alpha /etc/libvirt/libvirtd.conf)")
sed -i "s/^host_uuid = .*/host_uuid = $uuid/" "$("$lab" path beta /etc/libvirt/libvirtd.conf)"
"$lab" restart beta
guest same-uuid <<<"" | scenario same-uuid blocked host-same

outcome_end
[ $rows -ge 30 ] || fail "only $rows forecasts"
