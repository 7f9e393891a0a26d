#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 600
# `virt-warden new` picks the devices that the installed virt-install picks, for an OS of every kind
# that osinfo-db knows (all combinations of facts), on KVM and TCG, on a file and a block device. What
# differs is documented in docs/differences-virt-install.md, and what is documented there occurs.
set -euo pipefail
# shellcheck source=tests/virsh/lib.sh
. "$(dirname "$0")/lib.sh"

export PYTHONDONTWRITEBYTECODE=1
lib=$top/tests/virsh/lib
table=$top/docs/differences-virt-install.md
lab_start
# virt-install makes a storage pool of the directory of an image; two of them at once would collide.
on virsh -q pool-create-as work dir --target "$tmp" >/dev/null
"$VW_BUILD/virt-warden-osinfo" build --output "$VIRT_WARDEN_CACHEDIR/os.index" >/dev/null 2>&1
qemu-img create -q -f qcow2 "$tmp/blank.qcow2" 1G
truncate -s 1M "$tmp/empty.iso"
truncate -s 16M "$tmp/lun"
"$top/tests/lab/lab" loop "$tmp/lun" >"$tmp/device"

mapfile -t oses < <("$lib/oses.py" kinds)
[ ${#oses[@]} -ge 40 ] || fail "only ${#oses[@]} systems to compare"

compare() { # compare OPTION…: the result on stdout
	on "$lib/compare-virt-install" --table "$table" --used "$tmp/used" --work "$tmp" "$@"
}
bad=0
compare --case tcg,file,spice "${oses[@]}" || bad=1
on "$lib/pretend-kvm"
"$top/tests/lab/lab" restart alpha
compare --case kvm,file,vnc --case kvm,block,spice "${oses[@]}" || bad=1
# TCG where there is KVM: libvirt reports KVM's Hyper-V flags for it too, with which QEMU would not start
mapfile -t windows < <(printf '%s\n' "${oses[@]}" | grep '^win')
compare --case tcg,file,vnc "${windows[@]}" || bad=1
for id in win2k22 win10 winxp; do
	truncate -s 64M "$tmp/$id.img"
	run 0 on virt-warden new --os "$id" --name "$id" --memory 256 --virttype qemu --disk "$tmp/$id.img" \
		--network default --define
	run 0 on "$real" "start $id; domstate $id; destroy $id"
	has "$tmp/out" '^running'
done
compare --finish || bad=1
[ $bad = 0 ] || fail "document a difference only if ours is better, and say why"
