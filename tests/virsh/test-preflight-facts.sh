#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# preflight and matrix on saved facts: what no lab can show (other vendor, other LUN, host devices, huge
# pages, an older host), and facts files that are no good. No libvirt is asked.
set -euo pipefail

# shellcheck source=lib/saved-facts.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib/saved-facts.sh"

# judge NAME FROM TO THERE BACK IDS <XML: domain XML on stdin; IDS of what is worse than info, there.
judge()
{
	local status=0 got ids want
	cat >"$work/$1.xml"
	"$warden" --json -c "$facts/$2.json" preflight "$work/$1.xml" "$facts/$3.json" >"$work/json" || status=$?
	got=$(jq -r '[.directions[].verdict] | join(" ")' "$work/json")
	ids=$(jq -r '[.directions[0].reasons[] | select(.severity != "info") | .id] | unique | join(" ")' "$work/json")
	printf '%-16s %-8s %-11s %-16s %s\n' "$1" "$2" "$3" "$got" "$ids"
	[ "$got" = "$4 $5" ] || fail "$1: $got, wanted $4 $5"
	[ "$ids" = "$6" ] || fail "$1: $ids, wanted $6"
	case $4 in ok) want=0 ;; unknown) want=3 ;; *) want=1 ;; esac
	[ $status = $want ] || fail "$1: exit $status, wanted $want"
}

# xml TYPE CPU DEVICES [ELEMENTS]
xml()
{
	cat <<-END
		<domain type='$1'><name>web1</name><uuid>5f0e3b1a-0000-4000-8000-000000000001</uuid>
		<memory unit='KiB'>2097152</memory><os><type arch='x86_64' machine='${machine-pc-q35-5.2}'>hvm</type></os>
		$2${4-}<devices>$3</devices></domain>
	END
}

model="<cpu mode='host-model'/>"
whole="<cpu mode='maximum'/>"
named="<cpu mode='custom' match='exact'><model>Nehalem</model><feature policy='require' name='FEATURE'/></cpu>"
lun="<disk type='block' device='disk'><driver cache='none'/><source dev='/dev/mapper/lun0'/><target dev='vda'/></disk>"
hostdev="<hostdev mode='subsystem' type='TYPE'><source/></hostdev>"
huge="<memoryBacking><hugepages><page size='2048' unit='KiB'/></hugepages></memoryBacking>"
invtsc="<cpu mode='custom'><model>Nehalem</model><feature policy='require' name='invtsc'/></cpu>"
tsc="<clock offset='utc'><timer name='tsc' frequency='2600000000'/></clock>"

# The table of CPUs: alpha has all, beta is older (also its QEMU, hence the risk).
xml qemu "$model" "" | judge host-model alpha beta-older blocked ok "cpu-features qemu-older"
xml qemu "$model" "" | judge host-model-2 beta-older alpha ok risk ""
xml qemu "$whole" "" | judge maximum alpha beta-older risk ok "cpu-features-lost qemu-older"
jq -e '.directions[0].reasons[] | select(.id == "cpu-features-lost") | .source | test("aes")' "$work/json" >/dev/null ||
	fail "maximum: the risk does not name aes"
xml qemu "${named/FEATURE/aes}" "" | judge named-aes alpha beta-older blocked ok "cpu-features qemu-older"
xml qemu "${named/FEATURE/popcnt}" "" | judge named-popcnt alpha beta-older risk ok "qemu-older"
xml qemu "${named/Nehalem/Westmere}" "" | sed "s/<feature[^>]*>//" |
	judge named-model alpha beta-older blocked ok "cpu-model qemu-older"

# AMD and Intel under KVM; a KVM guest to a host without.
xml kvm "$model" "" | judge vendor intel amd blocked blocked "cpu-features cpu-vendor"
xml kvm "${whole/maximum/host-passthrough}" "" | judge vendor-whole intel amd risk ok "cpu-features-lost cpu-vendor tsc-frequency"
xml kvm "$model" "" | judge no-kvm intel alpha blocked ok "virt-type"
xml qemu "$invtsc" "" | judge tsc-missing alpha alpha blocked blocked "cpu-features host-same tsc-frequency"
xml qemu "$model" "" "$tsc" | judge tsc-other intel amd blocked ok "tsc-frequency"

# Storage and devices.
xml qemu "$model" "$lun" | judge other-lun beta-older alpha risk risk "disk-other-lun"
xml qemu "$model" "$lun" | judge same-lun intel amd ok ok ""
xml qemu "$model" "${lun/cache=\'none\'/cache=\'writeback\'}" | judge cached intel amd risk risk "disk-cache"
xml qemu "$model" "${lun/block/nvme}" | judge nvme intel amd blocked blocked "disk-nvme"
for type in pci mdev scsi_host; do
	xml qemu "$model" "${hostdev/TYPE/$type}" | judge $type intel amd blocked blocked "hostdev"
