#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# preflight with the XML, the config and the name that the destination gets instead (--xml, --persistent-xml,
# --dname), on saved facts. No libvirt is asked; the same against real ones is in lab/test-migrate-virsh.
set -euo pipefail

# shellcheck source=lib/saved-facts.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/saved-facts.sh"

# judge NAME "PROPERTIES OF WHAT IS WORSE THAN INFO" OPTION…: from intel to amd.
judge()
{
	local got status=0
	"$warden" --json -c "$facts/intel.json" preflight --one-way "${@:3}" "$work/own.xml" "$facts/amd.json" \
		>"$work/json" 2>"$work/err" || status=$?
	got=$(jq -r '[.directions[0].reasons[] | select(.severity != "info") | "\(.id):\(.property)"] | unique | join(" ")' "$work/json")
	printf '%-16s %s %s\n' "$1" "$status" "$got"
	[ "$got" = "$2" ] || fail "$1: '$got', wanted '$2' $(<"$work/err")"
}

cat >"$work/own.xml" <<'END'
<domain type='qemu'><name>web1</name><uuid>5f0e3b1a-0000-4000-8000-000000000001</uuid>
<memory unit='KiB'>2097152</memory><vcpu>2</vcpu><os><type arch='x86_64' machine='pc-q35-5.2'>hvm</type></os>
<cpu mode='custom' match='exact'><model>Nehalem</model></cpu><devices>
<disk type='block' device='disk'><driver cache='none'/><source dev='/dev/mapper/lun0'/><target dev='vda' bus='virtio'/></disk>
<interface type='network'><mac address='52:54:00:00:00:01'/><source network='default'/><model type='virtio'/></interface>
</devices></domain>
END
jq --arg uuid 00000000-0000-4000-8000-000000000002 \
	'.domains += [{"name": "web1", "uuid": $uuid, "active": false, "ports": []}]' "$facts/amd.json" >"$work/taken.json"

# edit NAME SED-SCRIPT: another XML, from the own one.
edit() { sed "$2" "$work/own.xml" >"$work/$1.xml"; }

judge own ""
judge same "" --xml "$work/own.xml"
edit lun "s,/dev/mapper/lun0,/dev/mapper/lun9,"
judge free "" --xml "$work/lun.xml"
edit uuid "s,000000000001,000000000009,"
judge uuid "xml-abi:uuid" --xml "$work/uuid.xml"
edit nouuid "s,<uuid>.*</uuid>,,"
judge no-uuid "xml-abi:uuid" --xml "$work/nouuid.xml"
edit memory "s,2097152,4194304,"
judge memory "xml-abi:memory" --xml "$work/memory.xml"
edit unit "s,'KiB'>2097152,'GiB'>2,"
judge unit "" --xml "$work/unit.xml"
edit vcpu "s,<vcpu>2,<vcpu>4,"
judge vcpu "xml-abi:vcpu" --xml "$work/vcpu.xml"
edit machine "s,pc-q35-5.2,pc-i440fx-5.2,"
judge machine "xml-abi:machine" --xml "$work/machine.xml"
edit alias "s,pc-q35-5.2,q35,"
judge alias "" --xml "$work/alias.xml"
edit bus "s,bus='virtio',bus='scsi',"
judge bus "xml-abi:disk target bus" --xml "$work/bus.xml"
edit nic "s,00:01',00:02',;s,<model type='virtio',<model type='e1000',"
judge nic "xml-abi:interface mac address xml-abi:interface model type" --xml "$work/nic.xml"
edit more "s,</devices>,<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng></devices>,"
judge more "xml-abi:rng" --xml "$work/more.xml"
# What is cached where it runs stays cached until the end, whatever the destination is given.
sed -i "s/cache='none'/cache='writeback'/" "$work/own.xml"
edit uncached "s/cache='writeback'/cache='none'/"
judge cached "disk-cache:vda" --xml "$work/uncached.xml"
sed -i "s/cache='writeback'/cache='none'/" "$work/own.xml"

edit other "s,<name>web1,<name>web2,"
judge persistent "" --persistent-xml "$work/memory.xml"
judge persistent-2 "xml-persistent:--persistent-xml" --persistent-xml "$work/other.xml"

taken() { "$warden" --json -c "$facts/intel.json" preflight --one-way "$@" "$work/own.xml" "$work/taken.json" 2>/dev/null || true; }
taken | jq -e '.directions[0].reasons[] | select(.id == "name-taken")' >/dev/null || fail "the name is taken"
taken --dname web7 | jq -e '.directions[0].verdict == "ok"' >/dev/null || fail "--dname: $(taken --dname web7)"

# XML that is none: one line, exit 3.
echo '<domain' >"$work/bad.xml"
for option in --xml --persistent-xml; do
	for file in "$work/bad.xml" "$work/none.xml" /dev/null; do
		status=0
		"$warden" -c "$facts/intel.json" preflight $option "$file" "$work/own.xml" "$facts/amd.json" >"$work/out" 2>"$work/err" || status=$?
		[ $status = 3 ] && [ "$(wc -l <"$work/err")" = 1 ] || fail "$option $file: exit $status, $(<"$work/err")"
	done
done
exit $failed
