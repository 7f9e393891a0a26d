#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Disk speed inside a guest on a block device: `virt-warden new` against `virt-install`, same OS, same size.
# fio as in bench-guest-disk.sh.
#
# Emulated CPUs (TCG), two vCPUs. Both tools print their XML; what is added is the same for both: a
# kernel to boot and a console. So the difference is in what they chose.
set -euo pipefail
# shellcheck source=../lab/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lib/common.sh"
# shellcheck source=../lab/lib/guest.sh
. "$LAB_DIR/lib/guest.sh"
# shellcheck source=../lab/lib/test.sh
. "$LAB_DIR/lib/test.sh"
# shellcheck source=../lab/lib/bench.sh
. "$LAB_DIR/lib/bench.sh"

os=debian11
need virt-install
bench_begin fio

# bootable NAME: stdin to stdout: without a console of its own, with ours, and with the kernel.
bootable()
{
	sed -e '/<\(serial\|console\) .*\/>/d' -e '/<serial /,/<\/serial>/d' -e '/<console /,/<\/console>/d' \
		-e '/<boot /d' |
		awk -v os="$(boot_lines vwbench.kind=disk)" -v serial="$(console_lines "$1")" '
			{ print }
			/<type .*<\/type>/ { print os }
			/<devices>/ { print serial }'
}

for name in theirs ours; do
	truncate -s 512M "$work/$name.disk"
done
there virt-install --connect qemu:///system --virt-type qemu --osinfo $os --name theirs --memory 640 \
	--vcpus 2 --disk "path=$("$lab" loop "$work/theirs.disk")" --network none --graphics none --import \
	--print-xml 2>"$work/err" >"$work/theirs.xml" || fail "virt-install: $(<"$work/err")"
here virt-warden -c qemu:///system new --virttype qemu --os $os --name ours --memory 640 --vcpus 2 \
	--disk "$("$lab" loop "$work/ours.disk")" --network default --graphics none >"$work/new.xml"
# virt-install's guest has no NIC; nor shall ours.
sed '/<interface /,/<\/interface>/d' "$work/new.xml" >"$work/ours.xml"

for name in theirs ours; do
	head -c 512M /dev/urandom >"$work/$name.disk"
	sync "$work/$name.disk"
	bootable $name <"$work/$name.xml" >"$work/$name.boot.xml"
done
diff -u "$work/theirs.boot.xml" "$work/ours.boot.xml" >&2 || true
start_guest theirs "$work/theirs.boot.xml" >&2
start_guest ours "$work/ours.boot.xml" >&2
bench_pairs 3 ours theirs guest-disk-vs-virt-install '>=1.05'