done
xml qemu "$model" "${hostdev/TYPE/usb}" | judge usb intel amd risk risk "host-device"
xml qemu "$model" "<filesystem type='mount'><driver type='virtiofs'/><source dir='/x'/></filesystem>" |
	judge virtiofs intel amd blocked blocked "virtiofs"
xml qemu "$model" "<filesystem type='mount'><source dir='/x'/></filesystem>" |
	judge 9p intel amd risk risk "shared-directory"
xml qemu "$model" "<interface type='vhostuser'><source type='unix' path='/x'/></interface>" |
	judge vhost-user intel amd risk risk "vhost-user"
xml qemu "$model" "<tpm><backend type='emulator'/></tpm>" | judge tpm alpha beta-older blocked ok "cpu-features qemu-older tpm"
xml qemu "$model" "" "$huge" | judge hugepages intel amd blocked blocked "hugepages"
machine=pc-q35-7.2 xml qemu "${named/FEATURE/popcnt}" "" | judge machine alpha beta-older blocked ok "machine-missing qemu-older"
xml qemu "$model" "<disk type='file'><driver cache='none'/><source file='/srv/a.img'/><target dev='vda'/></disk>" |
	judge file intel amd unknown unknown ""

# Facts that are no good: one line, exit 3.
refused() # refused NAME REGEX <FACTS
{
	local status=0
	cat >"$work/$1.json"
	xml qemu "$model" "" >"$work/a.xml"
	timeout 20 "$warden" --json -c "$facts/alpha.json" preflight "$work/a.xml" "$work/$1.json" >"$work/json" 2>"$work/err" || status=$?
	[ $status = 3 ] || fail "$1: exit $status"
	[ "$(jq -r '.directions[0].verdict' "$work/json")" = unknown ] || fail "$1: not unknown"
	[ "$(wc -l <"$work/err")" = 1 ] || fail "$1: not one line: $(<"$work/err")"
	grep -Eq "$2" "$work/err" || fail "$1: $(<"$work/err")"
}
refused empty 'no JSON' </dev/null
head -c 1000 "$facts/alpha.json" | refused cut 'line [0-9]+: no JSON'
jq '.version = 2' "$facts/alpha.json" | refused newer 'newer virt-warden'
jq 'del(.virts)' "$facts/alpha.json" | refused lacking "'virts' is missing"
jq '.virts[0].features[3] = 7' "$facts/alpha.json" | refused types "'features'"
jq '.domains = {}' "$facts/alpha.json" | refused object "'domains' is no list"
jq '.virts[0].features = [range(2000) | "f\(.)"]' "$facts/alpha.json" | refused features 'too many'
jq '.memory_kib = -5' "$facts/alpha.json" | refused negative "'memory_kib' is a number out of range"
sed -E 's/("tsc_khz": *)-?[0-9]+/\1-9223372036854775808/' "$facts/alpha.json" | refused least "'tsc_khz' is a number out of range"
echo '[]' | refused array "'version' is missing"
head -c 11000000 /dev/zero | tr '\0' ' ' | refused huge 'too large|no JSON'
head -c 100000 /dev/zero | tr '\0' '[' | refused deep 'no JSON'

# The matrix: table, JSON, page, baseline.
status=0
"$warden" matrix "$facts"/{alpha,beta-older}.json --html "$work/m.html" >"$work/table" || status=$?
[ $status = 1 ] || fail "matrix: exit $status"
grep -Eq 'alpha +\. +x' "$work/table" || fail "matrix: $(<"$work/table")"
status=0
"$warden" --json matrix "$facts"/{alpha,beta-older}.json >"$work/json" || status=$?
[ "$(jq -c '[.moves[].verdict]' "$work/json")" = '["blocked","ok"]' ] || fail "matrix --json: $(<"$work/json")"
! grep -Eq 'https?://|src=' "$work/m.html" || fail "the page takes something from elsewhere"
"$warden" matrix --baseline "$facts"/{alpha,beta-older}.json >"$work/cpu" 2>"$work/losses"
xmllint --noout "$work/cpu" || fail "the baseline is no XML"
! grep -q "'aes'" "$work/cpu" || fail "the baseline has aes, which beta lacks"
grep -q '<model fallback=.forbid.>Nehalem<' "$work/cpu" || fail "the baseline: $(head -n 3 "$work/cpu")"
grep -q 'alpha loses.*aes' "$work/losses" || fail "what alpha loses: $(<"$work/losses")"
# With it a guest moves in every direction.
sed "s/ check='full'//" "$work/cpu" >"$work/cpu2"
xml qemu "$(<"$work/cpu2")" "" | judge baseline alpha beta-older risk ok "qemu-older"

# A host's name is hostile, too: it never becomes markup.
jq '.name = "</script><script>alert(1)</script>" | .uuid = "9"' "$facts/alpha.json" >"$work/evil.json"
"$warden" matrix "$facts/alpha.json" "$work/evil.json" --html "$work/m.html" >/dev/null
! grep -q '<script>alert' "$work/m.html" || fail "a host's name became markup"
exit $failed
